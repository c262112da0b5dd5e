//! Replicas on one Postgres, whose statements are let through one at a time in an order that a seed gives.
//!
//! Permits lapse meanwhile, calls are repeated at another replica, people kill runs and freeze their agent, connections
//! are lost before and after Postgres has read what was sent, and replicas die. Whatever the order: what limits count
//! is what the rows say after each commit, no more is admitted than there is, of all runs or of one, nothing passes
//! after a halt, no step is lost or doubled, nobody waits for one who waits for them, what replicas
//! remember of a run is what is stored, unless another wrote it since, and every run ends as a bundle that verifies.
//!
//! A failure names its seed and tells the whole schedule. `HOC_DRILL_SEED=N` plays that one seed again, and
//! `HOC_DRILL_SEEDS=N` as many (`cargo xtask drill interleave`). A seed is the same calls and the same choices;
//! Postgres and the replicas' own tasks may still differ in what they do between two choices, so a schedule comes again
//! nearly always, not always.

mod books;
mod calls;
mod dice;
pub(crate) mod evidence;
mod moment;
mod played;
mod replica;
mod seen;
mod stage;
mod world;

use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Instant,
};

use played::Played;
use stage::Stage;
use world::World;

/// How many seeds are played where nobody says how many.
const SEEDS: u64 = 50;

/// After so many of them it is told how far it is.
const TOLD_EACH: u64 = 25;

/// How many are played at a time: while one waits for Postgres another has something to do.
const LANES: usize = 2;

/// The seeds that are still to be played.
struct Seeds {
    next: AtomicU64,
    last: u64,
    /// How many there are to play, and how many of them held.
    asked: u64,
    held: AtomicU64,
    /// One alone tells how it went, whatever came of it.
    alone: bool,
}

impl Seeds {
    fn asked_for() -> Self {
        let alone = variable("HOC_DRILL_SEED");
        let last = alone.or_else(|| variable("HOC_DRILL_SEEDS")).unwrap_or(SEEDS);
        Self::of(alone.unwrap_or(1), last, alone.is_some())
    }

    fn of(first: u64, last: u64, alone: bool) -> Self {
        let asked = (last + 1).saturating_sub(first);
        Self { next: AtomicU64::new(first), last, asked, held: AtomicU64::new(0), alone }
    }

    fn next(&self) -> Option<u64> {
        Some(self.next.fetch_add(1, Ordering::Relaxed)).filter(|seed| *seed <= self.last)
    }

    /// One more held; gives how far it is, where that is to be told.
    fn hold(&self) -> Option<String> {
        let held = self.held.fetch_add(1, Ordering::Relaxed) + 1;
        let is_told = held.is_multiple_of(TOLD_EACH) && held < self.asked;
        is_told.then(|| format!("{held} of {} seeds held", self.asked))
    }

    /// Nobody plays another one.
    fn stop(&self) {
        self.next.store(u64::MAX / 2, Ordering::Relaxed);
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "who runs a drill wants to know what it came to")]
fn whatever_the_order_each_happens_once() {
    let (begun, seeds) = (Instant::now(), Seeds::asked_for());
    let lane = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(play(&seeds, begun))
    };
    let played = thread::scope(|scope| {
        let lanes: Vec<_> = (0..LANES).map(|_| scope.spawn(lane)).collect();
        let mut all = Played::default();
        for lane in lanes {
            all.add(&lane.join().unwrap_or_else(|why| std::panic::resume_unwind(why)));
        }
        all
    });
    assert!(seeds.alone || played.compares(), "no replica has remembered a run as it is stored: {played}");
    let (asked, took) = (seeds.asked, begun.elapsed().as_secs());
    eprintln!("interleaving: of {asked} seeds {played}, in {took} s");
}

#[test]
fn who_waits_for_many_seeds_is_told_how_far_it_is() {
    let seeds = Seeds::of(1, 60, false);
    let told: Vec<String> = (0..60).filter_map(|_| seeds.hold()).collect();
    assert_eq!(told, ["25 of 60 seeds held", "50 of 60 seeds held"]);
    let seeds = Seeds::of(7, 7, true);
    assert_eq!((seeds.asked, seeds.hold()), (1, None), "what came of all of them is told in the end");
}

/// Plays seeds until there are none, on a database of the lane's own, where each has a tenant of its own; none where
/// there is no Postgres.
#[expect(clippy::print_stderr, reason = "it was asked for, and takes long where it is many")]
async fn play(seeds: &Seeds, begun: Instant) -> Played {
    let mut played = Played::default();
    let Some(mut stage) = Stage::new().await else { return played };
    while let Some(seed) = seeds.next() {
        let mut world = World::new(&mut stage, seed).await;
        match Box::pin(world.play()).await {
            Ok(one) => {
                played.add(&one);
                if let Some(told) = seeds.hold() {
                    eprintln!("interleaving: {told}, in {} s", begun.elapsed().as_secs());
                }
            }
            Err(why) => {
                seeds.stop();
                panic!("seed {seed} (HOC_DRILL_SEED={seed} plays it again):\n{}{why}", world.schedule());
            }
        }
        if seeds.alone {
            eprint!("{}", world.schedule());
        }
    }
    played
}

#[expect(clippy::disallowed_methods, reason = "a drill says by a variable how long it is")]
pub(crate) fn variable(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok().filter(|value| !value.is_empty())?;
    Some(value.parse().unwrap_or_else(|why| panic!("{name}={value}: {why}")))
}
