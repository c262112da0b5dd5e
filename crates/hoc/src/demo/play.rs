//! The agent's part: for each thing that it does it asks, acts if it may, and reports. And the end of its run.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use hyper::Method;
use serde_json::{Value, json};

use super::{
    conversation::{Conversation, Turn},
    scene::Scene,
};
use crate::http::{Answer, Client};

const RUNS: &str = "/api/v1/runtime/activity/runs";

/// An agent that runs.
pub(super) struct Agent<'s> {
    client: Client,
    key: &'s str,
    pub(super) run_id: String,
    /// The answers to its steps, one a line: what it keeps for `hoc verify --seen`.
    pub(super) seen: String,
}

/// What came of one turn.
pub(super) struct Played {
    /// The step's place in the run, refused or not.
    pub(super) step_index: u64,
    /// The verdict that settled it: of the refused permit, or of the recorded step.
    pub(super) verdict: Value,
    /// How long the governor took of it.
    pub(super) governed: Duration,
}

impl<'s> Agent<'s> {
    /// Starts the run.
    pub(super) async fn start(scene: &'s Scene, conversation: &Conversation) -> anyhow::Result<Self> {
        let mut client = Client::connect(scene.address).await?;
        let key = scene.agent.expose();
        let started = client.call(Method::POST, RUNS, Some(key), Some(&conversation.start())).await?;
        let started = started.expect(201, "starting the run")?;
        let run_id = started["run_id"].as_str().context("the run has no id")?.to_owned();
        Ok(Self { client, key, run_id, seen: String::new() })
    }

    /// One turn: a permit, the act, the report. A refused permit is the end of the turn, and the agent goes on.
    pub(super) async fn play(&mut self, turn: &Turn) -> anyhow::Result<Played> {
        let begun = Instant::now();
        let permit = self.post("permits", &turn.permit()).await?;
        if permit.status == 403 {
            return refused(&permit, begun.elapsed());
        }
        let permit = permit.expect(201, "asking for a permit")?;
        let asked = begun.elapsed();
        tokio::time::sleep(Duration::from_millis(turn.duration_ms)).await;
        let begun = Instant::now();
        let permit_id = permit["permit_id"].as_str().context("the permit has no id")?;
        let step = self.post("steps", &turn.step(permit_id)).await?;
        let governed = asked + begun.elapsed();
        if step.status == 403 {
            return refused(&step, governed);
        }
        let step = step.expect(200, "recording a step")?;
        let _ = writeln!(self.seen, "{step}");
        let step_index = step["step_index"].as_u64().context("the step has no index")?;
        Ok(Played { step_index, verdict: step["verdict"].clone(), governed })
    }

    /// Ends the run, which seals it; gives the sealed run.
    pub(super) async fn complete(&mut self) -> anyhow::Result<Value> {
        let answer = self.post("complete", &json!({ "status": "SUCCEEDED" })).await?;
        answer.expect(200, "completing the run")
    }

    async fn post(&mut self, what: &str, body: &Value) -> anyhow::Result<Answer> {
        let path = format!("{RUNS}/{}/{what}", self.run_id);
        self.client.call(Method::POST, &path, Some(self.key), Some(body)).await
    }
}

fn refused(answer: &Answer, governed: Duration) -> anyhow::Result<Played> {
    let problem = answer.json()?;
    match (problem["code"].as_str(), problem["step_index"].as_u64()) {
        (Some("step_halted"), Some(step_index)) => {
            Ok(Played { step_index, verdict: problem["verdict"].clone(), governed })
        }
        _ => Err(answer.expect(201, "asking for a permit").err().context("a refusal that is none")?),
    }
}

/// The incidents that the run caused, as they are now.
pub(super) async fn incidents(scene: &Scene, run_id: &str) -> anyhow::Result<Vec<Value>> {
    let path = format!("/api/v1/runtime/incidents/by-run/{run_id}");
    let mut client = Client::connect(scene.address).await?;
    let answer = client.call(Method::GET, &path, Some(scene.auditor.expose()), None).await?;
    let answer = answer.expect(200, "reading the incidents")?;
    Ok(answer["items"].as_array().or_else(|| answer.as_array()).cloned().unwrap_or_default())
}

/// The run's bundle, as the server signs it.
pub(super) async fn bundle(scene: &Scene, run_id: &str) -> anyhow::Result<Vec<u8>> {
    let mut client = Client::connect(scene.address).await?;
    let path = format!("{RUNS}/{run_id}/bundle");
    let answer = client.call(Method::GET, &path, Some(scene.auditor.expose()), None).await?;
    if answer.status != 200 {
        answer.expect(200, "getting the bundle")?;
    }
    Ok(answer.body.to_vec())
}
