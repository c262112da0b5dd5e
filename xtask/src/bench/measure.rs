//! What is measured under load: a bare route, steps, permits, batches, spans, conversations.

use super::{
    bodies::{self, Bodies},
    conversations::{self, Conversations},
    found::Found,
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
    pub(super) fn rates(&self, found: &mut Found<'_>) {
        if self.options.has(Part::Bare) {
            found.rate(Rate::BARE, 32, self.bare(32));
        }
        if self.options.has(Part::Steps) {
            for callers in [1, 8, 32] {
                found.rate(Rate::STEPS, callers, self.steps(callers));
            }
        }
        if self.options.has(Part::Permits) {
            found.rate(Rate::PERMITS, 8, self.permits(8));
        }
        if self.options.has(Part::Batches) {
            for callers in [1, 4] {
                found.rate("steps by batches of 500", callers, self.batches(callers));
            }
        }
    }

    /// Spans, as outside tracers send them.
    pub(super) fn span_rates(&self, found: &mut Found<'_>) {
        for callers in [1, 4, 16] {
            found.rate(Rate::SPANS, callers, self.spans(spans::REQUEST, callers));
        }
        for callers in [1, 4] {
            found.rate(Rate::SPANS_AT_ONCE, callers, self.spans(spans::LARGE_REQUEST, callers));
        }
    }

    /// Every kind of load, one after the other, for what it leaves in memory.
    pub(super) fn every_load(&self, found: &mut Found<'_>) {
        let loads: [(&str, &dyn Fn() -> anyhow::Result<Sample>); 4] = [
            ("steps", &|| self.steps(32)),
            ("batches", &|| self.batches(4)),
            ("spans", &|| self.spans(spans::LARGE_REQUEST, 4)),
            ("conversations", &|| self.turns(4)),
        ];
        for (what, load) in loads {
            found.or_missed(&format!("memory after {what}"), load());
        }
    }

    fn spans(&self, each: usize, callers: usize) -> anyhow::Result<Sample> {
        load::run(callers, self.options.window(), &self.watched, |index| {
            let seed = self.seed(1_000 * each + 100 * callers + index);
            let (mut client, mut exporter) = (self.server.client(self.agent), Exporter::new(seed));
            Ok(move || {
                let body = exporter.runs(each);
                let outcome = spans::export(&mut client, body, each)?;
                Ok(self.counted(outcome, body.len()))
            })
        })
    }

    /// Conversations whose every call carries all that was said before.
    pub(super) fn turns(&self, callers: usize) -> anyhow::Result<Sample> {
        load::run(callers, self.options.window(), &self.watched, |index| {
            let mut exporter = Conversations::new(self.seed(index));
            let mut client = self.server.client(self.agent);
            Ok(move || {
                let body = exporter.turn();
                let outcome = spans::export(&mut client, body, conversations::SIDE_BY_SIDE)?;
                Ok(self.counted(outcome, body.len()))
            })
        })
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
