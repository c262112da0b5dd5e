//! The condition of a rule: Cedar, or the JSON form, which is stored as Cedar.

use proof::words::BindAt;
use rules::{
    condition::{ConditionError, validate},
    conditions::to_cedar,
    fields::{FieldError, FieldErrors},
};
use serde_json::Value;

use super::check;
use crate::check::Check;

/// The Cedar of a condition that is given in one of its two forms; `None` if neither is given.
///
/// The condition is checked strictly: a misspelt attribute or a wrong type is refused with its place. A secret is
/// refused before all else, because a message about a condition quotes it.
pub fn cedar_of(
    bind_at: BindAt,
    condition: Option<String>,
    conditions: Option<&Value>,
) -> Result<Option<String>, FieldErrors> {
    let refused = |pointer: &str, message: String| {
        Err(FieldErrors(vec![FieldError { pointer: pointer.to_owned(), message }]))
    };
    match (condition, conditions) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => refused("/conditions", "give `condition` or `conditions`, not both".to_owned()),
        (Some(cedar), None) if cedar.contains('\0') => {
            refused("/condition", "must not contain U+0000".to_owned())
        }
        (Some(cedar), None) => {
            holds_no_secret("/condition", &cedar)?;
            match validate(bind_at, &cedar) {
                Ok(()) => Ok(Some(cedar)),
                Err(err) => refused("/condition", told(&err)),
            }
        }
        (None, Some(form)) => {
            holds_no_secret("/conditions", &form.to_string())?;
            let cedar = to_cedar(bind_at, form).map_err(|errors| under("/conditions", errors))?;
            match validate(bind_at, &cedar) {
                Ok(()) => Ok(Some(cedar)),
                Err(err) => refused("/conditions", format!("as Cedar, `{cedar}`: {}", told(&err))),
            }
        }
    }
}

fn holds_no_secret(pointer: &str, text: &str) -> Result<(), FieldErrors> {
    let mut faults = Check::default();
    check::condition(pointer, text, &mut faults);
    faults.done()
}

/// The error with its place, and what to do about it where that is known.
fn told(err: &ConditionError) -> String {
    err.hint.as_ref().map_or_else(|| err.to_string(), |hint| format!("{err}; {hint}"))
}

fn under(root: &str, errors: FieldErrors) -> FieldErrors {
    let moved = |field: FieldError| FieldError { pointer: format!("{root}{}", field.pointer), ..field };
    FieldErrors(errors.0.into_iter().map(moved).collect())
}
