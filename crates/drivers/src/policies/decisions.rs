//! Decisions of the choke point: evidence of class D.

use std::collections::HashMap;

use entities::policies::policy_decisions::{self as decisions, Column};
use models::ids::{DecisionId, RunId, TenantId};
use proof::{
    records::DecisionRecord,
    words::{Action, Moment},
};
use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryOrder as _};

use super::{Policies, PoliciesReads};
use crate::{StoreError, bulk, driver::of_tenant, keys, read, rows::rows, tally};

of_tenant!(decisions);

rows! {
    DecisionRecord, decisions, key(run_id, seq), fn to_row(record), fn from_row,
    same {
        tenant_id, run_id, seq, moment, step_index, permit_id, snapshot_digest, engine_version, schema_version, facts,
        limit_inputs, fired, limits, action, would_have, halt_reason, deciding_policy_id, overridden_by, permit_note,
        permit_required,
        decided_at, intervention,
    } renamed { decision_id => id } extra {}
}

impl PoliciesReads<'_> {
    /// The decisions of a run, in order.
    pub async fn decisions_of_run(
        self,
        tenant: TenantId,
        run: RunId,
    ) -> Result<Vec<DecisionRecord>, StoreError> {
        let select = of(tenant).filter(Column::RunId.eq(run.0)).order_by_asc(Column::Seq);
        read::all(self.conn, select).await?.into_iter().map(from_row).collect()
    }

    /// The decisions among `ids` that there are.
    pub async fn find_decisions(
        self,
        tenant: TenantId,
        ids: &[DecisionId],
    ) -> Result<Vec<DecisionRecord>, StoreError> {
        let rows = read::by_keys(self.conn, of(tenant), [Column::Id], keys::sorted(ids)).await?;
        rows.into_iter().map(from_row).collect()
    }

    /// Those of the decisions among `ids` in which a rule or limit fired.
    pub async fn decisions_that_fired(
        self,
        tenant: TenantId,
        ids: &[DecisionId],
    ) -> Result<Vec<DecisionRecord>, StoreError> {
        let select = of(tenant).filter(Column::Fired.ne("[]"));
        let rows = read::by_keys(self.conn, select, [Column::Id], keys::sorted(ids)).await?;
        rows.into_iter().map(from_row).collect()
    }

    /// The decisions with which these runs began.
    pub async fn start_decisions(
        self,
        tenant: TenantId,
        runs: &[RunId],
    ) -> Result<Vec<DecisionRecord>, StoreError> {
        let select = of(tenant).filter(Column::Moment.eq(Moment::RunStart.as_str()));
        let rows = read::by_keys(self.conn, select, [Column::RunId], keys::sorted(runs)).await?;
        rows.into_iter().map(from_row).collect()
    }

    /// What the decisions among `ids` that there are answered, and what they would have.
    pub async fn actions(
        self,
        tenant: TenantId,
        ids: &[DecisionId],
    ) -> Result<HashMap<DecisionId, (Action, Option<Action>)>, StoreError> {
        let words = [Column::Action, Column::WouldHave];
        tally::words_by_id(self.conn, of(tenant), Column::Id, words, keys::sorted(ids)).await
    }
}

impl Policies<'_> {
    /// Adds decisions.
    pub async fn insert_decisions<'r>(
        self,
        records: impl IntoIterator<Item = &'r DecisionRecord>,
    ) -> Result<(), StoreError> {
        bulk::insert::<decisions::Entity>(self.conn, keys::rows(records, to_row)?).await
    }
}
