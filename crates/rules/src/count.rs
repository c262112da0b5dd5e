//! A count that a canonical record can hold: 0 to 2^53.

use std::ops::Add;

use serde::{Deserialize, Deserializer, Serialize, de};

/// Saturates at 2^53 where it is made or added to, so that no sum overflows and none is written that a JSON
/// reader would round. Callers refuse larger numbers at the door; this is the second lock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Count(u64);

impl Count {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest.
    pub const MAX: Self = Self(proof::canonical::MAX_INTEGER);

    /// As a plain number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// What is left of it.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// As Cedar counts.
    pub(crate) fn long(self) -> i64 {
        i64::try_from(self.0).unwrap_or_else(|_| unreachable!("2^53 is a Long"))
    }
}

impl From<u64> for Count {
    fn from(number: u64) -> Self {
        Self(number.min(Self::MAX.0))
    }
}

impl Add for Count {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self::from(self.0.saturating_add(other.0))
    }
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u64::deserialize(deserializer)?;
        if number <= Self::MAX.0 {
            Ok(Self(number))
        } else {
            Err(de::Error::custom("a count is at most 2^53"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_saturates_and_is_read_strictly() {
        assert_eq!(Count::from(u64::MAX), Count::MAX);
        assert_eq!(Count::MAX + Count::from(1), Count::MAX);
        assert_eq!(serde_json::from_str::<Count>("9007199254740992").ok(), Some(Count::MAX));
        assert!(serde_json::from_str::<Count>("9007199254740993").is_err());
        assert!(serde_json::from_str::<Count>("-1").is_err());
    }
}
