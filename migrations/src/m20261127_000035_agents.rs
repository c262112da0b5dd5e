//! The agents that a key speaks for. Rows that are there are of keys that speak for any: nobody was asked.

use crate::dialect::Dialect;

pub(crate) fn statements(_: Dialect) -> Vec<String> {
    vec!["ALTER TABLE api_keys ADD COLUMN agents text".to_owned()]
}
