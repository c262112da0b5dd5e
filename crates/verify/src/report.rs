//! What a verification found: each check, and one word.

use std::fmt;

use proof::{
    bundle::AsOf,
    words::{Assurance, IntegrityGrade},
};

use crate::shown;

proof::words! {
    /// What a bundle or a log is, best first: the order is the order of precedence.
    Word { Complete = "COMPLETE", Open = "OPEN",
        /// What was checked holds, and of the decisions, which were to be made again, none could be: another engine
        /// made them.
        NotReexecuted = "NOT_REEXECUTED", Truncated = "TRUNCATED", Tampered = "TAMPERED",
        /// Nothing was checked: the bundle names a signer whose key was not given. It may be whole, or anybody's.
        WrongKey = "WRONG_KEY" }
}

impl Word {
    /// What `hoc verify` exits with.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Complete => 0,
            Self::Open => 3,
            Self::Truncated => 4,
            Self::Tampered => 5,
            Self::WrongKey => 6,
            Self::NotReexecuted => 7,
        }
    }
}

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// A name that stays the same from one version to the next.
    pub name: &'static str,
    /// Whether nothing was found.
    pub passed: bool,
    /// It could not be made of all that it is about; or of none of that, where it did not pass.
    pub undone: bool,
    /// What was checked, or what was found and where.
    pub detail: String,
}

/// The outcome of verifying a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The verdict.
    pub word: Word,
    /// In the order in which they were made. After one on which the rest builds has failed, there are no more.
    pub checks: Vec<Check>,
    /// Whose run the signed statement speaks of; None if no trusted key signed it. The same for what follows.
    pub tenant_id: Option<String>,
    /// The run.
    pub run_id: Option<String>,
    /// Quality of the evidence; None for an open run. It does not change the word.
    pub grade: Option<IntegrityGrade>,
    /// Where the evidence came from; of a sealed run as it was sealed.
    pub assurance: Option<Assurance>,
    /// The same with what its addenda brought.
    pub assurance_with_addenda: Option<Assurance>,
    /// When the bundle was made, and how long the logs were then.
    pub as_of: Option<AsOf>,
    /// The key that signed the statement.
    pub key_id: Option<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_checks(f, &self.checks)?;
        let holds = matches!(self.word, Word::Complete | Word::Open | Word::NotReexecuted);
        if let Some(run) = &self.run_id {
            // What a document says of itself that failed is no more than that.
            let claims = if holds { "" } else { ", which claims to be of" };
            write!(f, "run {}{claims}", shown(run))?;
            let mut comma = if holds { "," } else { "" };
            if let Some(grade) = self.grade {
                write!(f, "{comma} grade {grade}")?;
                comma = ",";
            }
            if let Some(assurance) = self.assurance {
                write!(f, "{comma} {assurance}")?;
            }
            if let Some(now) = self.assurance_with_addenda.filter(|now| Some(*now) != self.assurance) {
                write!(f, " as sealed, {now} with its addenda")?;
            }
            writeln!(f)?;
        }
        if let Some(AsOf { audit_size, runs_size, time }) = &self.as_of {
            writeln!(f, "as of {}: run log of {runs_size}, Audit Ledger of {audit_size}", shown(time))?;
        }
        // Without a signature that holds, the one that failed stands last already.
        if self.run_id.is_some() {
            write_failed(f, &self.checks)?;
        }
        writeln!(f, "{}", self.word)
    }
}

pub(crate) fn write_checks<'c>(
    f: &mut fmt::Formatter<'_>,
    checks: impl IntoIterator<Item = &'c Check>,
) -> fmt::Result {
    for Check { name, passed, undone, detail } in checks {
        let mark = match (passed, undone) {
            (true, false) => "ok  ",
            (true, true) => "part",
            (false, true) => "none",
            (false, false) => "FAIL",
        };
        writeln!(f, "{mark} {name:<12} {detail}")?;
    }
    Ok(())
}

/// What failed, or was left undone, again: the end is what a reader sees.
pub(crate) fn write_failed(f: &mut fmt::Formatter<'_>, checks: &[Check]) -> fmt::Result {
    write_checks(f, checks.iter().filter(|check| !check.passed || check.undone))
}

/// Something wrong: how bad, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) word: Word,
    pub(crate) detail: String,
}

impl Finding {
    pub(crate) fn tampered(detail: impl Into<String>) -> Self {
        Self { word: Word::Tampered, detail: detail.into() }
    }

    pub(crate) fn not_reexecuted(detail: impl Into<String>) -> Self {
        Self { word: Word::NotReexecuted, detail: detail.into() }
    }

    pub(crate) fn wrong_key(detail: impl Into<String>) -> Self {
        Self { word: Word::WrongKey, detail: detail.into() }
    }

    pub(crate) fn truncated(detail: impl Into<String>) -> Self {
        Self { word: Word::Truncated, detail: detail.into() }
    }

    /// The worse of two; of equals the first.
    pub(crate) fn or(self, other: Option<Self>) -> Self {
        match other {
            Some(other) if other.word > self.word => other,
            _ => self,
        }
    }
}

/// The checks so far and the worst word among them.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) checks: Vec<Check>,
    worst: Option<Word>,
}

impl Findings {
    /// Notes a check: what it says when it passed, or what it found.
    pub(crate) fn note(&mut self, name: &'static str, outcome: Result<String, Finding>) {
        self.note_part(name, outcome, false);
    }

    /// The same of a check that left something out of what it is about, if it `left_out` any.
    pub(crate) fn note_part(&mut self, name: &'static str, outcome: Result<String, Finding>, left_out: bool) {
        let (passed, undone, detail) = match outcome {
            Ok(detail) => (true, left_out, detail),
            Err(Finding { word, detail }) => {
                self.worst = self.worst.max(Some(word));
                (false, word == Word::NotReexecuted, detail)
            }
        };
        self.checks.push(Check { name, passed, undone, detail: shown(&detail).into_owned() });
    }

    /// The worst word, or `otherwise` if nothing was found.
    pub(crate) fn word(&self, otherwise: Word) -> Word {
        self.worst.unwrap_or(otherwise)
    }
}
