//! The segments of a run, a page at a time: as many at once as those before were long.

use drivers::{
    ReadTx, StoreError,
    logs::{SegmentsEnd, StoredSegment},
};
use models::ids::{RunId, TenantId};

/// So many segments are read first, and at most.
const FIRST: u64 = 32;
const MOST: u64 = 128;

/// How a run's segments are read, up to where they went.
pub(super) struct Pages {
    end: SegmentsEnd,
    /// As many bytes of segments are read at once, as far as those before tell how long the next are.
    bytes: u64,
    /// How many are read next.
    most: u64,
}

impl Pages {
    pub(super) fn of(end: SegmentsEnd, bytes: u64) -> Self {
        Self { end, bytes, most: FIRST }
    }

    /// How far the segments went.
    pub(super) fn end(&self) -> &SegmentsEnd {
        &self.end
    }

    /// The next of them behind this one, or the first; and whether there are no more.
    pub(super) async fn next(
        &mut self,
        store: &ReadTx,
        (tenant, run): (TenantId, RunId),
        behind: Option<&StoredSegment>,
    ) -> Result<(Vec<StoredSegment>, bool), StoreError> {
        let page = store.traces().segments_behind(tenant, run, behind, &self.end, self.most).await?;
        let count = page.len() as u64;
        let is_last = count < self.most;
        let bytes: usize = page.iter().map(StoredSegment::bytes).sum();
        let fitting = self.bytes.saturating_mul(count) / (bytes as u64).max(1);
        self.most = fitting.clamp(1, MOST);
        Ok((page, is_last))
    }
}
