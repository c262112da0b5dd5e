//! A body of a run's texts that is not there, or not what was recorded: what is said of it, wherever somebody asks for
//! the texts.

use serde::{Deserialize, Serialize};

use crate::told::together;

/// What cannot be read of a run's texts: those that are in it are missing from what is answered, and nothing else is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MissingContents {
    /// The place of the body, which is that of the segment whose steps name its texts. None where it is the run's salt:
    /// without it no text can be told from another.
    pub first_record: Option<u64>,
    /// What is wrong with it.
    pub why: String,
}

impl MissingContents {
    /// The table that it is a row of.
    #[must_use]
    pub const fn table(&self) -> &'static str {
        match self.first_record {
            Some(_) => "run_contents",
            None => "run_salts",
        }
    }

    /// How it is named, by its run and its place.
    #[must_use]
    pub fn row(&self, run: &str) -> String {
        match self.first_record {
            Some(place) => format!("{run}/{place}"),
            None => run.to_owned(),
        }
    }

    /// Which one it is, and what is wrong with it.
    #[must_use]
    pub fn told(&self, run: &str) -> String {
        format!("{} row {}: {}", self.table(), self.row(run), self.why)
    }

    /// The same of several: where there are many, the first say enough.
    #[must_use]
    pub fn told_of_all(missing: &[Self], run: &str) -> String {
        together(missing.iter().map(|one| one.told(run)))
    }
}
