//! By which price book a call was priced.

use crate::dialect::Dialect;

pub(crate) fn statements(_: Dialect) -> Vec<String> {
    vec!["ALTER TABLE llm_run_records ADD COLUMN price_book text".to_owned()]
}
