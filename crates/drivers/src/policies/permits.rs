//! Permits: leave to act once.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use entities::{
    Id,
    policies::permits::{self, Column},
};
use models::{
    ids::{PermitId, RunId, TenantId},
    policies::{Estimate, OpenPermit, Permit, PermitStatus},
};
use sea_orm::{
    ColumnTrait as _, EntityName as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QueryResult,
    QuerySelect as _, QueryTrait as _, Select, Value,
    sea_query::{Expr, LockBehavior, LockType, SimpleExpr},
};

use super::{Policies, PoliciesReads};
use crate::{
    StoreError, bulk,
    dialect::{self, Given},
    driver::of_tenant,
    field::{Field, corrupt},
    keys,
    read::{self, ByRun},
    tally,
    together::Write,
};

of_tenant!(permits);

fn to_row(permit: &Permit) -> Result<permits::Model, StoreError> {
    let id = permit.id;
    let bad =
        |column: &'static str| move |why: String| corrupt(&permits::Entity, id.to_string(), column, &why);
    Ok(permits::Model {
        tenant_id: Id(permit.tenant),
        id: Id(id),
        run_id: Id(permit.run_id),
        status: Field::put(&permit.status).map_err(bad("status"))?,
        kind: Field::put(&permit.kind).map_err(bad("kind"))?,
        skill_name: permit.skill_name.clone(),
        params_hash: Field::put(&permit.params_hash).map_err(bad("params_hash"))?,
        idempotency_key: permit.idempotency_key.clone(),
        request_hash: Field::put(&permit.request_hash).map_err(bad("request_hash"))?,
        estimate_input_tokens: Field::put(&permit.estimate.input_tokens)
            .map_err(bad("estimate_input_tokens"))?,
        estimate_output_tokens: Field::put(&permit.estimate.output_tokens)
            .map_err(bad("estimate_output_tokens"))?,
        estimate_cost_nanousd: Field::put(&permit.estimate.cost_nanousd)
            .map_err(bad("estimate_cost_nanousd"))?,
        reservations: Field::put(&permit.reservations).map_err(bad("reservations"))?,
        decision_id: Id(permit.decision_id),
        decision_hash: Field::put(&permit.decision_hash).map_err(bad("decision_hash"))?,
        run_after: permit.run_after.clone(),
        granted_at: permit.granted_at,
        expires_at: permit.expires_at,
        lapses_at: permit.lapses_at,
        used_by_step: Field::put(&permit.used_by_step).map_err(bad("used_by_step"))?,
        provider: permit.provider.clone(),
        model: permit.model.clone(),
        labels: Field::put(&permit.labels).map_err(bad("labels"))?,
    })
}

fn from_row(row: permits::Model) -> Result<Permit, StoreError> {
    let id = row.id.0;
    let bad =
        |column: &'static str| move |why: String| corrupt(&permits::Entity, id.to_string(), column, &why);
    Ok(Permit {
        tenant: row.tenant_id.0,
        id,
        run_id: row.run_id.0,
        status: row.status.get().map_err(bad("status"))?,
        kind: row.kind.get().map_err(bad("kind"))?,
        skill_name: row.skill_name,
        params_hash: row.params_hash.get().map_err(bad("params_hash"))?,
        idempotency_key: row.idempotency_key,
        request_hash: row.request_hash.get().map_err(bad("request_hash"))?,
        estimate: Estimate {
            input_tokens: row.estimate_input_tokens.get().map_err(bad("estimate_input_tokens"))?,
            output_tokens: row.estimate_output_tokens.get().map_err(bad("estimate_output_tokens"))?,
            cost_nanousd: row.estimate_cost_nanousd.get().map_err(bad("estimate_cost_nanousd"))?,
        },
        reservations: row.reservations.get().map_err(bad("reservations"))?,
        decision_id: row.decision_id.0,
        decision_hash: row.decision_hash.get().map_err(bad("decision_hash"))?,
        run_after: row.run_after,
        granted_at: row.granted_at,
        expires_at: row.expires_at,
        lapses_at: row.lapses_at,
        used_by_step: row.used_by_step.get().map_err(bad("used_by_step"))?,
        provider: row.provider,
        model: row.model,
        labels: row.labels.get().map_err(bad("labels"))?,
    })
}

