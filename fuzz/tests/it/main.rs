//! Every target holds for its seeds, and for thousands of damaged ones.

use fuzz::{Target, damage::damaged};

fn holds(target: Target, rounds: u64) {
    let seeds = target.seeds();
    assert!(!seeds.is_empty());
    for seed in &seeds {
        target.run(seed);
        for round in 0..rounds {
            let damages = usize::try_from(round % 4).unwrap_or_default() + 1;
            target.run(&damaged(seed, round, damages));
        }
    }
}

#[test]
fn spans_of_any_bytes() {
    holds(Target::Otlp, 300);
}

#[test]
fn steps_of_any_bytes() {
    holds(Target::Step, 200);
}

#[test]
fn conditions_of_any_bytes() {
    holds(Target::Condition, 300);
}

#[test]
fn bundles_of_any_bytes() {
    holds(Target::Bundle, 300);
}

#[test]
fn cursors_of_any_bytes() {
    holds(Target::Cursor, 2_000);
}
