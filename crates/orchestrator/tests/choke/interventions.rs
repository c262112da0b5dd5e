//! Kills and freezes by people: what they stop, what they leave behind, and what is claimed of their effect.

use kit::Kit;
use models::{
    activity::{AckVia, Freeze, InterventionFilter, InterventionOutcome, LatencyBucket, RiskLevel, RunState},
    ids::RunId,
    logs::AuditFilter,
    page::PageRequest,
};
use orchestrator::{
    Error,
    choke::call::{Killed, StartRun},
    errors::ConflictCode,
    handlers::{
        activity::{self, InterventionView},
        logs, policies,
    },
};
use proof::words::{Action, EnforcementMode, HaltReason, InterventionKind, RunStatus, TerminationReason};
use testkit::on_both;

use crate::agent::{Agent, ask, keyed, llm, refused, tool};

impl Agent<'_> {
    async fn kill(&self, run: RunId) -> Killed {
        let reason = Some("it mails customers".to_owned());
        activity::kill(&self.kit.spine, &self.admin, run, reason).await.unwrap()
    }

    async fn freeze(&self, agent: Option<&str>) -> policies::FreezeView {
        let reason = "under review".to_owned();
        policies::freeze(&self.kit.spine, &self.admin, agent.map(str::to_owned), reason).await.unwrap()
    }

    async fn unfreeze(&self, agent: Option<&str>) {
        policies::unfreeze(&self.kit.spine, &self.admin, agent.map(str::to_owned), None).await.unwrap();
    }

    async fn interventions(&self, run: RunId) -> Vec<InterventionView> {
        activity::interventions(&self.kit.spine, &self.admin, run).await.unwrap()
    }

    async fn freezes(&self) -> Vec<policies::FreezeView> {
        policies::list_freezes(&self.kit.spine, &self.admin, PageRequest::default()).await.unwrap().items
    }

    async fn audit_rows(&self) -> usize {
        let page = PageRequest::default();
        logs::list_audit(&self.kit.spine, &self.admin, AuditFilter::default(), page)
            .await
            .unwrap()
            .items
            .len()
    }

    /// A run that is to take no more than a second.
    async fn quick(&self) -> RunId {
        let request = StartRun {
            agent_id: "researcher".to_owned(),
            expected_latency_ms: Some(1_000),
            ..StartRun::default()
        };
        activity::start(&self.kit.spine, &self.ctx, request).await.unwrap().run.id
    }

    async fn start_as(&self, agent_id: &str) -> Result<RunId, Error> {
        let request = StartRun { agent_id: agent_id.to_owned(), ..StartRun::default() };
        activity::start(&self.kit.spine, &self.ctx, request).await.map(|started| started.run.id)
    }
}

