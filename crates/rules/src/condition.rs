//! A rule's condition: one Cedar expression, checked strictly when it is saved.

use std::sync::Arc;

use cedar_policy::{Expression, Policy, PolicySet, ValidationMode, ValidationWarning, pst};
use miette::Diagnostic;
use proof::words::BindAt;
use serde::Serialize;

use crate::{
    habits,
    known::{FACTS, Fact},
    misspelt,
    scan::{self, Token},
    schema,
    shape::{Misshapen, Shape, shape},
    unheard::{Unheard, unheard},
};

/// Why a condition is refused, with the place in the condition's own text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct ConditionError {
    /// What is wrong.
    pub message: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// In bytes, from 0.
    pub offset: usize,
    /// What to do about it, where that can be told.
    pub hint: Option<String>,
}

impl ConditionError {
    fn at(condition: &str, offset: usize, message: String, hint: Option<String>) -> Self {
        let offset =
            (0..=offset.min(condition.len())).rev().find(|at| condition.is_char_boundary(*at)).unwrap_or(0);
        let before = &condition[..offset];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            message,
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            offset,
            hint,
        }
    }
}

/// A condition that passed: what evaluation needs of it.
#[derive(Debug)]
pub(crate) struct Checked {
    pub expression: Expression,
    pub shape: Shape,
    body: Arc<pst::Expr>,
    /// Whatever the facts are, it does not hold.
    never_holds: bool,
}

/// Whether a rule that is bound at that moment may have that condition. A condition that can be evaluated and can never
/// hold is refused too, because its rule would seem to guard something; and so is one that asks for a value which its
/// fact never has. Conditions that are stored already are evaluated as they are.
pub fn validate(bind_at: BindAt, condition: &str) -> Result<(), ConditionError> {
    let Checked { shape, never_holds, body, .. } = check(bind_at, condition)?;
    let refuse = |offset, message: &str, hint: String| {
        Err(ConditionError::at(condition, offset, message.to_owned(), Some(hint)))
    };
    if shape.asks_for_action {
        let hint = format!("the moment is said by `bind_at`, and this rule has {bind_at}");
        return refuse(place_of_action(condition), "`action` is no fact to read", hint);
    }
    if never_holds {
        let hint = "compare with what a fact can be, as docs/facts.md has it; a rule that is not to fire has the mode DISABLED";
        return refuse(0, "the condition can never hold", hint.to_owned());
    }
    if let Some(value) = unheard(&body) {
        return refuse(place_of_value(condition, &value), &value.message, value.hint);
    }
    Ok(())
}

/// Where a condition asks for a value that is never there: the value itself, else its fact.
fn place_of_value(condition: &str, value: &Unheard) -> usize {
    let name = value.fact.rsplit_once('.').map_or(value.fact, |(_, name)| name);
    let written = value.written.as_deref().and_then(|written| condition.find(written));
    written.or_else(|| condition.find(value.fact)).or_else(|| condition.find(name)).unwrap_or(0)
}

/// Where a condition asks for the action.
fn place_of_action(condition: &str) -> usize {
    let mut within = false;
    let asks = scan::tokens(condition).find(|(_, token)| {
        let is_root = *token == Token::Word("action") && !within;
        within = *token == Token::Mark('.');
        is_root
    });
    asks.map_or(0, |(offset, _)| offset)
}

/// The facts that a condition reads, in the order of the table; none where it is no condition at that moment.
#[must_use]
pub fn facts_of(bind_at: BindAt, condition: &str) -> Vec<&'static Fact> {
    let reads = check(bind_at, condition).map(|checked| checked.shape.reads).unwrap_or_default();
    FACTS.iter().enumerate().filter(|(at, _)| reads.contains(*at)).map(|(_, fact)| fact).collect()
}

