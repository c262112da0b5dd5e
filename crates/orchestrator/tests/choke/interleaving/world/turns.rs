//! Whose turn it is: who is asked something, and whose next statement is let through.

use testkit::wire::Line;

use super::{Call, World, name};
use crate::interleaving::calls::{self, What};

impl World<'_> {
    /// Asks a replica something. Often more calls come with it, so that groups form while one commits.
    pub(super) async fn call(&mut self) {
        let numbers: Vec<usize> = (0..self.skews.len()).collect();
        let any = self.dice.pick(&numbers).copied().unwrap_or_default();
        if self.burst == 0 {
            (self.burst, self.favourite) = (1 + self.dice.roll(6), any);
        }
        self.burst -= 1;
        let number = if self.dice.chance(60) { self.favourite } else { any };
        let at = calls::next(&mut self.dice, &mut self.asked, &self.runs);
        self.ask(number, at).await;
    }

    /// Asks a replica that one of all things that are asked.
    pub(super) async fn ask(&mut self, number: usize, at: usize) {
        let (asked, call) = (&self.asked[at], self.calls.len());
        let line = format!("{} is asked {}", name(number), asked.in_words(at as u64 + 1));
        let replica = &self.stage.replicas[number];
        let ctx = if asked.what.is_a_persons() { &self.admin } else { &self.ctx };
        let (spine, ctx) = (replica.spine.clone(), ctx.clone());
        let put = calls::put(spine, ctx, at as u64 + 1, asked.what.clone(), asked.key.clone());
        let (answer, board) = (self.answer.clone(), self.stage.board.clone());
        if matches!(asked.what, What::Lift) {
            self.frozen_from = None;
        }
        self.calls.push(Call { asked: at, replica: number, open: true });
        self.played.calls += 1;
        self.schedule.push(line);
        replica.handle().spawn(async move {
            let told = put.await;
            let _ = answer.send((call, told));
            board.ring();
        });
        replica.taken_up().await;
    }

    /// A turn is a few statements, or so many that a whole group passes while another stands still in its midst: by
    /// turns of one statement each, nothing would ever overtake anything. It often ends after a statement that only
    /// looked, for that is where something is to be overtaken.
    pub(super) fn let_through(&mut self, held: &[Line]) {
        let is_his = |line: &&Line| line.replica == self.turn;
        if self.turns_left == 0 || !held.iter().any(|line| is_his(&line)) {
            let others: Vec<Line> = held.iter().filter(|line| !is_his(line)).cloned().collect();
            let Some(line) = self.dice.pick(if others.is_empty() { held } else { &others }) else { return };
            let most = if self.dice.chance(30) { 6 } else { 60 };
            (self.turn, self.turns_left) = (line.replica, 1 + self.dice.roll(most));
        }
        self.turns_left -= 1;
        let his: Vec<&Line> = held.iter().filter(|line| line.replica == self.turn).collect();
        let Some(line) = self.dice.pick(&his).copied() else { return };
        if line.only_looks() && self.dice.chance(25) {
            self.turns_left = 0;
        }
        let commits = line.says.starts_with("COMMIT");
        self.committing |= commits;
        self.played.statements += 1;
        self.played.commits += u64::from(commits);
        if commits && self.may_hurt() && self.dice.chance(6) {
            self.played.lost += 1;
            self.leaving.push(line.pid);
            self.note(format!("{} {}, and its answer is lost", name(line.replica), line.in_short()));
            self.stage.board.let_through_unheard(line.id);
        } else {
            self.note(format!("{} {}", name(line.replica), line.in_short()));
            self.stage.board.let_through(line.id);
        }
    }
}
