//! Kills and freezes: what was asked, what is frozen now, which runs met it, which agents know.

use std::collections::HashMap;

use entities::activity::{freezes, intervention_acks as acks, interventions, run_interventions as met, runs};
use models::{
    activity::{Ack, Freeze, Intervention, InterventionFilter, InterventionState, RunFilter, RunState},
    ids::{InterventionId, RunId, TenantId},
    page::{Page, PageRequest},
};
use proof::{records::InterventionRecord, words::InterventionKind};
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    QueryTrait as _, Select,
    sea_query::{Expr, ExprTrait as _},
};

use super::{Activity, ActivityReads, filter::matches};
use crate::{
    StoreError, bulk,
    driver::of_tenant,
    keys,
    read::{self, Newest},
    rows::rows,
    tally,
};

of_tenant!(interventions);

fn freezes_of(tenant: TenantId) -> Select<freezes::Entity> {
    freezes::Entity::find().filter(freezes::Column::TenantId.eq(tenant.0))
}

fn runs_of(tenant: TenantId) -> Select<runs::Entity> {
    runs::Entity::find().filter(runs::Column::TenantId.eq(tenant.0))
}

fn met_of(tenant: TenantId) -> Select<met::Entity> {
    met::Entity::find().filter(met::Column::TenantId.eq(tenant.0))
}

fn acks_of(tenant: TenantId) -> Select<acks::Entity> {
    acks::Entity::find().filter(acks::Column::TenantId.eq(tenant.0))
}

rows! {
    Intervention, interventions, key(id), fn to_row(intervention), fn from_row,
    same { id, kind, target_type, target_id, actor_type, actor_id, reason, requested_at, outcome, effective_at, lifts }
    renamed { tenant => tenant_id } extra {}
}

rows! {
    Freeze, freezes, key(target_id), fn freeze_row(freeze), fn freeze,
    same { target_id, intervention_id, actor_type, actor_id, reason, requested_at }
    renamed { tenant => tenant_id } extra {}
}

/// A freeze as its row says it.
pub(crate) fn read_freeze(row: freezes::Model) -> Result<Freeze, StoreError> {
    freeze(row)
}

rows! {
    InterventionRecord, met, key(run_id, seq), fn met_row(record), fn met_record,
    same {
        tenant_id, run_id, seq, intervention_id, kind, target_type, target_id, actor_type, actor_id, reason,
        requested_at, decision_hash, effective_at,
    } renamed {} extra {}
}

rows! {
    Ack, acks, key(intervention_id, run_id), fn ack_row(ack), fn ack,
    same { intervention_id, run_id, via, acked_at } renamed { tenant => tenant_id } extra {}
}

fn wanted(tenant: TenantId, filter: &InterventionFilter) -> Select<interventions::Entity> {
    let kind = interventions::Column::Kind;
    let ended = kind.eq(InterventionKind::Unfreeze.as_str());
    let InterventionFilter { state, target_type, target_id } = filter;
    let asked = Condition::all()
        .add(ended.not())
        .add_option(target_type.map(|word| interventions::Column::TargetType.eq(word.as_str())))
        .add_option(target_id.as_deref().map(|id| interventions::Column::TargetId.eq(id)));
    let same = Expr::col((freezes::Entity, freezes::Column::InterventionId))
        .equals((interventions::Entity, interventions::Column::Id));
    let holds = freezes_of(tenant).select_only().column(freezes::Column::TargetId).filter(same).into_query();
    let in_force = kind.eq(InterventionKind::Kill.as_str()).or(Expr::exists(holds));
    of(tenant).filter(asked).filter(match state {
        None => Condition::all(),
        Some(InterventionState::InForce) => Condition::all().add(in_force),
        Some(InterventionState::Lifted) => Condition::all().add(in_force.not()),
    })
}

/// What a freeze could stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FreezeEffect {
    /// LIVE runs of its target.
    pub live_runs: u64,
    /// Those of them whose agents are not known to know.
    pub unacked_runs: u64,
}

