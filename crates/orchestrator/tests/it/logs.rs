//! Checkpoints and proofs: what a holder of the public key can check without believing us.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use kit::{Kit, signing_key};
use models::{
    account::Role,
    ids::RunId,
    logs::{AuditFilter, ExecutionStatus, LlmRunFilter},
    page::PageRequest,
};
use orchestrator::{
    Error, Parts, Spine,
    background::{restored, signer},
    handlers::{
        logs::{self, Logged},
        system,
    },
    ports::{CheckpointSink, Depth, Kept, OutsideCheckpoint, OutsideLog, SinkError, Stands},
};
use proof::{
    checkpoint::Checkpoint,
    merkle::{empty_root, verify_consistency, verify_inclusion},
    words::{EnforcementMode, LogName},
};
use testkit::on_both;

use crate::agent::{Agent, llm, refused};

/// Keeps what it is given, or refuses it.
#[derive(Default)]
pub(crate) struct InMemory {
    notes: Mutex<Vec<OutsideCheckpoint>>,
    refuses: bool,
}

#[async_trait]
impl CheckpointSink for InMemory {
    fn place(&self) -> String {
        "a test".to_owned()
    }

    async fn kept(&self, of: &OutsideLog, _: Depth) -> Result<Kept, SinkError> {
        let notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        let notes = notes.iter().filter(|kept| kept.log == of.log).map(|kept| kept.note.clone());
        Ok(Kept { notes: notes.collect(), unreadable: false })
    }

    async fn keep(&self, checkpoint: &OutsideCheckpoint) -> Result<Stands, SinkError> {
        if self.refuses {
            return Err(SinkError { place: self.place(), source: std::io::Error::other("full") });
        }
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        let there = notes.iter().rfind(|kept| kept.log == checkpoint.log);
        let stands = there.map_or(Stands::GoesOn, |there| checkpoint.stands_to(&there.note));
        notes.extend((stands == Stands::GoesOn).then(|| checkpoint.clone()));
        Ok(stands)
    }

    async fn write_down(&self, checkpoint: &OutsideCheckpoint) -> Result<(), SinkError> {
        if self.refuses {
            return Err(SinkError { place: self.place(), source: std::io::Error::other("full") });
        }
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).push(checkpoint.clone());
        Ok(())
    }
}

/// Makes so many rules, each an entry of the Audit Ledger.
async fn rules(agent: &Agent<'_>, from: usize, count: usize) {
    for n in from..from + count {
        agent.rule_named(&format!("rule {n}"), EnforcementMode::Warn, "context.step.cost_microusd > 5").await;
    }
}

/// Another process on the same store, which keeps its checkpoints there.
pub(crate) fn keeping(kit: &Kit, sinks: Vec<Arc<dyn CheckpointSink>>) -> Spine {
    Spine::new(Parts { sinks, ..kit::parts(kit.db.clone(), 1) })
}

