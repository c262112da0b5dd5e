//! A real OpenTelemetry SDK against a real server: the agent of the README, run as it stands there.

use std::{
    fs,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    chrome::variable,
    harness::{DEADLINE, Place, Server, on_both},
};

/// The variable that names a Python with the SDK; `cargo xtask test` sets it.
const VARIABLE: &str = "HOC_TEST_OTEL_PYTHON";

const README: &str = include_str!("../../../../README.md");
const REQUIREMENTS: &str = include_str!("../data/opentelemetry.txt");
const ACTIVITY: &str = "/api/v1/runtime/activity/runs";

/// The section of the README, up to the next.
fn section() -> &'static str {
    let title = "## Five minutes with a real OpenTelemetry SDK (Python)";
    let (_, from) = README.split_once(title).expect("the README has the section");
    from.split_once("\n## ").map_or(from, |(section, _)| section)
}

/// The agent, as the section has it.
fn agent() -> &'static str {
    let (_, from) = section().split_once("```python\n").expect("the section has an agent");
    from.split_once("```").expect("the agent ends").0
}

#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn python() -> Option<String> {
    let python = variable(VARIABLE);
    if python.is_none() {
        eprintln!(
            "SKIPPED: {VARIABLE} names no Python with an OpenTelemetry SDK; `cargo xtask test` makes one"
        );
    }
    python
}

/// Runs the agent against the server, with the settings that the README names, and more.
fn run_agent(place: &Place, server: &Server, python: &str, more: &[(&str, &str)]) {
    let program = place.path("weather.py");
    fs::write(&program, agent()).expect("it is written");
    let key = place.key("agent");
    let settings = [
        ("OTEL_SERVICE_NAME", "weather-agent".to_owned()),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{}", server.address)),
        ("OTEL_EXPORTER_OTLP_HEADERS", format!("authorization=Bearer%20{key}")),
    ];
    for (name, _) in &settings {
        assert!(section().contains(&format!("export {name}=")), "the README says {name}");
    }
    let mut command = Command::new(python);
    command.arg(program).env_clear().envs(settings).envs(more.iter().copied()).stdin(Stdio::null());
    let ran = command.output().expect("Python starts");
    let (said, told) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{said}{told}");
    assert_eq!(
        (said.trim(), told.trim()),
        ("It is 4C in Oslo.", ""),
        "the exporter had nothing to complain of"
    );
}

/// The newest run, when it is over.
fn sealed(server: &Server, key: &str) -> Value {
    let begun = Instant::now();
    loop {
        let runs = server.http().get(ACTIVITY, key).expect(200);
        if runs["items"][0]["state"] == "COMPLETED" {
            return runs["items"][0].clone();
        }
        assert!(begun.elapsed() < DEADLINE, "it is not sealed: {runs}");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn the_readme_installs_what_is_tested() {
    let line = section().lines().find(|line| line.contains("pip install")).expect("it says what to install");
    let named: Vec<&str> = line.split_whitespace().filter(|word| word.contains("==")).collect();
    assert!(named.len() >= 2, "{line}");
    for name in named {
        assert!(REQUIREMENTS.lines().any(|line| line == name), "{name} is what the test runs with");
    }
}

on_both!(the_readmes_agent_is_a_run);

async fn the_readmes_agent_is_a_run(place: Place) {
    let Some(python) = python() else { return };
    let place = place.with("HOC_TRACE_QUIET", "1s");
    let admin = place.key("admin");
    let server = place.serve();
    let rule = json!({
        "name": "no-weather", "enforcement_mode": "BLOCK", "condition": "context.step.skill == \"get_weather\"",
    });
    server.http().post("/api/v1/runtime/policies/rules", &admin, &rule).expect(201);

    run_agent(&place, &server, &python, &[]);
    let run = sealed(&server, &admin);
    assert_eq!((&run["agent_id"], &run["status"]), (&json!("weather-agent"), &json!("SUCCEEDED")));
    assert_eq!(
        (&run["input_tokens"], &run["output_tokens"]),
        (&json!(63), &json!(21)),
        "the parents count nothing"
    );
    let id = run["run_id"].as_str().expect("an id").to_owned();
    let steps = server.http().get(&format!("{ACTIVITY}/{id}/steps"), &admin).expect(200);
    let told = |step: &Value| {
        let model = step["llm"]["model"].as_str().unwrap_or("-");
        let (kind, skill) =
            (step["kind"].as_str().expect("a kind"), step["skill_name"].as_str().expect("a name"));
        let action = step["verdict"]["action"].as_str().expect("an action");
        format!("{kind} {skill} {model} {action} below {}", step["parent_step_index"])
    };
    let steps: Vec<String> = steps["items"].as_array().expect("a list").iter().map(told).collect();
    // As the spans ended: the root last, which is the parent of all. Nothing was refused: it has happened.
    assert_eq!(
        steps,
        [
            "LLM_CALL openai.chat gpt-4o ALLOW below 4",
            "TOOL_CALL get_weather - ALLOW below 4",
            "LLM_CALL openai.chat gpt-4o ALLOW below 4",
            "LLM_CALL openai.chat gpt-4o ALLOW below 4",
            "OTHER weather - ALLOW below null",
        ]
    );

    // What fired could stop nothing: it is told, and it is an incident.
    let incidents = server.http().get(&format!("/api/v1/runtime/incidents/by-run/{id}"), &admin).expect(200);
    assert_eq!(incidents["items"].as_array().map(Vec::len), Some(1), "{incidents}");
    let bundle = place.path("run.bundle.json");
    let bundle = bundle.to_str().expect("UTF-8");
    place.succeed(&["bundle", &id, "-o", bundle]);
    let public = place.public_keys();
    let verified = place.run(&["verify", bundle, "--key", public.to_str().expect("UTF-8"), "--reexecute"]);
    assert_eq!(verified.code, Some(0), "{}", verified.stdout);

    // The same SDK, packing what it sends.
    run_agent(&place, &server, &python, &[("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")]);
    let begun = Instant::now();
    while server.http().get(&format!("{ACTIVITY}?total=true"), &admin).expect(200)["total"] != 2 {
        assert!(begun.elapsed() < DEADLINE, "the packed trace is a run of its own");
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(sealed(&server, &admin)["input_tokens"], 63);
}
