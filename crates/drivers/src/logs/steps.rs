//! Steps, refused ones included, as the segments of their runs hold them.

use std::collections::HashMap;

use models::{
    ids::{KeyId, RunId, TenantId},
    page::{Cursor, Page, PageError, PageRequest},
};

use super::{
    RunRecords, TraceReads,
    segments::{self, JudgedStep},
};
use crate::StoreError;

/// So many segments are opened at once where a page keeps but some of their steps.
const SEGMENTS_AT_ONCE: u64 = 64;

impl TraceReads<'_> {
    /// Every record that the segments of a run hold: its steps, what was decided, what surrounds them. Those that came after it
    /// was sealed are among them, last.
    pub async fn records_of_run(self, tenant: TenantId, run: RunId) -> Result<RunRecords, StoreError> {
        segments::of_run(self.conn, tenant, run).await
    }

    /// A run's steps by index, a page at a time; those that were added after it was sealed come last. With a key, only
    /// those that it reported.
    pub async fn list_steps(
        self,
        tenant: TenantId,
        run: RunId,
        reported_by: Option<KeyId>,
        page: &PageRequest,
    ) -> Result<Page<JudgedStep>, StoreError> {
        let first = match page.cursor {
            Some(cursor) => {
                let after = cursor.after().map_err(StoreError::Cursor)?;
                let after = i64::try_from(after).map_err(|_| StoreError::Cursor(PageError::Cursor))?;
                after.unsigned_abs() + 1
            }
            None => 0,
        };
        let by = reported_by.map(|key| key.to_string());
        let is_theirs = |step: &JudgedStep| by.is_none() || step.step.record.reported_by == by;
        let total = match (page.total, &by) {
            (false, _) => None,
            (true, None) => Some(segments::count_steps(self.conn, tenant, run).await?),
            (true, Some(_)) => Some(self.count_theirs(tenant, run, is_theirs).await?),
        };
        let wanted = usize::try_from(page.limit()).unwrap_or(usize::MAX).saturating_add(1);
        let mut rows: Vec<JudgedStep> = Vec::new();
        let mut from = first;
        while rows.len() < wanted {
            let at_once = if by.is_none() { wanted as u64 } else { SEGMENTS_AT_ONCE };
            let (opened, more) = segments::next_of_run(self.conn, tenant, run, from, at_once).await?;
            for step in opened.into_iter().flat_map(segments::judged) {
                let index = step.step.record.step_index;
                if index >= from {
                    from = index + 1;
                    rows.extend(is_theirs(&step).then_some(step));
                }
            }
            if !more {
                break;
            }
        }
        rows.truncate(wanted);
        Ok(Page::cut(rows, page, total, |row| Cursor::After(row.step.record.step_index)))
    }

    async fn count_theirs(
        self,
        tenant: TenantId,
        run: RunId,
        is_theirs: impl Fn(&JudgedStep) -> bool,
    ) -> Result<u64, StoreError> {
        let (mut from, mut count) = (0, 0);
        loop {
            let (opened, more) =
                segments::next_of_run(self.conn, tenant, run, from, SEGMENTS_AT_ONCE).await?;
            for step in opened.into_iter().flat_map(segments::judged) {
                let index = step.step.record.step_index;
                if index >= from {
                    from = index + 1;
                    count += u64::from(is_theirs(&step));
                }
            }
            if !more {
                return Ok(count);
            }
        }
    }

    /// Where the spans that are recorded under these keys are among a run's steps, as many of them as there are.
    pub async fn span_places(
        self,
        tenant: TenantId,
        run: RunId,
        keys: &[String],
    ) -> Result<HashMap<String, u64>, StoreError> {
        segments::spans_under(self.conn, tenant, run, keys).await
    }

    /// The steps that were recorded under these idempotency keys of runs, each with its decision.
    pub async fn find_steps_by_keys(
        self,
        tenant: TenantId,
        keys: &[(RunId, String)],
    ) -> Result<Vec<JudgedStep>, StoreError> {
        segments::steps_under(self.conn, tenant, keys).await
    }
}
