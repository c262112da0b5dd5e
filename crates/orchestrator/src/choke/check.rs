//! What is wrong with a request, each thing with its place.

use engines::logs::redact;

use super::prepare::{MAX_INTEGER, MAX_LABEL, MAX_LABELS};
use crate::errors::{Error, FieldError};

/// Collects what is wrong with a request, each with its place.
#[derive(Default)]
pub(crate) struct Check {
    errors: Vec<FieldError>,
}

impl Check {
    pub(crate) fn refuse(&mut self, pointer: &str, message: &str) {
        self.errors.push(FieldError::new(pointer, message));
    }

    pub(crate) fn required(&mut self, pointer: &str, text: &str) {
        if text.trim().is_empty() {
            self.refuse(pointer, "must not be empty");
        }
    }

    /// Words by which things are found and grouped are kept as they come, so none of them may be a secret.
    pub(super) fn name(&mut self, pointer: &str, text: Option<&String>) {
        self.text(pointer, text);
        if text.is_some_and(|text| !redact::redact_text(text).findings.secrets.is_empty()) {
            self.refuse(pointer, "must not hold a secret: it would be stored as it is");
        }
    }

    /// Neither store keeps U+0000 alike, so nobody gets to send it.
    pub(crate) fn text(&mut self, pointer: &str, text: Option<&String>) {
        if text.is_some_and(|text| text.contains('\0')) {
            self.refuse(pointer, "must not contain U+0000");
        }
    }

    pub(super) fn json(&mut self, pointer: &str, text: Option<&str>) {
        let Some(text) = text else { return };
        match redact::find_nul(text) {
            Ok(None) => {}
            Ok(Some(at)) => self.refuse(&format!("{pointer}{at}"), "must not contain U+0000"),
            Err(err) => self.refuse(pointer, &format!("is no JSON: {err}")),
        }
    }

    pub(super) fn labels(&mut self, labels: &[String]) {
        if labels.len() > MAX_LABELS {
            self.refuse("/labels", &format!("at most {MAX_LABELS}"));
        }
        for (at, label) in labels.iter().enumerate() {
            let pointer = format!("/labels/{at}");
            self.required(&pointer, label);
            self.text(&pointer, Some(label));
            if label.chars().count() > MAX_LABEL {
                self.refuse(&pointer, &format!("at most {MAX_LABEL} characters"));
            }
        }
    }

    pub(super) fn number(&mut self, pointer: &str, number: u64) {
        if number > MAX_INTEGER {
            self.refuse(pointer, "must not be above 2^53");
        }
    }

    pub(super) fn id<T: std::str::FromStr>(&mut self, pointer: &str, text: Option<&str>) -> Option<T> {
        let parsed = text.map(str::parse).transpose();
        if parsed.is_err() {
            self.refuse(pointer, "is no run's id");
        }
        parsed.ok().flatten()
    }

    pub(crate) fn done(self) -> Result<(), Error> {
        if self.errors.is_empty() { Ok(()) } else { Err(Error::Invalid(self.errors)) }
    }
}
