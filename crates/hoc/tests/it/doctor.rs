//! `hoc doctor`, and the other commands that only look.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
};

use serde_json::{Value, json};
use testkit::Store;

use crate::{
    harness::{Place, on_both},
    restore::sqlite3,
};

const RUNS: &str = "/api/v1/runtime/activity/runs";
/// The end of the last line, where records were left out.
const LEFT_OUT: &str = "; no records of runs were opened (--quick)";

async fn a_sound_installation_has_nothing_to_mend(place: Place) {
    let server = place.serve();
    let place = place.with("HOC_LISTEN", &server.address);
    let printed = place.succeed(&["doctor", "--json"]);
    let findings: Value = serde_json::from_str(&printed).expect("JSON");
    let findings = findings.as_array().expect("a list");
    for what in ["store", "append-only", "commit", "keys", "logs", "segments", "server"] {
        assert!(
            findings.iter().any(|finding| finding["what"] == what && finding["state"] == "ok"),
            "{what}: {printed}"
        );
    }
    let quick = place.succeed(&["doctor", "--quick"]);
    let last = format!("everything that was looked at holds{LEFT_OUT}");
    assert_eq!(quick.lines().last(), Some(last.as_str()), "{quick}");
    let printed = place.succeed(&["doctor", "--quick", "--json"]);
    assert!(!printed.contains("were looked into"), "{printed}");
}

on_both!(a_sound_installation_has_nothing_to_mend);

/// A byte is lost of a run's first step: whoever meets it is told which, and gets the rest.
#[tokio::test]
async fn a_damaged_segment_is_named_and_the_rest_is_served() {
    let Some(place) = Place::on(Store::Postgres).await else { return };
    let admin = place.key("admin");
    let server = place.serve();
    let mut http = server.http();
    let run = http.post(RUNS, &admin, &json!({ "agent_id": "a" })).expect(201)["run_id"].clone();
    let run = run.as_str().expect("an id");
    let steps = format!("{RUNS}/{run}/steps");
    let step = |key: &str| json!({ "kind": "TOOL_CALL", "skill_name": "s", "status": "SUCCESS", "idempotency_key": key });
    for key in ["first", "second"] {
        http.post(&steps, &admin, &step(key)).expect(200);
    }
    let database = place.database().expect("on Postgres");
    database.disarm("run_segments").await;
    let cut = "UPDATE run_segments SET body = substr(body, 1, length(body) - 1) WHERE first_step = 0 AND step_count > 0";
    database.tamper(cut).await.expect("cut");

    let page = http.get(&steps, &admin).expect(200);
    assert_eq!(page["items"].as_array().map(Vec::len), Some(1), "{page}");
    let missing = &page["missing"][0];
    assert_eq!((&missing["run_id"], &missing["step_count"]), (&json!(run), &json!(1)), "{page}");
    let segment = format!("{run}/{}", missing["first_record"]);
    let repeated = http.post(&steps, &admin, &step("first")).expect(500);
    assert_eq!(repeated["code"], "record_damaged");
    assert!(repeated["detail"].as_str().is_some_and(|detail| detail.contains(&segment)), "{repeated}");
    http.post(&steps, &admin, &step("second")).expect(200);
    let bundle = http.get(&format!("{RUNS}/{run}/bundle"), &admin);
    bundle.expect(200);
    let (file, public) = (place.path("bundle.json"), place.public_keys());
    fs::write(&file, &bundle.body).expect("it is written");
    let [file, public] = [&file, &public].map(|path| path.to_str().expect("UTF-8"));
    let verified = place.run(&["verify", file, "--key", public]);
    assert_eq!(verified.code, Some(4), "{}", verified.stdout);
    assert!(verified.stdout.contains(&segment), "{}", verified.stdout);
    let place = place.with("HOC_LISTEN", &server.address);
    let looked = place.run(&["doctor"]);
    assert_eq!(looked.code, Some(1), "{}", looked.stdout);
    let told = looked.stdout.lines().find(|line| line.starts_with("FAIL  segments"));
    assert!(told.is_some_and(|line| line.contains(&segment)), "{}", looked.stdout);
    let quick = place.run(&["doctor", "--quick"]).stdout;
    assert!(!quick.contains("FAIL  segments"), "{quick}");
    assert!(quick.lines().last().is_some_and(|last| last.ends_with(LEFT_OUT)), "{quick}");

    // As a dump leaves it that has all tables but that one.
    let database = place.database().expect("on Postgres");
    database.tamper("DELETE FROM run_segments").await.expect("deleted");
    let quick = place.run(&["doctor", "--quick"]);
    assert_eq!(quick.code, Some(1), "{}", quick.stdout);
    let told = quick.stdout.lines().find(|line| line.starts_with("FAIL  segments"));
    assert!(told.is_some_and(|line| line.contains(run)), "{}", quick.stdout);
}