on_both! {
    async fn each_call_that_was_refused_after_it_was_made_says_so_and_names_its_incident(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.rule(EnforcementMode::Block, "context.step.cost_microusd > 500000").await;
        let run = agent.start().await;
        for _ in 0..2 {
            refused(agent.record(run, llm(600_000)).await);
        }
        agent.record(run, llm(1)).await.unwrap();
        let other = agent.start().await;
        for _ in 0..2 {
            agent.record(other, llm(1)).await.unwrap();
        }
        let page = PageRequest::default();
        let calls = logs::list_llm_runs(&kit.spine, &agent.admin, LlmRunFilter::default(), page).await.unwrap().items;
        assert_eq!(calls.len(), 5, "of both runs");
        for Logged { record: call, metadata } in calls {
            assert_eq!(call.execution_status, ExecutionStatus::Succeeded, "it had been made by then: {call:#?}");
            // The other run has steps of the same places, and met nothing at them.
            let met = usize::from(call.run_id == run && call.step_index < 2);
            assert_eq!(metadata.run_id, Some(call.run_id));
            assert_eq!((metadata.policy_ids.len(), metadata.incident_ids.len()), (met, met), "{metadata:#?}");
        }
    }

    async fn every_entry_is_under_a_signed_checkpoint(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        rules(&agent, 0, 5).await;
        let page = logs::list_audit(&kit.spine, &agent.admin, AuditFilter::default(), PageRequest::default()).await.unwrap();
        for entry in page.items {
            let id = entry.record.id.parse().unwrap();
            let proof = logs::prove_audit(&kit.spine, &agent.admin, id).await.unwrap();
            assert_eq!(proof.entry, entry);
            let signed = Checkpoint::open(&proof.checkpoint.note, &[signing_key().public()]).unwrap();
            assert_eq!(signed.origin, format!("test/{}/audit/0", agent.admin.tenant.id));
            assert_eq!((signed.size, signed.root), (5, proof.checkpoint.root_hash));
            verify_inclusion(entry.leaf_hash, entry.leaf_index, signed.size, &proof.inclusion, signed.root).unwrap();
            assert_eq!(proof::leaves::AuditLeaf::Entry(entry.record).hash(), entry.leaf_hash);
        }
        let checkpoints = logs::list_checkpoints(&kit.spine, &agent.admin, LogName::Audit, PageRequest::default());
        assert_eq!(checkpoints.await.unwrap().items.len(), 1, "one checkpoint covers them all");

        let stranger = kit.caller("other", Role::Auditor).await;
        let first = logs::list_audit(&kit.spine, &agent.admin, AuditFilter::default(), PageRequest::default()).await.unwrap();
        let id = first.items[0].record.id.parse().unwrap();
        let err = logs::prove_audit(&kit.spine, &stranger, id).await.unwrap_err();
        assert!(matches!(err, Error::NotFound { .. }), "{err}");
    }

    async fn a_log_begins_with_what_it_was(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let (spine, admin) = (&kit.spine, &agent.admin);
        let empty = logs::prove_consistency(spine, admin, LogName::Audit, 0, None).await.unwrap();
        assert_eq!((empty.to, empty.to_root), (0, empty_root()));
        rules(&agent, 0, 7).await;
        for to in 0..=7 {
            for from in 0..=to {
                let shown = logs::prove_consistency(spine, admin, LogName::Audit, from, Some(to)).await.unwrap();
                verify_consistency(from, shown.from_root, to, shown.to_root, &shown.proof).unwrap();
            }
        }
        let head = logs::prove_consistency(spine, admin, LogName::Audit, 3, None).await.unwrap();
        assert_eq!(head.to_root, logs::get_checkpoint(spine, admin, LogName::Audit).await.unwrap().root_hash);
        for (from, to, pointer) in [(0, 8, "/to"), (5, 4, "/from")] {
            let err = logs::prove_consistency(spine, admin, LogName::Audit, from, Some(to)).await.unwrap_err();
            assert!(matches!(&err, Error::Invalid(fields) if fields[0].pointer == pointer), "{err}");
        }
    }

    async fn the_signer_signs_for_news_and_once_a_day(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        rules(&agent, 0, 1).await;
        let run = agent.start().await;
        assert_eq!(signer::tick(&kit.spine).await.unwrap(), 2, "both logs have grown");
        assert_eq!(signer::tick(&kit.spine).await.unwrap(), 0, "no news");
        agent.complete(run).await.unwrap();
        assert_eq!(signer::tick(&kit.spine).await.unwrap(), 1, "the run log has grown");
        kit.clock.advance(chrono::Duration::hours(25));
        assert_eq!(signer::tick(&kit.spine).await.unwrap(), 2, "a day has passed");
        assert_eq!(signer::tick(&kit.spine).await.unwrap(), 0);
        let runs = logs::list_checkpoints(&kit.spine, &agent.admin, LogName::Runs, PageRequest::default()).await.unwrap();
        assert_eq!(runs.items.iter().map(|checkpoint| checkpoint.tree_size).collect::<Vec<_>>(), [2, 2, 1]);
    }

    async fn a_checkpoint_is_kept_outside_the_store(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        rules(&agent, 0, 3).await;
        let (kept, full) =
            (Arc::new(InMemory::default()), Arc::new(InMemory { refuses: true, ..InMemory::default() }));
        let spine = keeping(&kit, vec![full, Arc::clone(&kept) as Arc<_>]);
        assert_eq!(signer::tick(&spine).await.unwrap(), 1, "a sink that fails does not keep the others waiting");
        let notes = kept.notes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        assert_eq!(notes.len(), 1);
        assert_eq!((notes[0].tenant.as_str(), notes[0].log, notes[0].tree_size), ("acme", "audit", 3));
        let stored = logs::get_checkpoint(&spine, &agent.admin, LogName::Audit).await.unwrap();
        assert_eq!(stored.note, notes[0].note);
    }

    async fn what_is_kept_outside_is_shown_to_have_grown(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let kept = Arc::new(InMemory::default());
        let spine = keeping(&kit, vec![Arc::clone(&kept) as Arc<_>]);
        for (from, count) in [(0, 3), (3, 4), (7, 1)] {
            rules(&agent, from, count).await;
            assert_eq!(signer::tick(&spine).await.unwrap(), 1);
        }
        let notes = kept.notes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        assert_eq!(notes.iter().map(|kept| kept.tree_size).collect::<Vec<_>>(), [3, 7, 8]);
        assert_eq!(notes[2].stands_to(&notes[1].note), Stands::GoesOn);
        assert_eq!(notes[1].stands_to(&notes[2].note), Stands::IsOlder);
        let unproved = OutsideCheckpoint { grown: Vec::new(), ..notes[2].clone() };
        assert_eq!(unproved.stands_to(&notes[1].note), Stands::Apart);
        let fork = Checkpoint { origin: format!("test/{}/audit/0", agent.admin.tenant.id), size: 7, root: empty_root() };
        let fork = fork.sign(&signing_key()).unwrap();
        assert_eq!(notes[2].stands_to(&fork), Stands::Apart, "a proof from another history");
    }

    async fn nothing_is_signed_beside_what_is_kept_outside(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        rules(&agent, 0, 3).await;
        let kept = Arc::new(InMemory::default());
        let spine = keeping(&kit, vec![Arc::clone(&kept) as Arc<_>]);
        let fork = Checkpoint { origin: format!("test/{}/audit/0", agent.admin.tenant.id), size: 2, root: empty_root() };
        kept.write_down(&OutsideCheckpoint {
            tenant: "acme".to_owned(),
            log: "audit",
            tree_size: 2,
            note: fork.sign(&signing_key()).unwrap(),
            grown: Vec::new(),
        }).await.unwrap();
        let refused = signer::tick(&spine).await.unwrap_err();
        assert!(matches!(refused, Error::HeldBack(_)), "{refused}");
        let page = logs::list_checkpoints(&spine, &agent.admin, LogName::Audit, PageRequest::default()).await.unwrap();
        assert_eq!(page.items, []);
        assert!(spine.held_back().is_some(), "nothing is written any more");
        kept.notes.lock().unwrap_or_else(PoisonError::into_inner).clear();
        restored::tick(&spine).await.unwrap();
        assert_eq!(signer::tick(&spine).await.unwrap(), 1, "it goes on by itself");
    }

    async fn who_is_told_how_a_loss_is_accepted_finds_it_outside(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let kept = Arc::new(InMemory::default());
        let spine = keeping(&kit, vec![Arc::clone(&kept) as Arc<_>]);
        rules(&agent, 0, 1).await;
        db.keep().await;
        rules(&agent, 1, 2).await;
        db.put_back().await;
        kit.db.compare_logs().await.unwrap_err();
        let told = system::readyz(&spine).await.unwrap_err().to_string();
        assert!(told.contains("--accept-restore") && !told.contains("kept in a test"), "{told}");
        let why = spine.held_back().unwrap();
        assert!(why.contains("--accept-restore") && why.contains("kept in a test"), "it is in the log: {why}");
        for of_tenant in ["acme", agent.admin.tenant.id.to_string().as_str()] {
            assert!(!told.contains(of_tenant), "{told}");
        }
        let notes = kept.notes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let notes = notes.iter().map(|kept| (kept.log, kept.tree_size)).collect::<Vec<_>>();
        assert_eq!(notes, [("audit", 3)], "before it was told");
    }

    async fn who_is_told_of_a_loss_is_told_that_it_stands_nowhere(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let full = InMemory { refuses: true, ..InMemory::default() };
        let spine = keeping(&kit, vec![Arc::new(full) as Arc<_>]);
        rules(&agent, 0, 1).await;
        db.keep().await;
        rules(&agent, 1, 2).await;
        db.put_back().await;
        kit.db.compare_logs().await.unwrap_err();
        for _ in 0..2 {
            let told = system::readyz(&spine).await.unwrap_err().to_string();
            assert!(told.contains("could not be written down outside the store"), "{told}");
        }
    }

    async fn a_run_shows_its_calls_to_models(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        for cost in [1, 2, 3] {
            agent.record(run, llm(cost)).await.unwrap();
        }
        let page = PageRequest::new(Some(2), None, true).unwrap();
        let of_run = |run| LlmRunFilter { run_id: Some(run), ..LlmRunFilter::default() };
        let first = logs::list_llm_runs(&kit.spine, &agent.admin, of_run(run), page).await.unwrap();
        assert_eq!((first.items.len(), first.total, first.has_more), (2, Some(3), true));
        let cursor = first.next_cursor.map(|cursor| cursor.to_string());
        let next = PageRequest::new(Some(2), cursor.as_deref(), false).unwrap();
        let second = logs::list_llm_runs(&kit.spine, &agent.admin, of_run(run), next).await.unwrap();
        assert_eq!((second.items.len(), second.has_more), (1, false));
        let one = logs::get_llm_run(&kit.spine, &agent.admin, first.items[0].record.id).await.unwrap();
        assert_eq!(one, first.items[0]);
        let stranger = kit.caller("other", Role::Viewer).await;
        let err = logs::get_llm_run(&kit.spine, &stranger, one.record.id).await.unwrap_err();
        assert!(matches!(err, Error::NotFound { .. }), "{err}");
        for (caller, filter) in [
            (&stranger, of_run(run)),
            (&stranger, LlmRunFilter::default()),
            (&agent.admin, of_run(RunId(uuid::Uuid::nil()))),
        ] {
            let none = logs::list_llm_runs(&kit.spine, caller, filter, page).await.unwrap();
            assert_eq!((none.items.len(), none.total), (0, Some(0)));
        }
    }
}
