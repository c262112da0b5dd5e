//! What is changed past HOC is found, and is an incident: one for each row, however often it is met.

use kit::Kit;
use models::{
    activity::RiskLevel,
    incidents::{Incident, IncidentFilter, LifecycleState, ResolutionType},
    page::PageRequest,
};
use orchestrator::{
    background::checker::Checker,
    choke::call::StartRun,
    handlers::{
        activity::{self, StepView},
        incidents::{self, Resolve},
    },
};
use proof::words::{Action, EnforcementMode, IncidentCategory, IntegrityStatus, Severity};
use testkit::{Store, TestDatabase, on_both};

use crate::agent::{Agent, llm, refused};

/// The types of two kinds of records.
const STEP: &str = "hoc/step/v1";
const DECISION: &str = "hoc/policy-decision/v1";

/// Changes rows as whoever owns the database can: without the triggers that keep them.
async fn change(db: &TestDatabase, table: &str, what: &str) {
    db.disarm(table).await;
    db.tamper(what).await.unwrap();
}

/// Reads everything again.
pub(crate) async fn pass(kit: &Kit, checker: &Checker) {
    kit.clock.advance(chrono::Duration::hours(2));
    while checker.tick(&kit.spine).await.unwrap() {}
}

pub(crate) async fn failures(agent: &Agent<'_>) -> Vec<Incident> {
    let filter =
        IncidentFilter { category: Some(IncidentCategory::IntegrityFailure), ..IncidentFilter::default() };
    let page = PageRequest::new(Some(100), None, false).unwrap();
    let mut found = incidents::list(&agent.kit.spine, &agent.admin, filter, page).await.unwrap().items;
    found.sort_by(|a, b| a.cause_key.cmp(&b.cause_key));
    found
}

