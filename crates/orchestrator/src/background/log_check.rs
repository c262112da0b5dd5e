//! The job `log_check`: what is stored of a tenant is read again and compared now, for whoever ordered that. The check
//! that nobody orders goes on beside it, at each server.
//!
//! Whoever takes it over from another begins anew: it goes by nothing that was written down of how far that one came.

use std::time::Duration;

use async_trait::async_trait;
use tokio::time::{Instant, sleep};

use super::checker::Checker;
use crate::jobs::{Broken, Handler, Work};

/// So often in a row a piece may fail; then the attempt has.
const IN_A_ROW: u32 = 30;

/// Checks what is stored of a tenant, piece by piece.
#[derive(Clone, Copy, Debug)]
pub struct LogCheck {
    /// How long it rests between two pieces at most, in real time, so that calls come first.
    pub rest: Duration,
}

#[async_trait]
impl Handler for LogCheck {
    async fn run(&self, work: &Work) -> Result<(), Broken> {
        let checker = Checker::of_stored(work.job().tenant);
        let mut failed = 0;
        loop {
            let began = Instant::now();
            let rest = match checker.tick(work.spine()).await {
                Ok(false) => return Ok(()),
                Ok(true) => {
                    failed = 0;
                    // A fifth of the time at most is the check's, and what cost nothing rests for nothing.
                    (began.elapsed() * 4).min(self.rest)
                }
                // The same piece is read again: a check of hours does not begin anew for a hiccup of the store.
                Err(err) if failed < IN_A_ROW => {
                    failed += 1;
                    tracing::debug!(error = &err as &dyn std::error::Error, "a piece could not be checked");
                    self.rest
                }
                Err(err) => return Err(err.into()),
            };
            work.go_on(checker.percentage()).await?;
            sleep(rest).await;
        }
    }
}
