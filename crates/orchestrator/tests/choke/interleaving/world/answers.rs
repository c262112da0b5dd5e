//! Waits until nobody moves, and takes what was answered meanwhile.

use std::time::{Duration, Instant};

use testkit::{
    wire::{self, Line},
    witness::circle,
};
use tokio::time::timeout;

use super::{Call, World, name};
use crate::interleaving::{
    calls::{Told, What},
    replica::HANG,
};

/// So long nothing moves, and then it is asked whether everybody waits for locks.
const QUIET: Duration = Duration::from_millis(2);

impl World<'_> {
    /// Waits until nobody moves: what is under way waits here, or in Postgres for a lock.
    pub(super) async fn settle(&mut self) -> Result<(), String> {
        let (mut changes, begun) = (self.stage.board.changes(), Instant::now());
        let mut quiet = false;
        loop {
            changes.borrow_and_update();
            self.take_answers();
            if self.is_at_rest(quiet).await? {
                self.stage.witness.gone(&std::mem::take(&mut self.leaving)).await;
                return Ok(());
            }
            if begun.elapsed() > HANG {
                return Err(format!("it hangs: {:#?}", self.stage.board.lines()));
            }
            quiet = timeout(QUIET, changes.changed()).await.is_err();
        }
    }

    /// Whether nobody moves. Those who wait for each other would be an error: locks are taken in one order.
    async fn is_at_rest(&self, quiet: bool) -> Result<bool, String> {
        let lines = self.stage.board.lines();
        let busy = |line: &&Line| matches!(line.stage, wire::Stage::Held | wire::Stage::Sent);
        let is_working = |number: usize| {
            let asked = self.calls.iter().any(|call| call.open && call.replica == number);
            asked && !lines.iter().filter(busy).any(|line| line.replica == number)
        };
        let opening = lines.iter().any(|line| line.stage == wire::Stage::Opening);
        if opening || (0..self.skews.len()).any(is_working) {
            return Ok(false);
        }
        let sent = lines.iter().filter(|line| line.stage == wire::Stage::Sent);
        let sent: Vec<i32> = sent.map(|line| line.pid).collect();
        if sent.is_empty() || !quiet {
            return Ok(sent.is_empty());
        }
        let waiting = self.stage.witness.waiting(&sent).await;
        if let Some(circle) = circle(&waiting) {
            let among: Vec<_> = lines.iter().filter(|line| circle.contains(&line.pid)).collect();
            return Err(format!("they wait for each other: {among:#?}"));
        }
        Ok(waiting.len() == sent.len())
    }

    /// Everybody waits for a lock that nobody here can give: Postgres ends that, by and by.
    pub(super) async fn wait_for_locks(&mut self) -> Result<(), String> {
        self.note("everybody waits for a lock".to_owned());
        let mut changes = self.stage.board.changes();
        let waited = timeout(HANG, changes.changed()).await;
        waited.map(drop).map_err(|_| format!("it hangs: {:#?}", self.stage.board.lines()))
    }

    pub(super) fn take_answers(&mut self) {
        while let Ok((call, told)) = self.answers.try_recv() {
            self.answered(call, told);
        }
    }

    pub(super) fn answered(&mut self, call: usize, told: Told) {
        let Call { asked, replica, open } = &mut self.calls[call];
        // What a replica that was killed may have said last did not arrive.
        if !std::mem::take(open) {
            return;
        }
        let (asked, replica) = (*asked, *replica);
        let told = self.held_against_freezes(call, asked, told);
        if let Told::Started(run) | Told::Reported(run) = &told
            && !self.runs.contains(run)
        {
            self.runs.push(*run);
        }
        self.note(format!("{} answers #{}: {told}", name(replica), asked + 1));
        self.asked[asked].told.push(told);
    }

    /// The answer; wrong, where something was let through that was asked for the first time when a freeze was known to
    /// hold. A span has happened, and is taken.
    fn held_against_freezes(&mut self, call: usize, asked: usize, told: Told) -> Told {
        let is_lift = |call: &Call| matches!(self.asked[call.asked].what, What::Lift);
        let may_be_lifted = |(at, other): (usize, &Call)| is_lift(other) && (other.open || at > call);
        if told == Told::Frozen && !self.calls.iter().enumerate().any(may_be_lifted) {
            self.frozen_from = Some(self.calls.len());
        }
        let is_first =
            self.asked[asked].told.is_empty() && self.calls[..call].iter().all(|other| other.asked != asked);
        let passes = matches!(told, Told::Started(_) | Told::Granted(_) | Told::Step(_, Some(_)));
        let frozen = self.frozen_from.is_some_and(|from| call >= from);
        if passes && frozen && is_first {
            return Told::Wrong(format!("{told}, and it is frozen"));
        }
        told
    }
}
