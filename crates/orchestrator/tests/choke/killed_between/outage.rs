//! kill -9 after every write of a process that writes what was answered while the store was down. Another process takes
//! up what is left in the spool: each answer is in the store once, as it was told.

use std::{collections::BTreeMap, time::Instant};

use kit::{Kit, spooled};
use models::{
    account::FailureMode,
    ids::{DecisionId, PermitId, RunId},
};
use orchestrator::{
    Error,
    background::overdue,
    choke::call::{PermitRequest, StepReport},
    handlers::account::{self, SettingsChange},
};
use tempfile::TempDir;
use testkit::{TestDatabase, on_both};

use super::{
    cast::Cast,
    child::{Fate, Part},
    places,
    stands::Stands,
};
use crate::{
    agent::{Agent, ask, keyed, llm, refused, tool},
    interleaving::evidence,
};

fn passes() -> StepReport {
    keyed("passes", llm(2))
}

/// The rule of the cast refuses it.
fn is_refused() -> StepReport {
    keyed("refused", llm(600_000))
}

fn leave() -> PermitRequest {
    PermitRequest { idempotency_key: Some("leave".to_owned()), ..ask("get_weather") }
}

/// What waits in a spool, and what was told of it.
struct Outage {
    cast: Cast,
    run: RunId,
    folder: TempDir,
    /// How many rows each table had when it was over.
    before: BTreeMap<String, i64>,
    /// The place of the step that passed, its decision, and that of the refusal.
    passed: (u64, DecisionId),
    refusal: DecisionId,
    granted: PermitId,
}

impl Outage {
    /// A process of its own loses its store, goes on, and ends.
    async fn of(db: &TestDatabase, process: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let kit = Kit::spooling(db, folder.path(), process).await;
        let cast = Cast::of(&kit, &format!("outage-{process}")).await;
        go_on(&cast.agent(&kit).await).await;
        let agent = cast.agent(&kit).await;
        let run = agent.start().await;
        agent.record(run, llm(1)).await.unwrap();
        kit.db.close().await;
        let passed = agent.record(run, passes()).await.unwrap();
        let granted = agent.permit(run, leave()).await.unwrap();
        let refusal = refused(agent.record(run, is_refused()).await);
        // What has no key is known by its decision alone.
        let keyless = agent.record(run, tool("get_weather")).await.unwrap();
        assert!(![passed.recorded, granted.recorded, refusal.recorded, keyless.recorded].contains(&true));
        assert_eq!(spooled(folder.path()), (4, 0));
        drop(agent);
        kit.end(folder.path()).await;
        let before = db.row_counts().await;
        let passed = (passed.step_index, passed.verdict.decision_id);
        let (refusal, granted) = (refusal.verdict.decision_id, granted.permit_id);
        Self { cast, run, folder, before, passed, refusal, granted }
    }

    /// Has another process take up what is left, and holds what is stored then against what was told; gives what
    /// stands.
    async fn check(&self, db: &TestDatabase, process: u64) -> Result<Stands, String> {
        let kit = Kit::spooling(db, self.folder.path(), process).await;
        overdue::tick(&kit.spine).await.map_err(|err| err.to_string())?;
        let left = spooled(self.folder.path());
        if left != (0, 0) {
            return Err(format!("{left:?} answers wait, or were set aside"));
        }
        let agent = self.cast.agent(&kit).await;
        let stands = Stands::of(db, &agent, &self.cast.limits, &self.before).await;
        let told = agent.record(self.run, passes()).await;
        if !matches!(&told, Ok(step) if step.recorded && (step.step_index, step.verdict.decision_id) == self.passed)
        {
            return Err(format!("the step that passed as {:?} is {told:?}", self.passed));
        }
        let told = agent.record(self.run, is_refused()).await;
        if !matches!(&told, Err(Error::StepHalted(it)) if it.recorded && it.verdict.decision_id == self.refusal)
        {
            return Err(format!("the refusal {:?} is {told:?}", self.refusal));
        }
        let told = agent.permit(self.run, leave()).await;
        if !matches!(&told, Ok(granted) if granted.recorded && granted.permit_id == self.granted) {
            return Err(format!("the permit {:?} is {told:?}", self.granted));
        }
        Box::pin(evidence::of(&kit.spine, &agent.ctx, &agent.admin, &[self.run])).await?;
        Ok(stands)
    }
}

/// The tenant goes on without its store.
async fn go_on(agent: &Agent<'_>) {
    let spine = &agent.kit.spine;
    let change = SettingsChange { failure_mode: Some(FailureMode::Degrade), ..SettingsChange::default() };
    let before = account::settings(spine, &agent.admin).await.unwrap().settings_version;
    account::update_settings(spine, &agent.admin, before, change).await.unwrap();
}

on_both! {
    async fn each_answer_of_an_outage_is_written_once_wherever_its_server_dies(db: TestDatabase) {
        Box::pin(die_after_writes(db)).await;
    }
}

#[expect(clippy::print_stderr, reason = "who runs a drill wants to know what it came to")]
async fn die_after_writes(db: &TestDatabase) {
    let (begun, store) = (Instant::now(), db.store());
    let mut plays = Plays { db, folder: tempfile::tempdir().unwrap(), processes: 0, reference: None };
    let heard = Box::pin(plays.play(Fate::Lives)).await;
    let heard = heard.unwrap_or_else(|why| panic!("{store:?}, nobody died: {why}"));
    let mut places = places(store, &heard);
    places.retain(|place| *place <= heard.len());
    for place in &places {
        if let Err(why) = Box::pin(plays.play(Fate::DiesAfter(*place))).await {
            let last = heard.get(place - 1).map(String::as_str).unwrap_or_default();
            panic!("{store:?}, dead after write {place} of {} of an outage, `{last}`: {why}", heard.len());
        }
    }
    let (deaths, took) = (places.len(), begun.elapsed().as_secs());
    eprintln!(
        "kill between: {deaths} deaths among {} writes of an outage on {store:?}, in {took} s",
        heard.len()
    );
}

struct Plays<'d> {
    db: &'d TestDatabase,
    /// Where each process that dies says what it wrote.
    folder: TempDir,
    processes: u64,
    /// What stands when all is written, where nobody died.
    reference: Option<Stands>,
}

impl Plays<'_> {
    /// Has that become of a process that takes up what another has answered; gives what it wrote, where it lived.
    async fn play(&mut self, fate: Fate) -> Result<Vec<String>, String> {
        self.processes += 3;
        let outage = Box::pin(Outage::of(self.db, self.processes)).await;
        let part = Part {
            url: self.db.url().to_owned(),
            tokens: outage.cast.tokens.clone(),
            process: self.processes + 1,
            fate,
            folder: self.folder.path().to_owned(),
            spool: Some(outage.folder.path().to_owned()),
        };
        let left = part.play()?;
        let stands = Box::pin(outage.check(self.db, self.processes + 2)).await?;
        let all = self.reference.get_or_insert_with(|| stands.clone());
        if stands != *all {
            return Err(format!("when all was written, there stands\n{stands:#?}\nand not\n{all:#?}"));
        }
        Ok(left.heard)
    }
}