impl ActivityReads<'_> {
    /// Every freeze that is in force, that of the whole tenant first.
    pub async fn freezes(self, tenant: TenantId) -> Result<Vec<Freeze>, StoreError> {
        let select = freezes_of(tenant).order_by_asc(freezes::Column::TargetId);
        read::all(self.conn, select).await?.into_iter().map(freeze).collect()
    }

    /// The freezes in force, newest first.
    pub async fn list_freezes(
        self,
        tenant: TenantId,
        page: &PageRequest,
    ) -> Result<Page<Freeze>, StoreError> {
        let key = |row: &freezes::Model| (row.requested_at, row.intervention_id.uuid());
        let newest = Newest { at: freezes::Column::RequestedAt, id: freezes::Column::InterventionId, key };
        read::page(self.conn, freezes_of(tenant), newest, page, freeze).await
    }

    /// Kills and freezes, newest first.
    pub async fn list_interventions(
        self,
        tenant: TenantId,
        filter: &InterventionFilter,
        page: &PageRequest,
    ) -> Result<Page<Intervention>, StoreError> {
        let key = |row: &interventions::Model| (row.requested_at, row.id.uuid());
        let newest = Newest { at: interventions::Column::RequestedAt, id: interventions::Column::Id, key };
        read::page(self.conn, wanted(tenant, filter), newest, page, from_row).await
    }

    /// By what these freezes were ended, each by one.
    pub async fn lifts_of(
        self,
        tenant: TenantId,
        ids: &[InterventionId],
    ) -> Result<Vec<Intervention>, StoreError> {
        let column = [interventions::Column::Lifts];
        let rows = read::by_keys(self.conn, of(tenant), column, keys::sorted(ids)).await?;
        rows.into_iter().map(from_row).collect()
    }

    /// What was aimed at this run itself, newest first.
    pub async fn interventions_on(
        self,
        tenant: TenantId,
        run: RunId,
    ) -> Result<Vec<Intervention>, StoreError> {
        let select = of(tenant)
            .filter(interventions::Column::TargetId.eq(run.to_string()))
            .order_by_desc(interventions::Column::RequestedAt)
            .order_by_desc(interventions::Column::Id);
        read::all(self.conn, select).await?.into_iter().map(from_row).collect()
    }

    /// The freezes that this run met, as they were asked for.
    pub async fn freezes_met(self, tenant: TenantId, run: RunId) -> Result<Vec<Intervention>, StoreError> {
        let met = self.interventions_met(tenant, &[run]).await?;
        let ids: Vec<InterventionId> = met
            .iter()
            .filter(|record| record.kind == InterventionKind::Freeze)
            .filter_map(|record| record.intervention_id.parse().ok())
            .collect();
        let rows =
            read::by_keys(self.conn, of(tenant), [interventions::Column::Id], keys::sorted(&ids)).await?;
        rows.into_iter().map(from_row).collect()
    }

    /// What these runs met, in order.
    pub async fn interventions_met(
        self,
        tenant: TenantId,
        runs: &[RunId],
    ) -> Result<Vec<InterventionRecord>, StoreError> {
        let select = met_of(tenant).order_by_asc(met::Column::RunId).order_by_asc(met::Column::Seq);
        let rows = read::by_keys(self.conn, select, [met::Column::RunId], keys::sorted(runs)).await?;
        rows.into_iter().map(met_record).collect()
    }

    /// How many runs met each of these.
    pub async fn runs_met(
        self,
        tenant: TenantId,
        ids: &[InterventionId],
    ) -> Result<HashMap<InterventionId, u64>, StoreError> {
        let column = met::Column::InterventionId;
        let counted =
            crate::tally::count_by_keys(self.conn, met_of(tenant), column, keys::sorted(ids)).await?;
        Ok(counted.into_iter().collect())
    }

    /// How many LIVE runs these freezes could stop, and of how many the agents are not known to know: in each freeze's
    /// place. A few statements, however many freezes.
    pub async fn freeze_effects(
        self,
        tenant: TenantId,
        freezes: &[Freeze],
    ) -> Result<Vec<FreezeEffect>, StoreError> {
        let filter = RunFilter { state: Some(RunState::Live), ..RunFilter::default() };
        let live = || runs_of(tenant).filter(matches(&filter, None));
        let of_all = freezes.iter().any(|freeze| freeze.target_id.is_empty());
        let all = if of_all { self.count_runs(tenant, &filter).await? } else { 0 };
        let agents: Vec<String> = freezes.iter().flat_map(Freeze::spellings).collect();
        let (column, agents) = (runs::Column::AgentId, keys::sorted(&agents));
        let by_agent: HashMap<String, u64> =
            tally::count_by_keys(self.conn, live(), column, agents).await?.into_iter().collect();
        // A run has one agent for ever, so whoever knows of a freeze runs for its target.
        let runs = live().select_only().column(runs::Column::Id).into_query();
        let known = acks_of(tenant).filter(acks::Column::RunId.in_subquery(runs));
        let ids: Vec<InterventionId> = freezes.iter().map(|freeze| freeze.intervention_id).collect();
        let column = acks::Column::InterventionId;
        let known: HashMap<InterventionId, u64> =
            tally::count_by_keys(self.conn, known, column, keys::sorted(&ids)).await?.into_iter().collect();
        let effect = |freeze: &Freeze| {
            let of_agent: u64 = freeze.spellings().iter().filter_map(|name| by_agent.get(name)).sum();
            let live_runs = if freeze.target_id.is_empty() { all } else { of_agent };
            let known = known.get(&freeze.intervention_id).copied().unwrap_or_default();
            FreezeEffect { live_runs, unacked_runs: live_runs.saturating_sub(known) }
        };
        Ok(freezes.iter().map(effect).collect())
    }

    /// What the agents of these runs know.
    pub async fn acks_of_runs(self, tenant: TenantId, runs: &[RunId]) -> Result<Vec<Ack>, StoreError> {
        let rows =
            read::by_keys(self.conn, acks_of(tenant), [acks::Column::RunId], keys::sorted(runs)).await?;
        rows.into_iter().map(ack).collect()
    }
}

