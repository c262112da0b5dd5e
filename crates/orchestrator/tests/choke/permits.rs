//! A permit serves for what was asked, and for nothing else: rules and limits of the asked moment cannot be passed by
//! reporting another thing than leave was given for (ADR 34).

use chrono::TimeDelta;
use kit::{Kit, limit};
use models::{ids::RunId, policies::LimitDraft};
use orchestrator::{
    Settings,
    background::sweeper,
    choke::call::{LlmReport, PermitRequest, Recorded, StepReport},
    handlers::activity,
};
use proof::words::{
    Action, Asked, Assurance, EnforcementMode, LimitEnforcement, LimitType, PermitNote, Scope, StepKind,
};
use testkit::on_both;

use crate::agent::{Agent, ask, llm, refused, tool};

type Named<'t> = (Option<&'t str>, Option<&'t str>, &'t [&'t str]);

fn texts(of: &[&str]) -> Vec<String> {
    of.iter().map(ToString::to_string).collect()
}

/// Leave for a model call, as it is named.
fn asked((provider, model, labels): Named<'_>) -> PermitRequest {
    PermitRequest {
        kind: StepKind::LlmCall,
        params: None,
        provider: provider.map(str::to_owned),
        model: model.map(str::to_owned),
        labels: texts(labels),
        ..ask("gpt-4o")
    }
}

/// The call, as it is named.
fn done((provider, model, labels): Named<'_>) -> StepReport {
    let report = llm(1);
    let call = report.llm.map(|call| LlmReport {
        provider: provider.map(str::to_owned),
        model: model.map(str::to_owned),
        ..call
    });
    StepReport { llm: call, labels: texts(labels), ..report }
}

async fn permitted(
    agent: &Agent<'_>,
    run: RunId,
    asks: Named<'_>,
    does: Named<'_>,
) -> Result<Recorded, orchestrator::Error> {
    let granted = agent.permit(run, asked(asks)).await.unwrap();
    agent.record(run, StepReport { permit_id: Some(granted.permit_id), ..done(does) }).await
}

const ASKED: Named<'static> = (Some("openai"), Some("mini"), &["plain", "public"]);

on_both! {
    async fn a_permit_serves_for_the_provider_model_and_labels_that_were_asked(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        for (name, forbidden) in [
            ("model", r#"context.step.model == "o1""#),
            ("provider", r#"context.step.provider == "elsewhere""#),
            ("labels", r#"context.step.labels.contains("pii")"#),
        ] {
            agent.rule_pre(name, EnforcementMode::Block, forbidden).await;
        }
        let (provider, model, labels) = ASKED;
        let run = agent.start().await;
        let served = permitted(&agent, run, ASKED, (provider, model, &["public", "plain", "public"])).await.unwrap();
        assert_eq!((served.verdict.permit_note, served.verdict.asked), (None, Some(Asked::Before)), "in any order");
        agent.complete(run).await.unwrap();
        assert_eq!(agent.run(run).await.assurance, Assurance::Enforced);

        let forbidden: [Named<'_>; 3] = [
            (provider, Some("o1"), labels),
            (Some("elsewhere"), model, labels),
            (provider, model, &["pii", "plain", "public"]),
        ];
        for does in forbidden {
            for asks in [ASKED, (None, None, &[])] {
                let run = agent.start().await;
                let halted = refused(permitted(&agent, run, asks, does).await);
                assert_eq!(halted.verdict.permit_note, Some(PermitNote::Mismatch), "{asks:?} {does:?}");
                assert_eq!(halted.verdict.asked, Some(Asked::After));
                agent.complete(run).await.unwrap();
                let (report, _) = agent.verified(run).await;
                assert_eq!((report.word, report.assurance), (verify::Word::Complete, Some(Assurance::Recorded)), "{report}");
            }
        }
        // Nor can the name that was asked for be another one than leave was given for, under the same model.
        agent.rule_pre("asked", EnforcementMode::Block, r#"context.step.model_requested == "o1""#).await;
        let run = agent.start().await;
        let granted = agent.permit(run, asked(ASKED)).await.unwrap();
        let report = done(ASKED);
        let call = report.llm.map(|call| LlmReport { model_requested: Some("o1".to_owned()), ..call });
        let report = StepReport { permit_id: Some(granted.permit_id), llm: call, ..report };
        let halted = refused(agent.record(run, report).await);
        assert_eq!(halted.verdict.permit_note, Some(PermitNote::Mismatch));
        agent.complete(run).await.unwrap();
        // What no rule forbids is judged for both moments too, and says so: in either direction.
        let nothing: Named<'_> = (None, None, &[]);
        for (asks, does) in [(nothing, ASKED), (ASKED, nothing), (ASKED, (provider, None, labels))] {
            let run = agent.start().await;
            let recorded = permitted(&agent, run, asks, does).await.unwrap();
            assert_eq!(
                (recorded.verdict.action, recorded.verdict.permit_note),
                (Action::Warn, Some(PermitNote::Mismatch)),
                "{asks:?} {does:?}"
            );
        }
    }

    /// The contract's permit need name no model: it serves for whichever the call came to, where nothing looks at it.
    async fn a_permit_that_names_no_model_serves_where_nothing_asks_for_one(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let (provider, model, _) = ASKED;
        let (asks, does): (Named<'_>, Named<'_>) = ((None, None, &[]), (provider, model, &[]));
        agent.rule(EnforcementMode::Block, "context.step.model == \"o1\"").await;
        let run = agent.start().await;
        let recorded = permitted(&agent, run, asks, does).await.unwrap();
        assert_eq!((recorded.verdict.permit_note, recorded.verdict.action), (None, Action::Allow));
        // One that was named is bound all the same.
        let other = permitted(&agent, run, (provider, Some("another"), &[]), does).await.unwrap();
        assert_eq!(other.verdict.permit_note, Some(PermitNote::Mismatch));
        let run = agent.start().await;
        permitted(&agent, run, asks, does).await.unwrap();
        agent.complete(run).await.unwrap();
        assert_eq!(agent.run(run).await.assurance, Assurance::Enforced);
    }

    async fn a_limit_of_a_provider_counts_what_was_asked_of_another(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        for limit_type in [LimitType::Steps, LimitType::RequestsPerHour] {
            let draft = LimitDraft {
                scope: Some(Scope::Provider),
                scope_id: Some(limit_type.to_string()),
                enforcement: Some(LimitEnforcement::Block),
                ..limit(limit_type, 1)
            };
            agent.limit_as(draft).await;
            let of = limit_type.to_string();
            let does: Named<'_> = (Some(&of), Some("mini"), &[]);
            let run = agent.start().await;
            let first = permitted(&agent, run, (Some("other"), Some("mini"), &[]), does).await.unwrap();
            assert_eq!(first.verdict.limits[0].used.get(), 1, "it is counted");
            let second = refused(permitted(&agent, run, (Some("other"), Some("mini"), &[]), does).await);
            assert_eq!(second.verdict.permit_note, Some(PermitNote::Mismatch));
        }
    }

    async fn a_tool_call_needs_no_model(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        let granted = agent.permit(run, ask("get_weather")).await.unwrap();
        let report = StepReport { permit_id: Some(granted.permit_id), ..tool("get_weather") };
        assert_eq!(agent.record(run, report).await.unwrap().verdict.permit_note, None);
    }
}

/// How a run comes to its end.
#[derive(Clone, Copy, Debug)]
enum End {
    Completed,
    GivenUp,
    Killed,
    Refused,
    Abandoned,
}

async fn end(agent: &Agent<'_>, run: RunId, how: End) {
    let spine = &agent.kit.spine;
    match how {
        End::Completed => drop(agent.complete(run).await.unwrap()),
        End::GivenUp => drop(activity::abort(spine, &agent.ctx, run, None).await.unwrap()),
        End::Killed => drop(activity::kill(spine, &agent.admin, run, None).await.unwrap()),
        End::Refused => drop(refused(agent.record(run, tool("forbidden")).await)),
        End::Abandoned => {
            // So long that nobody has heard of it, and less than its permits serve.
            agent.kit.clock.advance(TimeDelta::hours(2));
            sweeper::tick(spine).await.unwrap();
        }
    }
}

on_both! {
    async fn what_a_sealed_run_holds_is_given_back(db: TestDatabase) {
        let installation = "test".to_owned();
        let settings = Settings { installation, permit_ttl: TimeDelta::hours(9), ..Settings::default() };
        let kit = Kit::with(db, settings).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.limit(LimitType::Steps, 2).await;
        agent.rule(EnforcementMode::Kill, r#"context.step.skill == "forbidden""#).await;
        for how in [End::Completed, End::GivenUp, End::Killed, End::Refused, End::Abandoned] {
            let (run, other) = (agent.start().await, agent.start().await);
            for _ in 0..2 {
                agent.permit(run, ask("get_weather")).await.unwrap();
            }
            let full = refused(agent.permit(other, ask("get_weather")).await);
            let limit = &full.verdict.limits[0];
            assert_eq!((limit.used.get(), limit.reserved.get(), limit.remaining.get()), (0, 2, 0), "{how:?}");
            assert!(full.verdict.summary().contains("2 steps of it reserved by open permits"), "{full:?}");
            end(&agent, run, how).await;
            let again = if matches!(how, End::Abandoned) { agent.start().await } else { other };
            for holds in 1..=2 {
                let granted = agent.permit(again, ask("get_weather")).await.unwrap();
                assert_eq!(granted.verdict.limits[0].reserved.get(), holds, "{how:?}");
            }
            refused(agent.permit(again, ask("get_weather")).await);
            agent.complete(again).await.unwrap();
        }
    }

    async fn what_is_used_stays_used_when_its_run_is_sealed(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.limit(LimitType::Steps, 2).await;
        let (run, other) = (agent.start().await, agent.start().await);
        let granted = agent.permit(run, ask("get_weather")).await.unwrap();
        agent.permit(run, ask("get_weather")).await.unwrap();
        let report = StepReport { permit_id: Some(granted.permit_id), ..tool("get_weather") };
        agent.record(run, report).await.unwrap();
        // In one group with a permit of another run, whichever comes first.
        let (ended, asked) = futures::join!(agent.complete(run), agent.permit(other, ask("get_weather")));
        ended.unwrap();
        if asked.is_err() {
            agent.permit(other, ask("get_weather")).await.unwrap();
        }
        let full = refused(agent.permit(other, ask("get_weather")).await);
        let limit = &full.verdict.limits[0];
        assert_eq!((limit.used.get(), limit.reserved.get()), (1, 1));
    }
}
