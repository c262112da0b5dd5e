//! What is asked: something of each kind that an agent writes, and a kill by a person, under a key or an id, so that
//! all of it can be asked again.

use models::ids::{PermitId, RunId};
use orchestrator::{
    CallContext, Error, Spine,
    choke::call::{EndRun, EstimateRequest, PermitRequest, Recorded, StartRun, StepReport},
    handlers::activity,
    ports::SpanEncoding,
};
use proof::words::StepKind;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    agent::{ask, keyed, llm, tool},
    trees,
};

const AGENT: &str = "researcher";

/// One thing that is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Start,
    Permit,
    /// Of what the permit was granted for.
    PermittedStep,
    Step,
    Batch,
    /// A rule refuses the step, which opens an incident.
    Refusal,
    /// A permit that still holds something when its run ends.
    UnusedPermit,
    StartOther,
    StepOfOther,
    /// An agent's span, which opens its trace and counts. It is two transactions: the run of a trace is there first.
    FirstSpan,
    /// A model call below it, of which the agent's tells the sum: what that counted is taken back.
    SpanBelow,
    /// A person ends the other run.
    Kill,
    Complete,
    CompleteTrace,
}

/// All of them, in the order in which they are asked.
pub(super) static CALLS: [Call; 14] = [
    Call::Start,
    Call::Permit,
    Call::PermittedStep,
    Call::Step,
    Call::Batch,
    Call::Refusal,
    Call::UnusedPermit,
    Call::StartOther,
    Call::StepOfOther,
    Call::FirstSpan,
    Call::SpanBelow,
    Call::Kill,
    Call::Complete,
    Call::CompleteTrace,
];

/// The place of a step, and its hash; none where it was refused.
pub(super) type Place = (RunId, u64, Option<String>);

/// What was answered: as text, in which equal answers are equal, and the steps that it is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Told {
    pub(super) answer: String,
    pub(super) steps: Vec<Place>,
}

impl Told {
    fn of(answer: String) -> Self {
        Self { answer, steps: Vec::new() }
    }
}

/// The calls one after another, at one process.
pub(super) struct Script {
    spine: Spine,
    agent: CallContext,
    admin: CallContext,
    at: usize,
    run: Option<RunId>,
    other: Option<RunId>,
    trace: Option<RunId>,
    permit: Option<PermitId>,
}

impl Script {
    pub(super) fn at(spine: &Spine, agent: &CallContext, admin: &CallContext) -> Self {
        let (spine, agent, admin) = (spine.clone(), agent.clone(), admin.clone());
        Self { spine, agent, admin, at: 0, run: None, other: None, trace: None, permit: None }
    }

    /// Asks the next thing, and gives the answer; none where nothing is left. What was not answered is asked again.
    pub(super) async fn next(&mut self) -> Option<Result<Told, Error>> {
        let call = *CALLS.get(self.at)?;
        let told = self.ask(call).await;
        self.at += usize::from(told.is_ok());
        Some(told)
    }

    async fn ask(&mut self, call: Call) -> Result<Told, Error> {
        Ok(match call {
            Call::Start => {
                let (run, told) = self.start("start").await?;
                self.run = Some(run);
                told
            }
            Call::Permit => {
                let (permit, told) = self.permit("permit").await?;
                self.permit = Some(permit);
                told
            }
            Call::PermittedStep => {
                let params = ask("gpt-4o").params;
                let report = StepReport { params, permit_id: self.permit, ..keyed("permitted", llm(5)) };
                self.record(self.run.unwrap(), report).await?
            }
            Call::Step => self.record(self.run.unwrap(), keyed("step", llm(7))).await?,
            Call::Batch => self.batch().await?,
            Call::Refusal => self.record(self.run.unwrap(), keyed("refused", llm(600_000))).await?,
            Call::UnusedPermit => self.permit("unused").await?.1,
            Call::StartOther => {
                let (run, told) = self.start("start other").await?;
                self.other = Some(run);
                told
            }
            Call::StepOfOther => self.record(self.other.unwrap(), keyed("step", llm(9))).await?,
            Call::FirstSpan => {
                let (run, told) = self.span((1, 0), &trees::usage("invoke_agent", 300, 30)).await?;
                self.trace = Some(run);
                told
            }
            Call::SpanBelow => {
                let mut told = trees::usage("chat", 100, 10);
                told.push(("gen_ai.prompt.0.content", json!("Weather in Oslo?")));
                self.span((2, 1), &told).await?.1
            }
            Call::Kill => self.kill().await?,
            Call::Complete => self.complete(self.run.unwrap(), "complete").await?,
            Call::CompleteTrace => self.complete(self.trace.unwrap(), "complete trace").await?,
        })
    }

