//! Overview: what it shows is what the other domains have, and it writes nothing.

use kit::Kit;
use models::{account::Role, page::PageRequest};
use orchestrator::{
    background::sweeper,
    handlers::{
        activity, incidents,
        overview::{self, DecisionType, EntityType, Priority, PulseStatus, SourceDomain},
    },
};
use proof::words::{EnforcementMode, RunStatus, TerminationReason};
use testkit::on_both;

use crate::agent::{Agent, llm, refused};

on_both! {
    async fn the_pulse_follows_what_happens(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let (spine, admin) = (&kit.spine, &agent.admin);
        let calm = overview::highlights(spine, admin).await.unwrap();
        assert_eq!((calm.pulse.status, calm.pulse.live_runs, calm.last_activity_at), (PulseStatus::Healthy, 0, None));

        agent.budget("month", 100).await;
        let run = agent.start().await;
        refused(agent.record(run, llm(200)).await);
        let spent = overview::highlights(spine, admin).await.unwrap();
        assert_eq!((spent.pulse.status, spent.pulse.recent_breaches), (PulseStatus::AttentionNeeded, 1));
        assert_eq!((spent.pulse.live_runs, spent.last_activity_at), (1, Some(spine.now())));

        kit.clock.advance(chrono::Duration::hours(25));
        let over = overview::highlights(spine, admin).await.unwrap();
        assert_eq!((over.pulse.status, over.pulse.recent_breaches), (PulseStatus::Healthy, 0), "a breach is recent for a day");

        agent.rule(EnforcementMode::Kill, "context.step.cost_microusd > 500000").await;
        let run = agent.start().await;
        refused(agent.record(run, llm(600_000)).await);
        let bad = overview::highlights(spine, admin).await.unwrap();
        assert_eq!((bad.pulse.status, bad.pulse.active_incidents), (PulseStatus::Critical, 1));
        assert_eq!(bad.pulse.pending_decisions, 1);
        let lines: Vec<_> = bad.domain_counts.iter().map(|line| (line.domain, line.total, line.pending, line.critical)).collect();
        assert_eq!(lines, [("Activity", 2, 1, 1), ("Incidents", 1, 1, 1), ("Policies", 0, 0, 1)]);

        let waiting = overview::decisions(spine, admin, PageRequest::default()).await.unwrap();
        assert_eq!((waiting.total, waiting.has_more), (Some(bad.pulse.pending_decisions), false));
        let one = &waiting.items[0];
        assert_eq!((one.source_domain, one.entity_type), (SourceDomain::Incident, EntityType::Incident));
        assert_eq!((one.decision_type, one.priority), (DecisionType::Ack, Priority::Critical));
        let counts = overview::decisions_count(spine, admin).await.unwrap();
        assert_eq!((counts.total, counts.by_domain[&SourceDomain::Policy]), (1, 0));

        incidents::acknowledge(spine, admin, one.entity_id.parse().unwrap(), None).await.unwrap();
        let taken = overview::highlights(spine, admin).await.unwrap();
        assert_eq!((taken.pulse.active_incidents, taken.pulse.pending_decisions), (0, 0), "ACKED waits for nobody");
        let stranger = kit.caller("other", Role::Viewer).await;
        let elsewhere = overview::highlights(spine, &stranger).await.unwrap();
        assert_eq!(elsewhere.domain_counts.iter().map(|line| line.total).sum::<u64>(), 0);
    }

    async fn a_run_that_nobody_ends_is_ended(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.rule(EnforcementMode::Stop, "context.step.cost_microusd > 500000").await;
        let (stopped, silent) = (agent.start().await, agent.start().await);
        refused(agent.record(stopped, llm(600_000)).await);
        assert_eq!(sweeper::tick(&kit.spine).await.unwrap(), 0, "nothing is due yet");
        kit.clock.advance(chrono::Duration::seconds(61));
        assert_eq!(sweeper::tick(&kit.spine).await.unwrap(), 1, "the stopped run's grace is over");
        let run = activity::get(&kit.spine, &agent.admin, stopped).await.unwrap();
        assert_eq!((run.status, run.completed_at), (RunStatus::Halted, Some(kit.spine.now())));
        kit.clock.advance(chrono::Duration::hours(1));
        assert_eq!(sweeper::tick(&kit.spine).await.unwrap(), 1, "nothing was heard of the other");
        let run = activity::get(&kit.spine, &agent.admin, silent).await.unwrap();
        assert_eq!((run.status, run.termination_reason), (RunStatus::Aborted, Some(TerminationReason::Abandoned)));
        assert_eq!(sweeper::tick(&kit.spine).await.unwrap(), 0, "once");
    }
}
