//! kill -9 after every write: a process asks for one thing of each kind and dies after its first statement that writes
//! anything, the next one after its second, and so on, before and after every COMMIT among them. Another process takes
//! up the store. What was answered is there, once and as it was told. What was not is there whole or not at all. All
//! of it asked again is answered the same, and counts once: in tables, in limits, in counters, in bundles and in logs.
//!
//! The suite takes all deaths at a COMMIT and some of the others; `cargo xtask drill kill-between` takes all.
//! `HOC_DRILL_AT=N` has the process die after its N-th write alone.

mod cast;
mod child;
mod deadly;
mod script;
mod stands;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use kit::Kit;
use models::{ids::RunId, page::PageRequest};
use orchestrator::handlers::activity;
use proof::words::StepStatus;
use tempfile::TempDir;
use testkit::{Store, TestDatabase, on_both};

use self::{
    cast::Cast,
    child::Part,
    script::{CALLS, Script, Told},
    stands::Stands,
};
use crate::{
    agent::Agent,
    interleaving::{evidence, variable},
    spans,
};

/// Of the deaths that are at no COMMIT, one of so many is tried where nobody says how many.
const fn every(store: Store) -> usize {
    match store {
        Store::Sqlite => 6,
        Store::Postgres => 12,
    }
}

on_both! {
    async fn each_call_happens_once_wherever_its_server_dies(db: TestDatabase) {
        Box::pin(play(db)).await;
    }
}

#[expect(clippy::print_stderr, reason = "who runs a drill wants to know what it came to")]
async fn play(db: &TestDatabase) {
    let (begun, store) = (Instant::now(), db.store());
    let mut stage = Box::pin(Stage::on(db)).await;
    let heard = Box::pin(stage.kill(0)).await.unwrap_or_else(|why| panic!("{store:?}, nobody died: {why}"));
    let (places, writes) = (places(store, &heard), heard.len());
    for place in &places {
        if let Err(why) = Box::pin(stage.kill(*place)).await {
            let last = heard.get(place - 1).map(String::as_str).unwrap_or_default();
            panic!("{store:?}, dead after write {place} of {writes} (HOC_DRILL_AT={place}), `{last}`: {why}");
        }
    }
    let (deaths, took) = (places.len(), begun.elapsed().as_secs());
    eprintln!(
        "kill between: {deaths} deaths among {writes} writes on {store:?}, none lost or doubled, in {took} s"
    );
}

/// After which of the writes a process is to die.
fn places(store: Store, heard: &[String]) -> Vec<usize> {
    let number = |name| variable(name).map(|number| usize::try_from(number).unwrap());
    if let Some(at) = number("HOC_DRILL_AT") {
        return vec![at];
    }
    let every = number("HOC_DRILL_EVERY").unwrap_or(every(store)).max(1);
    let commits = |place: usize| heard.get(place - 1).is_some_and(|sql| sql == "COMMIT");
    let is_taken = |place: &usize| place.is_multiple_of(every) || commits(*place) || commits(place + 1);
    (1..=heard.len()).filter(is_taken).collect()
}

/// A store, and the process that has taken it up.
struct Stage<'d> {
    db: &'d TestDatabase,
    folder: TempDir,
    kit: Kit,
    processes: u64,
    /// What stands after each call where nobody dies, from none to all.
    reference: Vec<Stands>,
}

impl<'d> Stage<'d> {
    async fn on(db: &'d TestDatabase) -> Self {
        let kit = Kit::on(db).await;
        let reference = Box::pin(reference(db, &kit)).await;
        Self { db, folder: tempfile::tempdir().unwrap(), kit, processes: 0, reference }
    }

    /// Has a process die after so many writes, at none not at all; gives what it wrote where it lived.
    async fn kill(&mut self, dies_after: usize) -> Result<Vec<String>, String> {
        let cast = Cast::of(&self.kit, &format!("dies-after-{dies_after}")).await;
        let before = self.db.row_counts().await;
        // Nobody else has the store open: who opens it next finds it as the dead left it.
        self.kit.db.close().await;
        self.processes += 2;
        let part = Part {
            url: self.db.url().to_owned(),
            tokens: cast.tokens.clone(),
            process: self.processes,
            dies_after,
            folder: self.folder.path().to_owned(),
        };
        let left = part.play()?;
        self.kit = Kit::replica(self.db, self.processes + 1).await;
        Box::pin(self.check(&cast, &before, left.told)).await?;
        Ok(left.heard)
    }

