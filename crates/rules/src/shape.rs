//! The shape of a checked condition: which facts it reads, and to which tools it is pinned.
//!
//! A condition reads facts by name (`context.step.kind`) and in no other way, so what it reads is known
//! before it runs: only those facts are given to Cedar.

use cedar_policy::pst::{BinaryOp, Expr, Literal, UnaryOp, Var};
use proof::words::{BindAt, StepKind};

use crate::{
    known::{FACTS, position},
    schema,
};

/// A set of facts, by their position in [`crate::known::FACTS`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FactSet(u64);

impl FactSet {
    pub(crate) fn insert(&mut self, position: usize) {
        self.0 |= 1 << position;
    }

    pub(crate) fn contains(self, position: usize) -> bool {
        self.0 & (1 << position) != 0
    }

    /// Those of both.
    pub(crate) fn meet(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The only values of one fact with which the condition can hold or fail to evaluate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pin {
    Skills(Vec<String>),
    Kinds(Vec<StepKind>),
}

/// What the index and the context need to know of a condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    pub reads: FactSet,
    /// Those that it holds for where they are other than it names: `context.step.table != "customers"`, as who allows
    /// says.
    pub excepts: FactSet,
    pub pin: Option<Pin>,
    /// It asks at which moment it is evaluated, which the rule says beside it.
    pub asks_for_action: bool,
    /// It asks whether there is a fact that can be left out. The schema has every fact, so that Cedar's type check says
    /// of `!(context.step has cost_microusd)` that it never holds.
    pub asks_for_left_out: bool,
}

/// Why a condition that type-checks is refused all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Misshapen {
    /// `context` or `context.step` as a value.
    WholeRecord,
    /// An attribute of something that is no variable, or a tag.
    NotAFact,
    /// A fact that is not known at the moment: `has` asks for it without an error.
    NotKnown(String),
    /// An expression form that this engine does not know.
    UnknownForm,
}

/// Reads the shape of a condition.
pub(crate) fn shape(bind_at: BindAt, condition: &Expr) -> Result<Shape, Misshapen> {
    let mut reader = Reader { bind_at, shape: Shape { pin: pin(condition), ..Shape::default() } };
    reader.walk(condition)?;
    excepted(condition, Sign::Plain, &mut reader.shape.excepts);
    Ok(reader.shape)
}

struct Reader {
    bind_at: BindAt,
    shape: Shape,
}

impl Reader {
    fn walk(&mut self, expr: &Expr) -> Result<(), Misshapen> {
        match expr {
            Expr::Literal(_) => Ok(()),
            Expr::Var(Var::Action) => {
                self.shape.asks_for_action = true;
                Ok(())
            }
            // `principal == Agent::"a"` reads which agent it is.
            Expr::Var(Var::Principal) => self.read(Some("principal".to_owned()), "agent_id"),
            Expr::Var(Var::Resource) => self.read(Some("resource".to_owned()), "run_id"),
            Expr::Var(Var::Context) => Err(Misshapen::WholeRecord),
            Expr::GetAttr { expr, attr } => self.read(path(expr), attr),
            Expr::HasAttr { expr, attrs } => {
                let mut base = path(expr).ok_or(Misshapen::NotAFact)?;
                for attr in attrs.iter().take(attrs.len() - 1) {
                    base = format!("{base}.{attr}");
                }
                self.shape.asks_for_left_out |= can_be_left_out(attrs.last());
                if base == "context" { Ok(()) } else { self.read(Some(base), attrs.last()) }
            }
            Expr::UnaryOp { expr, .. } | Expr::Like { expr, .. } => self.walk(expr),
            Expr::BinaryOp { op: BinaryOp::HasTag | BinaryOp::GetTag, .. } => Err(Misshapen::NotAFact),
            Expr::BinaryOp { left, right, .. } => {
                self.walk(left)?;
                self.walk(right)
            }
            Expr::Is { expr, in_expr, .. } => {
                self.walk(expr)?;
                in_expr.as_ref().map_or(Ok(()), |within| self.walk(within))
            }
            Expr::IfThenElse { cond, then_expr, else_expr } => {
                self.walk(cond)?;
                self.walk(then_expr)?;
                self.walk(else_expr)
            }
            Expr::Set(items) => items.iter().try_for_each(|item| self.walk(item)),
            Expr::Record(members) => members.values().try_for_each(|member| self.walk(member)),
            _ => Err(Misshapen::UnknownForm),
        }
    }

