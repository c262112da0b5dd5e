//! Incidents and their timelines.

use drivers::StoreError;
use models::{
    ids::{IncidentId, RunId},
    incidents::{
        Cause, Incident, IncidentCounts, IncidentEvent, IncidentEventType, IncidentFilter, IncidentRun,
        LifecycleState, ResolutionType, RunIncident,
    },
    page::PageRequest,
};
use proof::words::{CauseType, IncidentCategory, Severity};

use crate::{
    sample::{self, MOST, ODD, OTHER, TENANT, at, incident, incident_run, run, uuid},
    whole::event,
};

fn resolved(incident: Incident) -> Incident {
    Incident {
        severity: Severity::Critical,
        lifecycle_state: LifecycleState::Resolved,
        cost_impact_nanousd: 0,
        affected_count: 1,
        occurrences: 2,
        last_seen_at: at(19),
        agents: Vec::new(),
        more_agents: false,
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

    async fn one_cause_has_one_incident_that_is_open(db: TestDatabase) {
        let db = sample::store(db).await;
        let incidents = [incident(TENANT, 1, Some(1)), incident(TENANT, 2, None), resolved(incident(TENANT, 3, Some(2)))];
        opened(&db, &incidents).await;
        let tx = db.begin().await.expect("begin");
        let other = Cause { category: IncidentCategory::Threshold, cause_key: ODD.into() };
        let causes = [incidents[1].cause(), incidents[0].cause(), incidents[2].cause(), other];
        let open = [incidents[0].clone(), incidents[1].clone()];
        assert_eq!(tx.incidents().lock_open(TENANT, &causes).await.expect("locked"), open);
        assert_eq!(tx.incidents().lock_open(OTHER, &causes).await.expect("not theirs"), []);
        assert_eq!(tx.incidents().of_causes(TENANT, &causes).await.expect("found"), incidents);
        let counts = tx.incidents().counts_of_causes(TENANT, &causes).await.expect("counted");
        assert_eq!(counts, incidents.iter().map(|incident| (incident.cause(), 1)).collect());
        let ids = [2, 1, 9].map(|n| IncidentId(uuid(n)));
        assert_eq!(tx.incidents().lock_incidents(TENANT, &ids).await.expect("locked"), open);

        // One that is open stays the one; one that is resolved makes room.
        let again = |n: u128, of: &Incident| Incident {
            id: IncidentId(uuid(n)), cause_key: of.cause_key.clone(), ..incident(TENANT, n, None)
        };
        let more = [again(9, &incidents[2]), again(8, &incidents[0])];
        tx.incidents().open_missing(&more).await.expect("where there is none");
        let open = [incidents[0].clone(), incidents[1].clone(), more[0].clone()];
        assert_eq!(tx.incidents().lock_open(TENANT, &causes).await.expect("locked"), open);
        let counts = tx.incidents().counts_of_causes(TENANT, &causes[2..]).await.expect("counted");
        assert_eq!(counts, [(incidents[2].cause(), 2)].into());
        assert!(matches!(tx.incidents().insert_incidents(&more[1..]).await, Err(StoreError::Conflict(_))));
    }

    async fn whoever_locks_several_locks_them_in_one_order(db: TestDatabase) {
        let db = sample::store(db).await;
        let of = |n: u128, cause_key: &str| Incident { cause_key: cause_key.into(), ..incident(TENANT, n, None) };
        let incidents = [of(11, "b"), of(12, "a"), of(13, "c")];
        opened(&db, &incidents).await;
        let tx = db.begin().await.expect("begin");
        let by_cause = tx.incidents().lock_open(TENANT, &incidents.each_ref().map(Incident::cause)).await.expect("locked");
        assert_eq!(by_cause.iter().map(|one| one.cause_key.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
        let by_id = tx.incidents().lock_incidents(TENANT, &incidents.each_ref().map(|one| one.id)).await.expect("locked");
        assert_eq!(by_id, by_cause);
    }

    async fn what_runs_did_of_incidents_is_found_by_both(db: TestDatabase) {
        let db = sample::store(db).await;
        let incidents = [incident(TENANT, 1, Some(1)), incident(TENANT, 2, Some(1))];
        opened(&db, &incidents).await;
        let of = [incident_run(TENANT, 1, 1), incident_run(TENANT, 1, 2), incident_run(TENANT, 2, 1)];
        let tx = db.begin().await.expect("begin");
        tx.incidents().insert_runs(&of).await.expect("joined");
        let both = [2, 1].map(|n| RunId(uuid(n)));
        let found = [&of[0], &of[2], &of[1]].map(|of| RunIncident {
            incident: incidents[usize::from(of.incident_id != incidents[0].id)].clone(), of: of.clone(),
        });
        assert_eq!(tx.incident_runs().by_runs(TENANT, &both).await.expect("found"), found);
        assert_eq!(tx.incident_runs().by_run(TENANT, both[0]).await.expect("found"), found[2..]);
        assert_eq!(tx.incident_runs().by_run(OTHER, both[0]).await.expect("not theirs"), []);
        let page = PageRequest::new(Some(1), None, true).expect("a page");
        let first = tx.incident_runs().of_incident(TENANT, incidents[0].id, &page).await.expect("listed");
        assert_eq!((first.items, first.total), (vec![of[1].clone()], Some(2)));
        let next = PageRequest::from(first.next_cursor.expect("there is more").place);
        let next = tx.incident_runs().of_incident(TENANT, incidents[0].id, &next).await.expect("listed");
        assert_eq!((next.items, next.has_more), (vec![of[0].clone()], false));
        // Of what was hashed nothing changes.
        let again = IncidentRun { occurrences: 3, later_impact_nanousd: 8, last_at: at(10), ..of[0].clone() };
        let sent = IncidentRun { seq: None, note: None, cost_impact_nanousd: 0, first_at: at(99), ..again.clone() };
        tx.incidents().save_runs(&[sent]).await.expect("saved");
        assert_eq!(tx.incident_runs().of_runs(TENANT, &[both[1]]).await.expect("found")[0], again);
        assert!(matches!(tx.incidents().insert_runs(&of[..1]).await, Err(StoreError::Conflict(_))));
    }

    async fn a_timeline_is_in_order_and_as_long_as_is_asked(db: TestDatabase) {
        let db = sample::store(db).await;
        opened(&db, &[incident(TENANT, 1, None), incident(TENANT, 2, None)]).await;
        let recurred = |n| IncidentEvent { event_type: IncidentEventType::Recurred, ..event(TENANT, n, 1) };
        let events = [recurred(4), event(TENANT, 5, 1), recurred(6), recurred(7), event(TENANT, 8, 1), event(TENANT, 9, 2)];
        let tx = db.begin().await.expect("begin");
        let mut sent = events.to_vec();
        sent.reverse();
        tx.incidents().insert_events(&sent).await.expect("events");
        let of = IncidentId(uuid(1));
        assert_eq!(tx.incidents().events_of(TENANT, of, 50).await.expect("timeline"), events[..5]);
        assert_eq!(tx.incidents().events_of(TENANT, of, 2).await.expect("timeline"), events[1..5]);
        assert_eq!(tx.incidents().events_of(OTHER, of, 50).await.expect("not theirs"), []);
        let moves = [1, 4, 5].map(|n: usize| events[n].clone());
        assert_eq!(tx.incidents().moves_of_all(TENANT, &[of, IncidentId(uuid(2))]).await.expect("timelines"), moves);
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