/// The same of a run's texts: its steps are served without the one that is lost.
#[tokio::test]
async fn a_damaged_text_is_named_and_the_rest_is_served() {
    let Some(place) = Place::on(Store::Postgres).await else { return };
    let admin = place.key("admin");
    let server = place.serve();
    let mut http = server.http();
    let run = http.post(RUNS, &admin, &json!({ "agent_id": "a" })).expect(201)["run_id"].clone();
    let run = run.as_str().expect("an id");
    let steps = format!("{RUNS}/{run}/steps");
    for said in ["first", "second"] {
        let step = json!({ "kind": "TOOL_CALL", "skill_name": "s", "status": "SUCCESS", "params": { "said": said } });
        http.post(&steps, &admin, &step).expect(200);
    }
    let database = place.database().expect("on Postgres");
    database.disarm("run_contents").await;
    let last = "(SELECT max(first_record) FROM run_contents)";
    database.tamper(&format!("DELETE FROM run_contents WHERE first_record = {last}")).await.expect("gone");

    let page = http.get(&steps, &admin).expect(200);
    let (first, second) = (&page["items"][0], &page["items"][1]);
    assert_eq!((&first["params"]["said"], &first["lost"]), (&json!("first"), &json!([])), "{page}");
    assert_eq!((&second["params"], &second["lost"]), (&json!(null), &json!(["params"])), "{page}");
    let missing = &page["missing_texts"][0];
    assert_eq!(missing["run_id"], json!(run), "{page}");
    let body = format!("run_contents row {run}/{}", missing["first_record"]);
    let bundle = http.get(&format!("{RUNS}/{run}/bundle"), &admin);
    bundle.expect(200);
    let (file, public) = (place.path("bundle.json"), place.public_keys());
    fs::write(&file, &bundle.body).expect("it is written");
    let [file, public] = [&file, &public].map(|path| path.to_str().expect("UTF-8"));
    let verified = place.run(&["verify", file, "--key", public]);
    assert_eq!(verified.code, Some(4), "{}", verified.stdout);
    assert!(verified.stdout.contains(&body), "{}", verified.stdout);
    let place = place.with("HOC_LISTEN", &server.address);
    let looked = place.run(&["doctor"]);
    assert_eq!(looked.code, Some(1), "{}", looked.stdout);
    let told = looked.stdout.lines().find(|line| line.starts_with("FAIL  segments"));
    assert!(told.is_some_and(|line| line.contains(&body)), "{}", looked.stdout);
}

#[test]
fn what_is_wrong_comes_with_what_to_do() {
    let place = Place::sqlite();
    let nothing = place.run(&["doctor"]);
    assert_eq!(nothing.code, Some(1));
    assert!(nothing.stdout.contains("hoc serve"), "{}", nothing.stdout);

    place.succeed(&["migrate"]);
    fs::remove_file(place.data().join("keys/signing.pem")).expect("it goes");
    let lost = place.run(&["doctor"]);
    assert_eq!(lost.code, Some(1));
    assert!(lost.stdout.contains("FAIL  keys"), "{}", lost.stdout);
}

#[test]
fn a_counter_that_is_wrong_is_named_and_counted_anew() {
    let place = Place::sqlite();
    place.serve().stop();
    assert!(place.succeed(&["doctor"]).contains("counters    those of"));
    sqlite3(
        &place,
        "INSERT INTO counters SELECT tenant_id, 'RUNS', '', x'00', 0, '', '[\"LIVE\"]', 1, 0, 0, 0, 0, 0, 0, 0 FROM tenants",
    );
    let wrong = place.run(&["doctor"]);
    assert_eq!(wrong.code, Some(1), "{}", wrong.stdout);
    assert!(
        wrong.stdout.contains("FAIL  counters") && wrong.stdout.contains("--recount"),
        "{}",
        wrong.stdout
    );
    assert!(wrong.stdout.contains("the number is 1 too high"), "{}", wrong.stdout);
    assert!(place.succeed(&["doctor", "--recount"]).contains("were counted anew"));
    assert!(place.succeed(&["doctor"]).contains("counters    those of"));
}