    /// The run is answered as it is by now, so only which it is is compared.
    async fn start(&self, key: &str) -> Result<(RunId, Told), Error> {
        let request = StartRun {
            agent_id: AGENT.to_owned(),
            idempotency_key: Some(key.to_owned()),
            ..StartRun::default()
        };
        let started = activity::start(&self.spine, &self.agent, request).await?;
        let run = started.run.id;
        Ok((run, Told::of(format!("{run} {:?}", started.verdict))))
    }

    async fn permit(&self, key: &str) -> Result<(PermitId, Told), Error> {
        let request = PermitRequest {
            kind: StepKind::LlmCall,
            provider: Some("openai".to_owned()),
            model: Some("gpt-4o".to_owned()),
            estimate: EstimateRequest { input_tokens: 40, output_tokens: 20, cost_nanousd: Some(9_000) },
            idempotency_key: Some(key.to_owned()),
            ..ask("gpt-4o")
        };
        let granted = activity::permit(&self.spine, &self.agent, self.run.unwrap(), request).await?;
        Ok((granted.permit_id, Told::of(format!("{granted:?}"))))
    }

    async fn record(&self, run: RunId, report: StepReport) -> Result<Told, Error> {
        match activity::record(&self.spine, &self.agent, run, report).await {
            Ok(step) => Ok(Told { answer: format!("{step:?}"), steps: vec![place(&step)] }),
            Err(Error::StepHalted(halted)) if halted.recorded => {
                let index = halted.step_index.expect("a refusal that is recorded is a step");
                Ok(Told { answer: format!("{halted:?}"), steps: vec![(run, index, None)] })
            }
            Err(err) => Err(err),
        }
    }

    async fn batch(&self) -> Result<Told, Error> {
        let run = self.run.unwrap();
        let reports =
            vec![keyed("batch 1", llm(3)), keyed("batch 2", tool("get_weather")), keyed("batch 3", llm(4))];
        let batch = activity::record_batch(&self.spine, &self.agent, run, reports).await?;
        let steps: Result<Vec<Place>, Error> =
            batch.answers.into_iter().map(|answer| answer.map(|step| place(&step))).collect();
        Ok(Told { answer: "a batch".to_owned(), steps: steps? })
    }

    /// Whether a span is told for the first time is answered, and is no part of what must be the same.
    async fn span(&self, at: (u64, u64), told: &[(&str, Value)]) -> Result<(RunId, Told), Error> {
        let service = json!([{ "key": "service.name", "value": { "stringValue": AGENT } }]);
        let spans = [trees::span(1, at, told)];
        let body = json!({ "resourceSpans": [{ "resource": { "attributes": service }, "scopeSpans": [{ "spans": spans }] }] });
        let body = body.to_string();
        let ingested = activity::ingest(&self.spine, &self.agent, SpanEncoding::Json, body.as_bytes()).await;
        let ingested = ingested?;
        assert_eq!((ingested.recorded + ingested.known, ingested.rejected.count), (1, 0), "{ingested:?}");
        let run = *ingested.runs.first().unwrap();
        Ok((run, Told::of(format!("a span of {run}"))))
    }

    async fn kill(&self) -> Result<Told, Error> {
        let person = with_key(&self.admin, "kill");
        let reason = Some("it mails customers".to_owned());
        let killed = activity::kill(&self.spine, &person, self.other.unwrap(), reason).await?;
        Ok(Told::of(format!("{killed:?}")))
    }

    async fn complete(&self, run: RunId, key: &str) -> Result<Told, Error> {
        let agent = with_key(&self.agent, key);
        let ended = activity::complete(&self.spine, &agent, run, EndRun::Succeeded).await?;
        Ok(Told::of(format!("{ended:?}")))
    }
}

fn with_key(ctx: &CallContext, key: &str) -> CallContext {
    CallContext { idempotency_key: Some(key.to_owned()), ..ctx.clone() }
}

fn place(step: &Recorded) -> Place {
    (step.run_id, step.step_index, step.step_hash.map(|hash| hash.to_string()))
}
