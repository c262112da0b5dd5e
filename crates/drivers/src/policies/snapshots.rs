//! Snapshots: what runs are bound to, addressed by content.

use entities::policies::policy_snapshots::{self as snapshots, Column};
use models::{
    ids::{SnapshotId, TenantId},
    policies::Snapshot,
};
use proof::hash::Hash;
use sea_orm::{ColumnTrait as _, QueryFilter as _};

use super::{Policies, PoliciesReads};
use crate::{StoreError, bulk, driver::of_tenant, keys, read, rows::rows};

of_tenant!(snapshots);

rows! {
    Snapshot, snapshots, key(id), fn to_row(snapshot), fn from_row,
    same { id, digest, generation, definition, created_at } renamed { tenant => tenant_id } extra {}
}

impl PoliciesReads<'_> {
    /// One snapshot.
    pub async fn find_snapshot(
        self,
        tenant: TenantId,
        id: SnapshotId,
    ) -> Result<Option<Snapshot>, StoreError> {
        read::one(self.conn, of(tenant).filter(Column::Id.eq(id.0))).await?.map(from_row).transpose()
    }

    /// The snapshots among `ids` that there are.
    pub async fn find_snapshots(
        self,
        tenant: TenantId,
        ids: &[SnapshotId],
    ) -> Result<Vec<Snapshot>, StoreError> {
        let rows = read::by_keys(self.conn, of(tenant), [Column::Id], keys::sorted(ids)).await?;
        rows.into_iter().map(from_row).collect()
    }

    /// The snapshot with this content.
    pub async fn find_snapshot_by_digest(
        self,
        tenant: TenantId,
        digest: Hash,
    ) -> Result<Option<Snapshot>, StoreError> {
        let select = of(tenant).filter(Column::Digest.eq(digest.0.to_vec()));
        read::one(self.conn, select).await?.map(from_row).transpose()
    }
}

impl Policies<'_> {
    /// Adds a snapshot. A content that is there already is a conflict, so two replicas that make the same one at the
    /// same time do not both succeed: find it then.
    pub async fn insert_snapshot(self, snapshot: &Snapshot) -> Result<(), StoreError> {
        bulk::insert::<snapshots::Entity>(self.conn, vec![to_row(snapshot)?]).await
    }
}