    async fn check(
        &self,
        cast: &Cast,
        before: &BTreeMap<String, i64>,
        mut told: Vec<Told>,
    ) -> Result<(), String> {
        let agent = cast.agent(&self.kit).await;
        let stands = Stands::of(self.db, &agent, &cast.limits, before).await;
        stands.hold(&self.reference, told.len())?;
        stored(&agent, &told).await?;
        // Once for what was under way or not asked yet, and all of it once more.
        for _ in 0..2 {
            Box::pin(again(&agent, &mut told)).await?;
        }
        let stands = Stands::of(self.db, &agent, &cast.limits, before).await;
        stands.hold(&self.reference, CALLS.len())?;
        let runs: Vec<RunId> = spans::runs(&agent).await.iter().map(|run| run.id).collect();
        Box::pin(evidence::of(&self.kit.spine, &agent.ctx, &agent.admin, &runs)).await
    }
}

/// What stands after each call where nobody dies; asked again, they leave it as it is.
async fn reference(db: &TestDatabase, kit: &Kit) -> Vec<Stands> {
    let cast = Cast::of(kit, "nobody-dies").await;
    let before = db.row_counts().await;
    let agent = cast.agent(kit).await;
    let stands = || Stands::of(db, &agent, &cast.limits, &before);
    let mut script = Script::at(&kit.spine, &agent.ctx, &agent.admin);
    let (mut reference, mut told) = (vec![stands().await], Vec::new());
    while let Some(answer) = Box::pin(script.next()).await {
        told.push(answer);
        reference.push(stands().await);
    }
    let all = &reference[CALLS.len()];
    for table in
        ["permits", "incidents", "interventions", "uncounted_steps", "idempotency_keys", "run_segments"]
    {
        assert!(all.rows[table] > 0, "nothing is written to {table}: {all:#?}");
    }
    if let Err(why) = Box::pin(again(&agent, &mut told)).await {
        panic!("nobody died: {why}");
    }
    assert_eq!(stands().await, *all, "asked again");
    reference
}

/// Holds what was answered against the steps that are stored.
async fn stored(agent: &Agent<'_>, told: &[Told]) -> Result<(), String> {
    let steps = || told.iter().flat_map(|told| &told.steps);
    let runs: BTreeSet<RunId> = steps().map(|(run, ..)| *run).collect();
    for run in runs {
        let page = PageRequest::default();
        let page = activity::steps(&agent.kit.spine, &agent.admin, run, page).await;
        let stored = page.map_err(|err| err.to_string())?.items;
        for (_, index, hash) in steps().filter(|(of, ..)| *of == run) {
            let there: Vec<_> = stored.iter().filter(|view| view.step.record.step_index == *index).collect();
            let is_told = match (there.as_slice(), hash) {
                ([view], Some(hash)) => view.step.step_hash.to_string() == *hash,
                ([view], None) => view.step.record.status == StepStatus::Refused,
                _ => false,
            };
            if !is_told {
                return Err(format!(
                    "step {index} of {run} was answered as {hash:?}, and there is {there:#?}"
                ));
            }
        }
    }
    Ok(())
}

/// Asks everything again: what was answered is answered the same, and the rest is answered now.
async fn again(agent: &Agent<'_>, told: &mut Vec<Told>) -> Result<(), String> {
    let mut script = Script::at(&agent.kit.spine, &agent.ctx, &agent.admin);
    for (at, call) in CALLS.iter().enumerate() {
        let answer = Box::pin(script.next()).await.expect("it has all of them");
        match told.get(at) {
            Some(first) if *first != answer => {
                return Err(format!("{call:?} is answered\n{answer:#?}\nand was answered\n{first:#?}"));
            }
            Some(_) => {}
            None => told.push(answer),
        }
    }
    Ok(())
}