    fn read(&mut self, base: Option<String>, attr: &str) -> Result<(), Misshapen> {
        let path = format!("{}.{attr}", base.ok_or(Misshapen::NotAFact)?);
        match position(&path) {
            Some(fact) if FACTS[fact].since.known_at(self.bind_at) => {
                self.shape.reads.insert(fact);
                Ok(())
            }
            None if schema::sections(self.bind_at).any(|section| path == format!("context.{section}")) => {
                Err(Misshapen::WholeRecord)
            }
            _ => Err(Misshapen::NotKnown(path)),
        }
    }
}

/// How a part of a condition counts for all of it.
#[derive(Clone, Copy)]
enum Sign {
    /// The condition holds where the part does.
    Plain,
    /// It holds where the part does not.
    Negated,
    Either,
}

impl Sign {
    fn negated(self) -> Self {
        match self {
            Self::Plain => Self::Negated,
            Self::Negated => Self::Plain,
            Self::Either => Self::Either,
        }
    }
}

/// Collects the facts that a condition excepts: read under a `!` or a `!=`, or what comes to it, as `(..) == false` and
/// `if .. then false else ..`; and read where it holds for the one in one branch and for the other in another. Whether
/// a fact is there at all (`!= ""`) is no exception.
fn excepted(expr: &Expr, sign: Sign, facts: &mut FactSet) {
    match expr {
        Expr::GetAttr { expr, attr } if !matches!(sign, Sign::Plain) => {
            if let Some(fact) = path(expr).and_then(|base| position(&format!("{base}.{attr}"))) {
                facts.insert(fact);
            }
        }
        Expr::UnaryOp { op: UnaryOp::Not, expr } => excepted(expr, sign.negated(), facts),
        Expr::UnaryOp { expr, .. } | Expr::Like { expr, .. } | Expr::Is { expr, .. } => {
            excepted(expr, sign, facts);
        }
        Expr::BinaryOp { op: BinaryOp::Eq | BinaryOp::NotEq, left, right }
            if is_empty(left) || is_empty(right) => {}
        Expr::BinaryOp { op: op @ (BinaryOp::Eq | BinaryOp::NotEq), left, right } => {
            let alike = if matches!(op, BinaryOp::Eq) { sign } else { sign.negated() };
            for (side, other) in [(left, right), (right, left)] {
                let sign = match (side.as_ref(), truth(other)) {
                    (Expr::GetAttr { .. }, _) | (_, Some(true)) => alike,
                    (_, Some(false)) => alike.negated(),
                    _ => Sign::Either,
                };
                excepted(side, sign, facts);
            }
        }
        Expr::BinaryOp { left, right, .. } => {
            excepted(left, sign, facts);
            excepted(right, sign, facts);
        }
        Expr::IfThenElse { cond, then_expr, else_expr } => {
            // `if a then true else b` is `a || b`, and `if a then b else false` is `a && b`.
            let of_cond = match (truth(then_expr), truth(else_expr)) {
                (Some(true), _) | (_, Some(false)) => sign,
                (Some(false), _) | (_, Some(true)) => sign.negated(),
                _ => Sign::Either,
            };
            excepted(cond, of_cond, facts);
            excepted(then_expr, sign, facts);
            excepted(else_expr, sign, facts);
        }
        Expr::Set(items) => {
            for item in items {
                excepted(item, sign, facts);
            }
        }
        _ => {}
    }
}

fn is_empty(expr: &Expr) -> bool {
    literal(expr) == Some("")
}

fn truth(expr: &Expr) -> Option<bool> {
    match expr {
        Expr::Literal(Literal::Bool(truth)) => Some(*truth),
        _ => None,
    }
}

