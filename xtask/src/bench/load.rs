//! Callers at work for a while: each a thread that does one thing after the other and times it.

use super::{
    cpu::{self, Watched},
    stats::{Latencies, number},
};
use std::{
    collections::BTreeMap,
    sync::{
        Barrier, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// Until connections, caches and prepared statements are as they will be.
const WARM_UP: Duration = Duration::from_millis(500);

/// What came of one operation.
pub(super) enum Outcome {
    /// It counts, as so many.
    Done(usize),
    /// The server answered something else: its status, and the answer for a person to read.
    Other(u16, String),
}

/// What callers got done within the window.
#[derive(Default)]
pub(super) struct Sample {
    pub(super) done: usize,
    pub(super) elapsed: Duration,
    pub(super) latencies: Latencies,
    /// Answers that do not count, by status, and the first of each.
    pub(super) others: BTreeMap<u16, (usize, String)>,
    /// Microseconds of processor for one that counts, by process.
    pub(super) cpu: Vec<(&'static str, f64)>,
    /// How many processors something else kept busy meanwhile.
    pub(super) disturbance: Option<f64>,
}

impl Sample {
    pub(super) fn per_second(&self) -> f64 {
        number(self.done) / self.elapsed.as_secs_f64()
    }
}

#[derive(Default)]
struct Got {
    done: usize,
    latencies: Vec<Duration>,
    others: BTreeMap<u16, (usize, String)>,
}

/// Lets `callers` repeat an operation for `window`. Each caller is made by `caller` before anybody begins; an
/// operation counts if it ended within the window: so none is lost at its edges for being long.
pub(super) fn run<C: FnMut() -> anyhow::Result<Outcome>>(
    callers: usize,
    window: Duration,
    watched: &[Watched],
    caller: impl Fn(usize) -> anyhow::Result<C> + Sync,
) -> anyhow::Result<Sample> {
    let (ready, counting, over) = (Barrier::new(callers + 1), AtomicBool::new(false), AtomicBool::new(false));
    let failed: Mutex<Option<anyhow::Error>> = Mutex::new(None);
    let fail = |err| {
        failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(err);
        over.store(true, Ordering::Relaxed);
    };
    let work = |index| {
        let made = caller(index);
        ready.wait();
        let mut got = Got::default();
        match made {
            Ok(mut operate) => repeat(&mut operate, &counting, &over, &mut got).unwrap_or_else(fail),
            Err(err) => fail(err),
        }
        got
    };
    let (got, elapsed, cpu) = thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = (0..callers).map(|index| scope.spawn(move || work(index))).collect();
        ready.wait();
        wait(WARM_UP, &over);
        let before = cpu::used(watched);
        let began = Instant::now();
        counting.store(true, Ordering::Relaxed);
        wait(window, &over);
        counting.store(false, Ordering::Relaxed);
        let elapsed = began.elapsed();
        let cpu = cpu::between(&before, &cpu::used(watched));
        over.store(true, Ordering::Relaxed);
        let got: Vec<Got> = threads.into_iter().filter_map(|thread| thread.join().ok()).collect();
        (got, elapsed, cpu)
    });
    if let Some(err) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(err);
    }
    Ok(summed(got, elapsed, cpu))
}

fn repeat(
    operate: &mut impl FnMut() -> anyhow::Result<Outcome>,
    counting: &AtomicBool,
    over: &AtomicBool,
    got: &mut Got,
) -> anyhow::Result<()> {
    while !over.load(Ordering::Relaxed) {
        let began = Instant::now();
        let outcome = operate()?;
        let took = began.elapsed();
        match outcome {
            Outcome::Done(count) if counting.load(Ordering::Relaxed) => {
                got.done += count;
                got.latencies.push(took);
            }
            Outcome::Done(_) => {}
            Outcome::Other(status, text) => got.others.entry(status).or_insert((0, text)).0 += 1,
        }
    }
    Ok(())
}

/// A measuring window; it ends early only if a caller failed.
fn wait(window: Duration, over: &AtomicBool) {
    let end = Instant::now() + window;
    while Instant::now() < end && !over.load(Ordering::Relaxed) {
        thread::sleep((end - Instant::now()).min(Duration::from_millis(100)));
    }
}

fn summed(got: Vec<Got>, elapsed: Duration, mut cpu: Vec<(&'static str, Duration)>) -> Sample {
    let disturbance = cpu::by_others(&mut cpu).map(|used| used.as_secs_f64() / elapsed.as_secs_f64());
    let mut sample = Sample { elapsed, disturbance, ..Sample::default() };
    let mut latencies = Vec::new();
    for caller in got {
        sample.done += caller.done;
        latencies.extend(caller.latencies);
        for (status, (count, text)) in caller.others {
            sample.others.entry(status).or_insert((0, text)).0 += count;
        }
    }
    sample.latencies = Latencies::new(latencies);
    if sample.done > 0 {
        let each = |used: &Duration| used.as_secs_f64() * 1e6 / number(sample.done);
        sample.cpu = cpu.iter().map(|(name, used)| (*name, each(used))).collect();
    }
    sample
}

/// The answer to something that is asked once, where only one that counts will do.
pub(super) fn done(outcome: Outcome) -> anyhow::Result<()> {
    match outcome {
        Outcome::Done(_) => Ok(()),
        Outcome::Other(status, text) => anyhow::bail!("answered with {status}: {text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    #[test]
    fn what_counts_is_counted_and_the_rest_is_told() {
        let sample = run(3, Duration::from_millis(50), &[], |index| {
            Ok(move || {
                thread::yield_now();
                Ok(if index == 0 { Outcome::Other(503, "busy".to_owned()) } else { Outcome::Done(2) })
            })
        });
        let sample = sample.expect("it runs");
        assert_eq!(sample.done, 2 * sample.latencies.len());
        assert!(sample.done > 0 && sample.per_second() > 0.0 && sample.elapsed >= Duration::from_millis(50));
        assert_eq!(sample.others.keys().copied().collect::<Vec<_>>(), [503]);
    }

    #[test]
    fn a_caller_that_fails_ends_it_with_its_error() {
        let made = AtomicUsize::new(0);
        let failing = run(2, Duration::from_mins(1), &[], |index| {
            made.fetch_add(1, Ordering::Relaxed);
            Ok(move || if index == 1 { anyhow::bail!("gone") } else { Ok(Outcome::Done(1)) })
        });
        assert_eq!(failing.err().map(|err| err.to_string()), Some("gone".to_owned()));
        assert_eq!(made.load(Ordering::Relaxed), 2);
    }
}
