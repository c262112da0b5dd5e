//! What a store must hold for a tenant, whatever became of the process that it asked.

use std::collections::{BTreeMap, BTreeSet};

use kit::Kit;
use models::{ids::RunId, page::PageRequest};
use orchestrator::handlers::activity;
use proof::words::StepStatus;
use testkit::TestDatabase;

use super::{
    cast::Cast,
    script::{CALLS, Script, Told},
    stands::Stands,
};
use crate::{agent::Agent, interleaving::evidence, spans};

/// What is lost of a COMMIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    Itself,
    Answer,
}

pub(super) struct Books<'d> {
    db: &'d TestDatabase,
    /// What stands after each call where nothing happens to the process, from none to all.
    reference: Vec<Stands>,
}

impl<'d> Books<'d> {
    /// Those of a store, on which a tenant of its own asks for all; asked again, it leaves all as it is, but that what
    /// the unused permit of the ended run held is given back.
    pub(super) async fn of(db: &'d TestDatabase, kit: &Kit) -> Self {
        let cast = Cast::of(kit, "nobody-dies").await;
        let before = db.row_counts().await;
        let agent = cast.agent(kit).await;
        let stands = || Stands::of(db, &agent, &cast.limits, &before);
        let mut script = Script::at(&kit.spine, &agent.ctx, &agent.admin);
        let (mut reference, mut told) = (vec![stands().await], Vec::new());
        while let Some(answer) = Box::pin(script.next()).await {
            told.push(answer.unwrap());
            reference.push(stands().await);
        }
        let all = &reference[CALLS.len()];
        for table in [
            "permits",
            "incidents",
            "interventions",
            "uncounted_steps",
            "idempotency_keys",
            "run_segments",
            "policy_rules",
            "limits",
            "api_keys",
        ] {
            assert!(all.rows[table] > 0, "nothing is written to {table}: {all:#?}");
        }
        if let Err(why) = Box::pin(again(&agent, &mut told)).await {
            panic!("nobody died: {why}");
        }
        assert_ne!(all.clone().given_back(), *all, "the unused permit holds nothing");
        assert_eq!(stands().await, all.clone().given_back(), "asked again");
        Self { db, reference }
    }

    /// Holds what stands when so many calls were answered and the first COMMIT of the next was lost: nothing of that
    /// call, or what it carried out.
    pub(super) async fn hold_lost(
        &self,
        kit: &Kit,
        cast: &Cast,
        before: &BTreeMap<String, i64>,
        (answered, lost): (usize, Lost),
    ) -> Result<(), String> {
        let agent = cast.agent(kit).await;
        let stands = Stands::of(self.db, &agent, &cast.limits, before).await;
        match lost {
            Lost::Itself => stands.hold(&self.reference[..=answered], answered),
            Lost::Answer if stands == self.reference[answered] => {
                Err(format!("what {:?} carried out is not there", CALLS[answered]))
            }
            Lost::Answer => stands.hold(&self.reference, answered),
        }
    }

    /// Holds what was answered so far against what is stored, has all of it asked again of another process, and holds
    /// what it comes to, and its evidence.
    pub(super) async fn check(
        &self,
        kit: &Kit,
        cast: &Cast,
        before: &BTreeMap<String, i64>,
        mut told: Vec<Told>,
    ) -> Result<(), String> {
        let agent = cast.agent(kit).await;
        let stands = Stands::of(self.db, &agent, &cast.limits, before).await;
        stands.hold(&self.reference, told.len())?;
        stored(&agent, &told).await?;
        // Once for what was under way or not asked yet, and all of it once more.
        for _ in 0..2 {
            Box::pin(again(&agent, &mut told)).await?;
        }
        let stands = Stands::of(self.db, &agent, &cast.limits, before).await;
        let all = self.reference[CALLS.len()].clone().given_back();
        if stands != all {
            return Err(format!("when all was asked again, there stands\n{stands:#?}\nand not\n{all:#?}"));
        }
        let runs: Vec<RunId> = spans::runs(&agent).await.iter().map(|run| run.id).collect();
        Box::pin(evidence::of(&kit.spine, &agent.ctx, &agent.admin, &runs)).await
    }
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
        let answer = answer.map_err(|err| format!("{call:?}: {err}"))?;
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
