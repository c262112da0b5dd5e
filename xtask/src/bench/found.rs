//! Takes down what is measured. What cannot be measured is noted, and the bench goes on: a binary of long ago lacks an
//! option or an endpoint, and twenty minutes of other figures are not lost for it.

use super::{load::Sample, progress::Progress, rate::Rate, store::Store};
use anyhow::bail;

pub(super) struct Found<'a> {
    pub(super) store: &'a mut Store,
    pub(super) progress: &'a Progress,
}

impl Found<'_> {
    /// What came of a load.
    pub(super) fn rate(&mut self, what: &'static str, callers: usize, sample: anyhow::Result<Sample>) {
        let sample = self.or_missed(&format!("{what}, {callers} callers"), sample.and_then(counting));
        if let Some(sample) = sample {
            let rate = Rate::new(what, callers, &sample);
            self.progress.say(&rate.line());
            self.store.add_rate(rate);
        }
    }

    /// What was measured, if it could be.
    pub(super) fn or_missed<T>(&mut self, what: &str, measured: anyhow::Result<T>) -> Option<T> {
        measured.inspect_err(|err| self.missed(what, err)).ok()
    }

    fn missed(&mut self, what: &str, err: &anyhow::Error) {
        let why = format!("{err:#}");
        self.progress.say(&format!("NOT MEASURED: {what}: {why}"));
        let line: String = why.lines().next().unwrap_or_default().chars().take(200).collect();
        self.store.missed.push(format!("{what}: {line}"));
    }
}

/// A sample in which something counts: a server that refuses all is not slow.
fn counting(sample: Sample) -> anyhow::Result<Sample> {
    if sample.done > 0 {
        return Ok(sample);
    }
    let Some((count, first)) = sample.others.values().next() else { bail!("nothing ended within the time") };
    bail!("{count} answers that do not count, first: {first}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::options::Kind;
    use std::{
        collections::BTreeMap,
        time::{Duration, Instant},
    };

    fn sample(done: usize, others: &[(u16, &str)]) -> Sample {
        let others: BTreeMap<u16, (usize, String)> =
            others.iter().map(|(status, text)| (*status, (3, (*text).to_owned()))).collect();
        Sample { done, elapsed: Duration::from_secs(2), others, ..Sample::default() }
    }

    #[test]
    fn what_is_not_measured_is_noted_and_the_rest_goes_on() {
        let mut store = Store::new(Kind::Sqlite, "SQLite".to_owned());
        let progress = Progress::new(Instant::now(), "before".to_owned());
        let mut found = Found { store: &mut store, progress: &progress };
        found.rate(Rate::PERMITS, 8, Ok(sample(0, &[(404, "404 no such route")])));
        found.rate(Rate::BARE, 32, Err(anyhow::anyhow!("gone\nand its log")));
        found.rate(Rate::TURNS, 4, Ok(sample(0, &[])));
        found.rate(Rate::STEPS, 8, Ok(sample(10, &[(503, "503 busy")])));
        assert_eq!(found.or_missed("a trace", Ok(7)), Some(7));
        let rates: Vec<&str> = store.rates.iter().map(|rate| rate.what).collect();
        assert_eq!(rates, [Rate::STEPS]);
        let missed = [
            "permit and record, 8 callers: 3 answers that do not count, first: 404 no such route",
            "bare route (GET /healthz), 32 callers: gone",
            "turns of conversations by OTLP, 20 a request, 4 callers: nothing ended within the time",
        ];
        assert_eq!(store.missed, missed);
    }
}
