//! A store that falls back under a server that runs: what it has seen is missed, and nothing is written on it.

use serde_json::{Value, json};
use testkit::Store;

use super::{RUNS, finding, goes_on, kept_outside, rule, signed, size_of, sqlite3, start, started, step};
use crate::harness::{DEADLINE, Place, on_both};

/// Waits until the server answers a write as one that is not to be written; no write passes meanwhile.
fn held_back(write: impl Fn() -> crate::http::Answer) {
    let begun = std::time::Instant::now();
    loop {
        let answer = write();
        let problem = answer.expect(503);
        if problem["code"] == "store_behind" {
            return;
        }
        // What was under way when the connections broke.
        assert_eq!(problem["code"], "store_unavailable", "{problem}");
        assert!(begun.elapsed() < DEADLINE, "the server does not notice");
    }
}

/// Keeps what is stored under a server, for [`put_back`].
async fn keep(place: &Place) {
    match place.database() {
        Some(database) => database.keep().await,
        None => sqlite3(place, ".backup kept.db"),
    }
}

/// Puts back what was kept: the server has the same file open, or the same connections.
async fn put_back(place: &Place) {
    match place.database() {
        Some(database) => database.put_back().await,
        None => sqlite3(place, ".restore kept.db"),
    }
}

#[tokio::test]
async fn a_store_that_falls_back_under_a_server_is_not_written_on() {
    let Some(place) = Place::on(Store::Postgres).await else { return };
    let (admin, agent) = (place.key("admin"), place.key("agent"));
    let kept = place.back_up_after(|server| {
        let kept = started(&mut server.http(), &agent);
        signed(server, &admin);
        kept
    });
    let kept = kept.await;

    let server = place.serve();
    let mut http = server.http();
    rule(&mut http, &admin, "signed and lost").expect(201);
    for _ in 0..5 {
        start(&mut http, &agent).expect(201);
    }
    signed(&server, &admin);
    let newest = 6;
    kept_outside(&place, newest);
    start(&mut http, &agent).expect(201);
    // Of a run that is gone on with after the loss is accepted.
    let step = step();
    http.post(&format!("{RUNS}/{kept}/steps"), &agent, &step).expect(200);
    place.restore().await;

    // Whatever is written first: what is no part of a log, what begins a run, what is governed.
    held_back(|| server.http().post(&format!("{RUNS}/{kept}/steps"), &agent, &step));
    held_back(|| start(&mut server.http(), &agent));
    held_back(|| rule(&mut server.http(), &admin, "late"));
    http.get(&format!("{RUNS}/{kept}"), &agent).expect(200);
    let begun = std::time::Instant::now();
    while !http.get("/readyz", "").expect(503)["detail"].as_str().expect("why").contains("--accept-restore") {
        assert!(begun.elapsed() < DEADLINE, "it does not say what to do");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(size_of(&place, "default-runs.checkpoint") >= newest, "the proof of what was lost stays");

    // What was never signed is written down by whoever saw it, and counts in another process.
    let was = newest + 1;
    let begun = std::time::Instant::now();
    loop {
        let (code, found) = finding(&place, &[], "restore");
        assert_eq!(code, Some(1), "{found}");
        if found.contains(&format!("had {was} when")) {
            break;
        }
        assert!(begun.elapsed() < DEADLINE, "{found}");
    }
    let history = place.data().join("keys/checkpoints/default-runs.history.jsonl");
    let history = history.to_str().expect("UTF-8");
    let since = ["verify", "--log", "runs", "--tenant", "default", "--since", history];
    assert_eq!(place.run(&since).code, Some(4), "TRUNCATED");
    let (_, accepted) = finding(&place, &["--accept-restore"], "restore");
    assert!(accepted.contains("accepted"), "{accepted}");
    goes_on(&mut http);
    http.post(&format!("{RUNS}/{kept}/steps"), &agent, &step).expect(200);
    start(&mut http, &agent).expect(201);
    for log in ["audit", "runs"] {
        let told = place.succeed(&["verify", "--log", log]);
        assert!(told.contains("begins epoch 1"), "{told}");
    }
    let (code, log) = server.stop();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("fell back") || log.contains("older backup"), "{log}");
}

