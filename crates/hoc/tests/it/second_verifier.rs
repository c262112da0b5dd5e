//! A verifier that shares no code with ours, `docs/examples/verify.py`, beside `hoc verify`: on the bundles of a real
//! server, on damaged ones, and on those in which somebody who has the key planted a fault.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use testkit::Store;

use crate::{
    chrome::variable,
    harness::{Place, Server},
    outage::{Agent, go_on, wait},
};

/// The variable that names a Python with what `data/second_verifier.txt` lists; `cargo xtask test` sets it.
const VARIABLE: &str = "HOC_TEST_VERIFIER_PYTHON";

/// Its part of the test: `play.py` makes bundles, `compare.py` damages and compares.
const PROGRAMS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/second_verifier");

/// Runs one of the programs in the place, to its end; gives what it said.
fn run(python: &str, place: &Place, keys: [&str; 2], program: &str, args: &[&str]) -> String {
    let mut command = Command::new(python);
    command.arg(Path::new(PROGRAMS).join(program)).args(args).arg(env!("CARGO_BIN_EXE_hoc")).env_clear();
    command.envs(place.command(&[]).get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.envs([("HOC_AGENT", keys[0]), ("HOC_ADMIN", keys[1])]);
    command.envs([("PYTHONDONTWRITEBYTECODE", "1"), ("PYTHONUTF8", "1")]);
    let ran = command.current_dir(place.folder.path()).stdin(Stdio::null()).output().expect("Python starts");
    let (said, told) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{said}{told}");
    said.into_owned()
}

/// Runs that went on while the store was away, and are written since it is back.
async fn with_gaps(place: &Place, server: &Server, key: &str, admin: &str) -> Vec<String> {
    go_on(&mut server.http(), admin);
    let agent = Agent { server, key: key.to_owned() };
    let runs: Vec<String> = (0..3).map(|_| agent.start()).collect();
    for run in &runs {
        agent.report(run, "ask", 0.001, None).expect(200);
    }
    let is_ready = |status: u16| {
        wait("another readiness", || (server.http().get("/readyz", "").status == status).then_some(()));
    };
    place.take_store_from(server).await;
    is_ready(503);
    for (run, steps) in runs.iter().zip(1..) {
        for _ in 0..steps {
            assert_eq!(agent.report(run, "ask", 0.002, None).expect(200)["recorded"], false);
        }
    }
    place.bring_store_back_to(server).await;
    is_ready(200);
    for (run, steps) in runs.iter().zip(1..) {
        wait("what was answered", || (agent.steps(run).len() == 1 + steps).then_some(()));
    }
    runs
}

#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn python() -> Option<String> {
    let python = variable(VARIABLE);
    if python.is_none() {
        eprintln!(
            "SKIPPED: {VARIABLE} names no Python for the second verifier; `cargo xtask test` makes one"
        );
    }
    python
}

#[tokio::test]
async fn a_verifier_that_was_written_from_the_page_agrees_with_ours() {
    let Some(python) = python() else { return };
    // On SQLite the spool is gone with the store, and so no run goes on without it.
    let postgres = Place::on(Store::Postgres).await;
    let place = postgres.unwrap_or_else(Place::sqlite).with("HOC_TRACE_QUIET", "500ms");
    let (key, admin) = (place.key("agent"), place.key("admin"));
    let keys = [key.as_str(), admin.as_str()];
    let server = place.serve();
    let folder = place.path("bundles");
    fs::create_dir(&folder).expect("a folder");
    let bundles = folder.to_str().expect("UTF-8");
    run(&python, &place, keys, "play.py", &[&format!("http://{}", server.address), bundles]);
    if place.database().is_some() {
        for run in with_gaps(&place, &server, &key, &admin).await {
            place.succeed(&["bundle", &run, "-o", &format!("{bundles}/{run}.json")]);
        }
    }
    let (public, signing) = (place.public_keys(), place.data().join("keys/signing.pem"));
    let [public, signing] = [&public, &signing].map(|path| path.to_str().expect("UTF-8"));
    let said = run(&python, &place, keys, "compare.py", &[bundles, public, signing]);
    assert!(said.contains(" 0 differ"), "{said}");
    assert_eq!(server.stop().0, Some(0));
}
