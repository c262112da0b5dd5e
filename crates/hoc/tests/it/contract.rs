//! The OpenAPI document against a real server, by somebody who knows nothing but the document: schemathesis.

use std::process::{Command, Stdio};

use serde_json::{Map, Value, json};

use crate::{
    chrome::variable,
    harness::{Place, Server, in_a_month},
};

/// The variable that names a Python with schemathesis; `cargo xtask test` sets it.
const VARIABLE: &str = "HOC_TEST_SCHEMATHESIS_PYTHON";

/// Its settings, and what it is told of the installation.
const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");

/// So that a run repeats. Any other will do as well.
const SEED: &str = "20261121";

const ACTIVITY: &str = "/api/v1/runtime/activity/runs";
const POLICIES: &str = "/api/v1/runtime/policies";
const INCIDENTS: &str = "/api/v1/runtime/incidents";
const JOBS: &str = "/api/v1/runtime/jobs";
const LOGS: &str = "/api/v1/runtime/logs";

/// A tenant in which something of every kind is there to be named.
struct Seeded<'a> {
    server: &'a Server,
    admin: &'a str,
}

impl Seeded<'_> {
    fn get(&self, path: &str) -> Value {
        self.server.http().get(path, self.admin).expect(200)
    }

    fn post(&self, path: &str, body: &Value, status: u16) -> Value {
        self.server.http().post(path, self.admin, body).expect(status)
    }

    fn rule(&self, name: &str) -> String {
        let condition = "context.step.cost_known && context.step.cost_microusd > 500000";
        let rule = json!({"name": name, "enforcement_mode": "BLOCK", "condition": condition});
        text(&self.post(&format!("{POLICIES}/rules"), &rule, 201)["rule_id"])
    }

    fn limit(&self, name: &str) -> String {
        let limit =
            json!({"name": name, "limit_type": "COST_USD", "max_value": 1_000_000, "reset_period": "DAILY"});
        text(&self.post(&format!("{POLICIES}/limits"), &limit, 201)["limit_id"])
    }

    /// A run of one model call.
    fn run(&self) -> String {
        let run = text(&self.post(ACTIVITY, &json!({"agent_id": "support-bot"}), 201)["run_id"]);
        self.call(&run, "0.12", 200);
        run
    }

    /// A run that a rule has refused a call, and its incident.
    fn refused(&self) -> (String, String) {
        let run = self.run();
        self.call(&run, "0.75", 403);
        let incidents = self.get(&format!("{INCIDENTS}/by-run/{run}"));
        let incident = text(&incidents["items"][0]["incident_id"]);
        (run, incident)
    }

    fn call(&self, run: &str, cost_usd: &str, status: u16) {
        let llm = json!({
            "provider": "openai", "model": "gpt-4o", "input_tokens": 1200, "output_tokens": 300,
            "cost_usd": cost_usd, "prompt": "Where is my parcel?", "response": "On its way.",
        });
        let step = json!({"kind": "LLM_CALL", "skill_name": "chat", "status": "SUCCESS", "llm": llm});
        self.post(&format!("{ACTIVITY}/{run}/steps"), &step, status);
    }

    /// A job that is not due for long.
    fn job(&self) -> String {
        let body = json!({"kind": "log_check", "run_at": in_a_month()});
        text(&self.post(JOBS, &body, 201)["job_id"])
    }

    /// The newest of a list.
    fn newest(&self, list: &str) -> String {
        text(&self.get(list)["items"][0]["id"])
    }

    /// What each path's id may be, and what it must be for an operation after which the thing is of no more use: the
    /// check must not end the run that it records steps in, nor revoke the key that it calls with.
    fn ids(&self) -> Value {
        let (run, rule, limit) = (self.run(), self.rule("costly"), self.limit("daily"));
        let (refused, incident) = self.refused();
        self.post(&format!("{ACTIVITY}/{refused}/complete"), &json!({"status": "SUCCEEDED"}), 200);
        let spare_key = self.post("/api/v1/account/keys", &json!({"role": "viewer"}), 201);
        let llm_run = self.newest(&format!("{LOGS}/llm-runs?run_id={run}"));
        let own = [
            ("/keys/{", text(&spare_key["key_id"])),
            ("/rules/{", rule),
            ("/limits/{", limit),
            ("/by-run/{", refused.clone()),
            ("/incidents/{", incident),
            ("/audit/{", self.newest(&format!("{LOGS}/audit"))),
            ("/llm-runs/{", llm_run),
            ("/system/{", self.newest(&format!("{LOGS}/system"))),
            ("/checkpoints/{", "audit".to_owned()),
            ("/jobs/{", self.job()),
            ("/runs/{", refused),
        ];
        let document = self.get("/api/v1/openapi.json");
        let paths = document["paths"].as_object().expect("paths").keys().filter(|path| path.contains('{'));
        let id = |path: &String| {
            let (_, id) = own.iter().find(|(part, _)| path.contains(part)).expect("an id for each path");
            (path.clone(), id.as_str().into())
        };
        let mut ids: Map<String, Value> = paths.map(id).collect();
        for live in
            ["activity.steps", "activity.record", "activity.record_batch", "activity.permit", "run_id"]
        {
            ids.insert(live.to_owned(), run.as_str().into());
        }
        for ended in ["activity.abort", "activity.complete", "activity.kill"] {
            ids.insert(ended.to_owned(), self.run().into());
        }
        ids.insert("policies.retire_rule".to_owned(), self.rule("to be retired").into());
        ids.insert("policies.disable_limit".to_owned(), self.limit("to be disabled").into());
        let cancelled = self.job();
        self.post(&format!("{JOBS}/{cancelled}/cancel"), &json!({}), 200);
        ids.insert("jobs.cancel".to_owned(), self.job().into());
        ids.insert("jobs.requeue".to_owned(), cancelled.into());
        ids.insert("incidents.resolve".to_owned(), self.refused().1.into());
        ids.into()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

#[test]
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn the_document_holds_against_schemathesis() {
    let Some(python) = variable(VARIABLE) else {
        eprintln!("SKIPPED: {VARIABLE} names no Python with schemathesis; `cargo xtask test` makes one");
        return;
    };
    let place = Place::sqlite();
    let admin = place.key("admin");
    let server = place.serve();
    let url = format!("http://{}", server.address);
    let ids = Seeded { server: &server, admin: &admin }.ids();
    let mut check = Command::new(python);
    check
        .args(["-m", "schemathesis.cli", "--config-file", &format!("{DATA}/schemathesis.toml"), "run"])
        .args([&format!("{url}/api/v1/openapi.json"), "--url", &url, "--seed", SEED, "--no-color"])
        .args(["--header", &format!("Authorization: Bearer {admin}")])
        // Streams of events, which do not end.
        .args(["--exclude-path-regex", "events$"]);
    check.env_clear().env("HOC_IDS", ids.to_string()).env("HOC_KEY", &admin);
    check.env("PYTHONPATH", DATA).env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONUTF8", "1");
    let ran = check.current_dir(place.folder.path()).stdin(Stdio::null()).output().expect("Python starts");
    let (said, told) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{said}\n{told}");
    // A worker that breaks off takes the rest of the operations with it, and calls that a success.
    assert!(!told.contains("Traceback"), "{told}");
    let count = |of: &str| {
        let line = said.lines().find_map(|line| line.trim().strip_prefix(of)).expect("a summary");
        line.trim().split('/').next().and_then(|count| count.parse::<usize>().ok()).expect("a count")
    };
    assert!(count("Tested:") == count("Selected:") && count("Tested:") > 50, "{said}");
    assert_eq!(server.stop().0, Some(0), "it is well after all that");
}
