//! The loops of docs/agents.md run as they stand there, and do what the page says of each answer.

use std::{fs, process::Command};

use serde_json::json;

use crate::{
    chrome::variable,
    harness::Place,
    pages::{blocks, section},
};

const AGENTS: &str = include_str!("../../../../docs/agents.md");

#[test]
fn the_agent_in_python_asks_acts_and_reports() {
    asks_acts_and_reports("HOC_TEST_OTEL_PYTHON", "## In Python", ["governed.py", "agent.py"]);
}

#[test]
fn the_agent_in_javascript_asks_acts_and_reports() {
    asks_acts_and_reports("HOC_TEST_NODE", "## In JavaScript and TypeScript", ["governed.mjs", "agent.mjs"]);
}

/// Of two steps a rule refuses one, and the agent goes on; where the run is over, it stops.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn asks_acts_and_reports(interpreter: &str, title: &str, files: [&str; 2]) {
    let Some(program) = variable(interpreter) else {
        eprintln!("SKIPPED: {interpreter} names none; `cargo xtask test` finds or installs one");
        return;
    };
    let place = Place::sqlite();
    let server = place.serve();
    let blocks = blocks(section(AGENTS, title));
    assert_eq!(blocks.len(), files.len(), "{blocks:?}");
    for (file, block) in files.iter().zip(&blocks) {
        fs::write(place.path(file), block.text).expect("it is written");
    }
    let admin = server.admin_key().to_owned();
    let rule = json!({
        "name": "no-fables", "enforcement_mode": "BLOCK", "bind_at": "STEP_PRE",
        "condition": "context.step.skill == \"get_weather\" && context.run.steps > 0",
    });
    let mut http = server.http();
    http.post("/api/v1/runtime/policies/rules", &admin, &rule).expect(201);
    let run = || {
        let mut command = Command::new(&program);
        command.arg(files[1]).current_dir(place.folder.path()).env_clear();
        command.env("HOC_API", format!("http://{}/api/v1/runtime", server.address));
        let ran = command.env("HOC_KEY", place.key("agent")).output().expect("the interpreter starts");
        (ran.status.code(), String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned())
    };
    let (code, said) = run();
    let lines: Vec<&str> = said.lines().collect();
    let [first, refused, last] = lines.as_slice() else { panic!("{said}") };
    assert_eq!((code, *first, *last), (Some(0), "4C in Oslo", "SUCCEEDED"), "{said}");
    assert!(refused.starts_with("refused: ") && refused.contains("no-fables"), "{said}");
    let runs = http.get("/api/v1/runtime/activity/runs", &admin).expect(200);
    let run_view = &runs["items"][0];
    assert_eq!(
        (&run_view["step_count"], &run_view["assurance"]),
        (&json!(1), &json!("ENFORCED")),
        "{run_view}"
    );
    // Where the run is over the agent stops.
    let freeze = json!({"agent_id": "my-agent", "reason": "enough"});
    http.post("/api/v1/runtime/policies/freeze", &admin, &freeze).expect(201);
    let (code, said) = run();
    assert!(code == Some(1) && said.contains("is frozen"), "{said}");
}
