//! Incidents and their timelines.

use drivers::StoreError;
use models::{
    ids::{IncidentId, RunId},
    incidents::{Cause, Incident, IncidentCounts, IncidentFilter, LifecycleState, ResolutionType, run_key},
    page::PageRequest,
};
use proof::words::{CauseType, IncidentCategory, Severity};

use crate::{
    sample::{self, MOST, ODD, OTHER, TENANT, at, incident, run, uuid},
    whole::event,
};

fn resolved(incident: Incident) -> Incident {
    Incident {
        severity: Severity::Critical,
        lifecycle_state: LifecycleState::Resolved,
        later_impact_microusd: 0,
        affected_count: 1,
        similar_incident_group_id: None,
        acknowledged_at: Some(at(20)),
        acknowledged_by: Some(ODD.into()),
        resolved_at: Some(at(21)),
        resolved_by: Some(String::new()),
        resolution_type: Some(ResolutionType::ManualClosure),
        resolution_notes: Some(ODD.into()),
        escalated_at: None,
        updated_at: at(22),
        ..incident
    }
}

async fn opened(db: &drivers::Db, incidents: &[Incident]) {
    let tx = db.begin().await.expect("begin");
    tx.activity().insert_runs(&[run(TENANT, 1), run(TENANT, 2)]).await.expect("runs");
    tx.incidents().insert_incidents(incidents).await.expect("incidents");
    tx.commit().await.expect("commit");
}

