//! The words of a kind of runs, in one list: whoever counts a run, or a row of one, says each of them.

use std::borrow::Cow;

use entities::Id;
use models::{activity::RiskLevel, ids::KeyId};
use sea_orm::QueryResult;

use super::{kind, yes};
use crate::{
    StoreError,
    tally::{legible, legible_word, value},
};

const RUNS: &str = "runs";

/// Declares what counters tell apart of runs beside their agent: each word is named as its column in `runs`.
macro_rules! words_of_runs {
    ($(#[$doc:meta])* struct $name:ident<$of:lifetime> { $($column:ident: $word:ty,)* }) => {
        $(#[$doc])*
        pub(super) struct $name<$of> {
            $(pub(super) $column: $word,)*
        }

        /// How many words a kind of runs has.
        pub(super) const WORDS: usize = [$(stringify!($column)),*].len();

        /// The columns of the words, in the order in which a kind has them.
        pub(super) const COLUMNS: [&str; WORDS] = [$(stringify!($column)),*];

        impl $name<'_> {
            /// The kind that the words make.
            pub(super) fn kind(&self) -> String {
                kind(&[$(self.$column.word().as_deref()),*])
            }

            /// The words of a row whose first columns are [`COLUMNS`].
            pub(super) fn of_row(row: &QueryResult) -> Result<Self, StoreError> {
                let mut next = 0;
                let mut place = || {
                    next += 1;
                    next - 1
                };
                Ok(Self { $($column: Word::read(row, place())?,)* })
            }
        }
    };
}

words_of_runs! {
    /// Words of closed vocabularies, then project, provider and key.
    struct Words<'r> {
        state: Cow<'r, str>,
        status: Cow<'r, str>,
        risk_level: Cow<'r, str>,
        at_risk: bool,
        source: Cow<'r, str>,
        is_synthetic: bool,
        integrity_status: Cow<'r, str>,
        evidence_health: Cow<'r, str>,
        latency_bucket: Cow<'r, str>,
        assurance: Cow<'r, str>,
        project_id: Option<Cow<'r, str>>,
        provider_type: Option<Cow<'r, str>>,
        key_id: KeyId,
    }
}

/// Whether a run is at risk, as the column of that name says, which the store makes of the same three.
pub(super) fn at_risk(risk_level: &str, has_incidents: bool, policy_violation: bool) -> bool {
    risk_level != RiskLevel::Normal.as_str() || has_incidents || policy_violation
}

/// A word, as a kind has it and as a row has it.
trait Word: Sized {
    fn word(&self) -> Option<Cow<'_, str>>;

    fn read(row: &QueryResult, column: usize) -> Result<Self, StoreError>;
}

impl Word for Cow<'_, str> {
    fn word(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(self.as_ref()))
    }

    fn read(row: &QueryResult, column: usize) -> Result<Self, StoreError> {
        legible_word(RUNS, row, column).map(Cow::Owned)
    }
}

impl Word for Option<Cow<'_, str>> {
    fn word(&self) -> Option<Cow<'_, str>> {
        self.as_deref().map(Cow::Borrowed)
    }

    fn read(row: &QueryResult, column: usize) -> Result<Self, StoreError> {
        Ok(legible(RUNS, row, column)?.map(Cow::Owned))
    }
}

impl Word for bool {
    fn word(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(yes(*self)))
    }

    fn read(row: &QueryResult, column: usize) -> Result<Self, StoreError> {
        value(RUNS, row, column)
    }
}

impl Word for KeyId {
    fn word(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Owned(self.to_string()))
    }

    fn read(row: &QueryResult, column: usize) -> Result<Self, StoreError> {
        value::<Id<Self>>(RUNS, row, column).map(|id| id.0)
    }
}
