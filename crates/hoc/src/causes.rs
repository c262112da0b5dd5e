//! An error with all that lies under it: what is logged and printed says why, not only that.

use std::error::Error;

use drivers::StoreError;

/// What failed, and why, cause by cause; what says the same twice is said once.
pub(crate) fn lines(err: &(dyn Error + 'static)) -> Vec<String> {
    let mut said: Vec<String> = Vec::new();
    let mut next = Some(err);
    while let Some(err) = next {
        let cause = err.to_string();
        if said.last().is_none_or(|last| !last.contains(&cause)) {
            said.push(cause);
        }
        next = err.source();
    }
    // A cause may quote what somebody sent, or the name of a file: a terminal would act on it.
    said.iter().map(|cause| verify::shown(without_its_source_line(cause)).into_owned()).collect()
}

/// What a database says, without the line of its own source at which it says so: that is nothing of ours.
fn without_its_source_line(cause: &str) -> &str {
    let Some(said) = cause.strip_prefix("error returned from database: ") else { return cause };
    match said.rsplit_once(" at line ") {
        Some((said, line)) if line.bytes().all(|byte| byte.is_ascii_digit()) => said,
        _ => said,
    }
}

/// What to do about it, where the store's refusal says so.
pub(crate) fn next_step(err: &anyhow::Error) -> Option<&'static str> {
    err.chain().find_map(|cause| cause.downcast_ref::<StoreError>()?.next_step())
}

/// The same on one line.
pub(crate) fn line(err: &(dyn Error + 'static)) -> String {
    lines(err).join(": ")
}

#[cfg(test)]
mod tests {
    use orchestrator::Error;

    use super::*;

    #[test]
    fn every_cause_is_said_once() {
        let quoting = std::io::Error::other(std::io::Error::other("the disk is gone"));
        let err = Error::from(StoreError::Database(Box::new(quoting)));
        assert_eq!(line(&err), "the store failed: the disk is gone");
    }

    #[test]
    fn a_database_does_not_tell_of_its_source() {
        let told = "error returned from database: database \"x\" does not exist at line 334";
        assert_eq!(without_its_source_line(told), "database \"x\" does not exist");
        for own in ["expected `]` at line 3", "error returned from database: no such table: x"] {
            assert_eq!(
                without_its_source_line(own),
                own.trim_start_matches("error returned from database: ")
            );
        }
    }
}