on_both! {
    async fn a_kill_seals_at_once_and_claims_what_is_known(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        agent.record(run, llm(1)).await.unwrap();
        let before = agent.audit_rows().await;

        let killed = agent.kill(run).await;
        assert_eq!(killed.intervention.outcome, InterventionOutcome::Unacked, "nobody has told the agent");
        assert_eq!((killed.run.status, killed.run.state), (RunStatus::Halted, RunState::Completed));
        assert_eq!(killed.run.termination_reason, Some(TerminationReason::UserAbort));
        assert_eq!(agent.audit_rows().await, before, "no canonical event");

        kit.clock.advance(chrono::Duration::milliseconds(250));
        let told = agent.record(run, llm(1)).await.unwrap_err();
        assert!(matches!(told, Error::RunKilled { .. }), "{told}");
        kit.clock.advance(chrono::Duration::milliseconds(250));
        for late in [
            agent.record(run, llm(1)).await.map(drop),
            agent.permit(run, ask("get_weather")).await.map(drop),
            agent.complete(run).await.map(drop),
        ] {
            assert!(matches!(late, Err(Error::RunKilled { .. })), "{late:?}");
        }
        assert_eq!(agent.run(run).await.step_count, 1, "nothing of it is stored");

        let known = agent.interventions(run).await;
        assert_eq!(known.len(), 1);
        assert_eq!(known[0].outcome, InterventionOutcome::Acked);
        assert_eq!(known[0].intervention, killed.intervention, "what was asked stays as it was");
        let ack = known[0].ack.clone().unwrap();
        let waited = ack.acked_at - killed.intervention.requested_at;
        assert_eq!((ack.via, waited.num_milliseconds()), (AckVia::Call, 250), "the first answer told it");
    }

    async fn a_run_is_not_slow_for_having_waited_to_be_killed(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.rule(EnforcementMode::Stop, "context.step.skill == \"delete\"").await;
        let (killed, stopped, slow) = (agent.quick().await, agent.quick().await, agent.quick().await);
        for run in [killed, slow] {
            agent.record(run, llm(1)).await.unwrap();
        }
        refused(agent.record(stopped, tool("delete")).await);
        let (spine, admin) = (&kit.spine, &agent.admin);
        let stands = |run| async move {
            let run = activity::get(spine, admin, run).await.unwrap();
            (run.state, run.latency_bucket, run.risk_level)
        };
        let (_, _, violated) = stands(stopped).await;
        kit.clock.advance(chrono::Duration::milliseconds(9_000));
        agent.record(slow, llm(1)).await.unwrap();
        agent.kill(killed).await;
        agent.complete(stopped).await.unwrap();
        let ended = RunState::Completed;
        assert_eq!(stands(killed).await, (ended, LatencyBucket::Ok, RiskLevel::Normal));
        assert_eq!(stands(stopped).await, (ended, LatencyBucket::Ok, violated));
        // What it took itself still tells.
        agent.kill(slow).await;
        assert_eq!(stands(slow).await, (ended, LatencyBucket::Stalled, RiskLevel::AtRisk));
    }

    async fn only_its_own_agent_confirms_a_kill(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        agent.kill(run).await;
        let somebody = activity::record(&kit.spine, &agent.admin, run, llm(1)).await.unwrap_err();
        assert!(matches!(somebody, Error::RunKilled { .. }), "{somebody}");
        assert_eq!(agent.interventions(run).await[0].outcome, InterventionOutcome::Unacked);
    }

    async fn a_kill_of_what_has_ended_says_so_and_does_nothing(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        let sealed = agent.complete(run).await.unwrap();
        let killed = agent.kill(run).await;
        assert_eq!((killed.intervention.outcome, killed.intervention.effective_at), (InterventionOutcome::Ended, None));
        assert_eq!(killed.run, sealed);
        let again = agent.start().await;
        agent.kill(again).await;
        assert_eq!(agent.kill(again).await.intervention.outcome, InterventionOutcome::Ended);
        let outcomes: Vec<_> = agent.interventions(again).await.iter().map(|view| view.outcome).collect();
        assert_eq!(outcomes, [InterventionOutcome::Ended, InterventionOutcome::Unacked]);
    }

    async fn a_freeze_refuses_until_it_is_lifted(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let (run, idle) = (agent.start().await, agent.start().await);
        let other = agent.start_as("writer").await.unwrap();
        let before = agent.audit_rows().await;
        let frozen = agent.freeze(Some("researcher")).await;
        assert_eq!((frozen.live_runs, frozen.unacked_runs, frozen.outcome), (2, 2, InterventionOutcome::Unacked));

        let none = agent.start_as("researcher").await.unwrap_err();
        assert!(matches!(none, Error::Conflict { code: ConflictCode::AgentFrozen, .. }), "{none}");
        agent.record(other, llm(1)).await.unwrap();

        let halted = refused(agent.record(run, llm(7)).await);
        assert_eq!((halted.verdict.action, halted.run_status), (Action::Block, RunStatus::Running));
        assert_eq!(halted.verdict.halt_reason, Some(HaltReason::PolicyStop));
        let met = halted.verdict.intervention.clone().unwrap();
        assert_eq!(met.kind, InterventionKind::Freeze);
        assert_eq!((met.reason.as_deref(), met.actor_id.as_deref()), (Some("under review"), Some(agent.admin.actor_id.as_str())));
        assert_eq!(halted.verdict.deciding_policy_id, Some(met.intervention_id.clone()));
        let asked = refused(agent.permit(run, ask("get_weather")).await);
        assert_eq!(asked.verdict.intervention, halted.verdict.intervention);
        let after = agent.run(run).await;
        assert_eq!((after.step_count, after.refused_count, after.cost_nanousd), (0, 2, 7_000));
        assert!(!after.policy_violation && after.incident_count == 0, "no rule was broken");

        let now = agent.freezes().await;
        assert_eq!((now[0].runs_met, now[0].unacked_runs, now[0].outcome), (1, 1, InterventionOutcome::Unacked));
        refused(agent.record(idle, tool("get_weather")).await);
        assert_eq!(agent.freezes().await[0].outcome, InterventionOutcome::Acked);

        agent.unfreeze(Some("researcher")).await;
        assert!(agent.freezes().await.is_empty());
        assert_eq!(agent.record(run, llm(1)).await.unwrap().step_index, 2);
        agent.start_as("researcher").await.unwrap();
        assert_eq!(agent.audit_rows().await, before, "no canonical event");
        let known = agent.interventions(run).await;
        assert_eq!((known.len(), known[0].outcome), (1, InterventionOutcome::Acked), "one, however often it was met");
    }

    async fn a_repeat_of_what_a_freeze_refused_is_told_the_same(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        agent.freeze(None).await;
        let first = refused(agent.record(run, keyed("k", llm(1))).await);
        agent.unfreeze(None).await;
        assert_eq!(refused(agent.record(run, keyed("k", llm(1))).await), first);
    }

    async fn a_tenants_freeze_holds_for_all_its_agents_and_for_no_other_tenant(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let other = Agent::of(&kit, "other").await;
        let run = agent.start().await;
        agent.freeze(None).await;
        let twice = policies::freeze(&kit.spine, &agent.admin, None, "again".to_owned()).await.unwrap_err();
        assert!(matches!(twice, Error::Conflict { code: ConflictCode::AlreadyFrozen, .. }), "{twice}");
        refused(agent.record(run, llm(1)).await);
        let told_all = |err: Error| matches!(err, Error::Conflict { code: ConflictCode::TenantFrozen, .. });
        assert!(told_all(agent.start_as("anybody").await.unwrap_err()));
        // An agent that is frozen by itself as well is told what lifting its own freeze would not change.
        agent.freeze(Some("anybody")).await;
        assert!(told_all(agent.start_as("anybody").await.unwrap_err()));
        agent.unfreeze(None).await;
        let own = agent.start_as("anybody").await.unwrap_err();
        assert!(matches!(own, Error::Conflict { code: ConflictCode::AgentFrozen, .. }), "{own}");
        agent.freeze(None).await;
        let theirs = other.start().await;
        other.record(theirs, llm(1)).await.unwrap();
        let none = policies::unfreeze(&kit.spine, &other.admin, None, None).await.unwrap_err();
        assert!(matches!(none, Error::NotFound { .. }), "{none}");
    }

    async fn a_freeze_of_a_name_that_was_kept_in_another_form_holds(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let (composed, apart) = ("caf\u{e9}-bot", "cafe\u{301}-bot");
        let run = agent.start_as(composed).await.unwrap();
        // As a build that took names in any form left it.
        let freeze = Freeze {
            target_id: apart.to_owned(),
            ..agent.freeze(Some("nobody")).await.freeze
        };
        agent.unfreeze(Some("nobody")).await;
        let tx = kit.db.begin().await.unwrap();
        assert!(tx.activity().insert_freeze(&freeze).await.unwrap());
        tx.commit().await.unwrap();

        refused(agent.record(run, llm(1)).await);
        let none = agent.start_as(composed).await.unwrap_err();
        assert!(matches!(none, Error::Conflict { code: ConflictCode::AgentFrozen, .. }), "{none}");
        let known = agent.freezes().await;
        assert_eq!((known[0].live_runs, known[0].runs_met), (1, 1));
        let again = policies::freeze(&kit.spine, &agent.admin, Some(composed.to_owned()), "again".to_owned()).await;
        let again = again.unwrap_err();
        assert!(matches!(again, Error::Conflict { code: ConflictCode::AlreadyFrozen, .. }), "{again}");
        assert_eq!(agent.freezes().await.len(), 1);

        // Both forms, as a build that did not look for the other left them: one lifting ends both.
        let tx = kit.db.begin().await.unwrap();
        let both = Freeze { target_id: composed.to_owned(), ..freeze };
        assert!(tx.activity().insert_freeze(&both).await.unwrap());
        tx.commit().await.unwrap();
        agent.unfreeze(Some(composed)).await;
        agent.record(run, llm(1)).await.unwrap();
        assert!(agent.freezes().await.is_empty());
    }

    /// A name of ASCII may be another that is not: NFC makes `K` of the Kelvin sign. Each freeze that is lifted says
    /// who did.
    async fn each_form_of_a_name_is_held_and_lifted_by_somebody(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let (ascii, kelvin) = ("K9-bot", "\u{212a}9-bot");
        let run = agent.start_as(ascii).await.unwrap();
        // As a build that took names in any form left them, one after the other.
        let keep = async |name: &str| {
            let freeze = agent.freeze(Some("somebody else")).await.freeze;
            let tx = kit.db.begin().await.unwrap();
            tx.activity().lift_freeze(freeze.tenant, &freeze.target_id).await.unwrap();
            let kept = Freeze { target_id: name.to_owned(), ..freeze };
            assert!(tx.activity().insert_freeze(&kept).await.unwrap());
            tx.commit().await.unwrap();
        };
        keep(kelvin).await;
        let none = agent.start_as(ascii).await.unwrap_err();
        assert!(matches!(none, Error::Conflict { code: ConflictCode::AgentFrozen, .. }), "{none}");
        let again = policies::freeze(&kit.spine, &agent.admin, Some(ascii.to_owned()), "again".to_owned()).await;
        assert!(matches!(again, Err(Error::Conflict { code: ConflictCode::AlreadyFrozen, .. })), "{again:?}");

        keep(ascii).await;
        assert_eq!(agent.freezes().await.len(), 2);
        agent.unfreeze(Some(ascii)).await;
        assert!(agent.freezes().await.is_empty());
        agent.record(run, llm(1)).await.unwrap();
        let (filter, page) = (InterventionFilter::default(), PageRequest::default());
        let stopped = activity::list_interventions(&kit.spine, &agent.admin, filter, page).await.unwrap().items;
        let by: Vec<_> = stopped.iter().map(|one| one.lifted.as_ref().map(|act| act.lifts)).collect();
        assert_eq!(by, [Some(Some(stopped[0].intervention.id)), Some(Some(stopped[1].intervention.id))]);
    }

    async fn what_is_only_reported_is_recorded_and_not_refused(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.freeze(None).await;
        assert_eq!(crate::spans::send(&agent, &[crate::spans::call(1, 1)]).await.count, 0);
        let run = crate::spans::only_run(&agent).await.id;
        let steps = activity::steps(&kit.spine, &agent.admin, run, PageRequest::default()).await.unwrap().items;
        assert_eq!((steps[0].action, steps[0].would_have), (Some(Action::Allow), Some(Action::Block)));
        assert_eq!(agent.interventions(run).await.len(), 1);
    }

    async fn a_frozen_run_may_still_end(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        agent.freeze(None).await;
        assert_eq!(agent.complete(run).await.unwrap().status, RunStatus::Succeeded);
        assert_eq!(agent.freezes().await[0].outcome, InterventionOutcome::Ended, "nothing is left to stop");
    }
}
