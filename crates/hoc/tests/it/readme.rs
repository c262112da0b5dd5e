//! What the README and docs/agents.md say is done as it stands there, and answers as they say.

use std::{fs, process::Command};

use serde_json::json;

use crate::{
    chrome::variable,
    harness::{Place, Server},
};

const README: &str = include_str!("../../../../README.md");
const AGENTS: &str = include_str!("../../../../docs/agents.md");
/// Where the pages say that the server is.
const WRITTEN: &str = "127.0.0.1:8080";

/// A section of a page, from its title to the next.
fn section(page: &'static str, title: &str) -> &'static str {
    let (_, from) = page.split_once(title).unwrap_or_else(|| panic!("no section {title}"));
    from.split_once("\n## ").map_or(from, |(section, _)| section)
}

/// Its blocks of code, with their languages.
fn blocks(section: &'static str) -> Vec<(&'static str, &'static str)> {
    let blocks = section.split("\n```").skip(1).step_by(2);
    blocks.filter_map(|block| block.split_once('\n')).collect()
}

/// Whether a line is as the page says, `…` standing for anything.
fn is_as_said(line: &str, said: &str) -> bool {
    let mut pieces = said.split('…');
    let Some(mut rest) = pieces.next().and_then(|first| line.strip_prefix(first)) else { return false };
    let mut last = None;
    for piece in pieces {
        last = Some(piece);
        let Some((_, after)) = rest.split_once(piece) else { return false };
        rest = if piece.is_empty() { rest } else { after };
    }
    rest.is_empty() || last == Some("")
}

fn admin_key(server: &Server) -> &str {
    let key = server.greeting.iter().find_map(|line| line.trim().strip_prefix("export KEY="));
    key.expect("the first start prints the admin key")
}

#[test]
fn the_first_section_does_what_it_says() {
    let place = Place::sqlite();
    let server = place.serve();
    let blocks = blocks(section(README, "## Five minutes to a governed agent"));
    let shell: Vec<_> = blocks.iter().filter(|(language, _)| *language == "sh").collect();
    // The first builds the binary and starts the server: here both are done already.
    assert!(
        shell[0].1.contains("cargo build --release") && shell[0].1.ends_with("hoc serve"),
        "{}",
        shell[0].1
    );
    let script: Vec<&str> = shell[1..]
        .iter()
        .flat_map(|(_, block)| block.lines())
        .filter(|line| !line.starts_with("export PATH="))
        .collect();
    let script =
        script.join("\n").replace("export KEY=hoc_...", &format!("export KEY={}", admin_key(&server)));
    let script = script.replace(WRITTEN, &server.address);
    let mut command = place.command(&[]);
    let binary = std::path::Path::new(command.get_program()).parent().expect("a folder").to_owned();
    let path = format!("{}:{}", binary.display(), variable("PATH").expect("a PATH"));
    let settings: Vec<_> =
        command.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect();
    command = Command::new("sh");
    command
        .args(["-c", &script])
        .env_clear()
        .envs(settings)
        .env("PATH", path)
        .current_dir(place.folder.path());
    let ran = command.output().expect("a shell");
    let printed = String::from_utf8_lossy(&ran.stdout).into_owned();
    let told = String::from_utf8_lossy(&ran.stderr).into_owned();
    let mut rest: Vec<&str> = printed.lines().collect();
    let said = blocks.iter().filter(|(language, _)| *language == "text").flat_map(|(_, block)| block.lines());
    let mut count = 0;
    for said in said {
        let said = said.replace(WRITTEN, &server.address);
        let at = rest.iter().position(|line| is_as_said(line, &said));
        let at = at.unwrap_or_else(|| panic!("nothing is as said: {said}\nin: {rest:#?}\n{told}"));
        rest.drain(..=at);
        count += 1;
    }
    assert!(count > 8, "the README says what to expect");
    assert!(ran.status.success(), "{printed}{told}");
}

#[test]
fn what_is_as_said_is_told_from_what_is_not() {
    assert!(is_as_said("{\"a\":1,\"b\":2}", "{\"a\":…\"b\":…"));
    assert!(is_as_said("COMPLETE", "COMPLETE") && is_as_said("run x, PASS", "run …, PASS"));
    for other in ["{\"b\":2,\"a\":1}", "x{\"a\":1,\"b\":2}", ""] {
        assert!(!is_as_said(other, "{\"a\":…\"b\":…"), "{other}");
    }
    assert!(!is_as_said("COMPLETE!", "COMPLETE") && !is_as_said("run x, PASSED", "run …, PASS"));
}

/// The loop, in Python: of two steps a rule refuses one, and the agent goes on.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
#[test]
fn the_agent_in_python_asks_acts_and_reports() {
    let Some(python) = variable("HOC_TEST_OTEL_PYTHON") else {
        eprintln!("SKIPPED: HOC_TEST_OTEL_PYTHON names no Python; `cargo xtask test` makes one");
        return;
    };
    let place = Place::sqlite();
    let server = place.serve();
    let blocks = blocks(section(AGENTS, "## In Python"));
    let [(_, module), (_, agent)] = blocks.as_slice() else { panic!("two blocks: {blocks:?}") };
    fs::write(place.path("governed.py"), module).expect("it is written");
    fs::write(place.path("agent.py"), agent).expect("it is written");
    let admin = admin_key(&server).to_owned();
    let rule = json!({
        "name": "no-fables", "enforcement_mode": "BLOCK", "bind_at": "STEP_PRE",
        "condition": "context.step.skill == \"get_weather\" && context.run.steps > 0",
    });
    let mut http = server.http();
    http.post("/api/v1/runtime/policies/rules", &admin, &rule).expect(201);
    let run = || {
        let mut command = Command::new(&python);
        command.arg("agent.py").current_dir(place.folder.path()).env_clear();
        command.env("HOC_API", format!("http://{}/api/v1/runtime", server.address));
        let ran = command.env("HOC_KEY", place.key("agent")).output().expect("Python starts");
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
