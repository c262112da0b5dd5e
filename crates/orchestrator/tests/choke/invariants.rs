//! The invariants of the seeds, each by its name.

use kit::Kit;
use models::{logs::AuditFilter, page::PageRequest};
use orchestrator::handlers::{incidents, logs, overview};
use proof::words::{AuditEventType, EnforcementMode};
use testkit::{Store, on_both};

use crate::agent::{Agent, llm, refused};

on_both! {
    async fn inv_overview_001(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.rule(EnforcementMode::Block, "context.step.cost_microusd > 10").await;
        let run = agent.start().await;
        refused(agent.record(run, llm(11)).await);
        let before = db.row_counts().await;
        assert!(before.keys().all(|table| !table.contains("overview")), "Overview owns no table");
        overview::highlights(&kit.spine, &agent.admin).await.unwrap();
        overview::decisions(&kit.spine, &agent.admin, PageRequest::default()).await.unwrap();
        overview::decisions_count(&kit.spine, &agent.admin).await.unwrap();
        overview::costs(&kit.spine, &agent.admin, None, None).await.unwrap();
        overview::costs_trend(&kit.spine, &agent.admin, None, None).await.unwrap();
        assert_eq!(db.row_counts().await, before, "Overview writes nothing");
    }

    async fn inv_overview_002(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.rule(EnforcementMode::Block, "context.step.cost_microusd > 10").await;
        let run = agent.start().await;
        refused(agent.record(run, llm(11)).await);
        assert!(!db.row_counts().await.contains_key("decisions"), "there is no such table");
        let pending = || overview::decisions(&kit.spine, &agent.admin, PageRequest::default());
        assert_eq!(pending().await.unwrap().total, Some(1));
        let found = incidents::by_run(&kit.spine, &agent.admin, run).await.unwrap();
        incidents::acknowledge(&kit.spine, &agent.admin, found[0].incident.id, None).await.unwrap();
        assert_eq!(pending().await.unwrap().total, Some(0), "it was the incident, and nothing else, that was pending");
    }

    async fn inv_logs_001(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.rule(EnforcementMode::Block, "context.step.cost_microusd > 10").await;
        let mut ways = vec![
            "UPDATE audit_ledger SET action_reason = 'another'",
            "DELETE FROM audit_ledger",
        ];
        if db.store() == Store::Postgres {
            ways.push("TRUNCATE audit_ledger");
        }
        for way in ways {
            assert!(db.tamper(way).await.is_err(), "{way}");
        }
        let page = logs::list_audit(&kit.spine, &agent.admin, AuditFilter::default(), PageRequest::default()).await.unwrap();
        assert_eq!(page.items.len(), 1);
        assert_eq!(page.items[0].record.action_reason, None);
    }

    async fn inv_logs_002(db: TestDatabase) {
        assert_eq!(AuditEventType::ALL.len(), 15, "closed (PIN-413, V1 lock): CONTRIBUTING.md says what to do where none fits");
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        agent.record(run, llm(1)).await.unwrap();
        agent.complete(run).await.unwrap();
        let page = logs::list_audit(&kit.spine, &agent.admin, AuditFilter::default(), PageRequest::default()).await.unwrap();
        assert!(page.items.is_empty(), "a run that keeps to the rules is no governance action");
        agent.rule(EnforcementMode::Block, "context.step.cost_microusd > 10").await;
        let columns = "tenant_id, run_id, id, entity_type, entity_id, actor_type, actor_id, action_reason, before_state, \
                       after_state, run_seq, correlation_id, created_at, leaf_hash";
        let forged = format!(
            "INSERT INTO audit_ledger ({columns}, event_type, leaf_index) \
             SELECT {columns}, 'StepWarned', leaf_index + 1 FROM audit_ledger"
        );
        assert!(db.tamper(&forged).await.is_err(), "no other event has a row");
    }
}