on_both! {
    async fn a_changed_rule_refuses_and_is_one_incident(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let rule = agent.rule(EnforcementMode::Block, "context.step.cost_microusd > 500000").await;
        change(db, "policy_rules", "UPDATE policy_rules SET condition = 'false'").await;
        for _ in 0..2 {
            let request = StartRun { agent_id: "researcher".to_owned(), ..StartRun::default() };
            let verdict = refused(activity::start(&kit.spine, &agent.ctx, request).await).verdict;
            assert_eq!(verdict.deciding_policy_id.as_deref(), Some(rule.as_str()), "it fails closed");
            assert_eq!(failures(&agent).await.len(), 1, "whoever meets it tells of it, once");
        }
        let checker = Checker::default();
        pass(&kit, &checker).await;
        pass(&kit, &checker).await;
        let found = failures(&agent).await;
        assert_eq!(found.len(), 1, "{found:#?}");
        let incident = &found[0];
        assert_eq!((incident.severity, incident.affected_count, incident.occurrences), (Severity::Critical, 0, 1));
        assert_eq!(incident.policy_id.as_deref(), Some(rule.as_str()));
        assert_eq!(incident.cause_key, format!("policy_rules/{rule}"));
        assert_eq!(incident.source_run_id, None, "no run caused it");

        // Somebody says that it is mended, and it is not.
        let resolve = async |id, how| {
            let resolved = Resolve { resolution_type: Some(how), note: None };
            incidents::resolve(&kit.spine, &agent.admin, id, resolved).await.unwrap();
            pass(&kit, &checker).await;
            pass(&kit, &checker).await;
            failures(&agent).await
        };
        let found = resolve(incident.id, ResolutionType::Fixed).await;
        assert_eq!(found.len(), 2, "{found:#?}");
        let again = found.iter().find(|one| one.id != incident.id).unwrap();
        assert_eq!((again.lifecycle_state, again.recurrence_count), (LifecycleState::Active, 1));
        assert_eq!(again.recurrence_signature, incident.recurrence_signature);
        // Somebody knows, and leaves it so.
        let found = resolve(again.id, ResolutionType::AcceptedRisk).await;
        assert_eq!(found.iter().filter(|one| one.lifecycle_state != LifecycleState::Resolved).count(), 0, "{found:#?}");
    }

    async fn changed_records_are_found_row_by_row(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.rule(EnforcementMode::Block, "context.step.cost_microusd > 500000").await;
        let [sound, sealed, open] = [agent.start().await, agent.start().await, agent.start().await];
        for run in [sound, sealed, open] {
            agent.record(run, llm(1)).await.unwrap();
            refused(agent.record(run, llm(600_000)).await);
        }
        for run in [sound, sealed] {
            agent.complete(run).await.unwrap();
        }
        let checker = Checker::default();
        pass(&kit, &checker).await;
        assert_eq!(failures(&agent).await, [], "nothing was changed yet");

        let (of_sealed, of_open) = (sealed.to_string(), open.to_string());
        db.change_records(|record| {
            let mut record = record.clone();
            if record["type"] == STEP && record["run_id"] == of_sealed.as_str() && record["step_index"] == 0 {
                record["skill_name"] = "x".into();
            }
            if record["type"] == DECISION && record["run_id"] == of_open.as_str() && record["action"] == "BLOCK" {
                record["action"] = "WARN".into();
            }
            Some(record)
        })
        .await;
        change(db, "audit_ledger", "UPDATE audit_ledger SET actor_id = 'nobody' WHERE leaf_index = 0").await;
        change(db, "run_log", "UPDATE run_log SET leaf = replace(leaf, 'started_at\":\"20', 'started_at\":\"19') WHERE leaf_index = 0").await;
        pass(&kit, &checker).await;
        pass(&kit, &checker).await;
        let found = failures(&agent).await;
        let mut told: Vec<String> = found.iter().map(|incident| incident.cause_key.clone()).collect();
        let mut due = vec!["log/audit".to_owned(), "log/runs".to_owned(), format!("runs/{sealed}"), format!("runs/{open}")];
        // The first run's own leaf is one of its proof too.
        due.push(format!("runs/{sound}"));
        told.sort();
        due.sort();
        assert_eq!(told, due);
        let of_sealed = found.iter().find(|incident| incident.source_run_id == Some(sealed)).unwrap();
        assert!(of_sealed.description.contains("step 1 does not follow the one before it"), "{}", of_sealed.description);
        let run = activity::get(&kit.spine, &agent.admin, sealed).await.unwrap();
        assert_eq!((run.integrity_status, run.risk_level), (IntegrityStatus::Failed, RiskLevel::Violated));
        assert_eq!(run.incident_count, 2, "the rule's and this");
    }

    async fn a_proof_that_fails_opens_the_incident(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        agent.record(run, llm(1)).await.unwrap();
        agent.complete(run).await.unwrap();
        db.change_records(|record| {
            let mut record = record.clone();
            if record["type"] == STEP {
                record["skill_name"] = "x".into();
            }
            Some(record)
        })
        .await;
        for _ in 0..2 {
            let proof = orchestrator::coordinators::run_proof::proof(&kit.spine, &agent.admin, run, false).await.unwrap();
            assert!(proof.integrity.failure_reason.is_some());
        }
        let found = failures(&agent).await;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].source_run_id, Some(run));
    }

    async fn what_could_not_be_told_is_told_later(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.rule(EnforcementMode::Block, "context.step.cost_microusd > 500000").await;
        change(db, "policy_rules", "UPDATE policy_rules SET condition = 'false'").await;
        let (taken, free) = match db.store() {
            Store::Sqlite => (
                "CREATE TRIGGER taken BEFORE INSERT ON incidents WHEN NEW.category = 'INTEGRITY_FAILURE' BEGIN
                     SELECT RAISE(ABORT, 'taken'); END",
                "DROP TRIGGER taken",
            ),
            Store::Postgres => (
                "CREATE FUNCTION taken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                     RAISE EXCEPTION 'taken' USING ERRCODE = 'unique_violation'; END $$;
                 CREATE TRIGGER taken BEFORE INSERT ON incidents FOR EACH ROW
                     WHEN (NEW.category = 'INTEGRITY_FAILURE') EXECUTE FUNCTION taken()",
                "DROP TRIGGER taken ON incidents",
            ),
        };
        db.tamper(taken).await.unwrap();
        let start = async || {
            let request = StartRun { agent_id: "researcher".to_owned(), ..StartRun::default() };
            refused(activity::start(&kit.spine, &agent.ctx, request).await)
        };
        // By the third, what is in force is known here, and is not read again.
        for _ in 0..3 {
            start().await;
            assert_eq!(failures(&agent).await, [], "it cannot be told of");
        }
        db.tamper(free).await.unwrap();
        start().await;
        let found = failures(&agent).await;
        assert_eq!((found.len(), found[0].occurrences), (1, 1), "{found:#?}");
    }

    async fn of_a_step_whose_decision_is_gone_no_verdict_is_made_up(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.rule(EnforcementMode::Block, "context.step.cost_microusd > 500000").await;
        let run = agent.start().await;
        for _ in 0..2 {
            refused(agent.record(run, llm(600_000)).await);
        }
        agent.record(run, llm(1)).await.unwrap();
        let told = async || {
            let steps = activity::steps(&kit.spine, &agent.admin, run, PageRequest::default()).await.unwrap();
            let of = |step: StepView| (step.action, step.fired.map(|fired| fired.len()));
            steps.items.into_iter().map(of).collect::<Vec<_>>()
        };
        let block = Some(Action::Block);
        assert_eq!(told().await, [(block, Some(1)), (block, Some(1)), (Some(Action::Allow), Some(0))]);
        db.change_records(|record| {
            let mut record = record.clone();
            match record["step_index"].as_u64().filter(|_| record["type"] == DECISION) {
                Some(0) => record["fired"] = "x".into(),
                Some(1) => return None,
                _ => {}
            }
            Some(record)
        })
        .await;
        assert_eq!(told().await, [(block, None), (None, None), (Some(Action::Allow), Some(0))]);
    }

    async fn a_leaf_that_is_gone_is_found(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.rule(EnforcementMode::Block, "context.step.cost_microusd > 500000").await;
        agent.rule(EnforcementMode::Warn, "context.step.cost_microusd > 400000").await;
        change(db, "audit_ledger", "DELETE FROM audit_ledger WHERE leaf_index = 1").await;
        pass(&kit, &Checker::default()).await;
        let found = failures(&agent).await;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].cause_key, "log/audit");
        assert!(found[0].description.contains("it is gone"), "{}", found[0].description);
    }
}