/// `context`, `context.step`, `principal`, `resource`: what facts are read from.
pub(crate) fn path(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Var(Var::Context) => Some("context".to_owned()),
        Expr::Var(Var::Principal) => Some("principal".to_owned()),
        Expr::Var(Var::Resource) => Some("resource".to_owned()),
        Expr::GetAttr { expr, attr } => path(expr).map(|base| format!("{base}.{attr}")),
        _ => None,
    }
}

/// The first conjunct that pins the tool, unless one before it may fail to evaluate: then the rule must be
/// evaluated for every tool, because a failure refuses.
fn pin(condition: &Expr) -> Option<Pin> {
    let mut conjuncts = Vec::new();
    flatten(condition, &mut conjuncts);
    for conjunct in conjuncts {
        if let Some(pin) = pin_of(conjunct) {
            return Some(pin);
        }
        if !infallible(conjunct) {
            return None;
        }
    }
    None
}

fn flatten<'a>(expr: &'a Expr, conjuncts: &mut Vec<&'a Expr>) {
    match expr {
        Expr::BinaryOp { op: BinaryOp::And, left, right } => {
            flatten(left, conjuncts);
            flatten(right, conjuncts);
        }
        _ => conjuncts.push(expr),
    }
}

fn pin_of(conjunct: &Expr) -> Option<Pin> {
    let Expr::BinaryOp { op, left, right } = conjunct else { return None };
    let (fact, values) = match (op, left.as_ref(), right.as_ref()) {
        (BinaryOp::Eq, fact @ Expr::GetAttr { .. }, value)
        | (BinaryOp::Eq, value, fact @ Expr::GetAttr { .. }) => (fact, vec![literal(value)?]),
        (BinaryOp::Contains, Expr::Set(items), fact) => {
            (fact, items.iter().map(|item| literal(item)).collect::<Option<Vec<_>>>()?)
        }
        _ => return None,
    };
    match path(fact)?.as_str() {
        "context.step.skill" => Some(Pin::Skills(values.into_iter().map(str::to_owned).collect())),
        "context.step.kind" => {
            Some(Pin::Kinds(values.into_iter().filter_map(|word| word.parse().ok()).collect()))
        }
        _ => None,
    }
}

fn literal(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Literal(Literal::String(text)) => Some(text),
        _ => None,
    }
}

/// Whether facts are without it at times: a cost while it is unknown, a piece of content where a tenant keeps none.
fn can_be_left_out(attr: &str) -> bool {
    ["cost_microusd", "command", "commands", "url_path"].contains(&attr)
}

/// Whether a type-checked expression always has a value: no arithmetic that can overflow, and no fact that can be left
/// out.
fn infallible(expr: &Expr) -> bool {
    match expr {
        Expr::Literal(_) | Expr::Var(_) | Expr::HasAttr { .. } => true,
        Expr::GetAttr { attr, .. } => !can_be_left_out(attr),
        Expr::UnaryOp { op, expr } => matches!(op, UnaryOp::Not | UnaryOp::IsEmpty) && infallible(expr),
        Expr::BinaryOp { op, left, right } => {
            matches!(
                op,
                BinaryOp::Eq
                    | BinaryOp::NotEq
                    | BinaryOp::Less
                    | BinaryOp::LessEq
                    | BinaryOp::Greater
                    | BinaryOp::GreaterEq
                    | BinaryOp::And
                    | BinaryOp::Or
                    | BinaryOp::In
                    | BinaryOp::Contains
                    | BinaryOp::ContainsAll
                    | BinaryOp::ContainsAny
            ) && infallible(left)
                && infallible(right)
        }
        Expr::Like { expr, .. } => infallible(expr),
        Expr::Is { expr, in_expr, .. } => {
            infallible(expr) && in_expr.as_ref().is_none_or(|within| infallible(within))
        }
        Expr::IfThenElse { cond, then_expr, else_expr } => {
            infallible(cond) && infallible(then_expr) && infallible(else_expr)
        }
        Expr::Set(items) => items.iter().all(|item| infallible(item)),
        _ => false,
    }
}
