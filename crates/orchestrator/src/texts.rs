//! What a person writes beside an act: bounded, and redacted before it is kept.

use engines::{check::Check, logs::redact::redact_text};
use models::bounds;

use crate::errors::Error;

/// A person's note as it may be kept: redacted, and none where it says nothing.
pub(crate) fn note_of(note: Option<String>) -> Result<Option<String>, Error> {
    let Some(note) = note.filter(|note| !note.trim().is_empty()) else { return Ok(None) };
    let mut check = Check::default();
    check.words("/note", Some(&note), bounds::REASON);
    check.done()?;
    Ok(Some(redact_text(&note).value))
}

/// A person's reason: checked, and redacted.
pub(crate) fn reason_of(reason: Option<String>) -> Result<Option<String>, Error> {
    let mut check = Check::default();
    check.words("/reason", reason.as_deref(), bounds::REASON);
    check.done()?;
    Ok(reason.map(|text| redact_text(&text).value))
}
