//! A key that is rotated under a server which nobody saw: what it refuses, what goes on, and who tells of it.

use std::time::Instant;

use serde_json::{Value, json};
use testkit::Store;

use crate::harness::{DEADLINE, Place};

const RUNS: &str = "/api/v1/runtime/activity/runs";

#[tokio::test]
async fn a_server_that_missed_a_rotation_decides_and_signs_nothing() {
    let Some(place) = Place::on(Store::Postgres).await else { return };
    let admin = place.key("admin");
    let server = place.serve();
    let run = server.http().post(RUNS, &admin, &json!({ "agent_id": "researcher" })).expect(201);
    let run = format!("{RUNS}/{}", run["run_id"].as_str().expect("an id"));

    // It has no session while the key is rotated, as on a machine that is paused.
    place.take_store_from(&server).await;
    server.signal("STOP");
    place.bring_store_back_to(&server).await;
    let rotated = place.succeed(&["keys", "rotate", "--json"]);
    let rotated: Value = serde_json::from_str(rotated.lines().last().expect("a line")).expect("JSON");
    let new = rotated["new_key_id"].as_str().expect("an id");
    server.signal("CONT");

    let mut http = server.http();
    let begun = Instant::now();
    loop {
        let ready = http.get("/readyz", "");
        let told: Value = serde_json::from_slice(&ready.body).expect("JSON");
        let detail = told["detail"].as_str().unwrap_or_default();
        if ready.status == 503 && detail.contains(new) {
            assert!(detail.contains("HOC_SIGNING_KEY_FILE"), "it says what to do: {told}");
            break;
        }
        assert!(begun.elapsed() < DEADLINE, "{told}");
    }
    for path in [format!("{run}/bundle"), "/api/v1/runtime/logs/checkpoints/runs".to_owned()] {
        let refused = http.get(&path, &admin).expect(503);
        assert_eq!(refused["code"], "other_signing_key", "{path}: {refused}");
    }
    let step = json!({ "kind": "TOOL_CALL", "skill_name": "get_weather", "status": "SUCCESS" });
    http.post(&format!("{run}/steps"), &admin, &step).expect(200);
    http.post(&format!("{run}/complete"), &admin, &json!({ "status": "SUCCEEDED" })).expect(200);

    let doctor = place.command(&["doctor"]).env("HOC_LISTEN", &server.address).output();
    let doctor = doctor.expect("the binary starts");
    let found = String::from_utf8(doctor.stdout).expect("UTF-8");
    assert_eq!(doctor.status.code(), Some(1), "{found}");
    let of_server = found.lines().find(|line| line.contains("FAIL") && line.contains("/readyz answers 503"));
    assert!(of_server.is_some_and(|line| line.contains(new)), "{found}");

    let (code, log) = server.stop();
    assert_eq!(code, Some(0), "{log}");
    let told = |line: &&str| line.contains("\"ERROR\"") && line.contains("this store is signed with key");
    assert_eq!(log.lines().filter(told).count(), 1, "once: {log}");

    // Started again it has the new key.
    let server = place.serve();
    server.http().get("/readyz", "").expect(200);
    server.http().get(&format!("{run}/bundle"), &admin).expect(200);
}
