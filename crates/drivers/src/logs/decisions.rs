//! Decisions of the choke point: evidence of class D, as the segments of their runs hold it.

use models::ids::{DecisionId, RunId, TenantId};
use proof::{records::DecisionRecord, segment::MissingSegment, words::Moment};

use super::{RunReading, StoredSegment, TraceReads, segments};
use crate::StoreError;

/// So many segments are read at once.
const AT_ONCE: u64 = 32;

impl TraceReads<'_> {
    /// The decisions of a run that are wanted, in order, and the segments that are missing, whose decisions are not
    /// among them. No more is held of the rest than a page of segments, pressed, and what one of them holds.
    pub async fn decisions_of_run(
        self,
        tenant: TenantId,
        run: RunId,
        wanted: fn(&DecisionRecord) -> bool,
    ) -> Result<(Vec<DecisionRecord>, Vec<MissingSegment>), StoreError> {
        let end = self.segments_end(tenant, run).await?;
        let (mut reading, mut decisions) = (RunReading::default(), Vec::new());
        let (mut behind, mut is_last) = (None::<StoredSegment>, false);
        while !is_last {
            let mut page = self.segments_behind(tenant, run, behind.as_ref(), &end, AT_ONCE).await?;
            for segment in &page {
                decisions.extend(reading.meet(segment).decisions.into_iter().filter(wanted));
            }
            // Nobody asks for the texts.
            drop(reading.take_named());
            is_last = (page.len() as u64) < AT_ONCE;
            behind = page.pop();
        }
        reading.end(&end);
        Ok((decisions, reading.into_missing()))
    }

    /// The decisions of runs that there are among these.
    pub async fn find_decisions(
        self,
        tenant: TenantId,
        ids: &[(RunId, DecisionId)],
    ) -> Result<Vec<DecisionRecord>, StoreError> {
        segments::decisions_of(self.conn, tenant, ids).await
    }

    /// The decisions with which these runs began.
    pub async fn start_decisions(
        self,
        tenant: TenantId,
        runs: &[RunId],
    ) -> Result<Vec<DecisionRecord>, StoreError> {
        let first = segments::first_of_runs(self.conn, tenant, runs).await?;
        let decisions = first.into_iter().flat_map(|records| records.decisions);
        Ok(decisions.filter(|decision| decision.moment == Moment::RunStart).collect())
    }
}
