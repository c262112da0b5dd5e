//! An index for each filter of the list of calls to models: without one, a page of what few calls have goes over all of
//! a tenant's calls, for they are kept for good.

use crate::{dialect::Dialect, table::index};

pub(crate) fn statements(_: Dialect) -> Vec<String> {
    let of = |filter: &&str| {
        let name = format!("llm_run_records_by_{filter}");
        index(&name, &format!("llm_run_records (tenant_id, {filter}, created_at, id)"))
    };
    ["provider", "model", "execution_status", "is_synthetic"].iter().map(of).collect()
}
