//! What had been done is never shown as prevented, and a run's assurance says what was asked for (spec 3 and 4).

use models::{account::Permits, ids::RunId, page::PageRequest};
use orchestrator::{
    choke::call::StepReport,
    coordinators::run_evidence,
    handlers::{
        account::{self, SettingsChange},
        activity, incidents, policies,
    },
};
use proof::words::{
    Action, ActionTaken, Asked, Assurance, EnforcementMode, HaltReason, OutcomeCategory, PermitNote,
    PreventionOutcome, REFUSED_AFTER, StepStatus,
};
use testkit::{Kit, on_both};

use crate::agent::{Agent, ask, llm, refused, tool};

async fn all_steps(agent: &Agent<'_>, run: RunId) -> Vec<activity::StepView> {
    let page = PageRequest::new(None, None, false).unwrap();
    activity::steps(&agent.kit.spine, &agent.admin, run, page).await.unwrap().items
}

async fn permits(agent: &Agent<'_>, permits: Permits) {
    let version = account::settings(&agent.kit.spine, &agent.admin).await.unwrap().settings_version;
    let change = SettingsChange { permits: Some(permits), ..SettingsChange::default() };
    account::update_settings(&agent.kit.spine, &agent.admin, version, change).await.unwrap();
}

on_both! {
    async fn a_refusal_after_the_act_says_so_wherever_it_is(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let rule = agent.rule(EnforcementMode::Block, r#"context.step.skill == "issue_refund""#).await;
        let run = agent.start().await;
        let report = StepReport { outcome_data: Some(r#"{"refunded":12}"#.to_owned()), ..tool("issue_refund") };
        let halted = refused(agent.record(run, report).await);
        assert_eq!(halted.verdict.asked, Some(Asked::After));
        assert!(halted.verdict.summary().contains(REFUSED_AFTER), "{}", halted.verdict.summary());

        let step = &all_steps(&agent, run).await[0];
        let record = &step.step.record;
        assert_eq!(
            (record.status, record.reported_status, record.outcome_category, record.asked),
            (StepStatus::Refused, Some(StepStatus::Success), OutcomeCategory::Success, Asked::After),
            "what the agent said stands beside the verdict"
        );
        assert_eq!(record.outcome_data.as_deref(), Some(r#"{"refunded":12}"#));
        assert_eq!(step.refused_after(), Some(REFUSED_AFTER));
        let page = PageRequest::new(None, None, false).unwrap();
        let made = policies::rule_enforcements(&kit.spine, &agent.admin, rule.parse().unwrap(), page).await.unwrap();
        let enforced = &made.items[0];
        assert_eq!(enforced.action_taken, ActionTaken::Audited, "nothing was blocked");
        for said in [r#""would_have":"BLOCK""#, REFUSED_AFTER, r#""asked":"AFTER""#] {
            assert!(enforced.details.contains(said), "{}", enforced.details);
        }
        let evidence = run_evidence::evidence(&kit.spine, &agent.admin, run).await.unwrap();
        let ledger = &evidence.policies_evaluated[0];
        assert_eq!((ledger.outcome, ledger.would_have), (PreventionOutcome::Audited, Some(Action::Block)));
        assert_eq!(ledger.refused_after(), Some(REFUSED_AFTER));
        let incident = &incidents::by_run(&kit.spine, &agent.admin, run).await.unwrap()[0];
        assert!(incident.title.ends_with("after it was done"), "{}", incident.title);
        assert!(incident.description.contains(REFUSED_AFTER), "{}", incident.description);

        // Asked before, the same is prevented, and said to be.
        agent.rule_pre("no refunds", EnforcementMode::Block, r#"context.step.skill == "issue_refund""#).await;
        let asked = agent.start().await;
        let halted = refused(agent.permit(asked, ask("issue_refund")).await);
        assert_eq!(halted.verdict.asked, Some(Asked::Before));
        let record = all_steps(&agent, asked).await[0].step.record.clone();
        assert_eq!((record.asked, record.reported_status), (Asked::Before, None));
        let evidence = run_evidence::evidence(&kit.spine, &agent.admin, asked).await.unwrap();
        assert_eq!(evidence.policies_evaluated[0].outcome, PreventionOutcome::Blocked);
        assert_eq!(evidence.policies_evaluated[0].refused_after(), None);
    }

    async fn assurance_says_what_was_asked_for(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.rule_pre("no mail", EnforcementMode::Block, r#"context.step.skill == "send_email""#).await;
        let asked = agent.start().await;
        let granted = agent.permit(asked, ask("get_weather")).await.unwrap();
        agent.record(asked, StepReport { permit_id: Some(granted.permit_id), ..tool("get_weather") }).await.unwrap();
        refused(agent.permit(asked, ask("send_email")).await);
        let told = agent.start().await;
        agent.record(told, tool("get_weather")).await.unwrap();
        assert_eq!(agent.run(told).await.assurance, Assurance::Recorded, "while it lives, too");
        for (run, assurance, unasked) in [(asked, Assurance::Enforced, 0), (told, Assurance::Recorded, 1)] {
            agent.complete(run).await.unwrap();
            let sealed = agent.run(run).await;
            assert_eq!((sealed.assurance, sealed.unasked_count), (assurance, unasked));
            let (report, bundle) = agent.verified(run).await;
            assert_eq!(report.assurance, Some(assurance), "{report}");
            assert_eq!(bundle["records"]["sealed"]["run"][0]["unasked_count"], unasked);
        }
    }

    async fn a_permit_that_does_not_serve_is_a_warning_that_is_kept(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let (run, other) = (agent.start().await, agent.start().await);
        let of_other = agent.permit(other, ask("get_weather")).await.unwrap().permit_id;
        let used = agent.permit(run, ask("get_weather")).await.unwrap().permit_id;
        let named = |permit, skill| StepReport { permit_id: Some(permit), ..tool(skill) };
        agent.record(run, named(used, "get_weather")).await.unwrap();
        let open = agent.permit(run, ask("get_weather")).await.unwrap().permit_id;
        for (report, note) in [
            (named(used, "get_weather"), PermitNote::Lapsed),
            (named(open, "send_email"), PermitNote::Mismatch),
            (named(of_other, "get_weather"), PermitNote::Unknown),
        ] {
            let recorded = agent.record(run, report).await.unwrap();
            assert_eq!((recorded.verdict.action, recorded.verdict.permit_note), (Action::Warn, Some(note)));
            let steps = all_steps(&agent, run).await;
            let last = steps.last().unwrap();
            assert_eq!((last.action, last.step.record.permit_note), (Action::Warn, Some(note)));
            assert_eq!((last.step.record.asked, last.step.record.permit_id.as_ref()), (Asked::After, None));
        }
        agent.complete(run).await.unwrap();
        assert_eq!(agent.verified(run).await.0.assurance, Some(Assurance::Recorded));
    }

    async fn a_tenant_may_take_no_step_without_a_permit(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        permits(&agent, Permits::Required).await;
        // As its key sees it from now on.
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        let halted = refused(agent.record(run, llm(1)).await);
        assert_eq!(
            (halted.verdict.action, halted.verdict.halt_reason),
            (Action::Block, Some(HaltReason::PermitRequired))
        );
        assert!(halted.verdict.summary().contains("ask for one first"), "{}", halted.verdict.summary());
        let granted = agent.permit(run, ask("get_weather")).await.unwrap().permit_id;
        agent.record(run, StepReport { permit_id: Some(granted), ..tool("get_weather") }).await.unwrap();
        agent.complete(run).await.unwrap();
        let (report, _) = agent.verified(run).await;
        assert_eq!(report.word, verify::Word::Complete, "{report}");
    }
}
