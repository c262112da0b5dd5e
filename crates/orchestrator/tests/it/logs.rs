//! Checkpoints and proofs: what a holder of the public key can check without believing us.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use models::{account::Role, ids::RunId, logs::AuditFilter, page::PageRequest};
use orchestrator::{
    Error, Parts, Settings, Spine,
    background::signer,
    handlers::logs,
    ports::{CheckpointSink, OutsideCheckpoint, SinkError},
    secrets::WrappingKey,
};
use proof::{
    checkpoint::Checkpoint,
    merkle::{empty_root, verify_consistency, verify_inclusion},
    words::{EnforcementMode, LogName},
};
use testkit::{FrozenClock, Kit, SeededEntropy, kit::signing_key, on_both};

use crate::agent::{Agent, llm};

/// Keeps what it is given, or refuses it.
#[derive(Default)]
struct Kept {
    notes: Mutex<Vec<OutsideCheckpoint>>,
    refuses: bool,
}

#[async_trait]
impl CheckpointSink for Kept {
    async fn newest(&self, _: &str, _: &str) -> Result<Option<String>, SinkError> {
        Ok(None)
    }

    async fn keep(&self, checkpoint: &OutsideCheckpoint) -> Result<(), SinkError> {
        if self.refuses {
            return Err(SinkError { place: "a test".to_owned(), source: std::io::Error::other("full") });
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

on_both! {
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
        let (kept, full) = (Arc::new(Kept::default()), Arc::new(Kept { refuses: true, ..Kept::default() }));
        let spine = Spine::new(Parts {
            db: kit.db.clone(),
            clock: Arc::new(FrozenClock::default()),
            entropy: Arc::new(SeededEntropy::default()),
            signing_key: Arc::new(signing_key()),
            wrapping_key: WrappingKey::new([7; 32]),
            sinks: vec![full, Arc::clone(&kept) as Arc<_>],
            idempotency: None,
            spool: None,
            span_codec: testkit::kit::span_codec(),
            settings: Settings::default(),
        });
        assert_eq!(signer::tick(&spine).await.unwrap(), 1, "a sink that fails does not keep the others waiting");
        let notes = kept.notes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        assert_eq!(notes.len(), 1);
        assert_eq!((notes[0].tenant.as_str(), notes[0].log, notes[0].tree_size), ("acme", "audit", 3));
        let stored = logs::get_checkpoint(&spine, &agent.admin, LogName::Audit).await.unwrap();
        assert_eq!(stored.note, notes[0].note);
    }

    async fn a_run_shows_its_calls_to_models(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        for cost in [1, 2, 3] {
            agent.record(run, llm(cost)).await.unwrap();
        }
        let page = PageRequest::new(Some(2), None, true).unwrap();
        let first = logs::list_llm_runs(&kit.spine, &agent.admin, run, page).await.unwrap();
        assert_eq!((first.items.len(), first.total, first.has_more), (2, Some(3), true));
        let cursor = first.next_cursor.map(|cursor| cursor.to_string());
        let next = PageRequest::new(Some(2), cursor.as_deref(), false).unwrap();
        let second = logs::list_llm_runs(&kit.spine, &agent.admin, run, next).await.unwrap();
        assert_eq!((second.items.len(), second.has_more), (1, false));
        let one = logs::get_llm_run(&kit.spine, &agent.admin, first.items[0].id).await.unwrap();
        assert_eq!(one, first.items[0]);
        let stranger = kit.caller("other", Role::Viewer).await;
        for err in [
            logs::get_llm_run(&kit.spine, &stranger, one.id).await.unwrap_err(),
            logs::list_llm_runs(&kit.spine, &stranger, run, page).await.unwrap_err(),
            logs::list_llm_runs(&kit.spine, &agent.admin, RunId(uuid::Uuid::nil()), page).await.unwrap_err(),
        ] {
            assert!(matches!(err, Error::NotFound { .. }), "{err}");
        }
    }
}
