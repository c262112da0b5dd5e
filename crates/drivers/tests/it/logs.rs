//! The Audit Ledger, LLM run records, system records.

use std::collections::HashMap;

use drivers::StoreError;
use models::{
    ids::{AuditId, RunId, TenantId},
    logs::{AuditEntry, AuditFilter, ExecutionStatus, LlmRunFilter, LlmRunRecord, Uncounted},
    page::PageRequest,
};
use proof::{
    leaves::AuditRecord,
    words::{ActorType, AuditEntityType, AuditEventType},
};

use crate::{
    sample::{self, ODD, OTHER, TENANT, agents, at, uuid},
    whole::{audit, llm_run, system_record},
};

testkit::on_both! {
    async fn the_audit_ledger_comes_back_as_it_went(db: TestDatabase) {
        let db = sample::store(db).await;
        let entries = [audit(TENANT, 0, Some(1)), audit(TENANT, 1, None), audit(TENANT, 2, Some(1)), audit(TENANT, 3, Some(2))];
        let tx = db.begin().await.expect("begin");
        tx.logs().insert_audit(&entries).await.expect("appended");
        let id: AuditId = entries[1].record.id.parse().expect("an id");
        assert_eq!(tx.logs().find_audit(TENANT, id).await.expect("found").as_ref(), Some(&entries[1]));
        assert_eq!(tx.logs().find_audit(OTHER, id).await.expect("not theirs"), None);
        let run = RunId(uuid(1));
        assert_eq!(tx.logs().get_governance_events(TENANT, run).await.expect("of run"), [entries[0].clone(), entries[2].clone()]);
        assert_eq!(tx.logs().get_governance_events(OTHER, run).await.expect("not theirs"), []);
        assert_eq!(tx.logs().audit_from(TENANT, 1, 2).await.expect("from"), entries[1..3]);
        assert_eq!(tx.logs().last_audit_at(TENANT).await.expect("newest"), Some(at(3)));
        assert_eq!(tx.logs().last_audit_at(OTHER).await.expect("none"), None);
        let runs = [1, 2, 404].map(|n| RunId(uuid(n)));
        let seqs = tx.logs().audit_run_seqs(TENANT, &runs).await.expect("seqs");
        assert_eq!(seqs, HashMap::from([(runs[0], 3), (runs[1], 4)]));
        assert_eq!(tx.logs().audit_run_seqs(OTHER, &runs).await.expect("not theirs"), HashMap::new());
        let same_place = AuditEntry { record: AuditRecord { id: AuditId(uuid(99)).to_string(), ..entries[1].record.clone() }, ..entries[1].clone() };
        assert!(matches!(tx.logs().insert_audit(&[same_place]).await, Err(StoreError::Conflict(_))));
    }

    async fn every_filter_of_the_audit_ledger_filters(db: TestDatabase) {
        let db = sample::store(db).await;
        let plain = audit(TENANT, 0, None);
        let other = AuditEntry {
            record: AuditRecord {
                event_type: AuditEventType::PolicyRuleCreated, entity_type: AuditEntityType::PolicyRule, entity_id: "rule_1".into(),
                actor_type: ActorType::Human, ..audit(TENANT, 1, Some(1)).record
            },
            ..audit(TENANT, 1, Some(1))
        };
        let tx = db.begin().await.expect("begin");
        tx.logs().insert_audit(&[plain.clone(), other.clone()]).await.expect("appended");
        let f = AuditFilter::default;
        let request = PageRequest::new(None, None, true).expect("a page");
        for filter in [
            AuditFilter { event_type: Some(AuditEventType::PolicyRuleCreated), ..f() },
            AuditFilter { entity_type: Some(AuditEntityType::PolicyRule), ..f() }, AuditFilter { entity_id: Some("rule_1".into()), ..f() },
            AuditFilter { actor_type: Some(ActorType::Human), ..f() }, AuditFilter { run_id: Some(RunId(uuid(1))), ..f() },
            AuditFilter { created_after: Some(at(0)), ..f() },
        ] {
            let page = tx.logs().list_audit(TENANT, &filter, &request).await.expect("listed");
            assert_eq!((&page.items[..], page.total), (std::slice::from_ref(&other), Some(1)), "{filter:?}");
            assert_eq!(tx.logs().count_audit(TENANT, &filter).await.expect("counted"), 1);
        }
        let before = AuditFilter { created_before: Some(at(1)), ..f() };
        assert_eq!(tx.logs().list_audit(TENANT, &before, &request).await.expect("listed").items, [plain.clone()]);
        assert_eq!(tx.logs().list_audit(TENANT, &f(), &request).await.expect("listed").items, [other, plain]);
        assert_eq!(tx.logs().list_audit(OTHER, &f(), &request).await.expect("not theirs").items, []);
    }

    async fn every_filter_of_the_calls_to_models_filters(db: TestDatabase) {
        let db = sample::store(db).await;
        let plain = llm_run(TENANT, 1, 0);
        let other = LlmRunRecord {
            provider: Some("openai".into()), model: Some("gpt-4o".into()), execution_status: ExecutionStatus::Failed, is_synthetic: true,
            created_at: at(7), ..llm_run(TENANT, 2, 0)
        };
        // Another step tells of the same call, so this one is none of its own.
        let told_twice = LlmRunRecord { created_at: at(9), ..llm_run(TENANT, 2, 1) };
        let tx = db.begin().await.expect("begin");
        tx.logs().insert_llm_runs(&[plain.clone(), other.clone(), told_twice.clone()], &agents()).await.expect("recorded");
        let uncounted = Uncounted {
            tenant: TENANT, run_id: told_twice.run_id, step_index: 1, told_by_index: 2, in_doubt: true, created_at: at(9),
        };
        tx.traces().insert_uncounted(&[uncounted]).await.expect("recorded");
        let f = LlmRunFilter::default;
        let request = PageRequest::new(None, None, true).expect("a page");
        for filter in [
            LlmRunFilter { run_id: Some(RunId(uuid(2))), ..f() }, LlmRunFilter { provider: Some("openai".into()), ..f() },
            LlmRunFilter { model: Some("gpt-4o".into()), ..f() }, LlmRunFilter { is_synthetic: Some(true), ..f() },
            LlmRunFilter { execution_status: Some(ExecutionStatus::Failed), ..f() }, LlmRunFilter { created_after: Some(at(3)), ..f() },
        ] {
            let page = tx.logs().list_llm_runs(TENANT, &filter, &request).await.expect("listed");
            assert_eq!((&page.items[..], page.total), (std::slice::from_ref(&other), Some(1)), "{filter:?}");
            assert_eq!(tx.logs().find_llm_runs(TENANT, &filter).await.expect("found"), page.items);
        }
        let before = LlmRunFilter { created_before: Some(at(7)), ..f() };
        assert_eq!(tx.logs().list_llm_runs(TENANT, &before, &request).await.expect("listed").items, [plain.clone()]);
        assert_eq!(tx.logs().list_llm_runs(TENANT, &f(), &request).await.expect("listed").items, [other, plain]);
        assert_eq!(tx.logs().list_llm_runs(OTHER, &f(), &request).await.expect("not theirs").items, []);
    }

    async fn llm_runs_and_system_records_come_back_as_they_went(db: TestDatabase) {
        let db = sample::store(db).await;
        let llm = [llm_run(TENANT, 1, 0), llm_run(TENANT, 1, 1)];
        let system = [system_record(TENANT, 1), system_record(TENANT, 2)];
        let own = system_record(TenantId::INSTALLATION, 3);
        let tx = db.begin().await.expect("begin");
        tx.logs().insert_llm_runs(&llm, &agents()).await.expect("recorded");
        tx.logs().insert_system_records(&system).await.expect("recorded");
        tx.logs().insert_system_records(std::slice::from_ref(&own)).await.expect("recorded");
        let run = RunId(uuid(1));
        assert_eq!(tx.logs().llm_runs_of_run(TENANT, run).await.expect("of run"), llm);
        assert_eq!(tx.logs().llm_runs_of_run(OTHER, run).await.expect("not theirs"), []);
        for (steps, due) in [(0..=0, &llm[..1]), (1..=7, &llm[1..]), (0..=u64::MAX, &llm[..]), (2..=7, &llm[2..])] {
            assert_eq!(tx.logs().llm_runs_of_steps(TENANT, run, steps).await.expect("of steps"), due);
        }
        assert_eq!(tx.logs().find_llm_run(TENANT, llm[1].id).await.expect("found"), Some(llm[1].clone()));
        assert_eq!(tx.logs().find_llm_run(OTHER, llm[1].id).await.expect("not theirs"), None);
        assert_eq!(tx.logs().system_records_of_correlation(TENANT, ODD).await.expect("found"), system);
        assert_eq!(tx.logs().system_records_of_correlation(OTHER, ODD).await.expect("not theirs"), []);
        assert_eq!(tx.logs().find_system_record(TenantId::INSTALLATION, own.id).await.expect("found"), Some(own.clone()));
        assert_eq!(tx.logs().find_system_record(TENANT, own.id).await.expect("not theirs"), None);
    }
}
