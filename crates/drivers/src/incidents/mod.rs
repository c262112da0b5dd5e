//! Incidents: what went wrong, which runs it concerns, and its timeline.

mod by_run;
mod rows;

use std::collections::HashMap;

use entities::incidents::{
    incident_events, incident_runs,
    incidents::{self, Column},
};
use models::{
    ids::{IncidentId, TenantId},
    incidents::{
        Cause, Incident, IncidentCounts, IncidentEvent, IncidentEventType, IncidentFilter, IncidentRun,
        LifecycleState,
    },
    page::{Page, PageRequest},
};
use proof::words::Severity;
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    Select, Value, sea_query::Expr,
};

pub use self::by_run::IncidentRunReadDriver;
use self::rows::{event, event_row, from_row, run_row, to_row};
use crate::{
    StoreError, bulk, dialect,
    driver::{driver, of_tenant},
    field::Field as _,
    keys,
    read::{self, Newest},
    tally,
};

driver! {
    /// Reads of incidents.
    read IncidentsReads;
    /// Reads and writes of incidents.
    write Incidents;
}

of_tenant!(incidents);

fn events_of(tenant: TenantId) -> Select<incident_events::Entity> {
    incident_events::Entity::find().filter(incident_events::Column::TenantId.eq(tenant.0))
}

/// What may change in an incident after it is opened.
const CHANGING: &[Column] = &[
    Column::Severity,
    Column::LifecycleState,
    Column::CostImpactNanousd,
    Column::AffectedCount,
    Column::Occurrences,
    Column::LastSeenAt,
    Column::Agents,
    Column::MoreAgents,
    Column::SimilarIncidentGroupId,
    Column::AcknowledgedAt,
    Column::AcknowledgedBy,
    Column::ResolvedAt,
    Column::ResolvedBy,
    Column::ResolutionType,
    Column::ResolutionNotes,
    Column::EscalatedAt,
    Column::UpdatedAt,
];

/// What may change in what a run did of an incident.
const RECURRING: &[incident_runs::Column] = &[
    incident_runs::Column::LaterImpactNanousd,
    incident_runs::Column::Occurrences,
    incident_runs::Column::LastAt,
];

/// In the words of the partial index, so that each store sees that it serves.
const OPEN: &str = "\"incidents\".\"lifecycle_state\" <> 'RESOLVED'";

fn causes_in_order(of: &[Cause]) -> Vec<[Value; 2]> {
    let key = |cause: Cause| [cause.category.as_str().into(), cause.cause_key.into()];
    keys::in_order(of).into_iter().map(key).collect()
}

const CAUSE: [Column; 2] = [Column::Category, Column::CauseKey];

