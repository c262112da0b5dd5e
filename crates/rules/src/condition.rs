//! A rule's condition: one Cedar expression, checked strictly when it is saved.

use cedar_policy::{Expression, Policy, PolicySet, ValidationMode, pst};
use miette::Diagnostic;
use proof::words::BindAt;
use serde::Serialize;

use crate::{
    known::{FACTS, Fact, known_at},
    scan::{self, Token},
    schema,
    shape::{Misshapen, Shape, shape},
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
}

/// Whether a rule bound at that moment may have that condition.
pub fn validate(bind_at: BindAt, condition: &str) -> Result<(), ConditionError> {
    check(bind_at, condition).map(|_| ())
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
        refuse(place, message, error.and_then(|error| error.help().map(|help| help.to_string())))
    })?;
    let clause_start = head("rule", bind_at).len();
    let policy = Policy::parse(None, policy_text("rule", bind_at, condition)).map_err(|errors| {
        let place = errors.iter().next().and_then(|error| offset_of(error)).unwrap_or(0);
        refuse(place.saturating_sub(clause_start), errors.to_string(), None)
    })?;
    let body = sole_clause(&policy).ok_or_else(|| {
        refuse(0, "a condition is the expression inside `when { }`, and only that".to_owned(), None)
    })?;
    let set = PolicySet::from_policies([policy])
        .map_err(|error| refuse(0, format!("the condition makes no policy: {error}"), None))?;
    type_check(bind_at, condition, clause_start, &set)?;
    let shape = shape(bind_at, &body).map_err(|misshapen| refuse_shape(condition, misshapen))?;
    Ok(Checked { expression, shape })
}

/// The expression of the policy's only clause, if that is a `when`.
fn sole_clause(policy: &Policy) -> Option<std::sync::Arc<pst::Expr>> {
    let pst::Policy::Static(policy) = policy.to_pst().ok()? else { return None };
    match policy.body().clauses().as_slice() {
        [pst::Clause::When(expression)] => Some(expression.clone()),
        _ => None,
    }
}

fn type_check(
    bind_at: BindAt,
    condition: &str,
    clause_start: usize,
    set: &PolicySet,
) -> Result<(), ConditionError> {
    let result = schema::VALIDATOR.validate(set, ValidationMode::Strict);
    let errors = result.validation_errors().map(|error| {
        let span = error.labels().and_then(|mut labels| labels.next());
        let start = span.as_ref().map_or(0, |span| span.offset().saturating_sub(clause_start));
        let end = span.as_ref().map_or(0, |span| start + span.len());
        (start, end, error)
    });
    let Some((start, end, error)) =
        errors.min_by_key(|(start, end, error)| (*start, *end, error.to_string()))
    else {
        return Ok(());
    };
    let message = error.to_string();
    let message = message.strip_prefix("for policy `policy0`, ").unwrap_or(&message).to_owned();
    let hint = condition
        .get(start..end)
        .and_then(|text| fact_hint(bind_at, text))
        .or_else(|| error.help().map(|help| help.to_string()));
    Err(ConditionError::at(condition, start, message, hint))
}

fn offset_of(error: &dyn Diagnostic) -> Option<usize> {
    error.labels()?.next().map(|span| span.offset())
}

fn refuse_shape(condition: &str, misshapen: Misshapen) -> ConditionError {
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
        Misshapen::NotKnown => "no such fact is known at that moment",
        Misshapen::UnknownForm => "this form of expression is not supported in a condition",
    };
    let hint = "name the fact: context.step.kind, principal.agent_id".to_owned();
    ConditionError::at(condition, whole.unwrap_or(0), message.to_owned(), Some(hint))
}

/// What the author may have meant by a path that is no fact at that moment.
fn fact_hint(bind_at: BindAt, text: &str) -> Option<String> {
    let path: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    if let Some(fact) = FACTS.iter().find(|fact| fact.path == path && !fact.since.known_at(bind_at)) {
        return Some(format!("`{path}` is known from {} on: bind the rule there", fact.since.moment()));
    }
    nearest(&path, known_at(bind_at)).map(|fact| format!("did you mean `{}`?", fact.path))
}

/// The fact whose path is at most a few letters away; facts of the same record first.
pub(crate) fn nearest<'a>(path: &str, facts: impl Iterator<Item = &'a Fact>) -> Option<&'a Fact> {
    let (record, name) = path.rsplit_once('.').unwrap_or(("", path));
    facts
        .filter_map(|fact| {
            let (fact_record, fact_name) = fact.path.rsplit_once('.')?;
            let distance = letters_apart(name, fact_name);
            let begins = name.len() >= 3 && fact_name.starts_with(name);
            let close = begins || distance <= 2.max(name.len() / 3);
            close.then_some(((fact_record != record, !begins, distance), fact))
        })
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, fact)| fact)
}

/// Levenshtein distance, for names of a few letters; long ones count as far apart.
fn letters_apart(a: &str, b: &str) -> usize {
    if a.len() > 64 || b.len() > 64 {
        return usize::MAX;
    }
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests;
