//! Traces, the steps of them that do not count, and the calls to models.

use crate::{
    dialect::Dialect,
    protect,
    table::{self, index, list_indexes},
};

const AOS_TRACES: &str = r"
    tenant_id id
    id id
    run_id id
    attempt count
    addendum_of id?
    agent_id text?
    correlation_id text
    status word(RUNNING, COMPLETED, FAILED, ABORTED)
    abort_reason text?
    schema_version text
    metadata text?
    root_hash hash?
    chain_head hash
    ranges bytes
    step_count count
    refused_count count
    tally text
    tools_used text
    last_tool text?
    failure_count count
    cost_known bool
    expected_activity count
    expected_provider count
    last_recorded_at time?
    replay_mode word?(FULL, TRACE_ONLY)
    started_at time
    completed_at time?
    archived_at time?
    sealed_leaf_index count?
    opened_leaf_index count
    tools_cut bool
    PRIMARY KEY (tenant_id, id)
    CHECK (sealed_leaf_index IS NULL OR (status <> 'RUNNING' AND root_hash IS NOT NULL AND completed_at IS NOT NULL))
    FOREIGN KEY (tenant_id, run_id) REFERENCES runs (tenant_id, id)
";

/// Steps whose use and call do not count, for another step of their trace tells of the same: said beside them, for a
/// step is written once.
const UNCOUNTED_STEPS: &str = r"
    tenant_id id
    run_id id
    step_index count
    told_by_index count
    in_doubt bool
    created_at time
    PRIMARY KEY (tenant_id, run_id, step_index)
";

/// `price_book` is the one by which the call was priced.
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
    cost_nanousd count
    cost_known bool
    execution_status word(SUCCEEDED, FAILED, ABORTED, TIMEOUT)
    started_at time
    completed_at time?
    source word(engine, external, replay)
    is_synthetic bool
    synthetic_scenario_id text?
    created_at time
    price_book text?
    cache_write_tokens count
    cost_note word?(COUNTS_CONTRADICT, NO_PRICE, NO_TOKENS, REPORTED_ZERO)
    PRIMARY KEY (tenant_id, id)
    UNIQUE (tenant_id, run_id, step_index)
";

pub(super) fn statements(d: Dialect) -> Vec<String> {
    [
        vec![
            // A row is written by every step of its trace. It is looked for by id and by run: nobody lists traces.
            table::create_busy(d, "aos_traces", AOS_TRACES, 80),
            index("aos_traces_by_run", "aos_traces (tenant_id, run_id)"),
            table::by_key(d, table::create(d, "uncounted_steps", UNCOUNTED_STEPS)),
            table::create(d, "llm_run_records", LLM_RUN_RECORDS),
        ],
        // One for each filter, however few calls have it: they are kept for good.
        list_indexes(
            "llm_run_records",
            "created_at",
            &["provider", "model", "execution_status", "is_synthetic"],
        ),
        protect::kept_unless(d, "aos_traces", "OLD.sealed_leaf_index IS NOT NULL"),
        protect::append_only(d, "uncounted_steps"),
        protect::append_only(d, "llm_run_records"),
    ]
    .concat()
}