#[tokio::test]
async fn steps_of_an_open_run_that_are_gone_are_missed() {
    let Some(place) = Place::on(Store::Postgres).await else { return };
    let agent = place.key("agent");
    let run = place.back_up_after(|server| started(&mut server.http(), &agent)).await;

    let server = place.serve();
    let step = step();
    let path = format!("{RUNS}/{run}/steps");
    for _ in 0..3 {
        server.http().post(&path, &agent, &step).expect(200);
    }
    place.restore().await;
    held_back(|| server.http().post(&path, &agent, &step));
    held_back(|| start(&mut server.http(), &agent));
    let run = server.http().get(&format!("{RUNS}/{run}"), &agent).expect(200);
    assert_eq!(run["step_count"], 0, "it is read as it is");
    let (_, log) = server.stop();
    assert!(log.contains("had come to step 3"), "{log}");
    place.serve().http().post(&path, &agent, &step).expect(200);
}

async fn a_kill_that_is_gone_is_missed_by_the_first_step(place: Place) {
    let (admin, agent) = (place.key("admin"), place.key("agent"));
    let server = place.serve();
    let mut http = server.http();
    let run = started(&mut http, &agent);
    let (path, step) = (format!("{RUNS}/{run}"), step());
    http.post(&format!("{path}/steps"), &agent, &step).expect(200);
    keep(&place).await;
    http.post(&format!("{path}/kill"), &admin, &json!({ "reason": "it leaks" })).expect(200);
    http.post(&format!("{path}/steps"), &agent, &step).expect(409);
    put_back(&place).await;
    for _ in 0..2 {
        let refused = http.post(&format!("{path}/steps"), &agent, &step).expect(503);
        assert_eq!(refused["code"], "store_behind", "{refused}");
    }
    assert_eq!(http.get(&path, &agent).expect(200)["step_count"], 1, "it is read as it is");
    http.get("/readyz", "").expect(503);
}

on_both!(a_kill_that_is_gone_is_missed_by_the_first_step);

/// The first to miss something is a run, of which no log tells; a log lost something too, and that is accepted.
async fn a_server_goes_on_with_its_runs_where_their_loss_was_accepted(place: Place) {
    let (admin, agent) = (place.key("admin"), place.key("agent"));
    let server = place.serve();
    let mut http = server.http();
    let run = started(&mut http, &agent);
    let step = step();
    keep(&place).await;
    http.post(&format!("{RUNS}/{run}/steps"), &agent, &step).expect(200);
    let gone = started(&mut http, &agent);
    signed(&server, &admin);
    kept_outside(&place, 2);
    put_back(&place).await;
    let refused = http.post(&format!("{RUNS}/{run}/steps"), &agent, &step).expect(503);
    assert_eq!(refused["code"], "store_behind", "{refused}");

    let (_, accepted) = finding(&place, &["--accept-restore"], "restore");
    assert!(accepted.contains("accepted"), "{accepted}");
    goes_on(&mut http);
    http.post(&format!("{RUNS}/{run}/steps"), &agent, &step).expect(200);
    http.post(&format!("{RUNS}/{gone}/steps"), &agent, &step).expect(404);
    start(&mut http, &agent).expect(201);
}

on_both!(a_server_goes_on_with_its_runs_where_their_loss_was_accepted);