impl IncidentsReads<'_> {
    /// One incident.
    pub async fn find_incident(
        self,
        tenant: TenantId,
        id: IncidentId,
    ) -> Result<Option<Incident>, StoreError> {
        read::one(self.conn, of(tenant).filter(Column::Id.eq(id.0))).await?.map(from_row).transpose()
    }

    /// The incidents among `ids` that there are, by id.
    pub async fn find_incidents(
        self,
        tenant: TenantId,
        ids: &[IncidentId],
    ) -> Result<Vec<Incident>, StoreError> {
        let select = of(tenant).order_by_asc(Column::Id);
        let rows = read::by_keys(self.conn, select, [Column::Id], keys::sorted(ids)).await?;
        rows.into_iter().map(from_row).collect()
    }

    /// The timeline of an incident, oldest first. Of the runs that joined it, the last `joined`.
    pub async fn events_of(
        self,
        tenant: TenantId,
        incident: IncidentId,
        joined: u64,
    ) -> Result<Vec<IncidentEvent>, StoreError> {
        use incident_events::Column as C;
        let of = || events_of(tenant).filter(C::IncidentId.eq(incident.0));
        let recurred = IncidentEventType::Recurred.as_str();
        let others = of().filter(C::EventType.ne(recurred)).order_by_asc(C::CreatedAt).order_by_asc(C::Id);
        let newest = of().filter(C::EventType.eq(recurred)).order_by_desc(C::CreatedAt).order_by_desc(C::Id);
        let mut rows = read::all(self.conn, others).await?;
        rows.extend(read::all(self.conn, newest.limit(joined)).await?);
        rows.sort_by_key(|row| (row.created_at, row.id));
        rows.into_iter().map(event).collect()
    }

    /// What happened to these incidents, oldest first, but for what only tells of runs that joined them.
    pub async fn moves_of_all(
        self,
        tenant: TenantId,
        incidents: &[IncidentId],
    ) -> Result<Vec<IncidentEvent>, StoreError> {
        use incident_events::Column as C;
        let moves = events_of(tenant).filter(C::EventType.ne(IncidentEventType::Recurred.as_str()));
        let select = moves.order_by_asc(C::CreatedAt).order_by_asc(C::Id);
        let rows = read::by_keys(self.conn, select, [C::IncidentId], keys::sorted(incidents)).await?;
        rows.into_iter().map(event).collect()
    }

    /// Those events of these incidents that say just this of them.
    pub async fn events_that_say(
        self,
        tenant: TenantId,
        said: &[(IncidentId, String)],
    ) -> Result<Vec<IncidentEvent>, StoreError> {
        use incident_events::Column as C;
        let keys =
            keys::in_order(said).into_iter().map(|(id, details)| [id.0.into(), details.into()]).collect();
        let rows = read::by_keys(self.conn, events_of(tenant), [C::IncidentId, C::Details], keys).await?;
        rows.into_iter().map(event).collect()
    }

    /// Incidents, newest first.
    pub async fn list(
        self,
        tenant: TenantId,
        filter: &IncidentFilter,
        page: &PageRequest,
    ) -> Result<Page<Incident>, StoreError> {
        let key = |row: &incidents::Model| (row.created_at, row.id.uuid());
        let newest = Newest { at: Column::CreatedAt, id: Column::Id, key };
        read::page(self.conn, matching(tenant, filter), newest, page, from_row).await
    }

    /// How many incidents the list with this filter has.
    pub async fn count(self, tenant: TenantId, filter: &IncidentFilter) -> Result<u64, StoreError> {
        tally::count(self.conn, matching(tenant, filter)).await
    }

    /// For Overview: all, ACTIVE, and those of them that are critical, or critical or high.
    pub async fn counts(self, tenant: TenantId) -> Result<IncidentCounts, StoreError> {
        let active = self.active_by_severity(tenant).await?;
        let sum =
            |wanted: &[Severity]| active.iter().filter(|(s, _)| wanted.contains(s)).map(|(_, n)| n).sum();
        Ok(IncidentCounts {
            total: tally::count(self.conn, of(tenant)).await?,
            active: sum(Severity::ALL),
            active_critical: sum(&[Severity::Critical]),
            active_critical_or_high: sum(&[Severity::Critical, Severity::High]),
        })
    }

    /// How many ACTIVE incidents there are of each severity; a severity without any is not listed.
    pub async fn active_by_severity(self, tenant: TenantId) -> Result<Vec<(Severity, u64)>, StoreError> {
        let active = of(tenant).filter(Column::LifecycleState.eq(LifecycleState::Active.as_str()));
        tally::count_by(self.conn, active, Column::Severity).await
    }
}

impl Incidents<'_> {
    /// One incident, locked until the unit of work ends.
    pub async fn lock_incident(
        self,
        tenant: TenantId,
        id: IncidentId,
    ) -> Result<Option<Incident>, StoreError> {
        let select = of(tenant).filter(Column::Id.eq(id.0)).lock_exclusive();
        read::one(self.conn, select).await?.map(from_row).transpose()
    }

    /// The incidents of these causes that are not resolved, locked in order of the causes until the unit of work ends;
    /// of several of one cause the oldest first.
    pub async fn lock_open(self, tenant: TenantId, causes: &[Cause]) -> Result<Vec<Incident>, StoreError> {
        let order = [Column::Category, Column::CauseKey, Column::Namesake];
        let open = of(tenant).filter(Expr::cust(OPEN));
        let select = dialect::sorted(self.conn.backend(), open, &order).lock_exclusive();
        let rows = read::by_keys(self.conn, select, CAUSE, causes_in_order(causes)).await?;
        rows.into_iter().map(from_row).collect()
    }

    /// These incidents, locked until the unit of work ends, those that there are: in the order of [`Self::lock_open`],
    /// for one that is open is locked by its cause as well.
    pub async fn lock_incidents(
        self,
        tenant: TenantId,
        ids: &[IncidentId],
    ) -> Result<Vec<Incident>, StoreError> {
        let order = [CAUSE.as_slice(), &[Column::Namesake, Column::Id]].concat();
        let select = dialect::sorted(self.conn.backend(), of(tenant), &order).lock_exclusive();
        let rows = read::by_keys(self.conn, select, [Column::Id], keys::sorted(ids)).await?;
        rows.into_iter().map(from_row).collect()
    }

    /// All incidents that these causes had, oldest first; what is open of them is among them.
    pub async fn of_causes(self, tenant: TenantId, causes: &[Cause]) -> Result<Vec<Incident>, StoreError> {
        let order = [Column::Category, Column::CauseKey, Column::CreatedAt, Column::Id];
        let select = dialect::sorted(self.conn.backend(), of(tenant), &order);
        let rows = read::by_keys(self.conn, select, CAUSE, causes_in_order(causes)).await?;
        rows.into_iter().map(from_row).collect()
    }

    /// How many incidents each of these causes had; one that had none is not listed.
    pub async fn counts_of_causes(
        self,
        tenant: TenantId,
        causes: &[Cause],
    ) -> Result<HashMap<Cause, u64>, StoreError> {
        let counts = tally::count_by_words(self.conn, of(tenant), CAUSE, causes_in_order(causes)).await?;
        counts
            .into_iter()
            .map(|([category, cause_key], count)| {
                let category = category.get().map_err(|why| StoreError::Corrupt {
                    table: "incidents",
                    row: cause_key.clone(),
                    why,
                })?;
                Ok((Cause { category, cause_key }, count))
            })
            .collect()
    }

    /// Adds the incidents whose cause has none that is open: in order of the causes, for two that open the same ones
    /// wait for each other.
    pub async fn open_missing(self, incidents: &[Incident]) -> Result<(), StoreError> {
        let mut incidents: Vec<&Incident> = incidents.iter().collect();
        incidents.sort_by_key(|incident| incident.cause());
        let rows = keys::rows(incidents, to_row)?;
        bulk::insert_missing::<incidents::Entity>(self.conn, rows).await.map(drop)
    }

    /// Adds what runs did of incidents for the first time.
    pub async fn insert_runs(self, of: &[IncidentRun]) -> Result<(), StoreError> {
        bulk::insert::<incident_runs::Entity>(self.conn, keys::rows(of, run_row)?).await
    }

    /// Writes back what runs, which this unit of work has locked, did of incidents.
    pub async fn save_runs(self, of: &[IncidentRun]) -> Result<(), StoreError> {
        bulk::update::<incident_runs::Entity>(self.conn, keys::rows(of, run_row)?, RECURRING).await
    }

    /// Adds new incidents. A cause that has an open one is a conflict.
    pub async fn insert_incidents(self, incidents: &[Incident]) -> Result<(), StoreError> {
        bulk::insert::<incidents::Entity>(self.conn, keys::rows(incidents, to_row)?).await
    }

    /// Writes back incidents that this unit of work has locked: what may change in them, and nothing else.
    pub async fn save_incidents(self, incidents: &[Incident]) -> Result<(), StoreError> {
        bulk::update::<incidents::Entity>(self.conn, keys::rows(incidents, to_row)?, CHANGING).await
    }

    /// Adds events to timelines.
    pub async fn insert_events(self, events: &[IncidentEvent]) -> Result<(), StoreError> {
        bulk::insert::<incident_events::Entity>(self.conn, keys::rows(events, event_row)?).await
    }
}

