//! What a command that failed says: what, why, and what to do where that is not plain.

use std::{
    error::Error,
    io::{self, ErrorKind as Kind},
};

use drivers::StoreError;

use crate::{causes, output::CannotWrite};

/// What failed, and why, each cause on a line of its own; and what to do where that is not plain.
pub(crate) fn told(err: &anyhow::Error) -> String {
    let told = causes::lines(err.as_ref()).join("\n  because: ");
    if err.chain().any(finds_no_room) {
        let output = err.chain().find_map(|cause| cause.downcast_ref::<CannotWrite>());
        if let Some(output) = output {
            return format!("{told}\n  {}", output.advice());
        }
        return format!(
            "{told}\n  the disk is full, or fails: make room where the data folder is (HOC_DATA_DIR), and start again; \
             what was committed is there"
        );
    }
    match causes::next_step(err) {
        Some(step) => format!("{told}\n  {step}"),
        None => told,
    }
}

fn finds_no_room(cause: &(dyn Error + 'static)) -> bool {
    let of_a_file = cause.downcast_ref::<io::Error>().map(io::Error::kind);
    matches!(of_a_file, Some(Kind::StorageFull | Kind::QuotaExceeded | Kind::FileTooLarge))
        || cause.downcast_ref::<StoreError>().is_some_and(StoreError::is_disk_full)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_by_what_was_written_to_it() {
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        let output = CannotWrite::of("/full/run.json".as_ref(), full());
        let (output, store) = (anyhow::Error::from(output), anyhow::Error::from(full()));
        for (err, its) in [(output, "where /full/run.json goes"), (store, "(HOC_DATA_DIR)")] {
            let told = told(&err);
            let other = told.replace(its, "");
            assert!(told.contains(its) && told.contains("make room"), "{told}");
            assert!(!other.contains("goes") && !other.contains("HOC_DATA_DIR"), "{told}");
        }
    }
}
