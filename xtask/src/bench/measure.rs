//! What is measured under load: a bare route, steps, permits, batches, spans, conversations.

use super::{
    bodies::{self, Bodies},
    conversations::{self, Conversations},
    http::Answer,
    load::{self, Outcome, Sample},
    options::Part,
    rate::Rate,
    server::Bench,
    spans::{self, Exporter},
};
use anyhow::Context as _;

/// Steps of one call to the batch endpoint: as many as it takes.
pub(super) const BATCH: usize = 500;

impl Bench<'_> {
    /// All measurements under load but those of spans, in order.
    pub(super) fn rates(&self, progress: impl Fn(&Rate)) -> anyhow::Result<Vec<Rate>> {
        let mut rates = Vec::new();
        let mut add =
            |part: Part, what: &'static str, callers: usize, measure: &dyn Fn() -> anyhow::Result<Sample>| {
                if self.options.has(part) {
                    let sample = measure().with_context(|| format!("{what}, {callers} callers"))?;
                    let rate = Rate::new(what, callers, &sample);
                    progress(&rate);
                    rates.push(rate);
                }
                anyhow::Ok(())
            };
        add(Part::Bare, Rate::BARE, 32, &|| self.bare(32))?;
        for callers in [1, 8, 32] {
            add(Part::Steps, Rate::STEPS, callers, &|| self.steps(callers))?;
        }
        add(Part::Permits, Rate::PERMITS, 8, &|| self.permits(8))?;
        for callers in [1, 4] {
            add(Part::Batches, "steps by batches of 500", callers, &|| self.batches(callers))?;
        }
        Ok(rates)
    }

    /// Spans, as outside tracers send them.
    pub(super) fn span_rates(&self, progress: impl Fn(&Rate)) -> anyhow::Result<Vec<Rate>> {
        let small = [1, 4, 16].map(|callers| (Rate::SPANS, spans::REQUEST, callers));
        let large = [1, 4].map(|callers| (Rate::SPANS_AT_ONCE, spans::LARGE_REQUEST, callers));
        let measure = |(what, each, callers): (&'static str, usize, usize)| {
            let sample = self.spans(each, callers).with_context(|| format!("{what}, {callers} callers"))?;
            let rate = Rate::new(what, callers, &sample);
            progress(&rate);
            Ok(rate)
        };
        small.into_iter().chain(large).map(measure).collect()
    }

    fn spans(&self, each: usize, callers: usize) -> anyhow::Result<Sample> {
        load::run(callers, self.options.window(), &self.watched, |index| {
            // The same seed is the same traces: no two measurements have one.
            let seed = 1_000 * each + 100 * callers + index;
            let (mut client, mut exporter) = (self.server.client(self.agent), Exporter::new(seed));
            Ok(move || {
                let body = exporter.runs(each);
                let outcome = spans::export(&mut client, body, each)?;
                Ok(self.counted(outcome, body.len()))
            })
        })
    }

    /// Conversations whose every call carries all that was said before.
    pub(super) fn conversation_rate(&self, callers: usize) -> anyhow::Result<Rate> {
        let sample = load::run(callers, self.options.window(), &self.watched, |index| {
            let (mut client, mut exporter) = (self.server.client(self.agent), Conversations::new(index));
            Ok(move || {
                let body = exporter.turn();
                let outcome = spans::export(&mut client, body, conversations::SIDE_BY_SIDE)?;
                Ok(self.counted(outcome, body.len()))
            })
        });
        let sample = sample.with_context(|| format!("{}, {callers} callers", Rate::TURNS))?;
        Ok(Rate::new(Rate::TURNS, callers, &sample))
    }

    /// What the server can answer when it does nothing.
    fn bare(&self, callers: usize) -> anyhow::Result<Sample> {
        load::run(callers, self.options.brief_window(), &self.watched, |_| {
            let mut client = self.server.client("");
            Ok(move || Ok(outcome(&client.get("/healthz")?, 200, 1)))
        })
    }

    fn steps(&self, callers: usize) -> anyhow::Result<Sample> {
        load::run(callers, self.options.window(), &self.watched, |index| {
            let (mut client, run) = self.caller()?;
            let (path, mut bodies, mut count) = (bodies::path(&run, "/steps"), Bodies::new(index), 0);
            Ok(move || {
                let body = bodies.step();
                count += 1;
                let answer = client.post_once(&path, &format!("step-{count}"), body.as_bytes())?;
                Ok(self.counted(outcome(&answer, 200, 1), body.len()))
            })
        })
    }

    fn permits(&self, callers: usize) -> anyhow::Result<Sample> {
        load::run(callers, self.options.brief_window(), &self.watched, |index| {
            let (mut client, run) = self.caller()?;
            let (permits, steps) = (bodies::path(&run, "/permits"), bodies::path(&run, "/steps"));
            let (mut bodies, mut count) = (Bodies::new(1_000 + index), 0);
            Ok(move || {
                let (permit, step) = bodies.permitted();
                count += 1;
                let granted = client.post_once(&permits, &format!("permit-{count}"), permit.as_bytes())?;
                if granted.status != 201 {
                    return Ok(outcome(&granted, 201, 1));
                }
                let granted = granted.json()?;
                let body = step(granted["permit_id"].as_str().context("a granted permit has an id")?);
                let answer = client.post_once(&steps, &format!("step-{count}"), body.as_bytes())?;
                Ok(self.counted(outcome(&answer, 200, 1), body.len()))
            })
        })
    }

    fn batches(&self, callers: usize) -> anyhow::Result<Sample> {
        load::run(callers, self.options.window(), &self.watched, |index| {
            let (mut client, run) = self.caller()?;
            let (path, mut bodies) = (bodies::path(&run, "/steps/batch"), Bodies::new(2_000 + index));
            Ok(move || {
                let body = bodies::batch(&mut bodies, BATCH);
                Ok(self.counted(batch_outcome(&client.post(&path, body.as_bytes())?, BATCH)?, body.len()))
            })
        })
    }
}

fn outcome(answer: &Answer, wanted: u16, count: usize) -> Outcome {
    if answer.status == wanted { Outcome::Done(count) } else { Outcome::Other(answer.status, answer.text()) }
}

/// A batch counts if each of its steps was answered with 200.
pub(super) fn batch_outcome(answer: &Answer, wanted: usize) -> anyhow::Result<Outcome> {
    if answer.status != 200 {
        return Ok(Outcome::Other(answer.status, answer.text()));
    }
    let said = answer.json()?;
    let items = said["items"].as_array().context("a batch is answered with items")?;
    let refused = items.iter().find(|item| item["status"] != 200);
    Ok(match refused {
        Some(item) => Outcome::Other(u16::try_from(item["status"].as_u64().unwrap_or(0))?, item.to_string()),
        None if items.len() < wanted => Outcome::Other(0, format!("{} of {wanted} attempted", items.len())),
        None => Outcome::Done(items.len()),
    })
}
