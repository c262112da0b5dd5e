//! LLM run records and system records.

use crate::{
    dialect::Dialect,
    protect,
    table::{self, list_indexes},
};

const LLM_RUN_RECORDS: &str = r"
    tenant_id id
    id id
    run_id id
    trace_id id
    step_index count
    provider text?
    model text?
    prompt_hash hash?
    response_hash hash?
    input_tokens count
    output_tokens count
    cache_read_tokens count
    reasoning_tokens count
    cost_microusd count
    cost_known bool
    execution_status word(SUCCEEDED, FAILED, ABORTED, TIMEOUT)
    started_at time
    completed_at time?
    source word(engine, external, replay)
    is_synthetic bool
    synthetic_scenario_id text?
    created_at time
    PRIMARY KEY (tenant_id, id)
    UNIQUE (tenant_id, run_id, step_index, trace_id)
";

const SYSTEM_RECORDS: &str = r"
    tenant_id id
    id id
    component text
    event_type word(STARTUP, SHUTDOWN, RESTART, DEPLOY, MIGRATION, AUTH_CHANGE, CONFIG_CHANGE, ERROR, HEALTH_CHECK)
    severity word(info, warning, error, critical)
    summary text
    details text?
    caused_by text?
    correlation_id text?
    created_at time
    PRIMARY KEY (tenant_id, id)
";

pub(crate) fn statements(d: Dialect) -> Vec<String> {
    [
        vec![
            table::create(d, "llm_run_records", LLM_RUN_RECORDS),
            table::create(d, "system_records", SYSTEM_RECORDS),
        ],
        list_indexes("llm_run_records", "created_at", &[]),
        list_indexes("system_records", "created_at", &["correlation_id"]),
        protect::append_only(d, "llm_run_records"),
        protect::append_only(d, "system_records"),
    ]
    .concat()
}
