//! A tenant that keeps no content: nothing that its agents say is stored, and all that is stored still proves itself.

use chrono::Duration;
use kit::{Kit, signing_key};
use models::{
    account::{CaptureMode, Role},
    ids::RunId,
};
use orchestrator::{
    background::sweeper,
    choke::call::{EndRun, LlmReport, PermitRequest, StartRun, StepReport},
    coordinators::{export_bundle, run_proof},
    handlers::{account, activity},
};
use proof::words::{Action, EnforcementMode, StepStatus};
use serde_json::json;
use testkit::{TestDatabase, on_both};
use verify::{Options, Word};

use crate::{
    agent::{Agent, ask, llm, refused, tool},
    spans,
};

/// A plain word: nothing that a redactor would see.
const MARKER: &str = "quincemarmalade7261";

async fn keeps_nothing(kit: &Kit) -> Agent<'_> {
    let admin = kit.caller("acme", Role::Admin).await;
    let before = account::settings(&kit.spine, &admin).await.unwrap();
    let change = account::SettingsChange { capture_mode: Some(CaptureMode::Metadata), ..Default::default() };
    let after = account::update_settings(&kit.spine, &admin, before.settings_version, change).await.unwrap();
    assert_eq!(after.capture_mode, CaptureMode::Metadata);
    Agent::of(kit, "acme").await
}

/// A model call and a tool call that say it everywhere, and ask before.
async fn say_it(agent: &Agent<'_>, run: RunId) {
    let text = || Some(format!("the recipe: {MARKER}"));
    let data = || Some(json!({ "q": MARKER, "deep": [{ MARKER: [MARKER] }] }).to_string());
    agent.permit(run, PermitRequest { params: data(), ..ask("search") }).await.unwrap();
    let call = llm(1_000);
    let said = call.llm.clone().map(|llm| LlmReport { prompt: text(), response: text(), ..llm });
    agent.record(run, StepReport { llm: said, params: data(), ..call }).await.unwrap();
    let failed = StepReport {
        params: data(),
        outcome_data: data(),
        outcome_code: Some("failed".to_owned()),
        status: StepStatus::Failure,
        ..tool("search")
    };
    agent.record(run, failed).await.unwrap();
}

async fn is_nowhere(db: &TestDatabase) {
    for (table, rows) in db.contents().await {
        assert!(!rows.contains(MARKER), "{table}: {rows}");
    }
}

on_both! {
    async fn nothing_that_an_agent_says_is_stored_and_hashes_verify(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = keeps_nothing(&kit).await;
        let text = || Some(format!("say {MARKER}"));
        let request = StartRun {
            agent_id: "researcher".to_owned(),
            goal: text(),
            environment: Some(json!({ "host": MARKER }).to_string()),
            metadata: Some(json!({ "ticket": MARKER }).to_string()),
            ..StartRun::default()
        };
        let run = activity::start(&kit.spine, &agent.ctx, request).await.unwrap().run.id;
        say_it(&agent, run).await;
        activity::complete(&kit.spine, &agent.ctx, run, EndRun::Failed { error: text() }).await.unwrap();
        let aborted = agent.start().await;
        activity::abort(&kit.spine, &agent.ctx, aborted, text()).await.unwrap();

        // What is reported, too: in time, and late.
        let mut call = spans::call(1, 1);
        call["attributes"][3]["value"]["stringValue"] = json!(MARKER);
        let mut late = call.clone();
        late["spanId"] = json!("00000000000000aa");
        spans::send(&agent, &[call, spans::root(1, false)]).await;
        kit.clock.advance(Duration::seconds(30));
        assert_eq!(sweeper::tick(&kit.spine).await.unwrap(), 1);
        spans::send(&agent, &[late]).await;
        let traced = spans::runs(&agent).await.into_iter().find(|run| run.late.is_some()).unwrap().id;

        is_nowhere(db).await;
        for run in [run, aborted, traced] {
            let bundle = export_bundle::bundle(&kit.spine, &agent.admin, run).await.unwrap();
            assert!(!String::from_utf8_lossy(&bundle).contains(MARKER));
            let options = Options { reexecute: true, ..Options::default() };
            let report = verify::bundle(&bundle, &[signing_key().public()], &options).unwrap();
            assert_eq!(report.word, Word::Complete, "{report}");
            let proof = run_proof::proof(&kit.spine, &agent.admin, run, true).await.unwrap();
            assert_eq!(proof.integrity.failure_reason, None);
        }
    }

    async fn a_rule_that_reads_what_is_not_kept_refuses(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = keeps_nothing(&kit).await;
        agent.rule_pre("no removal", EnforcementMode::Warn, "context.step.command like \"rm *\"").await;
        agent.rule_pre("no mail", EnforcementMode::Warn, "context.content.pii.contains(\"EMAIL\")").await;
        let run = agent.start().await;
        let with = |params: serde_json::Value| StepReport { params: Some(params.to_string()), ..tool("shell") };
        let verdict = refused(agent.record(run, with(json!({ "command": format!("cat {MARKER}") }))).await).verdict;
        assert_eq!(verdict.action, Action::Block);
        let seen = agent.record(run, with(json!({ "to": format!("{MARKER}@example.com") }))).await.unwrap();
        assert_eq!(seen.verdict.action, Action::Warn, "rules still see what was in it");
        assert_eq!(agent.record(run, with(json!({ "q": MARKER }))).await.unwrap().verdict.action, Action::Allow);
        is_nowhere(db).await;
    }

    async fn a_full_tenant_keeps_what_was_said(db: TestDatabase) {
        // The search can find: else the others prove nothing.
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        say_it(&agent, run).await;
        let contents = db.contents().await;
        assert!(contents["run_contents"].contains(MARKER));
    }
}