/// Those that were granted and have lapsed at `now`: what they hold is still to be given back.
fn lapsed(tenant: TenantId, now: DateTime<Utc>) -> Select<permits::Entity> {
    of(tenant).filter(Column::Status.eq(PermitStatus::Granted.as_str())).filter(Column::LapsesAt.lte(now))
}

/// That there is one of those, as a part of any query.
pub(crate) fn any_lapsed(tenant: TenantId, now: DateTime<Utc>) -> SimpleExpr {
    Expr::exists(lapsed(tenant, now).select_only().column(Column::Id).into_query())
}

impl PoliciesReads<'_> {
    /// One permit.
    pub async fn find_permit(self, tenant: TenantId, id: PermitId) -> Result<Option<Permit>, StoreError> {
        read::one(self.conn, of(tenant).filter(Column::Id.eq(id.0))).await?.map(from_row).transpose()
    }

    /// The permits that were granted under these idempotency keys of runs.
    pub async fn find_permits_by_keys(
        self,
        tenant: TenantId,
        keys: &[(RunId, String)],
    ) -> Result<Vec<Permit>, StoreError> {
        let keys = keys::in_order(keys).into_iter().map(|(run, key)| [run.0.into(), key.into()]).collect();
        // The index has only permits with a key, and SQLite does not see by itself that these have one.
        let keyed = of(tenant).filter(Column::IdempotencyKey.is_not_null());
        let rows = read::by_keys(self.conn, keyed, [Column::RunId, Column::IdempotencyKey], keys).await?;
        rows.into_iter().map(from_row).collect()
    }

    /// The permits of these runs that are granted, that nobody has used or released, and that still serve at `now`.
    /// They are not locked: a permit of a run is granted and used only by a caller that holds the run's lock. A permit
    /// that has lapsed is left out, whether it has been released or not.
    pub async fn open_permits(
        self,
        tenant: TenantId,
        runs: &[RunId],
        now: DateTime<Utc>,
    ) -> Result<Vec<OpenPermit>, StoreError> {
        let rows = self.open_rows(tenant, runs, now).await?;
        rows.iter().map(open_permit).collect()
    }

    /// The same of each of these runs; one that has none is not listed.
    pub async fn open_permits_of_each(
        self,
        tenant: TenantId,
        runs: &[RunId],
        now: DateTime<Utc>,
    ) -> Result<ByRun<Vec<OpenPermit>>, StoreError> {
        let mut open: ByRun<Vec<OpenPermit>> = HashMap::new();
        for row in self.open_rows(tenant, runs, now).await? {
            let Id(run): Id<RunId> = tally::value(permits::Entity.table_name(), &row, 1)?;
            let of_run = open.entry(run).or_insert_with(|| Ok(Vec::new()));
            match open_permit(&row) {
                Ok(permit) => {
                    if let Ok(all) = of_run {
                        all.push(permit);
                    }
                }
                Err(err) => *of_run = Err(err),
            }
        }
        Ok(open)
    }

    /// Of permits that are open at `now`, the columns that [`open_permit`] reads.
    async fn open_rows(
        self,
        tenant: TenantId,
        runs: &[RunId],
        now: DateTime<Utc>,
    ) -> Result<Vec<QueryResult>, StoreError> {
        let backend = self.conn.backend();
        let granted = of(tenant)
            .select_only()
            .columns([
                Column::Id,
                Column::RunId,
                Column::EstimateInputTokens,
                Column::EstimateOutputTokens,
                Column::EstimateCostNanousd,
                Column::ExpiresAt,
            ])
            .filter(Column::Status.eq(PermitStatus::Granted.as_str()))
            .filter(Column::ExpiresAt.gt(now));
        let mut open = Vec::new();
        for chunk in keys::sorted(runs).chunks(dialect::keys_at_once(backend, 1)) {
            let among = dialect::among(backend, &[Column::RunId], keys::transposed(chunk));
            open.extend(self.conn.rows(granted.clone().filter(among).build(backend)).await?);
        }
        Ok(open)
    }
}

/// Of the columns in the order in which `open_rows` asks for them.
fn open_permit(row: &QueryResult) -> Result<OpenPermit, StoreError> {
    let table = permits::Entity.table_name();
    let Id(id): Id<PermitId> = tally::value(table, row, 0)?;
    let Id(run_id): Id<RunId> = tally::value(table, row, 1)?;
    let bad =
        |column: &'static str| move |why: String| corrupt(&permits::Entity, id.to_string(), column, &why);
    let [input, output]: [i64; 2] = [tally::value(table, row, 2)?, tally::value(table, row, 3)?];
    let cost: Option<i64> = tally::value(table, row, 4)?;
    Ok(OpenPermit {
        id,
        run_id,
        estimate: Estimate {
            input_tokens: input.get().map_err(bad("estimate_input_tokens"))?,
            output_tokens: output.get().map_err(bad("estimate_output_tokens"))?,
            cost_nanousd: cost.get().map_err(bad("estimate_cost_nanousd"))?,
        },
        expires_at: tally::value(table, row, 5)?,
    })
}