testkit::on_both! {
    async fn incidents_come_back_as_they_went_and_change_where_they_may(db: TestDatabase) {
        let db = sample::store(db).await;
        let incidents = [incident(TENANT, 1, Some(1)), incident(TENANT, 2, None)];
        opened(&db, &incidents).await;
        let tx = db.begin().await.expect("begin");
        let ids = [2, 1, 404].map(|n| IncidentId(uuid(n)));
        assert_eq!(tx.incidents().find_incidents(TENANT, &ids).await.expect("found"), incidents);
        assert_eq!(tx.incidents().lock_incident(TENANT, ids[0]).await.expect("locked").as_ref(), Some(&incidents[1]));
        let changed: Vec<Incident> = incidents.iter().cloned().map(resolved).collect();
        let sent: Vec<Incident> = changed.iter().cloned().map(|i| Incident { title: "x".into(), created_at: at(99), ..i }).collect();
        tx.incidents().save_incidents(&sent).await.expect("saved");
        assert_eq!(tx.incidents().find_incidents(TENANT, &ids).await.expect("found"), changed);
        assert_eq!(tx.incidents().find_incident(OTHER, ids[0]).await.expect("not theirs"), None);
        assert_eq!(tx.incidents().lock_incident(OTHER, ids[0]).await.expect("not theirs"), None);
        let stolen = Incident { tenant: OTHER, ..changed[0].clone() };
        assert!(matches!(tx.incidents().save_incidents(&[stolen]).await, Err(StoreError::RowsAffected { actual: 0, .. })));
    }

    async fn one_cause_has_one_incident(db: TestDatabase) {
        let db = sample::store(db).await;
        let incidents = [incident(TENANT, 1, Some(1)), incident(TENANT, 2, None), incident(TENANT, 3, Some(2))];
        opened(&db, &incidents).await;
        let tx = db.begin().await.expect("begin");
        let other = Cause { run_key: run_key(None), category: IncidentCategory::Threshold, cause_key: ODD.into() };
        let causes = [incidents[1].cause(), incidents[0].cause(), other];
        let by_cause = [incidents[1].clone(), incidents[0].clone()];
        assert_eq!(tx.incidents().lock_by_causes(TENANT, &causes).await.expect("locked"), by_cause);
        assert_eq!(tx.incidents().lock_by_causes(OTHER, &causes).await.expect("not theirs"), []);
        let runs = [2, 1].map(|n| RunId(uuid(n)));
        let of_runs = [incidents[0].clone(), incidents[2].clone()];
        assert_eq!(tx.incidents().lock_by_runs(TENANT, &runs).await.expect("locked"), of_runs);
        assert_eq!(tx.incident_runs().by_runs(TENANT, &runs).await.expect("found"), of_runs);
        assert_eq!(tx.incident_runs().by_run(TENANT, runs[0]).await.expect("found"), of_runs[1..]);
        assert_eq!(tx.incident_runs().by_run(OTHER, runs[0]).await.expect("not theirs"), []);
        let again = Incident { id: IncidentId(uuid(9)), seq: Some(9), ..incidents[0].clone() };
        assert!(matches!(tx.incidents().insert_incidents(&[again]).await, Err(StoreError::Conflict(_))));
    }

    async fn a_timeline_is_in_order(db: TestDatabase) {
        let db = sample::store(db).await;
        opened(&db, &[incident(TENANT, 1, None), incident(TENANT, 2, None)]).await;
        let events = [event(TENANT, 5, 1), event(TENANT, 6, 1), event(TENANT, 7, 2)];
        let tx = db.begin().await.expect("begin");
        tx.incidents().insert_events(&[events[1].clone(), events[2].clone(), events[0].clone()]).await.expect("events");
        let of = IncidentId(uuid(1));
        assert_eq!(tx.incidents().events_of(TENANT, of).await.expect("timeline"), events[..2]);
        assert_eq!(tx.incidents().events_of(OTHER, of).await.expect("not theirs"), []);
    }

    async fn the_list_has_its_filters_and_overview_its_counts(db: TestDatabase) {
        let db = sample::store(db).await;
        let active = incident(TENANT, 1, None);
        let acked = Incident {
            lifecycle_state: LifecycleState::Acked, severity: Severity::Critical, category: IncidentCategory::RateLimit,
            cause_type: CauseType::System, is_synthetic: false, ..incident(TENANT, 2, None)
        };
        let over = resolved(incident(TENANT, 3, None));
        let critical = Incident { severity: Severity::Critical, ..incident(TENANT, 4, None) };
        opened(&db, &[active.clone(), acked.clone(), over.clone(), critical.clone()]).await;
        let tx = db.read().await.expect("read");
        let f = IncidentFilter::default;
        let topic = vec![LifecycleState::Active, LifecycleState::Acked];
        for (filter, expected) in [
            (f(), vec![&critical, &over, &acked, &active]),
            (IncidentFilter { lifecycle_states: topic, ..f() }, vec![&critical, &acked, &active]),
            (IncidentFilter { severity: Some(Severity::Critical), ..f() }, vec![&critical, &over, &acked]),
            (IncidentFilter { category: Some(IncidentCategory::RateLimit), ..f() }, vec![&acked]),
            (IncidentFilter { cause_type: Some(CauseType::System), ..f() }, vec![&acked]),
            (IncidentFilter { is_synthetic: Some(true), ..f() }, vec![&critical, &over, &active]),
            (IncidentFilter { created_after: Some(at(2)), created_before: Some(at(4)), ..f() }, vec![&over]),
        ] {
            let request = PageRequest::new(None, None, true).expect("a page");
            let page = tx.incidents().list(TENANT, &filter, &request).await.expect("listed");
            assert_eq!(page.items.iter().collect::<Vec<_>>(), expected, "{filter:?}");
            assert_eq!(page.total, Some(expected.len() as u64));
            assert_eq!(tx.incidents().count(TENANT, &filter).await.expect("counted"), expected.len() as u64);
        }
        let counts = tx.incidents().counts(TENANT).await.expect("counted");
        assert_eq!(counts, IncidentCounts { total: 4, active: 2, active_critical: 1, active_critical_or_high: 2 });
        let by = tx.incidents().active_by_severity(TENANT).await.expect("counted");
        assert_eq!(by.len(), 2);
        assert_eq!(tx.incidents().counts(OTHER).await.expect("none"), IncidentCounts::default());
        assert_eq!(active.affected_count, MOST);
    }
}
