//! What goes wrong meanwhile: time passes, connections are lost, replicas die.

use testkit::wire::{self, Line};

use super::{World, name};
use crate::interleaving::calls::Told;

/// How many connections a seed loses, or replicas, at most.
const FAULTS: u64 = 2;

impl World<'_> {
    /// Mostly so long that whatever was granted has lapsed.
    pub(super) fn pass_time(&mut self) {
        let seconds = self.dice.pick(&[61, 61, 60, 30]).copied().unwrap_or_default();
        self.let_lapse(seconds);
    }

    pub(super) fn let_lapse(&mut self, seconds: i64) {
        self.stage.kit.clock.advance(chrono::Duration::seconds(seconds));
        self.played.lapses += 1;
        self.note(format!("{seconds} s pass"));
    }

    pub(super) fn may_hurt(&self) -> bool {
        self.played.lost + self.played.killed < FAULTS
    }

    pub(super) async fn hurt(&mut self, held: &[Line]) {
        if self.dice.chance(30) {
            return self.kill().await;
        }
        self.played.lost += 1;
        if self.dice.chance(30) {
            return self.lose_idle();
        }
        let Some(line) = self.dice.pick(held).cloned() else { return };
        self.leaving.push(line.pid);
        self.note(format!("{} loses its connection before {}", name(line.replica), line.in_short()));
        self.stage.board.lose(line.id);
    }

    /// A replica that has nothing to do loses what connections it has: how many is nothing that a seed decides.
    fn lose_idle(&mut self) {
        let lines = self.stage.board.lines();
        let of = |number: usize| lines.iter().filter(move |line| line.replica == number);
        let rests = |number: &usize| of(*number).all(|line| line.stage == wire::Stage::Idle);
        let numbers: Vec<usize> = (0..self.skews.len()).filter(rests).collect();
        let Some(number) = self.dice.pick(&numbers).copied() else { return };
        self.note(format!("{} loses its idle connections", name(number)));
        for line in of(number) {
            self.leaving.push(line.pid);
            self.stage.board.lose(line.id);
        }
    }

    /// Kills a replica; another process takes its place at once.
    async fn kill(&mut self) {
        let numbers: Vec<usize> = (0..self.skews.len()).collect();
        let Some(number) = self.dice.pick(&numbers).copied() else { return };
        self.take_answers();
        self.note(format!("{} is killed", name(number)));
        self.played.killed += 1;
        // One that waits for a lock is ended by Postgres only when it has it.
        let ends = |line: &Line| line.replica == number && line.stage != wire::Stage::Sent;
        self.leaving.extend(self.stage.board.lines().into_iter().filter(ends).map(|line| line.pid));
        self.stage.start(number, self.skews[number]).await;
        for call in 0..self.calls.len() {
            if self.calls[call].replica == number {
                self.answered(call, Told::Unknown("killed".to_owned()));
            }
        }
    }
}
