//! Decisions of the choke point: evidence of class D, as the segments of their runs hold it.

use models::ids::{DecisionId, RunId, TenantId};
use proof::{records::DecisionRecord, segment::MissingSegment, words::Moment};

use super::{TraceReads, segments};
use crate::StoreError;

impl TraceReads<'_> {
    /// The decisions of a run, in order, and the segments that are missing, whose decisions are not among them.
    pub async fn decisions_of_run(
        self,
        tenant: TenantId,
        run: RunId,
    ) -> Result<(Vec<DecisionRecord>, Vec<MissingSegment>), StoreError> {
        let (decisions, mut held) = segments::decisions_of_run(self.conn, tenant, run).await?;
        if let Some(counted) = self.counted(tenant, run).await? {
            held.end_at(counted);
        }
        Ok((decisions, held.missing))
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
