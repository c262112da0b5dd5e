//! What waits for a decision.

use drivers::overview::{Pending, PendingCount, PendingDecision};
use models::{
    ids::{IncidentId, ProposalId},
    incidents::{Incident, LifecycleState},
    logs::{SystemEventType, SystemRecord},
    page::{Page, PageRequest},
    policies::{Proposal, ProposalStatus},
};
use proof::words::Severity;

use crate::{
    sample::{self, MOST, ODD, OTHER, TENANT, at, incident, uuid},
    whole::{proposal, system_record},
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
}