/// Whoever is told of a loss finds it in the checkpoint folder, though nobody ever signed what was lost. Of an embedded
/// store the command finds the server by its lock, and asks it first.
async fn a_loss_is_accepted_as_soon_as_it_is_told(place: Place) {
    let agent = place.key("agent");
    let server = place.serve();
    let mut http = server.http();
    started(&mut http, &agent);
    keep(&place).await;
    for _ in 0..3 {
        started(&mut http, &agent);
    }
    put_back(&place).await;
    let refused = start(&mut http, &agent).expect(503);
    assert_eq!(refused["code"], "store_behind", "{refused}");
    // Where what was seen is kept, and whose it is, is not for whoever calls.
    let data = place.data().display().to_string();
    for name in ["checkpoints", "default", data.as_str()] {
        assert!(!refused.to_string().contains(name), "{refused}");
    }
    if place.database().is_some() {
        let ready = http.get("/readyz", "").expect(503);
        let why = ready["detail"].as_str().expect("why");
        assert!(why.contains("--accept-restore") && !why.contains("checkpoints"), "{why}");
    }

    let (_, accepted) = finding(&place, &["--accept-restore"], "restore");
    assert!(accepted.contains("accepted") && accepted.contains("had 4 when"), "{accepted}");
    goes_on(&mut http);
    start(&mut http, &agent).expect(201);
}

on_both!(a_loss_is_accepted_as_soon_as_it_is_told);

/// A freeze is in no log, and its store counts as many changes again when somebody has revoked a key on it.
#[tokio::test]
async fn a_freeze_that_is_gone_is_missed_though_as_much_was_changed_since() {
    let Some(place) = Place::on(Store::Postgres).await else { return };
    let (admin, agent) = (place.key("admin"), place.key("agent"));
    place.back_up_after(|server| started(&mut server.http(), &agent)).await;

    let (server, other) = (place.serve(), place.serve());
    let freeze = json!({ "agent_id": "a", "reason": "it leaks" });
    server.http().post("/api/v1/runtime/policies/freeze", &admin, &freeze).expect(201);
    for server in [&server, &other] {
        assert_ne!(start(&mut server.http(), &agent).status, 201, "it is frozen");
        server.signal("STOP");
    }
    place.restore().await;
    let made = place.succeed(&["keys", "create", "--role", "viewer", "--json"]);
    let made: Value = serde_json::from_str(made.lines().last().expect("a line")).expect("JSON");
    place.succeed(&["keys", "revoke", made["key_id"].as_str().expect("an id")]);

    for server in [&server, &other] {
        server.signal("CONT");
        held_back(|| start(&mut server.http(), &agent));
        held_back(|| rule(&mut server.http(), &admin, "late"));
        let ready = server.http().get("/readyz", "").expect(503);
        let why = ready["detail"].as_str().expect("why");
        assert!(why.contains("another change in the place of the last"), "{why}");
    }
}

/// What a server has open is not what the next one will find: nothing is written that would be gone with it.
#[test]
fn an_embedded_store_that_is_taken_from_under_a_server_is_not_written_on() {
    for (what, changes) in [
        ("removed", &[("hoc.db", "gone.db")][..]),
        ("replaced", &[("hoc.db", "gone.db"), ("older.db", "hoc.db")]),
        ("write-ahead log", &[("hoc.db-wal", "gone.db-wal")]),
    ] {
        let place = Place::sqlite();
        let agent = place.key("agent");
        let server = place.serve();
        start(&mut server.http(), &agent).expect(201);
        std::fs::copy(place.path("data/hoc.db"), place.path("data/older.db")).expect("it is copied");
        for (from, to) in changes {
            std::fs::rename(place.data().join(from), place.data().join(to)).expect("it moves");
        }
        let problem = start(&mut server.http(), &agent).expect(503);
        assert_eq!(problem["code"], "store_behind", "{what}: {problem}");
        let ready = server.http().get("/readyz", "").expect(503);
        let told = ready["detail"].as_str().expect("why");
        assert!(told.contains(what) && told.contains("start it again"), "{what}: {told}");
        let (_, log) = server.stop();
        assert!(log.contains("under the running server"), "{what}: {log}");
    }
}
