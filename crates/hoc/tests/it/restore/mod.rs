//! An older backup is restored: it is read and not written until somebody accepts what is lost, and the logs say so
//! for ever.

mod cut_off;
mod under;
mod wrong_store;

use serde_json::{Value, json};

use crate::{
    harness::{DEADLINE, Place, Server, on_both},
    http::Http,
};

const RUNS: &str = "/api/v1/runtime/activity/runs";
const RULES: &str = "/api/v1/runtime/policies/rules";

fn rule(http: &mut Http, key: &str, name: &str) -> crate::http::Answer {
    let rule =
        json!({ "name": name, "enforcement_mode": "WARN", "condition": "context.step.cost_microusd > 5" });
    http.post(RULES, key, &rule)
}

fn start(http: &mut Http, key: &str) -> crate::http::Answer {
    http.post(RUNS, key, &json!({ "agent_id": "a" }))
}

/// The id of a run that begins.
fn started(http: &mut Http, key: &str) -> String {
    start(http, key).expect(201)["run_id"].as_str().expect("an id").to_owned()
}

fn step() -> Value {
    json!({ "kind": "TOOL_CALL", "skill_name": "look", "status": "SUCCESS" })
}

/// Waits until a server that held back goes on by itself.
fn goes_on(http: &mut Http) {
    let begun = std::time::Instant::now();
    while http.get("/readyz", "").status != 200 {
        assert!(begun.elapsed() < DEADLINE, "the server does not go on by itself");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// Waits until a checkpoint of so many runs is kept outside the store. It may have been signed by the server itself a
/// moment before, which is still to write it down there.
fn kept_outside(place: &Place, runs: u64) {
    let begun = std::time::Instant::now();
    while size_of(place, "default-runs.checkpoint") < runs {
        assert!(begun.elapsed() < DEADLINE, "it is not kept");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// Signs both logs, so that the checkpoints are kept outside.
fn signed(server: &Server, key: &str) {
    for log in ["audit", "runs"] {
        server.http().get(&format!("/api/v1/runtime/logs/checkpoints/{log}"), key).expect(200);
    }
}

fn finding(place: &Place, args: &[&str], what: &str) -> (Option<i32>, String) {
    let ran = place.run(&[&["doctor", "--json"], args].concat());
    let found: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let of_it = found.as_array().expect("a list").iter().filter(|finding| finding["what"] == what);
    (ran.code, of_it.map(Value::to_string).collect::<Vec<_>>().join("\n"))
}

fn size_of(place: &Place, file: &str) -> u64 {
    let note = std::fs::read_to_string(place.data().join("keys/checkpoints").join(file)).expect("it is kept");
    note.lines().nth(1).expect("a size").parse().expect("a number")
}

/// Has `sqlite3` carry out a command on the embedded store.
pub(crate) fn sqlite3(place: &Place, command: &str) {
    let mut sqlite3 = std::process::Command::new("sqlite3");
    let ran = sqlite3.current_dir(place.folder.path()).arg("data/hoc.db").arg(command).output();
    let ran = ran.expect("sqlite3 starts");
    assert!(ran.status.success() && ran.stderr.is_empty(), "{command}: {ran:?}");
}

async fn a_restored_backup_is_read_until_it_is_accepted(place: Place) {
    let admin = place.key("admin");
    let does = |server: &Server, what: &str| {
        rule(&mut server.http(), &admin, what).expect(201);
        let run = started(&mut server.http(), &admin);
        signed(server, &admin);
        run
    };
    let kept = place.back_up_after(|server| does(server, "before")).await;
    let gone = place.lose(|server| does(server, "after")).await;
    let lost = place.path("lost.checkpoint");
    std::fs::copy(place.data().join("keys/checkpoints/default-runs.checkpoint"), &lost)
        .expect("it was kept outside");

    let server = place.serve();
    let mut http = server.http();
    let ready = http.get("/readyz", "").expect(503);
    assert!(ready["detail"].as_str().expect("why").contains("--accept-restore"), "{ready}");
    http.get(&format!("{RUNS}/{kept}"), &admin).expect(200);
    http.get(&format!("{RUNS}/{gone}"), &admin).expect(404);
    for refused in [rule(&mut http, &admin, "late"), start(&mut http, &admin)] {
        let problem = refused.expect(503);
        assert_eq!(problem["code"], "store_behind", "{problem}");
    }
    let step = step();
    let refused = http.post(&format!("{RUNS}/{kept}/steps"), &admin, &step).expect(503);
    assert_eq!(refused["code"], "store_behind");
    let verified = place.run(&["verify", "--log", "runs"]);
    assert_eq!(verified.code, Some(4), "TRUNCATED: {}{}", verified.stdout, verified.stderr);
    let (code, found) = finding(&place, &[], "restore");
    assert_eq!(code, Some(1));
    assert!(found.contains("audit log") && found.contains("runs log"), "{found}");
    http.get("/readyz", "").expect(503);

    let (code, accepted) = finding(&place, &["--accept-restore"], "restore");
    assert_eq!(code, Some(0), "a server that runs goes on by itself, which is waited for");
    assert!(accepted.contains("accepted") && accepted.contains("\"ok\""), "{accepted}");
    goes_on(&mut http);
    rule(&mut http, &admin, "late").expect(201);
    http.post(&format!("{RUNS}/{kept}/steps"), &admin, &step).expect(200);
    http.post(&format!("{RUNS}/{kept}/complete"), &admin, &json!({ "status": "SUCCEEDED" })).expect(200);
    for log in ["audit", "runs"] {
        let told = place.succeed(&["verify", "--log", log]);
        assert!(told.contains("begins epoch 1"), "{told}");
    }
    let since = place.run(&[
        "verify",
        "--log",
        "runs",
        "--tenant",
        "default",
        "--since",
        lost.to_str().expect("UTF-8"),
    ]);
    assert_eq!(since.code, Some(4), "{}", since.stdout);
    assert!(since.stdout.contains("were lost with the restore"), "{}", since.stdout);
    let public = place.public_keys();
    let file = place.path("kept.json");
    place.succeed(&["bundle", &kept, "-o", file.to_str().expect("UTF-8")]);
    place.succeed(&["verify", file.to_str().expect("UTF-8"), "--key", public.to_str().expect("UTF-8")]);
    server.stop();

    let again = place.serve();
    again.http().get("/readyz", "").expect(200);
    let (_, nothing) = finding(&place, &["--accept-restore"], "restore");
    assert!(nothing.contains("nothing to accept"), "{nothing}");
}

on_both!(a_restored_backup_is_read_until_it_is_accepted);
