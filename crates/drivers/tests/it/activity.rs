//! Runs.

use std::collections::HashMap;

use drivers::StoreError;
use models::{
    activity::{
        DueReason, DueRun, EvidenceHealth, LatencyBucket, Pulse, RiskLevel, Run, RunCounts, RunFilter,
        RunState,
    },
    ids::{KeyId, RunId, SnapshotId, TraceId},
    page::PageRequest,
};
use proof::words::{Action, Assurance, IntegrityStatus, RunSource, RunStatus, TerminationReason};

use crate::sample::{self, MOST, ODD, OTHER, TENANT, at, run, uuid};

/// A run with every field that may change changed.
fn ended(run: Run) -> Run {
    Run {
        status: RunStatus::Halted,
        state: RunState::Completed,
        termination_reason: Some(TerminationReason::PolicyBlock),
        halt_action: Some(Action::Kill),
        error_message: Some(ODD.to_owned()),
        last_seen_at: at(100),
        completed_at: Some(at(101)),
        duration_ms: Some(MOST),
        seal_due_at: Some(at(102)),
        step_count: 1,
        refused_count: 2,
        llm_call_count: 3,
        tool_call_count: 4,
        input_tokens: 5,
        output_tokens: 6,
        cost_nanousd: 7,
        risk_level: RiskLevel::Violated,
        latency_bucket: LatencyBucket::Stalled,
        evidence_health: EvidenceHealth::Missing,
        integrity_status: IntegrityStatus::Failed,
        incident_count: 8,
        policy_violation: true,
        cost_known: false,
        policy_draft_count: 9,
        ..run
    }
}

