//! Rules: the version in force, every version, and the integrity of each.

use entities::policies::{
    policy_rule_integrity as integrity, policy_rule_versions as versions,
    policy_rules::{self as rules, Column},
};
use models::{
    ids::{RuleId, TenantId},
    page::{Page, PageRequest},
    policies::{DefinitionIntegrity, Rule, RuleFilter, RuleStatus},
};
use proof::{canonical, definitions::RuleDefinition, hash::Hash};
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    Select,
};

use super::{Policies, PoliciesReads, of_a_version};
use crate::{
    StoreError, bulk,
    driver::of_tenant,
    field::{Field as _, corrupt, put},
    read::{self, Newest},
    rows::rows,
};

of_tenant!(rules);

fn versions_of(tenant: TenantId) -> Select<versions::Entity> {
    versions::Entity::find().filter(versions::Column::TenantId.eq(tenant.0))
}

fn integrities_of(tenant: TenantId) -> Select<integrity::Entity> {
    integrity::Entity::find().filter(integrity::Column::TenantId.eq(tenant.0))
}

rows! {
    RuleDefinition, rules, key(name, version), fn definition_row(definition, rule: &Rule), fn definition,
    same {
        version, name, description, rule_type, enforcement_mode, scope, scope_id, bind_at, precedence, condition,
        source, source_incident_id,
    } renamed { rule_id => id }
    extra {
        tenant_id = rule.tenant, status = rule.status, source_proposal_id = rule.source_proposal_id,
        parent_rule_id = rule.parent_rule_id, superseded_by = rule.superseded_by, created_by = rule.created_by,
        created_at = rule.created_at, updated_at = rule.updated_at, retired_at = rule.retired_at,
        retired_by = rule.retired_by, retirement_reason = rule.retirement_reason,
    }
}

rows! {
    DefinitionIntegrity, integrity, key(computed_at), fn integrity_row(it, tenant: TenantId, id: RuleId, version_of: u64),
    fn integrity_of,
    same { status, score_permille, hash_root, computed_at } renamed {}
    extra { tenant_id = tenant, rule_id = id, version = version_of }
}

/// The integrity row of a version, and whose version it is.
fn read_integrity(row: integrity::Model) -> Result<(RuleId, DefinitionIntegrity), StoreError> {
    let (id, version) = (row.rule_id.0, row.version);
    integrity_of(row).map(|it| (id, it)).map_err(|err| err.in_row(format!("{id}/{version}")))
}

fn to_row(rule: &Rule) -> Result<rules::Model, StoreError> {
    definition_row(&rule.definition, rule)
}

fn from_row(row: rules::Model) -> Result<Rule, StoreError> {
    let id = row.id;
    Ok(Rule {
        tenant: row.tenant_id.0,
        definition: definition(row.clone())?,
        status: row.status.get().map_err(|why| corrupt(&rules::Entity, id.to_string(), "status", &why))?,
        source_proposal_id: row.source_proposal_id.map(|id| id.0),
        parent_rule_id: row.parent_rule_id.map(|id| id.0),
        superseded_by: row.superseded_by.map(|id| id.0),
        created_by: row.created_by,
        created_at: row.created_at,
        updated_at: row.updated_at,
        retired_at: row.retired_at,
        retired_by: row.retired_by,
        retirement_reason: row.retirement_reason,
    })
}

/// What a rule is for good.
const FOR_GOOD: &[Column] = &[
    Column::TenantId,
    Column::Id,
    Column::Source,
    Column::SourceIncidentId,
    Column::SourceProposalId,
    Column::ParentRuleId,
    Column::CreatedBy,
    Column::CreatedAt,
];

/// What changes without a new version.
const STATUS: &[Column] = &[
    Column::Status,
    Column::SupersededBy,
    Column::UpdatedAt,
    Column::RetiredAt,
    Column::RetiredBy,
    Column::RetirementReason,
];

