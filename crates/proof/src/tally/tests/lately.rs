//! That much is known of the calls nearby makes no call beside many steps longer work: a group is counted under the locks of
//! its runs.

use std::time::{Duration, Instant};

use crate::{
    tally::{Tally, Told},
    words::{
        CallClass,
        StepKind::{LlmCall, Other},
    },
};

/// So many steps lie above each other, or beside each other.
const STEPS: u64 = 20_000;
/// So many calls are made of each class: more are told apart.
const CALLS: u64 = 14;

fn id(of: u64) -> String {
    format!("{of:016x}")
}

/// Adds a step, and says how long that took. Each call has counts of its own.
fn add(tally: &mut Tally, (span, parent): (u64, u64), call: Option<(CallClass, u64)>) -> Duration {
    let skill_name = call.map_or_else(|| "chain".to_owned(), |(class, _)| format!("openai.{class}"));
    let (span, parent) = (id(span), id(parent));
    let told = Told {
        index: u64::try_from(tally.len()).expect("few"),
        span: Some(&span),
        parent: Some(&parent),
        kind: if call.is_some() { LlmCall } else { Other },
        skill_name: &skill_name,
        models: [None, None],
        used: call.map_or((0, 0, 0), |(_, counts)| (counts, 1, 0)),
        note: None,
        reporter: None,
    };
    let begun = Instant::now();
    tally.add(told);
    begun.elapsed()
}

/// One of the last calls takes about as long as one of the first, though the steps know of all those before.
fn take_no_longer(mut add_call: impl FnMut(CallClass, u64) -> Duration) {
    let classes = CallClass::ALL.iter().flat_map(|class| (1..=CALLS).map(|counts| (*class, counts)));
    let took: Vec<Duration> = classes.map(|(class, counts)| add_call(class, counts)).collect();
    let least = |of: &[Duration]| of.iter().min().copied().unwrap_or_default();
    let (early, late) = (least(&took[1..6]), least(&took[took.len() - 5..]));
    assert!(late < 6 * early, "the first {early:?}, the last {late:?}");
}

#[test]
fn many_calls_below_a_long_chain_are_no_long_work() {
    let mut tally = Tally::default();
    for at in 1..=STEPS {
        add(&mut tally, (at + 1, at), None);
    }
    let mut next = STEPS + 1;
    take_no_longer(|class, counts| {
        next += 1;
        add(&mut tally, (next, STEPS + 1), Some((class, counts)))
    });
    super::weight::check(&tally);
}

#[test]
fn many_calls_above_many_steps_are_no_long_work() {
    let mut tally = Tally::default();
    let mut next = STEPS + 2;
    add(&mut tally, (1, next), None);
    for at in 2..=STEPS {
        add(&mut tally, (at, 1), None);
    }
    take_no_longer(|class, counts| {
        next += 1;
        add(&mut tally, (next - 1, next), Some((class, counts)))
    });
    super::weight::check(&tally);
}
