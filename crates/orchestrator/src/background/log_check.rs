//! The job `log_check`: what is stored of a tenant is read again and compared now, for whoever ordered that. The check
//! that nobody orders goes on beside it, at each server.
//!
//! Whoever takes it over from another begins anew: it goes by nothing that was written down of how far that one came.

use std::time::Duration;

use async_trait::async_trait;

use super::checker::Checker;
use crate::jobs::{Broken, Handler, Work};

/// Checks what is stored of a tenant, piece by piece.
#[derive(Clone, Copy, Debug)]
pub struct LogCheck {
    /// How long it rests between two pieces, in real time, so that calls come first.
    pub rest: Duration,
}

#[async_trait]
impl Handler for LogCheck {
    async fn run(&self, work: &Work) -> Result<(), Broken> {
        let checker = Checker::of_stored(work.job().tenant);
        while checker.tick(work.spine()).await? {
            work.go_on(checker.percentage()).await?;
            tokio::time::sleep(self.rest).await;
        }
        Ok(())
    }
}
