//! An older backup is restored: it is read and not written until somebody accepts what is lost, and the logs say so
//! for ever.

use serde_json::{Value, json};
use testkit::Store;

use crate::{
    harness::{DEADLINE, Place, Server},
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

async fn a_restored_backup_is_read_until_it_is_accepted(store: Store) {
    let Some(place) = Place::on(store).await else { return };
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

#[tokio::test]
async fn a_restored_backup_is_read_until_it_is_accepted_on_sqlite() {
    a_restored_backup_is_read_until_it_is_accepted(Store::Sqlite).await;
}

#[tokio::test]
async fn a_restored_backup_is_read_until_it_is_accepted_on_postgres() {
    a_restored_backup_is_read_until_it_is_accepted(Store::Postgres).await;
}

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

fn size_of(place: &Place, file: &str) -> u64 {
    let note = std::fs::read_to_string(place.data().join("keys/checkpoints").join(file)).expect("it is kept");
    note.lines().nth(1).expect("a size").parse().expect("a number")
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

/// Has `sqlite3` carry out a command on the embedded store.
pub(crate) fn sqlite3(place: &Place, command: &str) {
    let mut sqlite3 = std::process::Command::new("sqlite3");
    let ran = sqlite3.current_dir(place.folder.path()).arg("data/hoc.db").arg(command).output();
    let ran = ran.expect("sqlite3 starts");
    assert!(ran.status.success() && ran.stderr.is_empty(), "{command}: {ran:?}");
}

async fn a_kill_that_is_gone_is_missed_by_the_first_step(store: Store) {
    let Some(place) = Place::on(store).await else { return };
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

#[tokio::test]
async fn a_kill_that_is_gone_is_missed_by_the_first_step_on_sqlite() {
    a_kill_that_is_gone_is_missed_by_the_first_step(Store::Sqlite).await;
}

#[tokio::test]
async fn a_kill_that_is_gone_is_missed_by_the_first_step_on_postgres() {
    a_kill_that_is_gone_is_missed_by_the_first_step(Store::Postgres).await;
}

/// The first to miss something is a run, of which no log tells; a log lost something too, and that is accepted.
async fn a_server_goes_on_with_its_runs_where_their_loss_was_accepted(store: Store) {
    let Some(place) = Place::on(store).await else { return };
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

#[tokio::test]
async fn a_server_goes_on_with_its_runs_where_their_loss_was_accepted_on_sqlite() {
    a_server_goes_on_with_its_runs_where_their_loss_was_accepted(Store::Sqlite).await;
}

#[tokio::test]
async fn a_server_goes_on_with_its_runs_where_their_loss_was_accepted_on_postgres() {
    a_server_goes_on_with_its_runs_where_their_loss_was_accepted(Store::Postgres).await;
}

/// Whoever is told of a loss finds it in the checkpoint folder, though nobody ever signed what was lost. Of an embedded
/// store the command finds the server by its lock, and asks it first.
async fn a_loss_is_accepted_as_soon_as_it_is_told(store: Store) {
    let Some(place) = Place::on(store).await else { return };
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
    if place.database().is_some() {
        let ready = http.get("/readyz", "").expect(503);
        let why = ready["detail"].as_str().expect("why");
        assert!(why.contains("--accept-restore") && why.contains("checkpoints"), "{why}");
    }

    let (_, accepted) = finding(&place, &["--accept-restore"], "restore");
    assert!(accepted.contains("accepted") && accepted.contains("had 4 when"), "{accepted}");
    goes_on(&mut http);
    start(&mut http, &agent).expect(201);
}

#[tokio::test]
async fn a_loss_is_accepted_as_soon_as_it_is_told_on_sqlite() {
    a_loss_is_accepted_as_soon_as_it_is_told(Store::Sqlite).await;
}

#[tokio::test]
async fn a_loss_is_accepted_as_soon_as_it_is_told_on_postgres() {
    a_loss_is_accepted_as_soon_as_it_is_told(Store::Postgres).await;
}

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

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for file in std::fs::read_dir(from).expect("a folder") {
        let file = file.expect("a file");
        std::fs::copy(file.path(), to.join(file.file_name())).expect("it is copied");
    }
}

/// Two runs, of which a backup has the first; the checkpoints outside know both.
async fn lose_a_run(place: &Place, key: &str) {
    place.back_up_after(|server| started(&mut server.http(), key)).await;
    let lost = place.lose(|server| {
        started(&mut server.http(), key);
        signed(server, key);
    });
    lost.await;
}

/// Whoever accepts is killed when the logs say so, and nothing outside the store does yet.
#[tokio::test]
async fn an_acceptance_that_was_cut_off_is_brought_to_its_end_by_the_next() {
    let place = Place::sqlite();
    let admin = place.key("admin");
    lose_a_run(&place, &admin).await;
    let (folder, before) = (place.data().join("keys/checkpoints"), place.path("before"));
    copy(&folder, &before);
    let (code, accepted) = finding(&place, &["--accept-restore"], "restore");
    assert_eq!(code, Some(0), "{accepted}");
    copy(&before, &folder);
    for _ in 0..2 {
        let (code, logs) = finding(&place, &["--accept-restore"], "logs");
        assert_eq!(code, Some(0), "{logs}");
        assert!(!logs.contains("TRUNCATED"), "{logs}");
    }
    let (code, logs) = finding(&place, &[], "logs");
    assert_eq!(code, Some(0), "{logs}");
}

#[tokio::test]
async fn a_torn_checkpoint_does_not_hide_an_older_backup() {
    for torn in ["", "hoc/default"] {
        let place = Place::sqlite();
        let admin = place.key("admin");
        lose_a_run(&place, &admin).await;
        let folder = place.data().join("keys/checkpoints");
        let newest = folder.join("default-runs.checkpoint");
        std::fs::write(&newest, torn).expect("it is torn");

        let server = place.serve();
        server.http().get("/readyz", "").expect(503);
        assert_eq!(start(&mut server.http(), &admin).expect(503)["code"], "store_behind");
        server.stop();

        // Nor is anything written where nobody can tell; until somebody does without.
        std::fs::write(folder.join("default-runs.history.jsonl"), torn).expect("it is torn");
        let server = place.serve();
        let ready = server.http().get("/readyz", "").expect(503);
        assert!(ready["detail"].as_str().expect("why").contains("cannot be read"), "{ready}");
        assert_eq!(start(&mut server.http(), &admin).expect(503)["code"], "store_behind");
        let (code, found) = finding(&place, &[], "restore");
        assert_eq!(code, Some(1));
        assert!(found.contains("cannot be read"), "{found}");
        for file in ["default-runs.checkpoint", "default-runs.history.jsonl"] {
            std::fs::remove_file(folder.join(file)).expect("it goes");
        }
        goes_on(&mut server.http());
        start(&mut server.http(), &admin).expect(201);
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
