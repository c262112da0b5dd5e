//! Whether this server's clock is right: held against the store's, or, where the store has none of its own, against the
//! steady clock of the machine.
//!
//! What is done by a wrong clock cannot be taken back: by one that is a day ahead every live run has been silent for a day,
//! and is ended for that. So a server whose clock is more than a second off its store's is not ready, begins no run and
//! sweeps none. An embedded store goes by the machine's clock, so nothing there says what is right; but where that clock
//! jumps against the steady one, nothing is swept until the time after which runs are given up has really passed.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Duration, Utc};

/// So far apart two clocks may be.
const APART: Duration = Duration::seconds(1);

/// What this process knows of its clock.
#[derive(Debug, Default)]
pub(crate) struct Clocks(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// What is wrong with it.
    wrong: Option<String>,
    /// What the clock said when the steady one began, as it looked last.
    began: Option<DateTime<Utc>>,
    /// Nothing is swept before the steady clock says so much.
    sweep_from: Option<Duration>,
}

impl Clocks {
    /// What is wrong with the clock, as it was when it was looked at last.
    pub(crate) fn wrong(&self) -> Option<String> {
        self.known().wrong.clone()
    }

    /// Whether what is due by the clock is not to be ended now.
    pub(crate) fn holds_sweeper(&self, steady: Duration) -> bool {
        let known = self.known();
        known.wrong.is_some() || known.sweep_from.is_some_and(|from| steady < from)
    }

    /// Takes what a look came to. One that took long says nothing of a clock that is off by less.
    pub(crate) fn compared(&self, off: Duration, took: Duration) {
        let mut known = self.known();
        if off.abs() <= APART && took > APART {
            return;
        }
        let wrong = (off.abs() > APART).then(|| told(off));
        match (&known.wrong, &wrong) {
            (None, Some(why)) => tracing::error!(offset_ms = off.num_milliseconds(), "{why}"),
            (Some(_), None) => tracing::info!("the clock is that of the store again"),
            _ => {}
        }
        known.wrong = wrong;
    }

    pub(crate) fn moved_on(&self, now: DateTime<Utc>, steady: Duration, give_up_after: Duration) {
        let mut known = self.known();
        let began = now - steady;
        let jump = known.began.replace(began).map_or(Duration::zero(), |before| began - before);
        if jump.abs() > APART {
            tracing::error!(
                jump_ms = jump.num_milliseconds(),
                "the clock of this machine jumped: no run is given up or sealed for its silence in the next {} s",
                give_up_after.num_seconds()
            );
            known.sweep_from = Some(steady + give_up_after);
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn told(off: Duration) -> String {
    let (by, how) = (off.abs(), if off > Duration::zero() { "ahead of" } else { "behind" });
    format!(
        "this server's clock is {}.{:03} s {how} its store's: it begins no run and ends none; set the clock (NTP)",
        by.num_seconds(),
        by.num_milliseconds() % 1_000
    )
}