#[test]
fn the_contract_is_printed_without_a_store() {
    let place = Place::sqlite();
    let document: Value = serde_json::from_str(&place.succeed(&["openapi"])).expect("JSON");
    assert!(document["paths"]["/api/v1/runtime/activity/runs"].is_object());
    assert!(!place.data().exists());
}

#[test]
fn every_command_has_help_with_an_example() {
    let place = Place::sqlite();
    for command in ["serve", "demo", "migrate", "keys", "login-link", "bundle", "verify", "doctor", "openapi"]
    {
        let help = place.succeed(&[command, "--help"]);
        assert!(help.contains("Example"), "{command}: {help}");
    }
}

#[test]
fn migrating_twice_changes_nothing() {
    let place = Place::sqlite();
    let first: Value = serde_json::from_str(&place.succeed(&["migrate", "--json"])).expect("JSON");
    assert!(!first["applied"].as_array().expect("a list").is_empty());
    let second: Value = serde_json::from_str(&place.succeed(&["migrate", "--json"])).expect("JSON");
    assert_eq!(second["applied"], Value::Array(Vec::new()));
}

#[test]
fn what_a_store_refuses_is_told_once_with_what_to_do() {
    // Port 1 is nobody's.
    let place = Place::sqlite().with("HOC_DATABASE_URL", "postgres://hoc:hoc@127.0.0.1:1/hoc");
    for args in [&["doctor"][..], &["keys", "list"], &["serve"]] {
        let ran = place.run(args);
        let told = ran.stdout + &ran.stderr;
        assert_eq!(ran.code, Some(1), "{args:?}: {told}");
        assert!(told.contains("Connection refused") && !told.contains("pool timed out"), "{args:?}: {told}");
        assert!(told.contains("is Postgres running there"), "{args:?}: {told}");
    }
}

#[tokio::test]
async fn a_database_that_is_not_there_is_told_without_the_line_of_its_source() {
    let Some(place) = Place::on(Store::Postgres).await else { return };
    let mut url = place.database_url().expect("a Postgres").to_owned();
    let name = url.split('?').next().and_then(|url| url.rsplit('/').next()).expect("a name").to_owned();
    url = url.replacen(&name, "no_such_database", 1);
    let place = place.with("HOC_DATABASE_URL", &url);
    for args in [&["doctor"][..], &["keys", "list"]] {
        let ran = place.run(args);
        let told = ran.stdout + &ran.stderr;
        assert_eq!(told.matches("does not exist").count(), 1, "{args:?}: {told}");
        assert!(!told.contains("at line") && told.contains("createdb"), "{args:?}: {told}");
    }
}

/// Whether the password is wrong or the user is none, a database says no more than that it lets nobody in.
#[tokio::test]
async fn a_user_that_a_database_lets_in_nowhere_is_told_what_to_look_at() {
    let Some(place) = Place::on(Store::Postgres).await else { return };
    let url = place.database_url().expect("a Postgres").to_owned();
    let (scheme, rest) = url.split_once("://").expect("a URL");
    let rest = rest.split_once('@').map_or(rest, |(_, rest)| rest);
    let place = place.with("HOC_DATABASE_URL", &format!("{scheme}://no_such_user:wrong@{rest}"));
    for args in [&["doctor"][..], &["keys", "list"]] {
        let ran = place.run(args);
        let told = ran.stdout + &ran.stderr;
        assert_eq!(ran.code, Some(1), "{args:?}: {told}");
        assert!(told.contains("are user and password of the URL right?"), "{args:?}: {told}");
        assert!(!told.contains("wrong@") && !told.contains("at line"), "{args:?}: {told}");
    }
}

#[test]
fn a_store_that_cannot_be_looked_at_is_not_said_to_be_absent() {
    let place = Place::sqlite();
    std::os::unix::fs::symlink(place.data(), place.data()).expect("a folder that leads to itself");
    for args in [&["doctor"][..], &["keys", "list"]] {
        let ran = place.run(args);
        let told = ran.stdout + &ran.stderr;
        assert_eq!(ran.code, Some(1), "{args:?}: {told}");
        assert!(told.contains("cannot look at the store") && !told.contains("hoc serve"), "{args:?}: {told}");
    }
}

/// The binary as another user than the one whose store it is. Only root can be two users.
#[test]
fn a_store_of_another_user_is_told_to_be_that() {
    use std::os::unix::{fs::MetadataExt as _, process::CommandExt as _};
    const NOBODY: u32 = 65_534;
    let place = Place::sqlite();
    place.succeed(&["migrate"]);
    if fs::metadata(place.data()).expect("it is there").uid() != 0 {
        return;
    }
    fs::set_permissions(place.folder.path(), fs::Permissions::from_mode(0o755)).expect("others may pass");
    let Ok(ran) = place.command(&["doctor"]).uid(NOBODY).gid(NOBODY).output() else { return };
    let told = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(told.contains("may not be read by this user") && !told.contains("hoc serve"), "{told}");
}

