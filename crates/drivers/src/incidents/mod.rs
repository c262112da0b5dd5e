//! Incidents: what went wrong, and its timeline.

mod by_run;
mod rows;

use models::{
    ids::{IncidentId, RunId, TenantId},
    incidents::{
        Cause, Incident, IncidentCounts, IncidentEvent, IncidentFilter, LifecycleState,
        entity::{
            incident_events,
            incidents::{self, Column},
        },
    },
    page::{Page, PageRequest},
};
use proof::words::Severity;
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    Select,
};

pub use self::by_run::IncidentRunReadDriver;
use self::rows::{event, event_row, from_row, to_row};
use crate::{
    StoreError, bulk, dialect,
    driver::{driver, of_tenant},
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
    incident_events::Entity::find().filter(incident_events::Column::TenantId.eq(tenant))
}

/// What may change in an incident after it is opened.
const CHANGING: &[Column] = &[
    Column::Severity,
    Column::LifecycleState,
    Column::LaterImpactMicrousd,
    Column::AffectedCount,
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

impl IncidentsReads<'_> {
    /// One incident.
    pub async fn find_incident(
        self,
        tenant: TenantId,
        id: IncidentId,
    ) -> Result<Option<Incident>, StoreError> {
        read::one(self.conn, of(tenant).filter(Column::Id.eq(id))).await?.map(from_row).transpose()
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

    /// The timeline of an incident, oldest first.
    pub async fn events_of(
        self,
        tenant: TenantId,
        incident: IncidentId,
    ) -> Result<Vec<IncidentEvent>, StoreError> {
        use incident_events::Column as C;
        let select = events_of(tenant).filter(C::IncidentId.eq(incident));
        let rows = read::all(self.conn, select.order_by_asc(C::CreatedAt).order_by_asc(C::Id)).await?;
        rows.into_iter().map(event).collect()
    }

    /// What happened to these incidents, oldest first.
    pub async fn events_of_all(
        self,
        tenant: TenantId,
        incidents: &[IncidentId],
    ) -> Result<Vec<IncidentEvent>, StoreError> {
        use incident_events::Column as C;
        let select = events_of(tenant).order_by_asc(C::CreatedAt).order_by_asc(C::Id);
        let rows = read::by_keys(self.conn, select, [C::IncidentId], keys::sorted(incidents)).await?;
        rows.into_iter().map(event).collect()
    }

    /// Incidents, newest first.
    pub async fn list(
        self,
        tenant: TenantId,
        filter: &IncidentFilter,
        page: &PageRequest,
    ) -> Result<Page<Incident>, StoreError> {
        let key = |row: &incidents::Model| (row.created_at, row.id.0);
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
        let select = of(tenant).filter(Column::Id.eq(id)).lock_exclusive();
        read::one(self.conn, select).await?.map(from_row).transpose()
    }

    /// The incidents that these causes have opened already, locked in order of the causes until the unit of work ends.
    pub async fn lock_by_causes(
        self,
        tenant: TenantId,
        causes: &[Cause],
    ) -> Result<Vec<Incident>, StoreError> {
        let columns = [Column::RunKey, Column::Category, Column::CauseKey];
        let select = dialect::sorted(self.conn.backend(), of(tenant), &columns).lock_exclusive();
        let key =
            |cause: Cause| [cause.run_key.into(), cause.category.as_str().into(), cause.cause_key.into()];
        let keys = keys::in_order(causes).into_iter().map(key).collect();
        read::by_keys(self.conn, select, columns, keys).await?.into_iter().map(from_row).collect()
    }

    /// The incidents that these runs caused, locked in order of the runs until the unit of work ends.
    pub async fn lock_by_runs(self, tenant: TenantId, runs: &[RunId]) -> Result<Vec<Incident>, StoreError> {
        let order = [Column::SourceRunId, Column::Id];
        let select = dialect::sorted(self.conn.backend(), of(tenant), &order).lock_exclusive();
        let rows = read::by_keys(self.conn, select, [Column::SourceRunId], keys::sorted(runs)).await?;
        rows.into_iter().map(from_row).collect()
    }

    /// Adds new incidents. A cause that has one already is a conflict.
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