impl Policies<'_> {
    /// Locks permits until the unit of work ends, and gives them: those of `named`, in order of their ids, and of
    /// others, as many as `most`, that were granted and have lapsed at `now`, the longest lapsed first.
    ///
    /// A permit that is named with another run than its own is not locked and not given. A lapsed permit that another
    /// unit of work holds is left to it.
    pub async fn lock_permits(
        self,
        tenant: TenantId,
        named: &[(PermitId, RunId)],
        now: DateTime<Utc>,
        most: u64,
    ) -> Result<Vec<Permit>, StoreError> {
        let wanted: Vec<[Value; 2]> =
            keys::in_order(named).into_iter().map(|(id, run)| [id.0.into(), run.0.into()]).collect();
        let locked = of(tenant).order_by_asc(Column::Id).lock_exclusive();
        let over = lapsed(tenant, now)
            .order_by_asc(Column::LapsesAt)
            .order_by_asc(Column::Id)
            .limit(most)
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
        // They come with the last of those that are named.
        let mut over = (most > 0).then_some(over);
        let backend = self.conn.backend();
        let mut rows: Vec<permits::Model> = Vec::new();
        let mut chunks = wanted.chunks(dialect::keys_at_once(backend, 2)).peekable();
        while let Some(chunk) = chunks.next() {
            let among = dialect::among(backend, &[Column::Id, Column::RunId], keys::transposed(chunk));
            let named = locked.clone().filter(among);
            rows.extend(match over.take_if(|_| chunks.peek().is_none()) {
                Some(over) => read::both(self.conn, named, over).await?,
                None => read::all(self.conn, named).await?,
            });
        }
        if let Some(over) = over {
            rows.extend(read::all(self.conn, over).await?);
        }
        let mut held = HashSet::with_capacity(rows.len());
        rows.retain(|row| held.insert(row.id.0));
        rows.into_iter().map(from_row).collect()
    }

    /// Lets the permits of ended runs lapse now; the runs are locked. The next caller that locks such a permit gives
    /// back what it holds.
    ///
    /// A permit that another unit of work has locked is left to it: it has lapsed already, since that unit of work does
    /// not hold the run. So this waits for nobody.
    pub async fn end_permits(self, tenant: TenantId, runs: &[RunId]) -> Result<(), StoreError> {
        let backend = self.conn.backend();
        for chunk in keys::sorted(runs).chunks(dialect::keys_at_once(backend, 1)) {
            let open = of(tenant)
                .select_only()
                .column(Column::Id)
                .filter(Column::Status.eq(PermitStatus::Granted.as_str()))
                .filter(dialect::among(backend, &[Column::RunId], keys::transposed(chunk)))
                .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
            let update = permits::Entity::update_many()
                .filter(Column::TenantId.eq(tenant.0))
                .filter(Column::Id.in_subquery(open.into_query()))
                // A moment that no clock of any replica has before it.
                .col_expr(Column::LapsesAt, Expr::col(Column::GrantedAt));
            let update = Write::any(permits::Entity.table_name(), update.build(backend));
            self.conn.write(Write { behind: true, ..update }).await?;
        }
        Ok(())
    }

    /// Adds permits.
    pub async fn insert_permits(self, permits: &[Permit]) -> Result<(), StoreError> {
        bulk::insert::<permits::Entity>(self.conn, keys::rows(permits, to_row)?).await
    }

    /// Writes back permits that this unit of work has locked, which stood at `was` then. One that does not stand there
    /// any more is an error: what it held is given back once.
    pub async fn save_permits(self, was: PermitStatus, permits: &[Permit]) -> Result<(), StoreError> {
        let changing = [Column::Status, Column::UsedByStep];
        let still = Given::Word(Column::Status, was.as_str());
        let rows = keys::rows(permits, to_row)?;
        bulk::update_only::<permits::Entity>(self.conn, rows, &changing, still).await
    }
}
