//! The integrity assembler: what the store holds of a run's evidence, class by class, read in the caller's unit of
//! work. It looks into tables of several domains, so it belongs to none; grading is the evaluator's (L5).

use std::collections::HashMap;

use entities::{
    Id,
    logs::{evidence_capture_failures as failures, run_segments as segments},
};
use models::{
    ids::{RunId, TenantId},
    logs::ClassCounts,
};
use proof::words::{EvidenceClass, FailureResolution};
use sea_orm::{
    ColumnTrait as _, EntityName as _, IdenStatic as _, Value,
    sea_query::{Asterisk, Expr, Func, Query, SelectStatement},
};

use crate::{
    StoreError,
    conn::Conn,
    dialect,
    driver::driver,
    field::{Field as _, corrupt},
    keys, tally,
};

driver! {
    /// Counts a run's evidence.
    read IntegrityAssembler;
}

/// Failed captures that are not superseded: those that could pass if tried again, and those that never will.
pub type UnresolvedFailures = HashMap<RunId, (ClassCounts, ClassCounts)>;

impl IntegrityAssembler<'_> {
    /// How many records these runs have of each class that a seal counts. A class without any is not listed, nor is a
    /// run without any.
    pub async fn class_counts(
        self,
        tenant: TenantId,
        runs: &[RunId],
    ) -> Result<HashMap<RunId, ClassCounts>, StoreError> {
        let mut counts: HashMap<RunId, ClassCounts> = HashMap::with_capacity(runs.len());
        for chunk in keys::sorted(runs).chunks(RUNS_AT_ONCE) {
            let query = of_every_class(self.conn, tenant, &keys::transposed(chunk));
            for row in self.conn.rows(self.conn.statement(&query)).await? {
                let Id(run): Id<RunId> = tally::value("run_segments", &row, 0)?;
                // A run's segments are of a run that is there: it was locked when they were added.
                let mut of_run = ClassCounts::from([(EvidenceClass::Run, 1)]);
                for (place, (class, _)) in (1..).zip(COUNTED) {
                    let count = tally::number("run_segments", Some(&row), place)?;
                    of_run.extend((count > 0).then_some((class, count)));
                }
                counts.insert(run, of_run);
            }
        }
        Ok(counts)
    }

    /// The failed captures of these runs that are still unresolved, by class. A run without any is not listed.
    pub async fn unresolved_failures(
        self,
        tenant: TenantId,
        runs: &[RunId],
    ) -> Result<UnresolvedFailures, StoreError> {
        use failures::{Column as C, Entity};
        let mut unresolved = UnresolvedFailures::new();
        for chunk in keys::sorted(runs).chunks(RUNS_AT_ONCE) {
            let among = dialect::among(self.conn.backend(), &[C::RunId], keys::transposed(chunk));
            let query = Query::select()
                .columns([C::RunId, C::EvidenceClass, C::Resolution])
                .expr(Func::count(Expr::col(Asterisk)))
                .from(Entity)
                .and_where(C::TenantId.eq(tenant.0))
                .and_where(among)
                .add_group_by([Expr::col(C::RunId), Expr::col(C::EvidenceClass), Expr::col(C::Resolution)])
                .to_owned();
            let table = Entity.table_name();
            for row in self.conn.rows(self.conn.statement(&query)).await? {
                let Id(run): Id<RunId> = tally::value(table, &row, 0)?;
                let (class, resolution): (String, String) =
                    (tally::value(table, &row, 1)?, tally::value(table, &row, 2)?);
                let bad = |why: String| corrupt(&Entity, run.to_string(), "evidence_class, resolution", &why);
                let (transient, permanent) = unresolved.entry(run).or_default();
                let counts = match resolution.get().map_err(bad)? {
                    FailureResolution::Transient => transient,
                    FailureResolution::Permanent => permanent,
                    FailureResolution::Superseded => continue,
                };
                counts.insert(class.get().map_err(bad)?, tally::number(table, Some(&row), 3)?);
            }
        }
        Ok(unresolved)
    }
}

/// Runs of one query. Each is named once for each class, and a statement has its limit.
const RUNS_AT_ONCE: usize = 1_024;

/// Of each run, what its segments say that they hold of each class of [`COUNTED`].
fn of_every_class(conn: &Conn, tenant: TenantId, run_ids: &[Vec<Value>]) -> SelectStatement {
    use segments::Column as C;
    let mut query = Query::select();
    query.column((segments::Entity, C::RunId));
    for (_, column) in COUNTED {
        query.expr(Expr::cust(format!("CAST(SUM({}) AS bigint)", column.as_str())));
    }
    query
        .from(segments::Entity)
        .and_where(C::TenantId.eq(tenant.0))
        .and_where(dialect::among(conn.backend(), &[C::RunId], run_ids.to_vec()))
        .group_by_col((segments::Entity, C::RunId))
        .to_owned()
}

/// The classes that segments hold and a seal counts.
const COUNTED: [(EvidenceClass, segments::Column); 5] = [
    (EvidenceClass::Trace, segments::Column::StepCount),
    (EvidenceClass::Environment, segments::Column::EnvironmentCount),
    (EvidenceClass::Activity, segments::Column::ActivityCount),
    (EvidenceClass::Provider, segments::Column::ProviderCount),
    (EvidenceClass::Decision, segments::Column::DecisionCount),
];