/// The whole Cedar policy that a condition makes, as it is checked; for people and other tools.
/// Over a base permit it is what refuses.
#[must_use]
pub fn policy_text(policy_id: &str, bind_at: BindAt, condition: &str) -> String {
    format!("{}{condition}\n}};", head(policy_id, bind_at))
}

fn head(policy_id: &str, bind_at: BindAt) -> String {
    format!(
        "@id(\"{}\")\nforbid (principal is Agent, action == Action::\"{}\", resource is Run) when {{\n",
        policy_id.escape_debug(),
        schema::action(bind_at)
    )
}

pub(crate) fn check(bind_at: BindAt, condition: &str) -> Result<Checked, ConditionError> {
    let refuse = |offset, message, hint| ConditionError::at(condition, offset, message, hint);
    scan::check(condition).map_err(|too_much| refuse(too_much.offset, too_much.message, None))?;
    if condition.trim().is_empty() {
        let hint = "write `true` for a rule that always fires".to_owned();
        return Err(refuse(0, "a condition is needed".to_owned(), Some(hint)));
    }
    // Parsed by itself it is one whole expression: it cannot close the clause and go on with another.
    let expression: Expression = condition.parse().map_err(|errors: cedar_policy::ParseErrors| {
        let error = errors.iter().next();
        let place = error.and_then(|error| offset_of(error)).unwrap_or(0);
        let message = error.map_or_else(|| errors.to_string(), ToString::to_string);
        let hint = told(condition, place, &message).or_else(|| help(error?));
        refuse(place, message, hint.or_else(|| Some(SHOWN.to_owned())))
    })?;
    let clause_start = head("rule", bind_at).len();
    let policy = Policy::parse(None, policy_text("rule", bind_at, condition)).map_err(|errors| {
        let place = errors.iter().next().and_then(|error| offset_of(error)).unwrap_or(0);
        let place = place.saturating_sub(clause_start);
        refuse(place, errors.to_string(), habits::alternative(condition, place))
    })?;
    let body = sole_clause(&policy).ok_or_else(|| {
        refuse(0, "a condition is the expression inside `when { }`, and only that".to_owned(), None)
    })?;
    let set = PolicySet::from_policies([policy])
        .map_err(|error| refuse(0, format!("the condition makes no policy: {error}"), None))?;
    let is_impossible = type_check(bind_at, condition, clause_start, &set)?;
    let shape = shape(bind_at, &body).map_err(|misshapen| refuse_shape(bind_at, condition, &misshapen))?;
    let never_holds = is_impossible && !shape.asks_for_left_out;
    Ok(Checked { expression, shape, body, never_holds })
}

/// The expression of the policy's only clause, if that is a `when`.
fn sole_clause(policy: &Policy) -> Option<Arc<pst::Expr>> {
    let pst::Policy::Static(policy) = policy.to_pst().ok()? else { return None };
    match policy.body().clauses().as_slice() {
        [pst::Clause::When(expression)] => Some(expression.clone()),
        _ => None,
    }
}

/// Whether it can never hold while every fact is there, where it is sound.
fn type_check(
    bind_at: BindAt,
    condition: &str,
    clause_start: usize,
    set: &PolicySet,
) -> Result<bool, ConditionError> {
    let result = schema::VALIDATOR.validate(set, ValidationMode::Strict);
    let errors = result.validation_errors().map(|error| {
        let span = error.labels().and_then(|mut labels| labels.next());
        let start = span.as_ref().map_or(0, |span| span.offset().saturating_sub(clause_start));
        let end = span.as_ref().map_or(0, |span| start + span.len());
        (start, end, error)
    });
    let Some((start, _, error)) = errors.min_by_key(|(start, end, error)| (*start, *end, error.to_string()))
    else {
        let is_impossible = |warning| matches!(warning, &ValidationWarning::ImpossiblePolicy(_));
        return Ok(result.validation_warnings().any(is_impossible));
    };
    let message = plain(&error.to_string());
    let of_facts = || habits::fact_near(condition, start).and_then(habits::of_type);
    let hint = match absent(&message) {
        Some(path) => Some(misspelt::hint(bind_at, &path)),
        None => told(condition, start, &message).or_else(of_facts).or_else(|| help(error)),
    };
    Err(ConditionError::at(condition, start, message, hint.or_else(|| Some(SHOWN.to_owned()))))
}

