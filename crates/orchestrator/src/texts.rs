//! What a person writes: bounded, and redacted before it is kept. What programs tell of steps goes through
//! `choke/prepare`, which keeps as much of it as the tenant keeps.

use engines::{check::Check, logs::redact::redact_text};
use models::bounds;

use crate::errors::Error;

/// What a person writes as a part of something that is checked as a whole, as it may be kept: redacted.
pub(crate) fn kept(text: &str) -> String {
    redact_text(text).value
}

/// A person's note as it may be kept: redacted, and none where it says nothing.
pub(crate) fn note_of(note: Option<String>) -> Result<Option<String>, Error> {
    let Some(note) = note.filter(|note| !note.trim().is_empty()) else { return Ok(None) };
    let mut check = Check::default();
    check.words("/note", Some(&note), bounds::REASON);
    check.done()?;
    Ok(Some(kept(&note)))
}

/// A person's reason: checked, and redacted.
pub(crate) fn reason_of(reason: Option<String>) -> Result<Option<String>, Error> {
    let mut check = Check::default();
    check.words("/reason", reason.as_deref(), bounds::REASON);
    check.done()?;
    Ok(reason.map(|text| kept(&text)))
}
