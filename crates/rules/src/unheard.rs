//! Values that a fact never has: a rule that asks for one seems to guard something, and never fires, or always.

use cedar_policy::pst::{BinaryOp, Expr, Literal, PatternElem, UnaryOp};

use crate::{
    known::{FACTS, Fact, Values, position},
    shape::path,
};

/// A value that is asked for and never there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unheard {
    /// Of which fact.
    pub fact: &'static str,
    /// As a condition has it. None of a pattern, and of a comparison with a number.
    pub written: Option<String>,
    pub message: String,
    /// What it can be.
    pub hint: String,
}

/// The first value in a condition that the fact which it is compared with never has.
pub(crate) fn unheard(expr: &Expr) -> Option<Unheard> {
    match expr {
        Expr::BinaryOp { op, left, right } => compared(*op, left, right)
            .or_else(|| compared(turned(*op)?, right, left))
            .or_else(|| unheard(left))
            .or_else(|| unheard(right)),
        Expr::Like { expr, pattern } => alike(expr, pattern).or_else(|| unheard(expr)),
        Expr::UnaryOp { expr, .. } | Expr::GetAttr { expr, .. } => unheard(expr),
        Expr::IfThenElse { cond, then_expr, else_expr } => {
            [cond, then_expr, else_expr].into_iter().find_map(|part| unheard(part))
        }
        Expr::Set(items) => items.iter().find_map(|item| unheard(item)),
        Expr::Record(members) => members.values().find_map(|member| unheard(member)),
        _ => None,
    }
}

/// The same comparison with its sides exchanged.
fn turned(op: BinaryOp) -> Option<BinaryOp> {
    Some(match op {
        BinaryOp::Less => BinaryOp::Greater,
        BinaryOp::LessEq => BinaryOp::GreaterEq,
        BinaryOp::Greater => BinaryOp::Less,
        BinaryOp::GreaterEq => BinaryOp::LessEq,
        BinaryOp::Eq
        | BinaryOp::NotEq
        | BinaryOp::Contains
        | BinaryOp::ContainsAll
        | BinaryOp::ContainsAny => op,
        _ => return None,
    })
}

fn compared(op: BinaryOp, fact: &Expr, value: &Expr) -> Option<Unheard> {
    turned(op)?;
    let (fact, values) = closed(fact)?;
    match value {
        Expr::Set(items) => items.iter().find_map(|item| is_never(op, fact, &values, item)),
        value => is_never(op, fact, &values, value),
    }
}

/// The fact that an expression reads, and what it can be, where that is a closed list.
fn closed(expr: &Expr) -> Option<(&'static Fact, Values)> {
    let Expr::GetAttr { expr, attr } = expr else { return None };
    let fact = &FACTS[position(&format!("{}.{attr}", path(expr)?))?];
    Some((fact, fact.values()?))
}

fn is_never(op: BinaryOp, fact: &'static Fact, values: &Values, value: &Expr) -> Option<Unheard> {
    match (values, value) {
        (Values::Words(words), Expr::Literal(Literal::String(word))) => {
            let written = format!("\"{word}\"");
            let message = format!("`{}` is never {written}", fact.path);
            (!words.contains(&word.as_str())).then(|| told(fact, values, Some(written), message))
        }
        (Values::Numbers(first, last), value) => {
            let number = number(value)?;
            let holds = match op {
                BinaryOp::Less => number > *first,
                BinaryOp::LessEq => number >= *first,
                BinaryOp::Greater => number < *last,
                BinaryOp::GreaterEq => number <= *last,
                _ => (*first..=*last).contains(&number),
            };
            // `< 24` and `> -1` say no more than that it is an hour; what is beyond is of another scale.
            let is_near = (first - 1..=last + 1).contains(&number);
            let message = format!("`{}` cannot be compared with {number} like this", fact.path);
            if holds && is_near { None } else { Some(told(fact, values, None, message)) }
        }
        _ => None,
    }
}

fn alike(expr: &Expr, pattern: &[PatternElem]) -> Option<Unheard> {
    let (fact, values) = closed(expr)?;
    let Values::Words(words) = &values else { return None };
    let message = format!("`{}` is never like that", fact.path);
    (!words.iter().any(|word| fits(pattern, word))).then(|| told(fact, &values, None, message))
}

/// Whether the pattern takes the word: by the places in it that are reached, so that no pattern takes long.
fn fits(pattern: &[PatternElem], word: &str) -> bool {
    let letters: Vec<char> = word.chars().collect();
    let mut reached = vec![false; letters.len() + 1];
    reached[0] = true;
    for part in pattern {
        let mut next = vec![false; letters.len() + 1];
        match part {
            PatternElem::Char(letter) => {
                for (at, there) in letters.iter().enumerate() {
                    next[at + 1] = reached[at] && there == letter;
                }
            }
            PatternElem::Wildcard => {
                let mut from_here = false;
                for (at, is_reached) in reached.iter().enumerate() {
                    from_here |= is_reached;
                    next[at] = from_here;
                }
            }
        }
        reached = next;
    }
    reached.last() == Some(&true)
}

fn number(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Literal(Literal::Long(number)) => Some(*number),
        Expr::UnaryOp { op: UnaryOp::Neg, expr } => number(expr)?.checked_neg(),
        _ => None,
    }
}

fn told(fact: &'static Fact, values: &Values, written: Option<String>, message: String) -> Unheard {
    let hint = match values {
        Values::Words(_) => format!("it is one of {}", values.told()),
        Values::Numbers(..) => format!("it is {}", values.told()),
    };
    Unheard { fact: fact.path, written, message, hint }
}