/// Where nothing better is known.
const SHOWN: &str = "`hoc facts` and docs/facts.md show what there is and how a condition is written";

/// What a condition has instead of what is written there.
fn told(condition: &str, place: usize, message: &str) -> Option<String> {
    if message.contains("is not a valid escape") {
        return Some("a backslash is written twice: \"\\\\\"; there are no regular expressions".to_owned());
    }
    if message.contains("right hand side of a `like`") {
        return Some(
            "a pattern is written out in double quotes, as in `like \"get_*\"`; two facts compare with `==`"
                .to_owned(),
        );
    }
    if message.contains("Agent are not compatible") {
        return Some("`principal` is the agent itself: ask `principal.agent_id == \"my-agent\"`".to_owned());
    }
    habits::alternative(condition, place)
}

/// What the parser advises, but for functions, of which a condition needs none.
fn help(error: &dyn Diagnostic) -> Option<String> {
    let help = plain(&error.help()?.to_string());
    let guessed = help.starts_with("did you mean `") || help.contains("valid Cedar variables");
    (!guessed).then_some(help)
}

/// A sentence of Cedar's without the names that only it knows.
fn plain(sentence: &str) -> String {
    [
        ("for policy `policy0`, ", ""),
        ("__cedar::internal::AnyEntity, or __cedar::internal::OpenRecord{}", "a record"),
        ("__cedar::internal::AnyEntity", "an entity"),
        ("Set<__cedar::internal::Any>", "a set"),
        ("__cedar::internal::", ""),
    ]
    .iter()
    .fold(sentence.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// The path that Cedar says is not there.
fn absent(message: &str) -> Option<String> {
    let (path, rest) = message.strip_prefix("attribute `")?.split_once('`')?;
    let root = match rest {
        rest if rest.contains("entity type `Agent`") => "principal",
        rest if rest.contains("entity type `Run`") => "resource",
        rest if rest.contains("in context for") => "context",
        _ => return None,
    };
    rest.ends_with("not found").then(|| format!("{root}.{path}"))
}

fn offset_of(error: &dyn Diagnostic) -> Option<usize> {
    error.labels()?.next().map(|span| span.offset())
}

fn refuse_shape(bind_at: BindAt, condition: &str, misshapen: &Misshapen) -> ConditionError {
    let tokens: Vec<_> = scan::tokens(condition).collect();
    let sections = ["step", "content", "run", "time"];
    let whole = tokens.iter().enumerate().find_map(|(at, (offset, token))| {
        let next = |n: usize| tokens.get(at + n).map(|(_, token)| *token);
        let named = next(1) == Some(Token::Mark('.'))
            && matches!(next(2), Some(Token::Word(section)) if sections.contains(&section))
            && next(3) == Some(Token::Mark('.'));
        (*token == Token::Word("context") && !named).then_some(*offset)
    });
    let message = match misshapen {
        Misshapen::WholeRecord => "a condition reads single facts, not a whole record",
        Misshapen::NotAFact => "only principal, resource and context have facts to read",
        Misshapen::NotKnown(_) => "no such fact is known at that moment",
        Misshapen::UnknownForm => "this form of expression is not supported in a condition",
    };
    let hint = match misshapen {
        Misshapen::NotKnown(path) => misspelt::hint(bind_at, path),
        _ => "name the fact: context.step.kind, principal.agent_id".to_owned(),
    };
    ConditionError::at(condition, whole.unwrap_or(0), message.to_owned(), Some(hint))
}

#[cfg(test)]
mod tests;
