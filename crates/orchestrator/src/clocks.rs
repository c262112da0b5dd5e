//! Whether this server's clock is right. It is compared with the store's clock, or, where the store has none of its
//! own, with the steady clock of the machine.
//!
//! What is done by a wrong clock cannot be taken back. By a clock that is a day ahead, every live run has been silent
//! for a day and is ended for that, and a row of the audit ledger that it dates dates all rows that come after.
//!
//! A server whose clock is more than a second off its store's is not ready, begins no run and sweeps none. Calls that
//! reach it all the same are decided and recorded by the store's time: the time of the last look, and what the steady
//! clock has counted since. So are calls that came between a jump of the clock and the next look.
//!
//! An embedded store goes by the machine's clock, so nothing there says which time is right. If that clock jumps
//! against the steady one, no run is swept until the time after which runs are given up is really over. A jump between
//! two starts shows in the newest leaf of the store. If the leaf is ahead of the clock, the server is not ready until
//! that time has come. If it is ahead, or longer ago than a run may be silent, the server gives up no run and forgets
//! nothing for as long as that, and for as long as a permit serves, none lapses.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicI64, Ordering},
};

use chrono::{DateTime, Duration, Utc};

/// So far apart two clocks may be.
const APART: Duration = Duration::seconds(1);

/// So much more time than this process counted passes nowhere but beside one that stood still: its machine was paused.
const AWAY: Duration = Duration::minutes(1);

/// No look has found out what the store's clock said.
const UNKNOWN: i64 = i64::MIN;

/// What this process knows of its clock.
#[derive(Debug)]
pub(crate) struct Clocks {
    known: Mutex<Known>,
    /// What the store's clock said when the steady one began, in microseconds.
    store_began: AtomicI64,
}

impl Default for Clocks {
    fn default() -> Self {
        Self { known: Mutex::default(), store_began: AtomicI64::new(UNKNOWN) }
    }
}

/// One look at the own clock and the store's.
pub(crate) struct Look {
    /// What the own clock said before the store was asked, and the steady one.
    pub(crate) before: DateTime<Utc>,
    pub(crate) steady: Duration,
    /// How far the own clock is certainly ahead of the store's; below zero where it is behind.
    pub(crate) off: Duration,
    /// How long the store took to answer.
    pub(crate) took: Duration,
}

#[derive(Debug, Default)]
struct Known {
    /// What is wrong with it.
    wrong: Option<String>,
    /// What the clock said when the steady one began, as it looked last.
    began: Option<DateTime<Utc>>,
    /// Nothing is swept before the steady clock says so much.
    sweep_from: Option<Duration>,
    /// What the steady clock said at a start, or a jump, since which it is in doubt how long ago what came before it
    /// was.
    in_doubt_since: Option<Duration>,
    /// Since what the steady clock said then this server has been there to hear of runs without a break.
    heard_since: Option<Duration>,
    /// When the newest leaf of an embedded store was written, where the start found that ahead.
    newest: Option<DateTime<Utc>>,
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

    /// The time, where the own clock says `own`: that, unless it is not the store's.
    pub(crate) fn time(&self, own: DateTime<Utc>, steady: Option<Duration>) -> DateTime<Utc> {
        let began = self.store_began.load(Ordering::Relaxed);
        let (Some(steady), false) = (steady.and_then(|steady| steady.num_microseconds()), began == UNKNOWN)
        else {
            return own;
        };
        let stores = began.checked_add(steady).and_then(DateTime::from_timestamp_micros).unwrap_or(own);
        if (own - stores).abs() > APART { stores } else { own }
    }

    /// Takes what a look came to. One that took long says nothing of a clock that is off by less.
    pub(crate) fn compared(&self, Look { before, steady, off, took }: Look) {
        let mut known = self.known();
        if off.abs() <= APART && took > APART {
            return;
        }
        let began = if off.abs() > APART { before - off - steady } else { before - steady };
        let last = self.store_began.swap(began.timestamp_micros(), Ordering::Relaxed);
        if last != UNKNOWN
            && began.timestamp_micros().saturating_sub(last) > AWAY.num_microseconds().unwrap_or(i64::MAX)
        {
            known.heard_since = Some(steady);
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
            known.in_doubt_since = Some(steady);
        }
    }

    /// Takes when the newest leaf was written that a start found in an embedded store. Which of the two clocks was
    /// wrong, its writer's or the own one, nobody can tell.
    pub(crate) fn began_on(
        &self,
        newest: DateTime<Utc>,
        (own, steady): (DateTime<Utc>, Duration),
        give_up_after: Duration,
    ) {
        let (ahead, silent) = (is_ahead(newest, own), own - newest > give_up_after);
        let mut known = self.known();
        if ahead || silent {
            known.in_doubt_since = Some(steady);
        }
        if ahead {
            known.newest = Some(newest);
        } else if silent {
            tracing::info!(
                silent_s = (own - newest).num_seconds(),
                "nothing was begun or ended in this store for longer than a run may be silent: no run is given up in the next \
                 {} s",
                give_up_after.num_seconds()
            );
        }
    }

