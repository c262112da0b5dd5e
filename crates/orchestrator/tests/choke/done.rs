//! What had been done is never shown as prevented, and a run's assurance says what was asked for (spec 3 and 4).

use kit::Kit;
use models::{account::Permits, ids::RunId, page::PageRequest};
use orchestrator::{
    choke::call::StepReport,
    coordinators::run_evidence,
    errors::StepEnforcementError,
    handlers::{
        account::{self, SettingsChange},
        activity, incidents, policies,
    },
};
use proof::words::{
    Action, ActionTaken, Asked, Assurance, EnforcementMode, HaltReason, OutcomeCategory, PermitNote,
    PreventionOutcome, REFUSED_AFTER, StepStatus,
};
use testkit::on_both;

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

/// Every place that tells of a refusal says that it came after the act, and that nothing was prevented.
async fn says_so(
    agent: &Agent<'_>,
    run: RunId,
    halted: &StepEnforcementError,
    rule: Option<&str>,
    asked: Asked,
) {
    let kit = agent.kit;
    assert_eq!(halted.verdict.asked, Some(asked));
    assert_eq!(halted.verdict.refused_after(), Some(REFUSED_AFTER));
    assert!(halted.verdict.summary().contains(REFUSED_AFTER), "{}", halted.verdict.summary());
    let steps = all_steps(agent, run).await;
    let (step, record) = (&steps[0], &steps[0].step.record);
    assert_eq!(
        (record.status, record.reported_status, record.outcome_category, record.asked),
        (StepStatus::Refused, Some(StepStatus::Success), OutcomeCategory::Success, asked),
        "what the agent said stands beside the verdict"
    );
    let outcome = step.texts.outcome_data.clone().and_then(models::logs::KeptText::text);
    assert_eq!(outcome.as_deref(), Some(r#"{"refunded":12}"#));
    assert_eq!(step.refused_after(), Some(REFUSED_AFTER));
    let Some(rule) = rule else { return };
    let page = PageRequest::new(None, None, false).unwrap();
    let made =
        policies::rule_enforcements(&kit.spine, &agent.admin, rule.parse().unwrap(), page).await.unwrap();
    let enforced = &made.items[0];
    assert_eq!(enforced.action_taken, ActionTaken::Audited, "nothing was blocked");
    let asked = format!(r#""asked":"{asked}""#);
    for said in [r#""would_have":"BLOCK""#, REFUSED_AFTER, asked.as_str()] {
        assert!(enforced.details.contains(said), "{}", enforced.details);
    }
    let evidence = run_evidence::evidence(&kit.spine, &agent.admin, run).await.unwrap().0;
    let ledger = &evidence.policies_evaluated[0];
    assert_eq!((ledger.outcome, ledger.would_have), (PreventionOutcome::Audited, Some(Action::Block)));
    assert_eq!(ledger.note(), Some(REFUSED_AFTER));
    let found = &incidents::by_run(&kit.spine, &agent.admin, run).await.unwrap()[0];
    assert_eq!(found.of.note.as_deref(), Some(REFUSED_AFTER));
    let incident = &found.incident;
    assert!(incident.title.ends_with("after it was done"), "{}", incident.title);
    assert!(incident.description.contains(REFUSED_AFTER), "{}", incident.description);
    let (report, bundle) = agent.verified(run).await;
    assert_eq!(bundle["records"]["sealed"]["prevention_records"][0]["refused_after"], true, "{report}");
}

fn refund() -> StepReport {
    StepReport { outcome_data: Some(r#"{"refunded":12}"#.to_owned()), ..tool("issue_refund") }
}

async fn permitted(agent: &Agent<'_>, run: RunId, report: StepReport) -> StepReport {
    let granted = agent.permit(run, ask(&report.skill_name)).await.unwrap();
    StepReport { permit_id: Some(granted.permit_id), ..report }
}

on_both! {
    async fn a_refusal_after_the_act_says_so_wherever_it_is(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let rule = agent.rule(EnforcementMode::Block, r#"context.step.skill == "issue_refund""#).await;
        let run = agent.start().await;
        let halted = refused(agent.record(run, refund()).await);
        agent.complete(run).await.unwrap();
        says_so(&agent, run, &halted, Some(&rule), Asked::After).await;

        // A permit that served makes no difference: what it was leave for is done, and the run is ENFORCED all the
        // same.
        let run = agent.start().await;
        let report = permitted(&agent, run, refund()).await;
        let halted = refused(agent.record(run, report).await);
        agent.complete(run).await.unwrap();
        says_so(&agent, run, &halted, Some(&rule), Asked::Before).await;
        assert_eq!(agent.run(run).await.assurance, Assurance::Enforced);

        // Asked before, the same is prevented, and said to be.
        agent.rule_pre("no refunds", EnforcementMode::Block, r#"context.step.skill == "issue_refund""#).await;
        let asked = agent.start().await;
        let halted = refused(agent.permit(asked, ask("issue_refund")).await);
        assert_eq!(halted.verdict.asked, Some(Asked::Before));
        let record = all_steps(&agent, asked).await[0].step.record.clone();
        assert_eq!((record.asked, record.reported_status), (Asked::Before, None));
        let evidence = run_evidence::evidence(&kit.spine, &agent.admin, asked).await.unwrap().0;
        assert_eq!(evidence.policies_evaluated[0].outcome, PreventionOutcome::Blocked);
        assert_eq!(evidence.policies_evaluated[0].note(), None);
    }

    async fn a_freeze_that_comes_between_permit_and_report_prevents_nothing(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        let report = permitted(&agent, run, refund()).await;
        policies::freeze(&kit.spine, &agent.admin, Some("researcher".to_owned()), "why".to_owned()).await.unwrap();
        let halted = refused(agent.record(run, report).await);
        assert!(halted.verdict.intervention.is_some(), "{halted:?}");
        says_so(&agent, run, &halted, None, Asked::Before).await;
    }

    async fn a_rule_that_only_records_refuses_nothing(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.rule(EnforcementMode::Audit, r#"context.step.skill == "issue_refund""#).await;
        for asks in [false, true] {
            let run = agent.start().await;
            let report = if asks { permitted(&agent, run, refund()).await } else { refund() };
            assert_eq!(agent.record(run, report).await.unwrap().verdict.refused_after(), None);
            let evidence = run_evidence::evidence(&kit.spine, &agent.admin, run).await.unwrap().0;
            let ledger = &evidence.policies_evaluated[0];
            assert_eq!((ledger.outcome, ledger.would_have), (PreventionOutcome::Audited, Some(Action::Block)));
            assert_eq!(ledger.note(), None, "the step stands");
        }
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
            assert_eq!((last.action, last.step.record.permit_note), (Some(Action::Warn), Some(note)));
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
