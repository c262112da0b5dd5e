//! What tools of others send to `POST /v1/traces`, each with what is right of it: the folders of `tests/cases`.

use std::{fs, panic::AssertUnwindSafe, path::Path};

use axum::body::Body;
use chrono::Duration;
use futures::FutureExt as _;
use models::account::Role;
use orchestrator::background::sweeper;
use serde_json::{Map, Value, json};

use super::{
    app::App,
    scene::{ACTIVITY, LOGS, POLICIES, text},
};

#[tokio::test]
async fn each_case_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let entries = fs::read_dir(folder).expect("the cases").map(|entry| entry.expect("a case").path());
    let mut cases: Vec<_> = entries.filter(|path| path.is_dir()).collect();
    cases.sort();
    assert!(!cases.is_empty());
    let mut wrong = Vec::new();
    for case in &cases {
        // One that cannot go on keeps the others from nothing; why it could not stands above.
        let bad = AssertUnwindSafe(play(case)).catch_unwind().await;
        let bad = bad.unwrap_or_else(|_| vec!["it could not be played".to_owned()]);
        let name = case.file_name().expect("a name").display();
        wrong.extend(bad.into_iter().map(|what| format!("{name}: {what}")));
    }
    assert!(wrong.is_empty(), "of {} cases\n{}", cases.len(), wrong.join("\n"));
}

/// What of a case is not as it should be.
async fn play(case: &Path) -> Vec<String> {
    let right = fs::read(case.join("expect.json")).expect("what is right");
    let mut right: Map<String, Value> = serde_json::from_slice(&right).expect("an object");
    let app = App::new().await;
    let (admin, agent) = (app.key(Role::Admin).await, app.key(Role::Agent).await);
    let rule = right.remove("rule");
    let made = match &rule {
        Some(rule) => {
            let rule = json!({"name": "case", "enforcement_mode": "BLOCK", "condition": rule["condition"]});
            let made = app.post(format!("{POLICIES}/rules")).key(&admin).json(&rule).send().await;
            Some(text(&made.expect(201)["rule_id"]))
        }
        None => None,
    };
    let mut played = match Played::of(&app, &admin, &agent, case).await {
        Ok(played) => played,
        Err(status) => return vec![format!("the answer is {status}")],
    };
    if right.contains_key("final_status") {
        app.kit.clock.advance(Duration::seconds(30));
        sweeper::tick(&app.kit.spine).await.expect("a tick");
        played.run = played.ask(&format!("{ACTIVITY}/runs/{}", played.id)).await;
    }
    let mut bad = Vec::new();
    for (member, right) in &right {
        let said = played.says(member).await;
        let holds = match member.as_str() {
            "duration0" => right.as_array().expect("all that it may be").contains(&said),
            "prompt0_has" | "bundle_has" => {
                let words = right.as_array().expect("words").iter();
                words.map(text).all(|word| said.as_str().is_some_and(|said| said.contains(&word)))
            }
            _ => said == *right,
        };
        if !holds {
            let said: String = said.to_string().chars().take(300).collect();
            bad.push(format!("{member} is {said}, not {right}"));
        }
    }
    if let (Some(rule), Some(made)) = (rule, made) {
        let fired = played.ask(&format!("{POLICIES}/rules/{made}")).await["trigger_count_30d"].clone();
        if fired != rule["fires"] {
            bad.push(format!("the rule fired {fired} times, not {}", rule["fires"]));
        }
    }
    bad
}

/// What became of a case's trace.
struct Played<'a> {
    app: &'a App,
    key: &'a str,
    id: String,
    run: Value,
    /// A list.
    steps: Value,
    rejected: u64,
}

impl<'a> Played<'a> {
    /// Sends a case; gives the status of an answer that is not 200.
    async fn of(app: &'a App, key: &'a str, agent: &str, case: &Path) -> Result<Self, u16> {
        let (file, content_type) = match case.join("request.pb") {
            file if file.exists() => (file, "application/x-protobuf"),
            _ => (case.join("request.json"), "application/json"),
        };
        let body = Body::from(fs::read(file).expect("a request"));
        let call = app.post("/v1/traces").key(agent).header("content-type", content_type).body(body);
        let answer = call.send().await;
        if answer.status != 200 {
            return Err(answer.status.as_u16());
        }
        // A protobuf that says nothing is empty.
        let rejected = if answer.text.is_empty() {
            0
        } else {
            let rejected = &answer.json()["partialSuccess"]["rejectedSpans"];
            rejected.as_str().map_or(0, |count| count.parse().expect("a count"))
        };
        let mut played = Self { app, key, id: String::new(), run: Value::Null, steps: Value::Null, rejected };
        let runs = played.ask(&format!("{ACTIVITY}/runs")).await["items"].clone();
        assert_eq!(runs.as_array().map(Vec::len), Some(1), "one trace is one run: {runs}");
        played.id = text(&runs[0]["run_id"]);
        let run = format!("{ACTIVITY}/runs/{}", played.id);
        played.run = played.ask(&run).await;
        played.steps = played.ask(&format!("{run}/steps?limit=200")).await["items"].clone();
        Ok(played)
    }

    async fn ask(&self, path: &str) -> Value {
        self.app.get(path).key(self.key).send().await.expect(200)
    }

    /// What a member of `expect.json` asks for.
    async fn says(&self, member: &str) -> Value {
        let steps = || self.steps.as_array().expect("a list").iter();
        let calls = || steps().map(|step| &step["llm"]).filter(|llm| !llm.is_null());
        match member {
            "agent_id" | "input_tokens" | "output_tokens" | "cost_usd" | "cost_known" => {
                self.run[member].clone()
            }
            "final_status" => self.run["status"].clone(),
            "rejected" => self.rejected.into(),
            "steps" => steps().count().into(),
            "tool_steps" => steps().filter(|step| step["kind"] == "TOOL_CALL").count().into(),
            "skills" => steps().map(|step| step["skill_name"].clone()).collect(),
            "params0" => self.steps[0]["params"].clone(),
            "status0" => self.steps[0]["status"].clone(),
            "duration0" => self.steps[0]["duration_ms"].clone(),
            "llm_costs" => calls().map(|llm| llm["cost_usd"].clone()).collect(),
            "prompt0_has" => calls().next().map_or(Value::Null, |llm| llm["prompt"].clone()),
            "completed_at0" => {
                let calls = self.ask(&format!("{LOGS}/llm-runs?run_id={}", self.id)).await;
                calls["items"][0]["completed_at"].clone()
            }
            "bundle_has" => {
                let bundle = format!("{ACTIVITY}/runs/{}/bundle", self.id);
                let bundle = self.app.get(bundle).key(self.key).send().await;
                assert_eq!(bundle.status, 200, "{}", bundle.text);
                format!("{} {} {}", bundle.text, self.run, self.steps).into()
            }
            _ => panic!("nobody compares {member}"),
        }
    }
}
