//! Steps, refused ones included, as the segments of their runs hold them.

use std::{collections::HashMap, ops::Range};

use models::{
    ids::{KeyId, RunId, TenantId},
    logs::StepKey,
    page::{Cursor, Page, PageError, PageRequest},
};

use super::{
    RunRecords, TraceReads,
    segments::{self, JudgedStep},
};
use crate::StoreError;

/// So many steps are read at once where a page keeps but some of them.
const STEPS_AT_ONCE: u64 = 500;

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
        let end = segments::end_of_steps(self.conn, tenant, run).await?;
        let total = match (page.total, &by) {
            (false, _) => None,
            (true, None) => Some(end),
            (true, Some(_)) => {
                let mut count = 0;
                let mut from = 0;
                while from < end {
                    let some = self.steps_in(tenant, run, from..end.min(from + STEPS_AT_ONCE)).await?;
                    from += some.len() as u64;
                    count += some.iter().filter(|step| is_theirs(step)).count() as u64;
                }
                Some(count)
            }
        };
        let wanted = page.limit().saturating_add(1);
        // Where only some are theirs, more than a page of them is looked through.
        let at_once = if by.is_none() { wanted } else { STEPS_AT_ONCE };
        let mut rows: Vec<JudgedStep> = Vec::new();
        let mut from = first;
        while from < end && (rows.len() as u64) < wanted {
            let some = self.steps_in(tenant, run, from..end.min(from.saturating_add(at_once))).await?;
            from += some.len() as u64;
            rows.extend(some.into_iter().filter(is_theirs));
        }
        rows.truncate(usize::try_from(wanted).unwrap_or(usize::MAX));
        Ok(Page::cut(rows, page, total, |row| Cursor::After(row.step.record.step_index)))
    }

    /// The steps of these indices, all of them: one that is not there is not passed over.
    async fn steps_in(
        self,
        tenant: TenantId,
        run: RunId,
        indices: Range<u64>,
    ) -> Result<Vec<JudgedStep>, StoreError> {
        let mut found = Vec::new();
        for opened in segments::in_steps(self.conn, tenant, &[(run, indices.clone())]).await? {
            let (_, records) = opened?;
            let steps = segments::judged(records);
            found.extend(steps.filter(|step| indices.contains(&step.step.record.step_index)));
        }
        let missing = found.iter().zip(indices.clone()).find(|(step, at)| step.step.record.step_index != *at);
        let missing = missing.map(|(_, at)| at).or_else(|| indices.clone().nth(found.len()));
        match missing {
            None => Ok(found),
            Some(at) => Err(StoreError::Corrupt {
                table: "run_segments",
                row: run.to_string(),
                why: format!("step {at} is not there, or there twice"),
            }),
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

    /// The steps that were recorded under these keys of runs, each with its decision.
    pub async fn find_steps_by_keys(
        self,
        tenant: TenantId,
        keys: &[(RunId, StepKey)],
    ) -> Result<Vec<JudgedStep>, StoreError> {
        segments::steps_under(self.conn, tenant, keys).await
    }
}
