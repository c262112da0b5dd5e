//! Counters (ADR 44).

use crate::{
    dialect::Dialect,
    table::{self, index},
};

/// One row counts runs, or calls, of one kind: `place` and `part` are where it is looked for (a time, an agent), `kind`
/// is what lists filter by, and `cell` is 16 bytes of the hash of part and kind, for an entry of an index is short.
///
/// Units of work that commit at the same moment write to rows of their own, the `shard`; what there is is the sum of
/// them, so that one of them alone may be below 0. Each amount is in two parts, of which `_high` counts by 2^20: no sum
/// of what calls may say they cost leaves the numbers of a store.
const COUNTERS: &str = r"
    tenant_id id
    counted word(RUNS, RUNS_OF_MONTH, RUNS_OF_DAY, AGENT_RUNS, AGENT_RUNS_OF_DAY, CALLS, CALLS_OF_DAY, CALLS_OF_HOUR, AGENT_CALLS_OF_DAY, AGENT_CALLS_OF_HOUR)
    place text
    cell bytes
    shard count
    part text
    kind text
    number int
    unknown int
    cost_high int
    cost_low int
    input_high int
    input_low int
    output_high int
    output_low int
    PRIMARY KEY (tenant_id, counted, place, cell, shard)
";

pub(super) fn statements(d: Dialect) -> Vec<String> {
    vec![
        // A row is written by every group that calls its model, or starts or ends a run of its kind.
        table::by_key(d, table::create_busy(d, "counters", COUNTERS, 50)),
        // For who asks of one day of all agents. No column of it changes.
        index("counters_by_part", "counters (tenant_id, counted, part)"),
    ]
}