impl PoliciesReads<'_> {
    /// One rule.
    pub async fn find_rule(self, tenant: TenantId, id: RuleId) -> Result<Option<Rule>, StoreError> {
        read::one(self.conn, of(tenant).filter(Column::Id.eq(id.0))).await?.map(from_row).transpose()
    }

    /// Rules, newest first.
    pub async fn list_rules(
        self,
        tenant: TenantId,
        filter: &RuleFilter,
        page: &PageRequest,
    ) -> Result<Page<Rule>, StoreError> {
        let key = |row: &rules::Model| (row.created_at, row.id.uuid());
        let newest = Newest { at: Column::CreatedAt, id: Column::Id, key };
        read::page(self.conn, matching(tenant, filter), newest, page, from_row).await
    }

    /// Every version of a rule, oldest first.
    pub async fn rule_versions(
        self,
        tenant: TenantId,
        id: RuleId,
    ) -> Result<Vec<RuleDefinition>, StoreError> {
        use versions::{Column as C, Entity};
        let select = versions_of(tenant).filter(C::RuleId.eq(id.0));
        let rows = read::all(self.conn, select.order_by_asc(C::Version)).await?;
        let read = |row: versions::Model| {
            serde_json::from_str(&row.definition).map_err(|err| {
                corrupt(&Entity, format!("{id}/{}", row.version), "definition", &err.to_string())
            })
        };
        rows.into_iter().map(read).collect()
    }

    /// The integrity rows of versions of rules, with the rule that each belongs to.
    pub async fn rule_integrities(
        self,
        tenant: TenantId,
        versions: &[(RuleId, u64)],
    ) -> Result<Vec<(RuleId, DefinitionIntegrity)>, StoreError> {
        let rows = self.rule_integrity_rows(tenant, versions).await?;
        rows.into_iter().map(read_integrity).collect()
    }

    pub(super) async fn active_rules(
        self,
        tenant: TenantId,
    ) -> Result<Vec<(RuleDefinition, Option<Hash>)>, StoreError> {
        let active =
            of(tenant).filter(Column::Status.eq(RuleStatus::Active.as_str())).order_by_asc(Column::Id);
        let rows = read::all(self.conn, active).await?;
        let versions = rows.iter().map(|row| (row.id.0, row.version.unsigned_abs())).collect::<Vec<_>>();
        let integrities = self.rule_integrity_rows(tenant, &versions).await?;
        let hash_of = |id: RuleId| -> Result<Option<Hash>, StoreError> {
            let row = integrities.iter().find(|row| row.rule_id.0 == id).cloned();
            Ok(row.map(read_integrity).transpose()?.map(|(_, integrity)| integrity.hash_root))
        };
        rows.into_iter()
            .map(|row| {
                let id = row.id.0;
                Ok((definition(row)?, hash_of(id)?))
            })
            .collect()
    }

    async fn rule_integrity_rows(
        self,
        tenant: TenantId,
        versions: &[(RuleId, u64)],
    ) -> Result<Vec<integrity::Model>, StoreError> {
        use integrity::{Column as C, Entity};
        let key = |(id, version): &(RuleId, u64)| {
            let version: i64 = put(&Entity, "version", version)?;
            Ok([id.0.into(), version.into()])
        };
        let keys = versions.iter().map(key).collect::<Result<Vec<_>, StoreError>>()?;
        read::by_keys(self.conn, integrities_of(tenant), [C::RuleId, C::Version], keys).await
    }
}

impl Policies<'_> {
    /// One rule, locked until the unit of work ends.
    pub async fn lock_rule(self, tenant: TenantId, id: RuleId) -> Result<Option<Rule>, StoreError> {
        let select = of(tenant).filter(Column::Id.eq(id.0)).lock_exclusive();
        read::one(self.conn, select).await?.map(from_row).transpose()
    }

    /// Adds a rule, its first version and the integrity of that. A name that an ACTIVE rule has is a conflict.
    pub async fn insert_rule(self, rule: &Rule, integrity: &DefinitionIntegrity) -> Result<(), StoreError> {
        bulk::insert::<rules::Entity>(self.conn, vec![to_row(rule)?]).await?;
        self.insert_rule_version(rule, integrity).await
    }

    /// Writes a new version of a rule that this unit of work has locked, and the integrity of that.
    pub async fn save_rule(self, rule: &Rule, integrity: &DefinitionIntegrity) -> Result<(), StoreError> {
        bulk::update::<rules::Entity>(self.conn, vec![to_row(rule)?], &of_a_version(FOR_GOOD)).await?;
        self.insert_rule_version(rule, integrity).await
    }

    /// Writes where a rule that this unit of work has locked stands: its definition stays as it is.
    pub async fn save_rule_status(self, rule: &Rule) -> Result<(), StoreError> {
        bulk::update::<rules::Entity>(self.conn, vec![to_row(rule)?], STATUS).await
    }

    async fn insert_rule_version(
        self,
        rule: &Rule,
        integrity: &DefinitionIntegrity,
    ) -> Result<(), StoreError> {
        let row = to_row(rule)?;
        let definition = canonical::try_to_bytes(&rule.definition).map(String::from_utf8);
        let Ok(Ok(definition)) = definition else {
            return Err(corrupt(
                &versions::Entity,
                row.id.to_string(),
                "definition",
                "it has no canonical form",
            ));
        };
        let version = versions::Model {
            tenant_id: row.tenant_id,
            rule_id: row.id,
            version: row.version,
            definition,
            created_at: row.updated_at,
        };
        bulk::insert::<versions::Entity>(self.conn, vec![version]).await?;
        let integrity = integrity_row(integrity, row.tenant_id.0, row.id.0, rule.definition.version)?;
        bulk::insert::<integrity::Entity>(self.conn, vec![integrity]).await
    }
}

fn matching(tenant: TenantId, filter: &RuleFilter) -> Select<rules::Entity> {
    let RuleFilter { status, enforcement_mode, rule_type, scope, source, created_after, created_before } =
        filter;
    let condition = Condition::all()
        .add_option(status.map(|word| Column::Status.eq(word.as_str())))
        .add_option(enforcement_mode.map(|word| Column::EnforcementMode.eq(word.as_str())))
        .add_option(rule_type.map(|word| Column::RuleType.eq(word.as_str())))
        .add_option(scope.map(|word| Column::Scope.eq(word.as_str())))
        .add_option(source.map(|word| Column::Source.eq(word.as_str())))
        .add_option(created_after.map(|at| Column::CreatedAt.gt(at)))
        .add_option(created_before.map(|at| Column::CreatedAt.lt(at)));
    of(tenant).filter(condition)
}
