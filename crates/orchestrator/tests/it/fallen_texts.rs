//! A store that fell back under a server, and somebody accepts that: what runs say from then on is read, though the
//! server remembers what they had said in what was lost.

use std::{collections::BTreeSet, sync::Arc};

use kit::Kit;
use models::{account::Permits, ids::RunId, logs::KeptText};
use orchestrator::{
    Error,
    background::signer,
    choke::call::StepReport,
    coordinators::run_proof::{self, VerificationStatus},
    handlers::account::{self, SettingsChange, SystemCaller},
    ports::CheckpointSink,
};
use proof::words::LogName;
use testkit::on_both;

use crate::{
    agent::{Agent, llm},
    damaged_contents::paged,
    logs::{InMemory, keeping},
};

fn saying(prompt: &str) -> StepReport {
    let mut report = llm(1);
    if let Some(llm) = &mut report.llm {
        llm.prompt = Some(prompt.to_owned());
    }
    report
}

async fn says(agent: &Agent<'_>, run: RunId, so_often: usize) {
    for n in 0..so_often {
        agent.record(run, saying(&format!("What of Ann? Is Ann well? {n}"))).await.unwrap();
    }
}

on_both! {
    async fn what_is_said_after_an_accepted_loss_is_pressed_against_nothing_that_was_lost(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let sinks: Vec<Arc<dyn CheckpointSink>> = vec![Arc::new(InMemory::default())];
        let run = agent.start().await;
        says(&agent, run, 1).await;
        db.keep().await;
        says(&agent, run, 3).await;
        // Settings that are lost, by which no step without a permit would pass.
        let version = account::settings(&kit.spine, &agent.admin).await.unwrap().settings_version;
        let change = SettingsChange { permits: Some(Permits::Required), ..SettingsChange::default() };
        account::update_settings(&kit.spine, &agent.admin, version, change).await.unwrap();
        assert!(agent.record(run, saying("What of Bob?")).await.is_err(), "it has no permit");
        // The log of runs has a leaf more, and somebody outside has heard of it.
        agent.start().await;
        signer::tick(&keeping(&kit, sinks.clone())).await.unwrap();
        db.put_back().await;
        let held = agent.record(run, saying("What of Bob?")).await;
        assert!(matches!(held, Err(Error::HeldBack(_))), "{held:?}");

        let doctor = Kit::replica(db, 2).await;
        let by = SystemCaller { name: "a test".to_owned() };
        let accepted = account::accept_restore(&keeping(&doctor, sinks), &by).await.unwrap();
        assert_eq!(accepted.iter().map(|lost| lost.log).collect::<Vec<_>>(), [LogName::Runs]);

        kit.db.compare_logs().await.unwrap();
        says(&agent, run, 6).await;
        let (texts, missing) = paged(&agent, run, 50).await;
        assert_eq!((texts.len(), missing), (7, BTreeSet::new()));
        assert!(texts.iter().all(|of| matches!(of.prompt, Some(KeptText::Text(_)))), "{texts:?}");
        agent.complete(run).await.unwrap();
        let proof = run_proof::proof(&kit.spine, &agent.admin, run, false).await.unwrap();
        assert_eq!(proof.integrity.verification_status, VerificationStatus::Verified, "{:?}", proof.integrity);
    }
}
