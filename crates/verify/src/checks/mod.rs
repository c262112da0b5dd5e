//! The checks of a bundle, in the order in which they are made. Each answers what it saw, or what it found.

pub(crate) mod addenda;
mod again;
pub(crate) mod audit;
pub(crate) mod chain;
pub(crate) mod contents;
pub(crate) mod counts;
mod effects;
mod facts;
mod known;
pub(crate) mod links;
mod listed;
pub(crate) mod logs;
pub(crate) mod manifest;
mod matched;
pub(crate) mod outside;
pub(crate) mod roots;
mod standing;
pub(crate) mod totals;

use proof::{bundle::Manifest, hash::Hash, keys::PublicKey, records::RecordKind, statement::Subject};

pub(crate) use self::again::Again;
use self::{listed::Listed, matched::Matched};
use crate::{document::Document, report::Finding, statement::Shared};

/// What a check looks at: the document, and the signed statement about it.
pub(crate) struct Case<'c> {
    pub(crate) document: &'c Document,
    pub(crate) manifest: &'c Manifest,
    /// The lists of it that are those of the document.
    pub(crate) shared: &'c Shared,
    pub(crate) subjects: &'c [Subject],
    pub(crate) keys: &'c [PublicKey],
    pub(crate) matched: Matched,
}

/// What a check answers.
pub(crate) type Outcome = Result<String, Finding>;

impl<'c> Case<'c> {
    /// The hashes of all records of a kind that the run has, whether the document holds them or not; none for one that
    /// whoever made the bundle could not read.
    pub(crate) fn listed(&self, kind: RecordKind) -> Listed<'c> {
        if self.shared.kinds.contains(&kind) {
            return Listed::AsTheyStand(self.document.sealed.lines.of_kind(kind));
        }
        Listed::Own(self.manifest.sealed.records.get(&kind).map_or(&[], Vec::as_slice))
    }

    /// The names of all texts of the run.
    pub(crate) fn texts(&self) -> &'c [Hash] {
        if self.shared.texts {
            self.document.contents.names.as_slice()
        } else {
            &self.manifest.contents.texts
        }
    }

    /// Whether the document holds all records of a kind.
    pub(crate) fn whole(&self, kind: RecordKind) -> bool {
        self.matched.places(kind).len() == self.listed(kind).len()
    }
}

/// Gathers findings and keeps the worst.
#[derive(Default)]
pub(crate) struct Worst(Option<Finding>);

impl Worst {
    pub(crate) fn found(&mut self, finding: Finding) {
        self.0 = Some(match self.0.take() {
            None => finding,
            Some(first) => first.or(Some(finding)),
        });
    }

    /// Notes that what is there does not match, unless it does.
    pub(crate) fn expect(&mut self, holds: bool, detail: impl FnOnce() -> String) {
        if !holds {
            self.found(Finding::tampered(detail()));
        }
    }

    pub(crate) fn or_else(self, passed: impl FnOnce() -> String) -> Outcome {
        match self.0 {
            Some(finding) => Err(finding),
            None => Ok(passed()),
        }
    }
}