    /// Whether something may be younger than `age`, whatever the clock says: for where that is in doubt, so much time
    /// is not over by the steady clock.
    pub(crate) fn is_in_doubt(&self, steady: Duration, age: Duration) -> bool {
        self.known().in_doubt_since.is_some_and(|since| steady < since + age)
    }

    /// Nothing was heard of any run by this server until now: it comes up, or its store was away.
    pub(crate) fn hears_from(&self, steady: Duration) {
        self.known().heard_since = Some(steady);
    }

    /// Whether this server has been there to hear for so long without a break.
    pub(crate) fn has_heard_for(&self, steady: Duration, age: Duration) -> bool {
        self.known().heard_since.is_none_or(|since| steady >= since + age)
    }

    /// That an embedded store reaches into the future, as long as it does.
    pub(crate) fn store_ahead(&self, own: DateTime<Utc>) -> Option<String> {
        let newest = self.known().newest?;
        is_ahead(newest, own).then(|| told_ahead(newest, own))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a leaf was written at a time that has not come.
pub(crate) fn is_ahead(newest: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    newest - now > APART
}

/// What such a leaf means.
pub(crate) fn told_ahead(newest: DateTime<Utc>, now: DateTime<Utc>) -> String {
    format!(
        "the logs of this store reach into the future: the newest leaf was written at {}, {} s ahead of now, {}. Times in a log \
         never go back, so until then each row of that log gets that time. If this clock is right (NTP), the one by which the \
         leaf was written was not",
        models::time::text(newest),
        (newest - now).num_seconds(),
        models::time::text(now)
    )
}

fn told(off: Duration) -> String {
    let (by, how) = (off.abs(), if off > Duration::zero() { "ahead of" } else { "behind" });
    format!(
        "this server's clock is {}.{:03} s {how} its store's: it goes by the store's, begins no run and ends none; set the clock \
         (NTP)",
        by.num_seconds(),
        by.num_milliseconds() % 1_000
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_the_stores_where_the_own_clock_is_off() {
        let store = |seconds: i64| DateTime::from_timestamp(1_800_000_000 + seconds, 0).expect("a time");
        let seconds = Duration::seconds;
        let clocks = Clocks::default();
        let day = Duration::days(1);
        assert_eq!(clocks.time(store(0) + day, Some(seconds(5))), store(0) + day, "nothing is known of it");

        let look = |before, off| Look { before, steady: seconds(5), off, took: Duration::milliseconds(3) };
        clocks.compared(look(store(0) + day, day));
        assert_eq!(clocks.time(store(2) + day, Some(seconds(7))), store(2), "a day ahead");
        assert_eq!(clocks.time(store(2), Some(seconds(7))), store(2), "it was set");
        clocks.compared(look(store(0) - day, -day));
        assert_eq!(clocks.time(store(2) - day, Some(seconds(7))), store(2), "a day behind");

        clocks.compared(look(store(0), Duration::zero()));
        let almost = store(2) + Duration::milliseconds(900);
        assert_eq!(clocks.time(almost, Some(seconds(7))), almost, "not more than clocks may be apart");
        assert_eq!(clocks.time(store(2) + day, Some(seconds(7))), store(2), "it jumped since the last look");
        assert_eq!(clocks.time(store(2) + day, None), store(2) + day, "nothing to reckon by");
    }

    #[test]
    fn what_passes_while_nobody_is_there_to_hear_is_no_silence() {
        let store = |minutes: i64| DateTime::from_timestamp(1_800_000_000 + minutes * 60, 0).expect("a time");
        let minutes = Duration::minutes;
        let look = |at: i64, steady: i64| Look {
            before: store(at),
            steady: minutes(steady),
            off: Duration::zero(),
            took: Duration::zero(),
        };
        let clocks = Clocks::default();
        let heard = |steady: i64| clocks.has_heard_for(minutes(steady), minutes(60));
        assert!(heard(0), "nobody says that it came up just now");
        clocks.hears_from(minutes(5));
        assert!(!heard(64) && heard(65));
        for (at, steady) in [(100, 100), (101, 101), (170, 170)] {
            clocks.compared(look(at, steady));
            assert!(heard(steady), "as much passed here as there");
        }
        // The machine was paused for half an hour.
        clocks.compared(look(201, 171));
        assert!(!heard(230) && heard(231));
        clocks.compared(look(262, 232));
        assert!(heard(232));
    }
}
