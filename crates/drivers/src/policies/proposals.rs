//! Proposals.

use entities::policies::policy_proposals::{self as proposals, Column};
use models::{
    ids::{ProposalId, TenantId},
    page::{Page, PageRequest},
    policies::{Proposal, ProposalFilter},
};
use sea_orm::{ColumnTrait as _, Condition, QueryFilter as _, QuerySelect as _, Select};

use super::{Policies, PoliciesReads};
use crate::{
    StoreError, bulk,
    driver::of_tenant,
    read::{self, Newest},
    rows::rows,
    tally,
};

of_tenant!(proposals);

rows! {
    Proposal, proposals, key(id), fn to_row(proposal), fn from_row,
    same {
        id, name, proposal_type, target_rule_id, proposed_rule, rationale, proposed_by, triggering_run_id,
        triggering_incident_id, confidence_permille, status, expires_at, reviewed_at, reviewed_by, review_notes,
        is_synthetic, created_by, created_at,
    } renamed { tenant => tenant_id } extra {}
}

impl PoliciesReads<'_> {
    /// One proposal.
    pub async fn find_proposal(
        self,
        tenant: TenantId,
        id: ProposalId,
    ) -> Result<Option<Proposal>, StoreError> {
        read::one(self.conn, of(tenant).filter(Column::Id.eq(id.0))).await?.map(from_row).transpose()
    }

    /// Proposals, newest first.
    pub async fn list_proposals(
        self,
        tenant: TenantId,
        filter: &ProposalFilter,
        page: &PageRequest,
    ) -> Result<Page<Proposal>, StoreError> {
        let key = |row: &proposals::Model| (row.created_at, row.id.uuid());
        let newest = Newest { at: Column::CreatedAt, id: Column::Id, key };
        read::page(self.conn, matching(tenant, filter), newest, page, from_row).await
    }

    /// How many proposals the list with this filter has.
    pub async fn count_proposals(self, tenant: TenantId, filter: &ProposalFilter) -> Result<u64, StoreError> {
        tally::count(self.conn, matching(tenant, filter)).await
    }
}

impl Policies<'_> {
    /// One proposal, locked until the unit of work ends.
    pub async fn lock_proposal(
        self,
        tenant: TenantId,
        id: ProposalId,
    ) -> Result<Option<Proposal>, StoreError> {
        let select = of(tenant).filter(Column::Id.eq(id.0)).lock_exclusive();
        read::one(self.conn, select).await?.map(from_row).transpose()
    }

    /// Adds a proposal.
    pub async fn insert_proposal(self, proposal: &Proposal) -> Result<(), StoreError> {
        bulk::insert::<proposals::Entity>(self.conn, vec![to_row(proposal)?]).await
    }

    /// Writes back where a proposal that this unit of work has locked stands.
    pub async fn save_proposal(self, proposal: &Proposal) -> Result<(), StoreError> {
        let changing = [Column::Status, Column::ReviewedAt, Column::ReviewedBy, Column::ReviewNotes];
        bulk::update::<proposals::Entity>(self.conn, vec![to_row(proposal)?], &changing).await
    }
}

fn matching(tenant: TenantId, filter: &ProposalFilter) -> Select<proposals::Entity> {
    let ProposalFilter { status, proposal_type, created_after, created_before } = filter;
    let condition = Condition::all()
        .add_option(status.map(|word| Column::Status.eq(word.as_str())))
        .add_option(proposal_type.map(|word| Column::ProposalType.eq(word.as_str())))
        .add_option(created_after.map(|at| Column::CreatedAt.gt(at)))
        .add_option(created_before.map(|at| Column::CreatedAt.lt(at)));
    of(tenant).filter(condition)
}
