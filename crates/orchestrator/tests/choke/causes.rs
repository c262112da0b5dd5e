//! One open incident for one cause: runs join it, whichever replica they are at.

use futures::future::join_all;
use kit::Kit;
use models::{
    ids::RunId,
    incidents::{Incident, IncidentEventType, IncidentFilter, LifecycleState},
    page::{Page, PageRequest},
};
use orchestrator::{
    choke::call::EndRun,
    coordinators::run_evidence,
    handlers::{
        activity,
        incidents::{self, AffectedRun, Resolve},
    },
};
use proof::words::{EnforcementMode, IncidentRelation, Severity};
use testkit::{Store, TestDatabase, on_both};
use verify::Word;

use crate::agent::{Agent, llm, refused, tool};

/// All incidents of the tenant, newest first.
async fn all(agent: &Agent<'_>) -> Vec<Incident> {
    let page = PageRequest::new(Some(200), None, false).unwrap();
    incidents::list(&agent.kit.spine, &agent.admin, IncidentFilter::default(), page).await.unwrap().items
}

async fn only(agent: &Agent<'_>) -> Incident {
    let found = all(agent).await;
    let [one] = &found[..] else { panic!("one: {found:#?}") };
    one.clone()
}

/// All runs that it concerns.
async fn runs_of(agent: &Agent<'_>, incident: &Incident) -> Vec<AffectedRun> {
    let (mut found, mut page) = (Vec::new(), PageRequest::default());
    loop {
        let Page { items, next_cursor, .. } =
            incidents::runs(&agent.kit.spine, &agent.admin, incident.id, page).await.unwrap();
        found.extend(items);
        let Some(next) = next_cursor else { return found };
        page = PageRequest::from(next.place);
    }
}

async fn events(agent: &Agent<'_>, incident: &Incident) -> Vec<IncidentEventType> {
    let detail = incidents::get(&agent.kit.spine, &agent.admin, incident.id).await.unwrap();
    detail.timeline.iter().map(|event| event.event_type).collect()
}

/// A run whose call of the tool is refused, so many times.
async fn refused_in_a_run(agent: &Agent<'_>, times: usize) -> RunId {
    let run = agent.start().await;
    for _ in 0..times {
        refused(agent.record(run, tool("delete")).await);
    }
    run
}

async fn blocks(agent: &Agent<'_>) -> String {
    agent.rule_named("no delete", EnforcementMode::Block, "context.step.skill == \"delete\"").await
}

async fn fail(agent: &Agent<'_>, error: &str) -> RunId {
    let run = agent.start().await;
    let how = EndRun::Failed { error: Some(error.to_owned()) };
    activity::complete(&agent.kit.spine, &agent.ctx, run, how).await.unwrap();
    run
}

