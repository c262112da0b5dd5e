//! Two servers of one store, one of them a day ahead: it is not ready, what the other serves lives on, and what it is
//! still asked has the time that it is.

use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};
use testkit::Store;

use crate::{
    chrome::variable,
    harness::{Place, Server},
};

/// The variable that names libfaketime; `cargo xtask test` sets it.
const VARIABLE: &str = "HOC_TEST_FAKETIME";

const RUNS: &str = "/api/v1/runtime/activity/runs";

fn time(text: &Value) -> DateTime<Utc> {
    text.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("no time: {text}"))
}

/// The library by which a process has another time; none where the test is to be skipped.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn faketime() -> Option<String> {
    let faketime = variable(VARIABLE);
    if faketime.is_none() {
        eprintln!("SKIPPED: {VARIABLE} names no libfaketime; `cargo xtask test` finds or installs one");
    }
    faketime
}

/// A server whose clock is off by so much.
fn serve_off(place: &Place, faketime: &str, off: &str) -> Server {
    let mut command = place.command(&["serve"]);
    command
        .env("LD_PRELOAD", faketime)
        .env("FAKETIME", off)
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .env("DONT_FAKE_MONOTONIC", "1");
    Server::start(command)
}

#[tokio::test]
async fn a_server_whose_clock_is_a_day_ahead_ends_no_run_of_another() {
    let Some(faketime) = faketime() else { return };
    let Some(place) = Place::on(Store::Postgres).await else { return };
    let (key, admin) = (place.key("agent"), place.key("admin"));
    let right = place.serve();
    let start = |server: &Server| server.http().post(RUNS, &key, &json!({ "agent_id": "a" }));
    let run = start(&right).expect(201)["run_id"].as_str().expect("an id").to_owned();
    let read = right.http().get(&format!("{RUNS}/{run}"), &key).expect(200);
    let begun = time(&read["started_at"]);

    for (off, how) in [("+1d", "ahead of"), ("-2h", "behind")] {
        let wrong = serve_off(&place, &faketime, off);
        let not_ready = wrong.http().get("/readyz", "").expect(503);
        assert_eq!(not_ready["code"], "not_ready", "{not_ready}");
        assert!(not_ready["detail"].as_str().expect("why").contains(how), "{not_ready}");
        assert_eq!(start(&wrong).expect(503)["code"], "clock_off");
        // A row of the audit ledger dates all that come after it, and a permit says until when it serves.
        let limit = json!({ "name": how, "limit_type": "STEPS", "max_value": 9, "reset_period": "DAILY" });
        wrong.http().post("/api/v1/runtime/policies/limits", &admin, &limit).expect(201);
        let rows = right.http().get("/api/v1/runtime/logs/audit", &admin).expect(200);
        let ask = json!({ "kind": "TOOL_CALL", "skill_name": "look" });
        let permit = wrong.http().post(&format!("{RUNS}/{run}/permits"), &key, &ask).expect(201);
        for at in [&rows["items"][0]["created_at"], &permit["expires_at"]] {
            let since = time(at) - begun;
            assert!(since > -Duration::minutes(30) && since < Duration::minutes(30), "{how}: {at}");
        }
        // It stops when it has looked once more for runs that are due.
        let (code, log) = wrong.stop();
        assert_eq!(code, Some(0), "{log}");
        assert!(log.contains(how), "{log}");
        let step = json!({ "kind": "TOOL_CALL", "skill_name": "look", "status": "SUCCESS" });
        right.http().post(&format!("{RUNS}/{run}/steps"), &key, &step).expect(200);
    }
    right.http().get("/readyz", "").expect(200);
}

#[test]
fn a_start_by_a_wrong_clock_ends_no_run_and_is_told_by_the_next() {
    let Some(faketime) = faketime() else { return };
    let place = Place::sqlite();
    let (key, admin) = (place.key("agent"), place.key("admin"));
    let server = place.serve();
    let run = server.http().post(RUNS, &key, &json!({ "agent_id": "a" })).expect(201);
    let run = run["run_id"].as_str().expect("an id").to_owned();
    let (code, log) = server.stop();
    assert_eq!(code, Some(0), "{log}");

    let wrong = serve_off(&place, &faketime, "+2d");
    let limit = json!({ "name": "steps", "limit_type": "STEPS", "max_value": 9, "reset_period": "NONE" });
    wrong.http().post("/api/v1/runtime/policies/limits", &admin, &limit).expect(201);
    // It stops when it has looked once more for runs that are due.
    let (code, log) = wrong.stop();
    assert_eq!(code, Some(0), "{log}");

    let right = place.serve();
    let not_ready = right.http().get("/readyz", "").expect(503);
    let why = not_ready["detail"].as_str().expect("why");
    assert!(why.contains("reach into the future"), "{not_ready}");
    let read = right.http().get(&format!("{RUNS}/{run}"), &key).expect(200);
    assert_eq!(read["state"], "LIVE", "{read}");
    let (code, log) = right.stop();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("reach into the future"), "{log}");
    let doctor = place.run(&["doctor"]);
    assert_eq!(doctor.code, Some(1), "{}", doctor.stdout);
    assert!(doctor.stdout.contains("FAIL  clock"), "{}", doctor.stdout);
}
