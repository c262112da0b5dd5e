//! The name of a time or of an agent, as a counter has it: what counters are looked for by.

use sea_orm::{QueryResult, Value};

use crate::{StoreError, cells::TABLE, tally::value};

/// A name as its bytes: in the damaged file of an embedded store it need not be a text, and is to be found all the
/// same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(Vec<u8>);

impl Name {
    /// That of a row, if it has one.
    pub(super) fn at(row: &QueryResult, column: usize) -> Result<Option<Self>, StoreError> {
        if let Ok(text) = row.try_get_by::<Option<String>, _>(column) {
            return Ok(text.as_deref().map(Self::from));
        }
        Ok(value::<Option<Vec<u8>>>(TABLE, row, column)?.map(Self))
    }

    /// None where it is no text.
    pub(super) fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// For whoever is told of it.
    pub(super) fn told(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }

    /// What is bound for it, in the place that [`bound`] says.
    pub(super) fn value(&self) -> Value {
        self.text().map_or_else(|| self.0.clone().into(), Value::from)
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

/// The n-th value as a text, whichever bytes it has: SQLite takes what is bound as bytes for greater than any text.
pub(super) fn bound(n: usize) -> String {
    format!("CAST(${n} AS TEXT)")
}