on_both! {
    async fn what_hits_many_runs_is_one_incident_and_the_worse_the_more(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        // It begins low, so that what makes it worse is how many runs it hits.
        fail(&agent, "timeout").await;
        assert_eq!(only(&agent).await.severity, Severity::Low);
        let how = || EndRun::Failed { error: Some("timeout".to_owned()) };
        for (runs, severity) in [(9, Severity::Low), (10, Severity::Medium), (49, Severity::Medium), (50, Severity::High),
            (199, Severity::High), (500, Severity::Critical)]
        {
            let started = only(&agent).await.affected_count;
            for chunk in (started..runs).collect::<Vec<_>>().chunks(25) {
                let one = async || {
                    let run = agent.start().await;
                    activity::complete(&kit.spine, &agent.ctx, run, how()).await.unwrap();
                };
                join_all(chunk.iter().map(|_| one())).await;
            }
            let incident = only(&agent).await;
            assert_eq!((incident.affected_count, incident.occurrences, incident.severity), (runs, runs, severity));
        }
        let incident = only(&agent).await;
        let runs = runs_of(&agent, &incident).await;
        assert_eq!(runs.len(), 500);
        let sources: Vec<RunId> =
            runs.iter().filter(|run| run.of.relation == IncidentRelation::Source).map(|run| run.run.id).collect();
        assert_eq!(sources, [incident.source_run_id.unwrap()]);
        assert_eq!(incident.agents, ["researcher"]);
        let told = events(&agent, &incident).await;
        let count = |of| told.iter().filter(|event| **event == of).count();
        assert_eq!(count(IncidentEventType::SeverityEscalated), 3);
        assert_eq!(count(IncidentEventType::Recurred), 50, "the last of them");
    }

    async fn repeats_in_a_run_are_occurrences_and_no_events(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let rule = blocks(&agent).await;
        let first = refused_in_a_run(&agent, 3).await;
        let incident = only(&agent).await;
        assert_eq!((incident.affected_count, incident.occurrences), (1, 3));
        assert_eq!(incident.cause_key, rule);
        assert_eq!(events(&agent, &incident).await, [IncidentEventType::Created]);
        let taken = incidents::acknowledge(&kit.spine, &agent.admin, incident.id, None).await.unwrap();

        let second = refused_in_a_run(&agent, 2).await;
        let joined = only(&agent).await;
        assert_eq!((joined.affected_count, joined.occurrences), (2, 5));
        assert_eq!((joined.lifecycle_state, &joined.acknowledged_by), (LifecycleState::Acked, &taken.acknowledged_by));
        let told = [IncidentEventType::Created, IncidentEventType::Acknowledged, IncidentEventType::Recurred];
        assert_eq!(events(&agent, &joined).await, told);
        let did: Vec<_> = runs_of(&agent, &joined).await.into_iter()
            .map(|run| (run.run.id, run.of.relation, run.of.occurrences, run.of.first_step_index))
            .collect();
        let expected = [(second, IncidentRelation::Affected, 2, Some(0)), (first, IncidentRelation::Source, 3, Some(0))];
        assert!(expected.iter().all(|of| did.contains(of)) && did.len() == 2, "{did:?}");
        for (run, relation) in [(first, IncidentRelation::Source), (second, IncidentRelation::Affected)] {
            let found = incidents::by_run(&kit.spine, &agent.admin, run).await.unwrap();
            assert_eq!(found.iter().map(|one| (one.incident.id, one.of.relation)).collect::<Vec<_>>(), [(joined.id, relation)]);
            let evidence = run_evidence::evidence(&kit.spine, &agent.admin, run).await.unwrap().0;
            assert_eq!(evidence.incidents_caused, found);
            assert_eq!(agent.run(run).await.incident_count, 1);
        }
    }

    async fn after_it_is_resolved_the_next_opens_another(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        blocks(&agent).await;
        let run = refused_in_a_run(&agent, 1).await;
        let first = only(&agent).await;
        incidents::resolve(&kit.spine, &agent.admin, first.id, Resolve::default()).await.unwrap();
        // By the same run, even.
        refused(agent.record(run, tool("delete")).await);
        let found = all(&agent).await;
        let [second, settled] = &found[..] else { panic!("two: {found:#?}") };
        assert_eq!((settled.id, settled.occurrences, settled.lifecycle_state), (first.id, 1, LifecycleState::Resolved));
        assert_eq!((second.recurrence_count, second.affected_count, second.source_run_id), (1, 1, Some(run)));
        assert_eq!(second.recurrence_signature, first.recurrence_signature);
        assert_eq!(agent.run(run).await.incident_count, 2);
        agent.complete(run).await.unwrap();
        let (report, bundle) = agent.verified(run).await;
        assert_eq!(report.word, Word::Complete, "{report}");
        assert_eq!(bundle["records"]["sealed"]["incidents"].as_array().map(Vec::len), Some(2));
    }

    async fn errors_that_say_the_same_are_one_cause(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let said = ["order 17 not found in /srv/a/db.py:12", "Order 9 not found in C:\\b\\db.py:977", "order 8f14e45f not found in ./x"];
        for error in said {
            fail(&agent, error).await;
        }
        assert_eq!(only(&agent).await.affected_count, 3);
        fail(&agent, "customer 17 not found in /srv/a/db.py:12").await;
        assert_eq!(all(&agent).await.len(), 2);
    }

    async fn a_run_that_joined_says_so_in_its_bundle(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        blocks(&agent).await;
        let [source, joined] = [refused_in_a_run(&agent, 1).await, refused_in_a_run(&agent, 2).await];
        let mut found = Vec::new();
        for (run, relation) in [(source, "SOURCE"), (joined, "AFFECTED")] {
            agent.complete(run).await.unwrap();
            let (report, bundle) = agent.verified(run).await;
            assert_eq!(report.word, Word::Complete, "{report}");
            let sealed = &bundle["records"]["sealed"];
            let record = &sealed["incidents"][0]["record"];
            let record = if record.is_null() { &sealed["incidents"][0] } else { record };
            assert_eq!(record["relation"], relation, "{record}");
            assert_eq!(record["run_id"], run.to_string());
            found.push(record["incident_id"].clone());
            let timeline = bundle["records"]["after"]["incidents"][0]["timeline"].to_string();
            assert!(!timeline.contains("recurred"), "other runs are no part of it: {timeline}");
        }
        assert_eq!(found[0], found[1]);
    }

    async fn causes_of_one_group_come_together(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        blocks(&agent).await;
        agent.rule_named("dear", EnforcementMode::Block, "context.step.cost_microusd > 500").await;
        let mut runs = Vec::new();
        for _ in 0..24 {
            runs.push(agent.start().await);
        }
        let call = |(n, run): (usize, &RunId)| {
            let report = if n.is_multiple_of(2) { tool("delete") } else { llm(600) };
            agent.record(*run, report)
        };
        for answer in join_all(runs.iter().enumerate().map(call)).await {
            refused(answer);
        }
        let found = all(&agent).await;
        assert_eq!(found.iter().map(|one| (one.affected_count, one.occurrences)).collect::<Vec<_>>(), [(12, 12), (12, 12)]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_meet_a_cause_at_the_same_time_make_one_incident() {
    let Some(db) = TestDatabase::migrated(Store::Postgres).await else { return };
    let (one, two) = (Kit::on(&db).await, Kit::replica(&db, 1).await);
    let (a, b) = (Agent::of(&one, "acme").await, Agent::of(&two, "acme").await);
    blocks(&a).await;
    let (of_a, of_b) = (a.start().await, b.start().await);
    // One has opened its incident and waits for the timeline; the other found none, opens its own, and waits for the
    // first.
    let stranger = db.stranger("LOCK TABLE incident_events IN SHARE MODE").await;
    let (first, second, ()) =
        futures::join!(a.record(of_a, tool("delete")), b.record(of_b, tool("delete")), async {
            db.until_blocked(2).await;
            stranger.let_go().await;
        },);
    refused(first);
    refused(second);
    let incident = only(&a).await;
    assert_eq!((incident.affected_count, incident.occurrences), (2, 2));
    let relations: Vec<_> = runs_of(&a, &incident).await.iter().map(|run| run.of.relation).collect();
    assert!(
        relations.contains(&IncidentRelation::Source) && relations.contains(&IncidentRelation::Affected),
        "{relations:?}"
    );

    // Many, of several causes at both.
    a.rule_named("dear", EnforcementMode::Block, "context.step.cost_microusd > 500").await;
    let mut runs = Vec::new();
    for n in 0..40 {
        runs.push(if n % 2 == 0 { a.start().await } else { b.start().await });
    }
    let call = |(n, run): (usize, &RunId)| {
        let agent = if n % 2 == 0 { &a } else { &b };
        let report = if n % 5 < 2 { tool("delete") } else { llm(600) };
        agent.record(*run, report)
    };
    for answer in join_all(runs.iter().enumerate().map(call)).await {
        refused(answer);
    }
    let found = all(&a).await;
    assert_eq!(found.len(), 2, "{found:#?}");
    assert_eq!(found.iter().map(|one| one.affected_count).sum::<u64>(), 42);
    for incident in &found {
        assert_eq!(runs_of(&a, incident).await.len() as u64, incident.affected_count);
    }
}
