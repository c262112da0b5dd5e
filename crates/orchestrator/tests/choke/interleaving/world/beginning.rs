//! What was done before replicas are asked: runs, permits and traces, and often a meeting of two replicas.

use models::ids::RunId;

use super::World;
use crate::interleaving::calls::{self, Asked, Told, What};

/// How many seeds of a hundred begin with two replicas that meet what has lapsed.
const MEETINGS: u64 = 60;

impl World<'_> {
    pub(super) async fn prepare(&mut self) {
        for _ in 0..3 {
            self.at_once(What::Start).await;
        }
        for run in self.runs.clone() {
            let tokens = 5 * (2 + self.dice.roll(4));
            self.at_once(What::Permit { run, tokens }).await;
        }
        for trace in 1..=calls::TRACES {
            self.at_once(calls::first_span(trace)).await;
        }
        for (number, skew_ms) in self.skews.clone().into_iter().enumerate() {
            self.stage.start(number, skew_ms).await;
        }
        if self.dice.chance(MEETINGS) {
            self.meet();
        }
    }

    /// What was granted lapses, and two replicas are asked at once: one for what it was granted by, which is to be
    /// answered as before, the other for leave in another run. Both may give back what lapsed, no run keeps one waiting
    /// for the other, and what the second is granted is held while the first commits: what was given back twice is
    /// missing then.
    fn meet(&mut self) {
        let granted: Vec<(usize, RunId)> = (0..)
            .zip(&self.asked)
            .filter_map(|(at, asked)| match asked.what {
                What::Permit { run, .. } if asked.granted().is_some() => Some((at, run)),
                _ => None,
            })
            .collect();
        let Some((again, of)) = self.dice.pick(&granted).copied() else { return };
        let others: Vec<RunId> = self.runs.iter().copied().filter(|run| *run != of).collect();
        let Some(run) = self.dice.pick(&others).copied() else { return };
        let mut numbers: Vec<usize> = (0..self.skews.len()).collect();
        let Some(one) = self.dice.pick(&numbers).copied() else { return };
        numbers.retain(|number| *number != one);
        let Some(other) = self.dice.pick(&numbers).copied() else { return };
        let tokens = 5 * (1 + self.dice.roll(8));
        self.let_lapse(61);
        self.asked.push(Asked::new(What::Permit { run, tokens }, None));
        self.meeting = vec![(one, again), (other, self.asked.len() - 1)];
    }

    /// Asks something past the replicas.
    async fn at_once(&mut self, what: What) {
        let number = self.asked.len() as u64 + 1;
        let mut asked = Asked::new(what.clone(), Some(format!("k{number}")));
        let spine = self.stage.kit.spine.clone();
        let told = calls::put(spine, self.ctx.clone(), number, what, asked.key.clone()).await;
        if let Told::Started(run) | Told::Reported(run) = told {
            self.runs.push(run);
        }
        self.note(format!("{}: {told}", asked.in_words(number)));
        asked.told.push(told);
        self.asked.push(asked);
    }
}
