//! The integrity assembler: what the store holds of a run's evidence, class by class, read in the caller's unit of
//! work. It looks into tables of several domains, so it belongs to none; grading is the evaluator's (L5).

use std::collections::HashMap;

use entities::{
    Id,
    activity::runs,
    logs::{evidence_capture_failures as failures, run_segments as segments},
};
use models::{
    ids::{RunId, TenantId},
    logs::ClassCounts,
};
use proof::words::{EvidenceClass, FailureResolution};
use sea_orm::{
    ColumnTrait as _, EntityName as _, Value,
    sea_query::{Asterisk, Expr, ExprTrait as _, Func, Query, SelectStatement, UnionType},
};

use crate::{
    StoreError,
    conn::Conn,
    dialect,
    driver::reader,
    field::{Field as _, corrupt},
    keys, tally,
};

reader! {
    /// Counts a run's evidence.
    read IntegrityAssembler;
}

/// Failed captures that are not superseded: those that could pass if tried again, and those that never will.
pub type UnresolvedFailures = HashMap<RunId, (ClassCounts, ClassCounts)>;

impl IntegrityAssembler<'_> {
    /// How many records these runs have of each class that a seal counts. A class without any is not listed, nor is a run without
    /// any.
    pub async fn class_counts(
        self,
        tenant: TenantId,
        runs: &[RunId],
    ) -> Result<HashMap<RunId, ClassCounts>, StoreError> {
        let mut counts: HashMap<RunId, ClassCounts> = HashMap::with_capacity(runs.len());
        for chunk in keys::sorted(runs).chunks(RUNS_AT_ONCE) {
            let query = of_every_class(self.conn, tenant, &keys::transposed(chunk));
            for row in self.conn.rows(self.conn.statement(&query)).await? {
                let (Id(run), class): (Id<RunId>, String) =
                    (tally::value("evidence", &row, 0)?, tally::value("evidence", &row, 1)?);
                let count = tally::number("evidence", Some(&row), 2)?;
                let class: EvidenceClass =
                    class.get().map_err(|why| corrupt(&failures::Entity, run.to_string(), "class", &why))?;
                counts.entry(run).or_default().insert(class, count);
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

/// Run, class, count: of the runs themselves, and of what their segments say that they hold.
fn of_every_class(conn: &Conn, tenant: TenantId, run_ids: &[Vec<Value>]) -> SelectStatement {
    let counted = |class: EvidenceClass, count: &'static str| {
        Query::select()
            .column((segments::Entity, segments::Column::RunId))
            .expr(Expr::val(class.as_str()).cast_as("text"))
            .expr(Expr::cust(format!("CAST(SUM({count}) AS bigint)")))
            .from(segments::Entity)
            .and_where(segments::Column::TenantId.eq(tenant.0))
            .and_where(dialect::among(conn.backend(), &[segments::Column::RunId], run_ids.to_vec()))
            .group_by_col((segments::Entity, segments::Column::RunId))
            .and_having(Expr::cust(format!("SUM({count}) > 0")))
            .to_owned()
    };
    let mut query = Query::select()
        .column((runs::Entity, runs::Column::Id))
        .expr(Expr::val(EvidenceClass::Run.as_str()).cast_as("text"))
        .expr(Expr::cust("CAST(1 AS bigint)"))
        .from(runs::Entity)
        .and_where(runs::Column::TenantId.eq(tenant.0))
        .and_where(dialect::among(conn.backend(), &[runs::Column::Id], run_ids.to_vec()))
        .to_owned();
    query.unions([
        (UnionType::All, counted(EvidenceClass::Trace, "step_count")),
        (UnionType::All, counted(EvidenceClass::Environment, "environment_count")),
        (UnionType::All, counted(EvidenceClass::Activity, "activity_count")),
        (UnionType::All, counted(EvidenceClass::Provider, "provider_count")),
        (UnionType::All, counted(EvidenceClass::Decision, "decision_count")),
    ]);
    query
}
