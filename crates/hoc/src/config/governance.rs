//! `[governance]`: how long things hold, and how many calls may wait.

use std::time::Duration;

use anyhow::{Context as _, bail};
use orchestrator::choke::MAX_GROUP;

use super::{
    Shown, duration,
    origin::{Name, Setting, Sources, at_least_one, parsed},
};
use crate::version::VERSION;

const fn name(key: &'static str, variable: &'static str) -> Name {
    Name { section: "governance", key, variable, flag: None }
}

pub(super) static PERMIT_TTL: Name = name("permit_ttl", "HOC_PERMIT_TTL");
pub(super) static STOP_GRACE: Name = name("stop_grace", "HOC_STOP_GRACE");
pub(super) static RUN_ABANDON_AFTER: Name = name("run_abandon_after", "HOC_RUN_ABANDON_AFTER");
pub(super) static OUTAGE_MEMORY: Name = name("outage_memory", "HOC_OUTAGE_MEMORY");
pub(super) static CHECK_EVERY: Name = name("check_every", "HOC_CHECK_EVERY");
pub(super) static TRACE_QUIET: Name = name("trace_quiet", "HOC_TRACE_QUIET");
pub(super) static MAX_WAITING: Name = name("max_waiting", "HOC_MAX_WAITING");
pub(super) static MAX_HELD_MIB: Name = name("max_held_mib", "HOC_MAX_HELD_MIB");
pub(super) static MAX_REMEMBERED_MIB: Name = name("max_remembered_mib", "HOC_MAX_REMEMBERED_MIB");
pub(super) static MAX_STREAMS: Name = name("max_streams", "HOC_MAX_STREAMS");

/// The section.
#[derive(Clone, Debug)]
pub(crate) struct Governance {
    /// How long a granted permit serves.
    pub(crate) permit_ttl: Setting<Duration>,
    /// How long a stopped run waits for its agent to end it.
    pub(crate) stop_grace: Setting<Duration>,
    /// After how much silence a live run is given up.
    pub(crate) run_abandon_after: Setting<Duration>,
    /// How long halts are decided from memory while the store is down.
    pub(crate) outage_memory: Setting<Duration>,
    /// How long after all records were read again they are read again.
    pub(crate) check_every: Setting<Duration>,
    /// How long a trace whose root span has ended waits for spans that are still on their way.
    pub(crate) trace_quiet: Setting<Duration>,
    /// How many calls may wait before the next is 503, half of them of one tenant.
    pub(crate) max_waiting: Setting<usize>,
    /// How many MiB of bodies, calls and answers may be held at once.
    pub(crate) max_held_mib: Setting<usize>,
    /// How many MiB of traces, runs, compiled policies and what runs said are remembered.
    pub(crate) max_remembered_mib: Setting<usize>,
    /// How many streams of events may be open at once.
    pub(crate) max_streams: Setting<usize>,
}

impl Governance {
    pub(super) fn read(sources: &Sources) -> anyhow::Result<Self> {
        let length =
            |name, seconds| sources.setting(name, None, Duration::from_secs(seconds), duration::some);
        Ok(Self {
            permit_ttl: length(&PERMIT_TTL, 60)?,
            stop_grace: length(&STOP_GRACE, 60)?,
            run_abandon_after: length(&RUN_ABANDON_AFTER, 3_600)?,
            outage_memory: length(&OUTAGE_MEMORY, 600)?,
            check_every: length(&CHECK_EVERY, 3_600)?,
            trace_quiet: length(&TRACE_QUIET, 30)?,
            max_waiting: sources.setting(&MAX_WAITING, None, 16_384, waiting)?,
            max_held_mib: sources.setting(&MAX_HELD_MIB, None, 128, held_mib)?,
            max_remembered_mib: sources.setting(&MAX_REMEMBERED_MIB, None, 128, remembered_mib)?,
            max_streams: sources.setting(&MAX_STREAMS, None, 1_024, at_least_one)?,
        })
    }

    /// The orchestrator's own form of it.
    pub(crate) fn settings(&self, installation: String) -> anyhow::Result<orchestrator::Settings> {
        let length = |setting: &Setting<Duration>| {
            chrono::Duration::from_std(setting.value).context("a length of time in [governance] is too long")
        };
        Ok(orchestrator::Settings {
            installation,
            version: VERSION.to_owned(),
            permit_ttl: length(&self.permit_ttl)?,
            stop_grace: length(&self.stop_grace)?,
            run_abandon_after: length(&self.run_abandon_after)?,
            max_waiting: self.max_waiting.value,
            max_held_bytes: self.max_held_mib.value << 20,
            max_remembered_bytes: self.max_remembered_mib.value << 20,
            max_streams: self.max_streams.value,
            outage_memory: length(&self.outage_memory)?,
            check_every: length(&self.check_every)?,
            trace_quiet: length(&self.trace_quiet)?,
        })
    }

    pub(super) fn show(&self) -> Vec<Shown> {
        let length = |name, setting: &Setting<Duration>| {
            Shown::text(name, duration::text(setting.value), &setting.origin)
        };
        vec![
            length(&PERMIT_TTL, &self.permit_ttl),
            length(&STOP_GRACE, &self.stop_grace),
            length(&RUN_ABANDON_AFTER, &self.run_abandon_after),
            length(&OUTAGE_MEMORY, &self.outage_memory),
            length(&CHECK_EVERY, &self.check_every),
            length(&TRACE_QUIET, &self.trace_quiet),
            Shown::number(&MAX_WAITING, self.max_waiting.value, &self.max_waiting.origin),
            Shown::number(&MAX_HELD_MIB, self.max_held_mib.value, &self.max_held_mib.origin),
            Shown::number(
                &MAX_REMEMBERED_MIB,
                self.max_remembered_mib.value,
                &self.max_remembered_mib.origin,
            ),
            Shown::number(&MAX_STREAMS, self.max_streams.value, &self.max_streams.origin),
        ]
    }
}

/// Half of it is one tenant's, which must be able to send the largest body, to have it unpacked, and to have the spans
/// that it is of read.
fn held_mib(text: &str) -> anyhow::Result<usize> {
    match parsed(text) {
        Ok(mib @ 128..=1_048_576) => Ok(mib),
        _ => bail!("`{text}` must be a whole number, 128 to 1048576"),
    }
}

/// With less than that hardly anything is remembered.
fn remembered_mib(text: &str) -> anyhow::Result<usize> {
    match parsed(text) {
        Ok(mib @ 4..=1_048_576) => Ok(mib),
        _ => bail!("`{text}` must be a whole number, 4 to 1048576"),
    }
}

/// Twice the largest batch.
const WAITING_AT_LEAST: usize = 2 * MAX_GROUP;

/// Half of it is one tenant's, which must be able to send the largest batch: with less that would be 503 for ever.
fn waiting(text: &str) -> anyhow::Result<usize> {
    match parsed(text) {
        Ok(calls @ WAITING_AT_LEAST..=100_000) => Ok(calls),
        _ => bail!("`{text}` must be a whole number, {WAITING_AT_LEAST} to 100000"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_tenant_can_always_send_the_largest_batch() {
        assert_eq!(waiting("1000").expect("enough"), 1_000);
        for odd in ["999", "1", "0", "100001", "-1", "many", ""] {
            let said = waiting(odd).expect_err("too few, or too many").to_string();
            assert_eq!(said, format!("`{odd}` must be a whole number, 1000 to 100000"));
        }
    }
}