testkit::on_both! {
    async fn runs_come_back_as_they_went(db: TestDatabase) {
        let db = sample::store(db).await;
        let bare = Run {
            project_id: None, actor_id: None, actor_type: proof::words::ActorType::Agent, goal: None,
            provider_type: None, parent_run_id: None, replay_of: None, replay_mode: None, expected_latency_ms: None,
            idempotency_key: None, request_hash: None, metadata: None, synthetic_scenario_id: None,
            external_trace_id: Some("4bf92f".into()), agent_id: String::new(), ..run(TENANT, 2)
        };
        let runs = [run(TENANT, 1), bare, ended(run(TENANT, 3))];
        let tx = db.begin().await.expect("begin");
        tx.activity().insert_runs(&runs).await.expect("inserted");
        tx.commit().await.expect("commit");
        let tx = db.begin().await.expect("begin");
        let ids = [3, 1, 2, 1, 404].map(|n| RunId(uuid(n)));
        assert_eq!(tx.activity().lock_runs(TENANT, &ids).await.expect("locked"), runs);
        assert_eq!(tx.activity().find_runs(TENANT, &ids).await.expect("found"), runs);
        let mut pulses = tx.activity().pulses(TENANT, &ids).await.expect("found");
        pulses.sort_by_key(|pulse| pulse.run);
        let expected = runs.iter().map(|run| Pulse {
            run: run.id,
            key: run.key_id,
            state: run.state,
            steps: run.step_count,
            refused: run.refused_count,
        });
        assert_eq!(pulses, expected.collect::<Vec<_>>());
        assert_eq!(tx.activity().find_run(TENANT, ids[1]).await.expect("found").as_ref(), Some(&runs[0]));
        let (owner, other) = (runs[2].key_id, KeyId(uuid(405)));
        let key = runs[2].idempotency_key.clone().expect("a key");
        let keys = [(owner, key.clone()), (owner, "none".to_owned())];
        assert_eq!(tx.activity().find_runs_by_keys(TENANT, &keys).await.expect("found"), [runs[2].clone()]);
        let others = [(other, key)];
        assert_eq!(tx.activity().find_runs_by_keys(TENANT, &others).await.expect("not its own"), []);
        assert_eq!(tx.activity().lock_runs(TENANT, &[]).await.expect("nothing asked"), []);
        let walk = |after, limit| tx.activity().run_ids(TENANT, after, limit);
        assert_eq!(walk(None, 2).await.expect("the first"), [1, 2].map(|n| RunId(uuid(n))));
        assert_eq!(walk(Some(RunId(uuid(2))), 2).await.expect("the rest"), [RunId(uuid(3))]);
        assert_eq!(tx.activity().run_ids(OTHER, None, 2).await.expect("not theirs"), []);
    }

    async fn saving_writes_what_may_change_and_nothing_else(db: TestDatabase) {
        let db = sample::store(db).await;
        let runs: Vec<Run> = (1..=70).map(|n| run(TENANT, n)).collect();
        let tx = db.begin().await.expect("begin");
        tx.activity().insert_runs(&runs).await.expect("inserted");
        let changed: Vec<Run> = runs.iter().cloned().map(|run| Run {
            agent_id: "another".into(), trace_id: TraceId(uuid(9)), snapshot_id: SnapshotId(uuid(9)), started_at: at(500),
            ..ended(run)
        }).collect();
        tx.activity().save_runs(&changed, &HashMap::new()).await.expect("saved");
        let ids: Vec<RunId> = runs.iter().map(|run| run.id).collect();
        let expected: Vec<Run> = runs.into_iter().map(ended).collect();
        assert_eq!(tx.activity().find_runs(TENANT, &ids).await.expect("found"), expected);
    }

    async fn a_sealed_run_keeps_what_it_was_and_shows_how_it_stands(db: TestDatabase) {
        let db = sample::store(db).await;
        let sealed = Run { policy_violation: false, incident_count: 0, risk_level: RiskLevel::Normal, ..ended(run(TENANT, 1)) };
        let tx = db.begin().await.expect("begin");
        tx.activity().insert_runs(&[sealed.clone()]).await.expect("inserted");
        let standing = Run {
            risk_level: RiskLevel::AtRisk, latency_bucket: LatencyBucket::Slow, evidence_health: EvidenceHealth::Degraded,
            integrity_status: IntegrityStatus::Degraded, incident_count: 1, policy_violation: true,
            policy_draft_count: 10, ..sealed.clone()
        };
        tx.activity().save_runs(&[standing.clone()], &HashMap::new()).await.expect("live columns");
        assert_eq!(tx.activity().find_run(TENANT, sealed.id).await.expect("found"), Some(standing.clone()));
        let forged = Run { cost_nanousd: 0, ..standing };
        assert!(matches!(tx.activity().save_runs(&[forged], &HashMap::new()).await, Err(StoreError::AppendOnly(_))));
    }

    async fn times_come_back_to_the_microsecond(db: TestDatabase) {
        let db = sample::store(db).await;
        let times = [
            "0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z", "1970-01-01T00:00:00Z", "1999-12-31T23:59:59.9Z",
            "2000-01-01T00:00:00.000001Z", "2026-11-21T08:09:10.123Z", "9999-12-31T23:59:59.999999Z",
        ];
        let runs: Vec<Run> = times.iter().zip(1..).map(|(time, n)| {
            Run { started_at: time.parse().expect("a time"), last_seen_at: time.parse().expect("a time"), ..run(TENANT, n) }
        }).collect();
        let tx = db.begin().await.expect("begin");
        tx.activity().insert_runs(&runs).await.expect("inserted");
        tx.activity().save_runs(&runs, &HashMap::new()).await.expect("saved");
        let page = tx.activity().list_runs(TENANT, &RunFilter::default(), &PageRequest::default()).await.expect("listed");
        assert_eq!(page.items, runs.into_iter().rev().collect::<Vec<_>>());
    }

    async fn another_tenants_run_is_neither_found_nor_written(db: TestDatabase) {
        let db = sample::store(db).await;
        let tx = db.begin().await.expect("begin");
        let mine = run(TENANT, 1);
        tx.activity().insert_runs(&[mine.clone()]).await.expect("inserted");
        tx.commit().await.expect("commit");
        let tx = db.begin().await.expect("begin");
        assert_eq!(tx.activity().find_run(OTHER, mine.id).await.expect("none"), None);
        assert_eq!(tx.activity().lock_runs(OTHER, &[mine.id]).await.expect("none"), []);
        let keys = [(mine.key_id, mine.idempotency_key.clone().expect("a key"))];
        assert_eq!(tx.activity().find_runs_by_keys(OTHER, &keys).await.expect("none"), []);
        tx.run_metrics().mark_violated(OTHER, &[mine.id]).await.expect("nothing");
        tx.run_metrics().add_draft(OTHER, &[mine.id]).await.expect("nothing");
        tx.run_signals().raise_risk(OTHER, &[(mine.id, RiskLevel::Violated)]).await.expect("nothing");
        assert_eq!(tx.activity().find_run(TENANT, mine.id).await.expect("mine"), Some(mine.clone()));
        let stolen = Run { tenant: OTHER, step_count: 0, ..mine };
        let refused = tx.activity().save_runs(&[stolen], &HashMap::new()).await;
        assert!(matches!(refused, Err(StoreError::RowsAffected { table: "runs", expected: 1, actual: 0 })), "{refused:?}");
    }

    async fn impact_is_set_based_and_never_lowers(db: TestDatabase) {
        let db = sample::store(db).await;
        let tx = db.begin().await.expect("begin");
        let (low, high) = (run(TENANT, 1), Run { risk_level: RiskLevel::Violated, ..run(TENANT, 2) });
        tx.activity().insert_runs(&[low.clone(), high.clone(), ended(run(TENANT, 3))]).await.expect("inserted");
        let ids = [1, 2, 3].map(|n| RunId(uuid(n)));
        tx.run_metrics().mark_violated(TENANT, &ids).await.expect("marked");
        tx.run_metrics().add_draft(TENANT, &ids).await.expect("one");
        tx.run_metrics().add_draft(TENANT, &ids[..1]).await.expect("two");
        let risks = [(ids[0], RiskLevel::AtRisk), (ids[1], RiskLevel::NearThreshold), (ids[0], RiskLevel::NearThreshold)];
        tx.run_signals().raise_risk(TENANT, &risks).await.expect("raised");
        let runs = tx.activity().find_runs(TENANT, &ids).await.expect("found");
        let seen: Vec<_> = runs.iter().map(|r| (r.policy_violation, r.policy_draft_count, r.risk_level)).collect();
        assert_eq!(seen, [
            (true, 2, RiskLevel::AtRisk), (true, 1, RiskLevel::Violated), (true, 10, RiskLevel::Violated),
        ]);
    }

    async fn the_list_is_newest_first_page_by_page(db: TestDatabase) {
        let db = sample::store(db).await;
        let tx = db.begin().await.expect("begin");
        // Two start at each moment, so that a page ends between equals.
        let runs: Vec<Run> = (0..9).map(|n| Run { started_at: at(i64::try_from(n / 2).expect("small")), ..run(TENANT, n) }).collect();
        tx.activity().insert_runs(&runs).await.expect("inserted");
        tx.activity().insert_runs(&[run(OTHER, 50)]).await.expect("inserted");
        let mut seen = vec![];
        let mut cursor: Option<String> = None;
        loop {
            let request = PageRequest::new(Some(2), cursor.as_deref(), true).expect("a page");
            let page = tx.activity().list_runs(TENANT, &RunFilter::default(), &request).await.expect("listed");
            assert_eq!(page.total, Some(9));
            assert_eq!(page.has_more, page.next_cursor.is_some());
            seen.extend(page.items);
            match page.next_cursor { Some(next) => cursor = Some(next.to_string()), None => break }
        }
        let newest: Vec<Run> = runs.into_iter().rev().collect();
        assert_eq!(seen, newest);
        let whole = tx.activity().list_runs(TENANT, &RunFilter::default(), &PageRequest::default()).await.expect("listed");
        assert_eq!((whole.items.len(), whole.total, whole.has_more), (9, None, false));
    }

    async fn every_filter_filters(db: TestDatabase) {
        let db = sample::store(db).await;
        let tx = db.begin().await.expect("begin");
        let plain = Run { agent_id: "a".into(), project_id: None, provider_type: None, ..run(TENANT, 1) };
        let other = Run {
            agent_id: "b".into(), project_id: Some("p".into()), provider_type: Some("q".into()), source: RunSource::Otlp,
            conversation_id: Some("c".into()),
            is_synthetic: true, assurance: Assurance::Reported, key_id: KeyId(uuid(77)), started_at: at(1_000),
            policy_violation: false, incident_count: 0, ..ended(run(TENANT, 2))
        };
        tx.activity().insert_runs(&[plain.clone(), other.clone()]).await.expect("inserted");
        let f = RunFilter::default;
        let only_other = [
            RunFilter { state: Some(RunState::Completed), ..f() }, RunFilter { status: Some(RunStatus::Halted), ..f() },
            RunFilter { risk: Some(true), ..f() }, RunFilter { risk_level: Some(RiskLevel::Violated), ..f() },
            RunFilter { agent_id: Some("b".into()), ..f() }, RunFilter { project_id: Some("p".into()), ..f() },
            RunFilter { conversation_id: Some("c".into()), ..f() },
            RunFilter { source: Some(RunSource::Otlp), ..f() }, RunFilter { provider_type: Some("q".into()), ..f() },
            RunFilter { is_synthetic: Some(true), ..f() }, RunFilter { started_after: Some(at(999)), ..f() },
            RunFilter { integrity_status: Some(IntegrityStatus::Failed), ..f() },
            RunFilter { evidence_health: Some(EvidenceHealth::Missing), ..f() },
            RunFilter { latency_bucket: Some(LatencyBucket::Stalled), ..f() },
            RunFilter { assurance: Some(Assurance::Reported), ..f() }, RunFilter { key_id: Some(KeyId(uuid(77))), ..f() },
            RunFilter { agent_id: Some("b".into()), risk: Some(true), state: Some(RunState::Completed), ..f() },
        ];
        let only_plain = [
            RunFilter { risk: Some(false), ..f() }, RunFilter { started_before: Some(at(1_000)), ..f() },
            RunFilter { is_synthetic: Some(false), ..f() },
        ];
        for (filters, expected) in [(&only_other[..], &other), (&only_plain[..], &plain)] {
            for filter in filters {
                let request = PageRequest::new(None, None, true).expect("a page");
                let page = tx.activity().list_runs(TENANT, filter, &request).await.expect("listed");
                assert_eq!((&page.items[..], page.total), (std::slice::from_ref(expected), Some(1)), "{filter:?}");
            }
        }
        let none = RunFilter { started_after: Some(at(1_000)), ..f() };
        assert_eq!(tx.activity().count_runs(TENANT, &none).await.expect("after is after"), 0);
        let counts = tx.activity().run_counts(TENANT).await.expect("counted");
        assert_eq!(counts, RunCounts { total: 2, live: 1, violated: 1 });
    }

    async fn what_nobody_ends_is_due(db: TestDatabase) {
        let db = sample::store(db).await;
        let tx = db.begin().await.expect("begin");
        let silent = Run { last_seen_at: at(10), ..run(TENANT, 1) };
        let busy = Run { last_seen_at: at(50), ..run(TENANT, 2) };
        let stopped = Run { last_seen_at: at(50), seal_due_at: Some(at(60)), ..run(OTHER, 3) };
        let sealed = Run { last_seen_at: at(1), ..ended(run(OTHER, 4)) };
        let waits = Run { last_seen_at: at(50), seal_due_at: Some(at(61)), ..run(OTHER, 5) };
        tx.activity().insert_runs(&[silent.clone(), busy, stopped.clone(), sealed, waits]).await.expect("inserted");
        let due = tx.activity().due_runs(at(60), Some(at(10))).await.expect("due");
        assert_eq!(due, [
            DueRun { tenant: TENANT, id: silent.id, reason: DueReason::Abandoned, since: at(10) },
            DueRun { tenant: OTHER, id: stopped.id, reason: DueReason::Stopped, since: at(60) },
        ]);
    }

    async fn where_none_is_given_up_only_what_was_stopped_is_due(db: TestDatabase) {
        let db = sample::store(db).await;
        let tx = db.begin().await.expect("begin");
        let due = |n| Run { last_seen_at: at(1), seal_due_at: Some(at(60)), ..run(TENANT, n) };
        let stopped = Run { halt_action: Some(Action::Stop), ..due(1) };
        let silent = Run { seal_due_at: None, ..due(3) };
        tx.activity().insert_runs(&[stopped.clone(), due(2), silent]).await.expect("inserted");
        let found = tx.activity().due_runs(at(60), None).await.expect("due");
        assert_eq!(found, [DueRun { tenant: TENANT, id: stopped.id, reason: DueReason::Stopped, since: at(60) }]);
        assert_eq!(tx.activity().due_runs(at(60), Some(at(10))).await.expect("due").len(), 3);
    }

    async fn what_cannot_be_sealed_waits_and_tenants_take_turns(db: TestDatabase) {
        let db = sample::store(db).await;
        let tx = db.begin().await.expect("begin");
        // Of one tenant more than one claim takes, all older than the other's only one.
        let many: Vec<Run> = (1..=600).map(|n| Run { idempotency_key: None, last_seen_at: at(1), ..run(TENANT, n) }).collect();
        let other = Run { last_seen_at: at(9), ..run(OTHER, 1_000) };
        tx.activity().insert_runs(&many).await.expect("inserted");
        tx.activity().insert_runs(std::slice::from_ref(&other)).await.expect("inserted");
        let due = tx.activity().due_runs(at(60), Some(at(10))).await.expect("due");
        assert_eq!((due.len(), due[0].id, due[1].id, due[2].id), (500, many[0].id, other.id, many[1].id));
        // None of those that are put off is named again before its time.
        let failed: Vec<RunId> = due.iter().map(|due| due.id).filter(|id| *id != other.id).collect();
        tx.activity().put_off_sealing(TENANT, &failed, at(70)).await.expect("put off");
        let due = tx.activity().due_runs(at(69), Some(at(10))).await.expect("due");
        assert_eq!((due.len(), due[0].id, due[1].id), (102, many[499].id, other.id));
        assert_eq!(tx.activity().due_runs(at(70), Some(at(10))).await.expect("due").len(), 500);
        // What writes runs back does not write that.
        let stood = std::collections::HashMap::new();
        tx.activity().save_runs(&many, &stood).await.expect("saved");
        assert_eq!(tx.activity().due_runs(at(69), Some(at(10))).await.expect("due").len(), 102);
    }

    async fn a_key_that_is_taken_is_a_conflict(db: TestDatabase) {
        let db = sample::store(db).await;
        let tx = db.begin().await.expect("begin");
        tx.activity().insert_runs(&[run(TENANT, 1)]).await.expect("inserted");
        tx.commit().await.expect("commit");
        let again = Run { id: RunId(uuid(2)), ..run(TENANT, 1) };
        let tx = db.begin().await.expect("begin");
        assert!(matches!(tx.activity().insert_runs(&[again.clone()]).await, Err(StoreError::Conflict(_))));
        tx.rollback().await.expect("undone");
        let tx = db.begin().await.expect("begin");
        let orphan = Run { snapshot_id: SnapshotId(uuid(404)), idempotency_key: None, ..again.clone() };
        assert!(matches!(tx.activity().insert_runs(&[orphan]).await, Err(StoreError::Related(_))));
        tx.rollback().await.expect("undone");
        let tx = db.begin().await.expect("begin");
        let nobody = Run { actor_id: None, idempotency_key: None, ..again.clone() };
        assert!(matches!(tx.activity().insert_runs(&[nobody]).await, Err(StoreError::Refused(_))));
        tx.rollback().await.expect("undone");
        let tx = db.begin().await.expect("begin");
        let beyond = Run { cost_nanousd: MOST + 1, idempotency_key: None, ..again };
        let refused = tx.activity().insert_runs(&[beyond]).await.expect_err("beyond 2^53");
        assert!(matches!(&refused, StoreError::Corrupt { table: "runs", why, .. } if why.contains("cost_nanousd")), "{refused}");
    }
}
