//! Whether a span failed and why, and what it came to all the same.

use std::borrow::Cow;

use serde_json::json;

use super::{
    field::Field,
    fields::Fields,
    nothing::is_no_name,
    reader::raw,
    value,
    wire::{ERROR, Event, OK},
};

/// Why a span failed.
pub(super) struct Failure {
    pub(super) code: String,
    pub(super) message: Option<String>,
}

impl Failure {
    /// Whether a provider refused the request before any model saw it: it came too often, by nobody who may, or for no
    /// model that there is. What a model saw may be billed though it failed, as a prompt that a filter stops.
    pub(super) fn is_refusal(&self, fields: &Fields<'_>) -> bool {
        // Anthropic's word for too much at once is 529; without it, the same may break a stream that is billed.
        const STATUSES: [u64; 5] = [401, 403, 404, 429, 529];
        const NAMES: [&str; 14] = [
            "AuthenticationError",
            "NotFoundError",
            "PermissionDeniedError",
            "RateLimitError",
            "ResourceExhausted",
            "ThrottlingException",
            "TooManyRequestsException",
            // Providers' own words.
            "RESOURCE_EXHAUSTED",
            "authentication_error",
            "insufficient_quota",
            "not_found_error",
            "permission_error",
            "rate_limit_error",
            "rate_limit_exceeded",
        ];
        let code = self.code.trim();
        let status = fields.count(Field::HttpStatus).or_else(|| code.parse().ok());
        // Some name the library before it.
        let is_named = || code.rsplit('.').next().is_some_and(|name| NAMES.contains(&name));
        status.map_or_else(is_named, |status| STATUSES.contains(&status))
    }

    /// A span failed where its status says so; and where it has none, but something that is there only of failures:
    /// an attribute, or why a model's answer `ended`, wherever that is told.
    pub(super) fn of(
        fields: &Fields<'_>,
        events: &[Event<'_>],
        (status, message): (u64, Cow<'_, str>),
        ended: Option<&str>,
    ) -> Option<Self> {
        if status != ERROR && (status == OK || !says_failed(fields, ended)) {
            return None;
        }
        Some(Self::told(fields, events, message))
    }

    /// What a model call threw that no status and no attribute calls an error. That is no refusal: a retry within the
    /// span may have come through, and nothing says what it used.
    pub(super) fn thrown(fields: &Fields<'_>, events: &[Event<'_>], status: u64) -> Option<Self> {
        let is_unset = status != ERROR && status != OK;
        let is_thrown = is_unset && events.iter().any(is_exception);
        is_thrown.then(|| Self::told(fields, events, Cow::Borrowed("")))
    }

    /// What is told of why it failed.
    fn told(fields: &Fields<'_>, events: &[Event<'_>], message: Cow<'_, str>) -> Self {
        let thrown = events.iter().find(|event| is_exception(event));
        let of_exception = |key: &str| {
            let mut values = thrown?.attributes.iter().filter(|one| one.key == key);
            values.find_map(|one| value::text(one.value.as_ref()?)).map(str::to_owned)
        };
        let told = fields.owned(Field::ErrorType);
        let named = told.clone().filter(|code| !is_no_name(code));
        let code = named.or_else(|| of_exception("exception.type")).or(told);
        let message = Some(message.into_owned()).filter(|text| !text.is_empty());
        Self {
            code: code.unwrap_or_else(|| "ERROR".to_owned()),
            message: match (message, of_exception("exception.message")) {
                (Some(message), Some(thrown)) if !message.contains(&thrown) => {
                    Some(format!("{message}\n{thrown}"))
                }
                (message, thrown) => message.or(thrown),
            },
        }
    }
}

fn is_exception(event: &Event<'_>) -> bool {
    event.name.trim().eq_ignore_ascii_case("exception")
}

/// By the type of its error, by a word for its status, by why the model's answer ended.
fn says_failed(fields: &Fields<'_>, ended: Option<&str>) -> bool {
    const WORDS: [&str; 5] = ["error", "failed", "failure", "cancelled", "canceled"];
    let is = |word: Option<&str>| {
        word.is_some_and(|word| WORDS.iter().any(|failed| word.trim().eq_ignore_ascii_case(failed)))
    };
    fields.has(Field::ErrorType)
        || is(fields.text(Field::StatusWord))
        || is(ended.or_else(|| fields.first_name(Field::FinishReason)))
}

/// The JSON of what a span came to: its result, why it failed, or both.
pub(super) fn outcome(result: Option<String>, message: Option<String>) -> Option<String> {
    match (message, result) {
        (None, None) => None,
        (None, Some(result)) if is_structured(&result) => Some(result),
        (None, Some(result)) => Some(json!({ "output": result }).to_string()),
        (Some(message), None) => Some(json!({ "error": message }).to_string()),
        // A result stays as it is written, each digit of it.
        (Some(message), Some(result)) if is_structured(&result) => {
            Some(format!(r#"{{"error":{},"output":{}}}"#, json!(message), result.trim()))
        }
        (Some(message), Some(result)) => Some(json!({ "error": message, "output": result }).to_string()),
    }
}

/// Whether a text is JSON that has a structure.
fn is_structured(text: &str) -> bool {
    text.trim_start().starts_with(['{', '[']) && raw(text).is_some()
}
