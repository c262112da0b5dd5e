//! Evidence of classes H, B, G and J: what surrounded a run, went in and out of its steps, and how whole it is.

use entities::logs::{
    activity_evidence as activity, environment_evidence as environment, integrity_evidence as integrity,
    provider_evidence as provider,
};
use models::ids::{RunId, TenantId};
use proof::records::{ActivityRecord, EnvironmentRecord, IntegrityRecord, ProviderRecord};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, Select};

use crate::{StoreError, bulk, driver::driver, keys, read, rows::rows};

driver! {
    /// Reads of evidence.
    read EvidenceReads;
    /// Reads of evidence, and adding to it.
    write Evidence;
}

rows! {
    EnvironmentRecord, environment, key(run_id), fn environment_row(record), fn environment,
    same {
        tenant_id, run_id, sdk_name, sdk_version, environment, telemetry, details, way_in, user_agent, hoc_version,
        captured_at,
    }
    renamed { evidence_id => id } extra {}
}

rows! {
    ActivityRecord, activity, key(run_id, seq), fn activity_row(record), fn activity,
    same {
        tenant_id, run_id, seq, step_index, prompt_hash, response_hash, prompt_length, response_length, model,
        sensitivity, redacted_count, redaction_version, commitment, commitment_key_id, captured_at,
    } renamed { evidence_id => id } extra {}
}

rows! {
    ProviderRecord, provider, key(run_id, seq), fn provider_row(record), fn provider,
    same {
        tenant_id, run_id, seq, step_index, provider, model, request_id, input_tokens, output_tokens,
        cache_read_tokens, cache_write_tokens, reasoning_tokens, latency_ms, finish_reason, http_status, error, captured_at,
    } renamed { evidence_id => id } extra {}
}

rows! {
    IntegrityRecord, integrity, key(run_id), fn integrity_row(record), fn integrity,
    same {
        tenant_id, run_id, expected, observed, missing, missing_reasons, capture_failures, score_permille, state,
        grade, integrity_status, explanation, computed_at,
    } renamed { evidence_id => id } extra {}
}

fn environments_of(tenant: TenantId) -> Select<environment::Entity> {
    environment::Entity::find().filter(environment::Column::TenantId.eq(tenant.0))
}

fn activities_of(tenant: TenantId) -> Select<activity::Entity> {
    activity::Entity::find().filter(activity::Column::TenantId.eq(tenant.0))
}

fn providers_of(tenant: TenantId) -> Select<provider::Entity> {
    provider::Entity::find().filter(provider::Column::TenantId.eq(tenant.0))
}

fn integrities_of(tenant: TenantId) -> Select<integrity::Entity> {
    integrity::Entity::find().filter(integrity::Column::TenantId.eq(tenant.0))
}

impl EvidenceReads<'_> {
    /// What surrounded the run when it began (class H).
    pub async fn environment_of_run(
        self,
        tenant: TenantId,
        run: RunId,
    ) -> Result<Option<EnvironmentRecord>, StoreError> {
        read::one(self.conn, environments_of(tenant).filter(environment::Column::RunId.eq(run.0)))
            .await?
            .map(environment)
            .transpose()
    }

    /// What went in and out of the run's steps (class B), in order.
    pub async fn activities_of_run(
        self,
        tenant: TenantId,
        run: RunId,
    ) -> Result<Vec<ActivityRecord>, StoreError> {
        let select = activities_of(tenant)
            .filter(activity::Column::RunId.eq(run.0))
            .order_by_asc(activity::Column::Seq);
        read::all(self.conn, select).await?.into_iter().map(activity).collect()
    }

    /// What the model providers answered (class G), in order.
    pub async fn providers_of_run(
        self,
        tenant: TenantId,
        run: RunId,
    ) -> Result<Vec<ProviderRecord>, StoreError> {
        let select = providers_of(tenant)
            .filter(provider::Column::RunId.eq(run.0))
            .order_by_asc(provider::Column::Seq);
        read::all(self.conn, select).await?.into_iter().map(provider).collect()
    }

    /// How whole the run's evidence is (class J); none before it is sealed.
    pub async fn integrity_of_run(
        self,
        tenant: TenantId,
        run: RunId,
    ) -> Result<Option<IntegrityRecord>, StoreError> {
        read::one(self.conn, integrities_of(tenant).filter(integrity::Column::RunId.eq(run.0)))
            .await?
            .map(integrity)
            .transpose()
    }
}

impl Evidence<'_> {
    /// Adds evidence of class H, one record a run.
    pub async fn insert_environments(self, records: &[EnvironmentRecord]) -> Result<(), StoreError> {
        bulk::insert::<environment::Entity>(self.conn, keys::rows(records, environment_row)?).await
    }

    /// Adds evidence of class B.
    pub async fn insert_activities(self, records: &[ActivityRecord]) -> Result<(), StoreError> {
        bulk::insert::<activity::Entity>(self.conn, keys::rows(records, activity_row)?).await
    }

    /// Adds evidence of class G.
    pub async fn insert_providers(self, records: &[ProviderRecord]) -> Result<(), StoreError> {
        bulk::insert::<provider::Entity>(self.conn, keys::rows(records, provider_row)?).await
    }

    /// Adds evidence of class J, one record a run.
    pub async fn insert_integrities(self, records: &[IntegrityRecord]) -> Result<(), StoreError> {
        bulk::insert::<integrity::Entity>(self.conn, keys::rows(records, integrity_row)?).await
    }
}