fn matching(tenant: TenantId, filter: &IncidentFilter) -> Select<incidents::Entity> {
    let IncidentFilter {
        lifecycle_states,
        severity,
        category,
        cause_type,
        is_synthetic,
        created_after,
        created_before,
    } = filter;
    let states = (!lifecycle_states.is_empty()).then(|| lifecycle_states.iter().map(|word| word.as_str()));
    let condition = Condition::all()
        .add_option(states.map(|words| Column::LifecycleState.is_in(words)))
        .add_option(severity.map(|word| Column::Severity.eq(word.as_str())))
        .add_option(category.map(|word| Column::Category.eq(word.as_str())))
        .add_option(cause_type.map(|word| Column::CauseType.eq(word.as_str())))
        .add_option(is_synthetic.map(|is| Column::IsSynthetic.eq(is)))
        .add_option(created_after.map(|at| Column::CreatedAt.gt(at)))
        .add_option(created_before.map(|at| Column::CreatedAt.lt(at)));
    of(tenant).filter(condition)
}

#[cfg(test)]
mod tests {
    use super::{CHANGING, Column, RECURRING, incident_runs, incidents};
    use crate::bulk::has_each_column_once;

    /// What an incident is for good.
    const FOR_GOOD: &[Column] = &[
        Column::TenantId,
        Column::Id,
        Column::Title,
        Column::Category,
        Column::OpenedSeverity,
        Column::CauseType,
        Column::CauseKey,
        Column::SourceRunId,
        Column::SourceStepIndex,
        Column::PolicyId,
        Column::LimitId,
        Column::Description,
        Column::ErrorCode,
        Column::RecurrenceSignature,
        Column::CorrelationId,
        Column::IsSynthetic,
        Column::SyntheticScenarioId,
        Column::CreatedAt,
        Column::RecurrenceCount,
        Column::Namesake,
    ];

    /// What a run did of an incident at first, which its receipt covers.
    const AT_FIRST: &[incident_runs::Column] = &[
        incident_runs::Column::TenantId,
        incident_runs::Column::IncidentId,
        incident_runs::Column::RunId,
        incident_runs::Column::Relation,
        incident_runs::Column::Seq,
        incident_runs::Column::Note,
        incident_runs::Column::FirstStepIndex,
        incident_runs::Column::CostImpactNanousd,
        incident_runs::Column::FirstAt,
    ];

    #[test]
    fn each_column_may_change_or_stays() {
        has_each_column_once::<incidents::Entity>(&[CHANGING, FOR_GOOD]);
        has_each_column_once::<incident_runs::Entity>(&[RECURRING, AT_FIRST]);
    }
}