impl Activity<'_> {
    /// Adds interventions.
    pub async fn insert_interventions(self, added: &[Intervention]) -> Result<(), StoreError> {
        bulk::insert::<interventions::Entity>(self.conn, keys::rows(added, to_row)?).await
    }

    /// Adds a freeze; false if its target is frozen already.
    pub async fn insert_freeze(self, added: &Freeze) -> Result<bool, StoreError> {
        Ok(bulk::insert_missing::<freezes::Entity>(self.conn, vec![freeze_row(added)?]).await? == 1)
    }

    /// Takes a freeze back, and gives it; none where the target is not frozen.
    pub async fn lift_freeze(self, tenant: TenantId, target_id: &str) -> Result<Option<Freeze>, StoreError> {
        let target = freezes::Column::TargetId.eq(target_id);
        let locked = freezes_of(tenant).filter(target.clone()).lock_exclusive();
        let Some(row) = read::one(self.conn, locked).await? else { return Ok(None) };
        let delete =
            freezes::Entity::delete_many().filter(freezes::Column::TenantId.eq(tenant.0)).filter(target);
        self.conn.execute(delete.build(self.conn.backend())).await?;
        freeze(row).map(Some)
    }

    /// Adds what runs met.
    pub async fn insert_met(self, records: &[InterventionRecord]) -> Result<(), StoreError> {
        bulk::insert::<met::Entity>(self.conn, keys::rows(records, met_row)?).await
    }

    /// Adds what agents know; what is known already stays as it was.
    pub async fn insert_acks(self, known: &[Ack]) -> Result<(), StoreError> {
        bulk::add_missing::<acks::Entity>(self.conn, keys::rows(known, ack_row)?).await
    }
}
