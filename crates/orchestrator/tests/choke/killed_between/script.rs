//! What is asked: something of each kind that an agent writes, and of what a person changes that governs it (a rule, a
//! limit, a key, a freeze and its end, a kill), under a key or an id, so that all of it can be asked again.

use kit::limit;
use models::{
    account::Role,
    ids::{PermitId, RunId},
};
use orchestrator::{
    CallContext, Error, Spine,
    choke::call::{EndRun, EstimateRequest, PermitRequest, Recorded, StartRun, StepReport},
    handlers::{
        account::{self, NewKey},
        activity, policies,
    },
    ports::SpanEncoding,
};
use proof::words::{EnforcementMode, LimitType, StepKind};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    agent::{ask, keyed, llm, rule, tool},
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
    /// A person makes a rule, a limit and a key: runs that start from then on are bound to the first two.
    Rule,
    Limit,
    Key,
    /// A person freezes the agent, and lifts that.
    Freeze,
    Lift,
    StartOther,
    StepOfOther,
    StartThird,
    /// An agent's span, which opens its trace and counts. It is two transactions: the run of a trace is there first.
    FirstSpan,
    /// A model call below it, of which the agent's tells the sum: what that counted is taken back.
    SpanBelow,
    /// A person ends the other run.
    Kill,
    /// Its agent gives the third run up.
    Abort,
    CompleteTrace,
    /// A tool's call of the trace whose run is sealed: it is added.
    LateSpan,
    /// Last, for whoever counts something behind it gives back what the unused permit held.
    Complete,
}

/// All of them, in the order in which they are asked.
pub(super) static CALLS: [Call; 22] = [
    Call::Start,
    Call::Permit,
    Call::PermittedStep,
    Call::Step,
    Call::Batch,
    Call::Refusal,
    Call::UnusedPermit,
    Call::Rule,
    Call::Limit,
    Call::Key,
    Call::Freeze,
    Call::Lift,
    Call::StartOther,
    Call::StepOfOther,
    Call::StartThird,
    Call::FirstSpan,
    Call::SpanBelow,
    Call::Kill,
    Call::Abort,
    Call::CompleteTrace,
    Call::LateSpan,
    Call::Complete,
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
    third: Option<RunId>,
    trace: Option<RunId>,
    permit: Option<PermitId>,
}

impl Script {
    pub(super) fn at(spine: &Spine, agent: &CallContext, admin: &CallContext) -> Self {
        let (spine, agent, admin) = (spine.clone(), agent.clone(), admin.clone());
        Self { spine, agent, admin, at: 0, run: None, other: None, third: None, trace: None, permit: None }
    }

    /// What is asked next.
    pub(super) fn asks(&self) -> Option<Call> {
        CALLS.get(self.at).copied()
    }

    /// Asks the next thing, and gives the answer; none where nothing is left. What was not answered is asked again.
    pub(super) async fn next(&mut self) -> Option<Result<Told, Error>> {
        let call = self.asks()?;
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
            Call::Rule => {
                let draft = rule("no mail", EnforcementMode::Warn, "context.step.skill == \"send_email\"");
                let made = policies::create_rule(&self.spine, &with_key(&self.admin, "rule"), draft).await?;
                Told::of(made.rule.definition.rule_id)
            }
            Call::Limit => {
                let (person, draft) = (with_key(&self.admin, "limit"), limit(LimitType::ToolCalls, 1_000));
                Told::of(policies::create_limit(&self.spine, &person, draft).await?.limit.definition.limit_id)
            }
            Call::Key => {
                let (person, new) = (with_key(&self.admin, "key"), NewKey::of_role(Role::Agent));
                let made = account::create_key(&self.spine, &person, new).await?;
                Told::of(format!("{} {}", made.key.id, made.token.expose()))
            }
            Call::Freeze => {
                let (person, agent) = (with_key(&self.admin, "freeze"), Some(AGENT.to_owned()));
                let begun = policies::freeze(&self.spine, &person, agent, "stop it".to_owned()).await?;
                Told::of(begun.freeze.intervention_id.to_string())
            }
            Call::Lift => {
                let (person, agent) = (with_key(&self.admin, "lift"), Some(AGENT.to_owned()));
                Told::of(policies::unfreeze(&self.spine, &person, agent, None).await?.id.to_string())
            }
            Call::StartOther => {
                let (run, told) = self.start("start other").await?;
                self.other = Some(run);
                told
            }
            Call::StepOfOther => self.record(self.other.unwrap(), keyed("step", llm(9))).await?,
            Call::StartThird => {
                let (run, told) = self.start("start third").await?;
                self.third = Some(run);
                told
            }
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
            Call::Abort => {
                let (agent, reason) = (with_key(&self.agent, "abort"), Some("it goes round".to_owned()));
                let given_up = activity::abort(&self.spine, &agent, self.third.unwrap(), reason).await?;
                Told::of(format!("{given_up:?}"))
            }
            Call::Complete => self.complete(self.run.unwrap(), "complete").await?,
            Call::CompleteTrace => self.complete(self.trace.unwrap(), "complete trace").await?,
            Call::LateSpan => self.span((3, 1), &trees::tool("search")).await?.1,
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
