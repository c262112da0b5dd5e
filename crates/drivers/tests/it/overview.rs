//! What waits for a decision, and what is added up.

use drivers::overview::{Pending, PendingCount, PendingDecision};
use models::{
    activity::Run,
    ids::{IncidentId, ProposalId},
    incidents::{Incident, LifecycleState},
    logs::{LlmRunRecord, SystemEventType, SystemRecord},
    overview::Period,
    page::{Page, PageRequest},
    policies::{Proposal, ProposalStatus},
};
use proof::words::Severity;

use crate::{
    sample::{self, MOST, ODD, OTHER, TENANT, agents, at, incident, run, uuid},
    whole::{llm_run, proposal, system_record},
};

fn waiting(about: Pending, priority: Severity, since: i64) -> PendingDecision {
    let (runs, agents) = match about {
        Pending::Incident(_) => (MOST, vec![String::new(), ODD.to_owned()]),
        Pending::Proposal(_) => (0, Vec::new()),
    };
    let more_agents = runs > 0;
    let created_at = at(since);
    PendingDecision {
        about,
        priority,
        summary: ODD.to_owned(),
        created_at,
        affected_count: runs,
        agents,
        more_agents,
    }
}

testkit::on_both! {
    async fn decisions_are_what_waits_the_most_urgent_first(db: TestDatabase) {
        let db = sample::store(db).await;
        let tx = db.begin().await.expect("begin");
        let critical = Incident { severity: Severity::Critical, ..incident(TENANT, 1, None) };
        let acked = Incident { lifecycle_state: LifecycleState::Acked, ..incident(TENANT, 3, None) };
        tx.incidents().insert_incidents(&[critical, incident(TENANT, 2, None), acked, incident(OTHER, 9, None)]).await.expect("incidents");
        let from_critical = Proposal { triggering_incident_id: Some(IncidentId(uuid(1))), ..proposal(TENANT, 4) };
        let rejected = Proposal { status: ProposalStatus::Rejected, ..proposal(TENANT, 5) };
        let same_moment = Proposal { created_at: at(2), ..proposal(TENANT, 6) };
        for proposal in [from_critical, rejected, same_moment] {
            tx.policies().insert_proposal(&proposal).await.expect("proposal");
        }
        tx.commit().await.expect("commit");

        let expected = [
            waiting(Pending::Incident(IncidentId(uuid(1))), Severity::Critical, 1),
            waiting(Pending::Proposal(ProposalId(uuid(4))), Severity::High, 4),
            waiting(Pending::Incident(IncidentId(uuid(2))), Severity::High, 2),
            waiting(Pending::Proposal(ProposalId(uuid(6))), Severity::Medium, 2),
        ];
        let read = db.read().await.expect("read");
        let mut seen = vec![];
        let mut cursor: Option<String> = None;
        loop {
            let request = PageRequest::new(Some(2), cursor.as_deref(), false).expect("a page");
            let Page { items, next_cursor, total, .. } = read.overview().decisions(TENANT, &request).await.expect("listed");
            assert_eq!(total, Some(4), "the total is always there");
            seen.extend(items);
            match next_cursor { Some(next) => cursor = Some(next.to_string()), None => break }
        }
        assert_eq!(seen, expected);
        let counts = read.overview().decision_counts(TENANT).await.expect("counted");
        assert_eq!(counts, [
            PendingCount { incidents: true, priority: Severity::Critical, count: 1 },
            PendingCount { incidents: true, priority: Severity::High, count: 1 },
            PendingCount { incidents: false, priority: Severity::High, count: 1 },
            PendingCount { incidents: false, priority: Severity::Medium, count: 1 },
        ]);
        assert_eq!(read.overview().decisions(OTHER, &PageRequest::default()).await.expect("theirs").total, Some(1));
    }

    async fn what_records_say_of_rejected_spans_is_added_up(db: TestDatabase) {
        let db = sample::store(db).await;
        // More than pages of a list would be read for it.
        let said = |tenant, n, spans: u64| SystemRecord {
            component: "ingest".to_owned(),
            event_type: SystemEventType::Error,
            details: Some(format!(r#"{{"reasons":["{{\"spans\":9}} \u0001"],"requests":1,"spans":{spans}}}"#)),
            ..system_record(tenant, n)
        };
        let mut records: Vec<_> = (10..4_510).map(|n| said(TENANT, n, 2)).collect();
        records.extend([said(TENANT, 1, 1_000), said(OTHER, 5_000, 7)]);
        records.push(SystemRecord { details: None, ..said(TENANT, 5_001, 0) });
        records.push(SystemRecord { component: "server".to_owned(), ..said(TENANT, 5_002, 3) });
        records.push(SystemRecord { event_type: SystemEventType::Startup, ..said(TENANT, 5_003, 3) });
        let tx = db.begin().await.expect("begin");
        tx.logs().insert_system_records(&records).await.expect("records");
        tx.commit().await.expect("commit");
        let read = db.read().await.expect("read");
        let of = async |tenant| read.overview().rejected_spans(tenant, "ingest", at(1)).await.expect("added up");
        assert_eq!((of(TENANT).await, of(OTHER).await), (9_000, 7));
        assert_eq!(read.overview().rejected_spans(TENANT, "ingest", at(9_000)).await.expect("none"), 0);
    }

    /// Two steps of the greatest cost that the door takes are no trouble, and neither are many.
    async fn what_was_spent_is_added_up_however_much_it_is(db: TestDatabase) {
        let db = sample::store(db).await;
        let tx = db.begin().await.expect("begin");
        tx.activity().insert_runs(&[run(TENANT, 1), run(OTHER, 2)]).await.expect("runs");
        let many: Vec<_> = (0..1_025).map(|n| llm_run(TENANT, 1, n)).collect();
        let few: Vec<_> = (0..3).map(|n| llm_run(OTHER, 2, n)).collect();
        let odd = LlmRunRecord { cost_nanousd: 7, input_tokens: (1 << 20) - 1, output_tokens: 0, ..llm_run(OTHER, 2, 3) };
        for records in [many, few, vec![odd]] {
            tx.logs().insert_llm_runs(&records, &agents()).await.expect("model calls");
        }
        tx.commit().await.expect("commit");
        let read = db.read().await.expect("read");
        let period = Period { from: at(0), until: at(100) };
        let of = async |tenant| {
            let overview = read.overview();
            let all = overview.spent(tenant, period).await.expect("all");
            let by_day = overview.spent_by_day(tenant, period).await.expect("by day").remove(0).1;
            let by_model = overview.spent_by_model(tenant, period, 9).await.expect("by model").remove(0).2;
            let by_agent = overview.spent_by_agent(tenant, period, 9).await.expect("by agent").remove(0).1;
            assert_eq!([by_day, by_model, by_agent], [all; 3]);
            (all.cost_nanousd, all.input_tokens, all.output_tokens, all.calls)
        };
        assert_eq!(of(TENANT).await, (1 << 62, 1 << 62, 1 << 62, 1_025), "no sum is more");
        let three = 3 * MOST;
        assert_eq!(of(OTHER).await, (three + 7, three + (1 << 20) - 1, three, 4), "and none is less");
    }

    async fn the_dearest_agents_are_those_of_all_days_hours_and_ends(db: TestDatabase) {
        let db = sample::store(db).await;
        let runs: Vec<Run> = (1..)
            .zip(["a", "b", "c", "d"])
            .map(|(n, agent)| Run { agent_id: agent.to_owned(), ..run(TENANT, n) })
            .collect();
        let agents = runs.iter().map(|run| (run.id, run.agent_id.clone())).collect();
        let day = 86_400;
        let call = |run: u128, n: u64, second: i64, cost_nanousd: u64| LlmRunRecord {
            cost_nanousd,
            created_at: at(second),
            ..llm_run(TENANT, run, n)
        };
        let calls = [
            // At the first end and on the whole day.
            call(1, 0, 1_800, 5),
            call(1, 1, day + 7, (1 << 20) + 5),
            // In a whole hour and at the last end.
            call(2, 0, 7_200, (1 << 20) + 6),
            call(2, 1, 2 * day + 100, 6),
            // As dear as the first, by one call.
            call(3, 0, day + 9, (1 << 20) + 10),
            // Before all of them.
            call(4, 0, 60, 1 << 30),
        ];
        let tx = db.begin().await.expect("begin");
        tx.activity().insert_runs(&runs).await.expect("runs");
        tx.logs().insert_llm_runs(&calls, &agents).await.expect("model calls");
        tx.commit().await.expect("commit");
        let read = db.read().await.expect("read");
        let period = Period { from: at(900), until: at(2 * day + 1_800) };
        let dearest = async |most| {
            let found = read.overview().spent_by_agent(TENANT, period, most).await.expect("by agent");
            found.into_iter().map(|(agent, spent)| (agent, spent.cost_nanousd, spent.calls)).collect::<Vec<_>>()
        };
        let all = [("b", 12, 2), ("a", 10, 2), ("c", 10, 1)]
            .map(|(agent, cost, calls)| (agent.to_owned(), (1 << 20) + cost, calls));
        assert_eq!(dearest(9).await, all);
        assert_eq!(dearest(2).await, all[..2]);
        let short = Period { from: at(1_000), until: at(2_000) };
        let found = read.overview().spent_by_agent(TENANT, short, 9).await.expect("of less than an hour");
        assert_eq!(found.iter().map(|(agent, spent)| (agent.as_str(), spent.cost_nanousd)).collect::<Vec<_>>(), [("a", 5)]);
    }
}
