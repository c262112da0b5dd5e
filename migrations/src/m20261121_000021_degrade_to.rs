//! What a limit that asks to degrade names.

use crate::dialect::Dialect;

pub(crate) fn statements(_: Dialect) -> Vec<String> {
    vec!["ALTER TABLE limits ADD COLUMN degrade_to text".to_owned()]
}