#[test]
fn the_findings_stand_alone_whoever_reads_them() {
    let place = Place::sqlite().with("HOC_NO_SUCH_SETTING", "1");
    place.succeed(&["migrate"]);
    let ran = place.run(&["doctor"]);
    assert!(ran.stdout.contains("HOC_NO_SUCH_SETTING is set"), "{}", ran.stdout);
    assert_eq!(ran.stderr, "", "no log line stands between them");
    let warned = place.run(&["migrate"]).stderr;
    assert!(warned.contains("HOC_NO_SUCH_SETTING") && !warned.contains('{'), "a person reads that: {warned}");
}

/// What a command says on a terminal.
fn on_a_terminal(place: &Place, args: &[&str]) -> Option<String> {
    let command = place.command(args);
    let program = command.get_program().to_str().expect("a path");
    let mut script = std::process::Command::new("script");
    script.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    script
        .args(["-qec", &format!("{program} {}", args.join(" ")), "/dev/null"])
        .current_dir(place.folder.path());
    let said = script.env("PATH", "/usr/bin:/bin").stdin(std::process::Stdio::null()).output().ok()?;
    Some(String::from_utf8_lossy(&said.stdout).into_owned())
}

#[test]
fn no_color_holds_for_log_lines_too() {
    let place = Place::sqlite().with("HOC_NO_SUCH_SETTING", "1").with("TERM", "xterm");
    let Some(coloured) = on_a_terminal(&place, &["migrate"]) else { return };
    assert!(coloured.contains("HOC_NO_SUCH_SETTING") && coloured.contains('\u{1b}'), "{coloured}");
    let place = place.with("NO_COLOR", "1");
    let plain = on_a_terminal(&place, &["migrate"]).expect("it was there a moment ago");
    assert!(plain.contains("HOC_NO_SUCH_SETTING") && !plain.contains('\u{1b}'), "{plain}");
}

/// A server that listens where one of this store would is not one of this store.
async fn another_stores_server_is_told_to_be_that(store: Store) {
    let (Some(place), other) = (Place::on(store).await, Place::sqlite()) else { return };
    place.succeed(&["migrate"]);
    let server = other.serve();
    let place = place.with("HOC_LISTEN", &server.address);
    let found = place.succeed(&["doctor"]);
    let line = found.lines().find(|line| line.contains("  server ")).expect("the server is looked at");
    assert!(line.starts_with("note") && line.contains(" serves another"), "{found}");
    // Its own is found wherever it listens.
    let of_its_own = other.succeed(&["doctor"]);
    assert!(
        of_its_own.contains(&format!("http://{} serves this store, and is ready", server.address)),
        "{of_its_own}"
    );
}

#[tokio::test]
async fn another_stores_server_is_told_to_be_that_on_sqlite() {
    another_stores_server_is_told_to_be_that(Store::Sqlite).await;
}

#[tokio::test]
async fn another_stores_server_is_told_to_be_that_on_postgres() {
    another_stores_server_is_told_to_be_that(Store::Postgres).await;
}

/// Answers everything with 200 and `{}`, as what is no server of ours may.
fn answers_anything() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound").to_string();
    std::thread::spawn(move || {
        for caller in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut caller = caller;
                let mut head = [0; 4_096];
                while let Ok(1..) = caller.read(&mut head) {
                    let answer =
                        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
                    if caller.write_all(answer.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

/// What does not say its keys is not said to serve this store.
async fn what_does_not_say_whose_it_is(store: Store, said: &str) {
    let Some(place) = Place::on(store).await else { return };
    place.succeed(&["migrate"]);
    let place = place.with("HOC_LISTEN", &answers_anything());
    let found = place.succeed(&["doctor"]);
    let line = found.lines().find(|line| line.contains("  server ")).expect("the server is looked at");
    assert!(line.starts_with("note") && line.contains(said), "{found}");
    assert!(!found.contains("serves this store, and is ready"), "{found}");
}

#[tokio::test]
async fn what_does_not_say_whose_it_is_on_sqlite() {
    what_does_not_say_whose_it_is(Store::Sqlite, "is something else").await;
}

#[tokio::test]
async fn what_does_not_say_whose_it_is_on_postgres() {
    what_does_not_say_whose_it_is(Store::Postgres, "cannot be told").await;
}
