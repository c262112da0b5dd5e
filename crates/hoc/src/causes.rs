//! An error with all that lies under it: what is logged and printed says why, not only that.

use std::error::Error;

/// What failed, and why, cause by cause; what says the same twice is said once.
pub(crate) fn lines(err: &(dyn Error + 'static)) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut next = Some(err);
    while let Some(err) = next {
        let cause = err.to_string();
        if lines.last().is_none_or(|last| !last.contains(&cause)) {
            lines.push(cause);
        }
        next = err.source();
    }
    lines
}

/// The same on one line.
pub(crate) fn line(err: &(dyn Error + 'static)) -> String {
    lines(err).join(": ")
}

#[cfg(test)]
mod tests {
    use drivers::StoreError;
    use orchestrator::Error;

    use super::line;

    #[test]
    fn every_cause_is_said_once() {
        let quoting = std::io::Error::other(std::io::Error::other("the disk is gone"));
        let err = Error::from(StoreError::Database(Box::new(quoting)));
        assert_eq!(line(&err), "the store failed: the disk is gone");
    }
}
