//! `hoc erase`: what a run said is gone, from the files too once the store has let go of its pages, and its evidence is
//! whole.

use std::{fs, process::Command};

use serde_json::{Value, json};
use testkit::Store;

use crate::harness::Place;

const RUNS: &str = "/api/v1/runtime/activity/runs";

/// Words that stand nowhere else.
fn words() -> Vec<String> {
    (0..50).map(|n| format!("Quetzal{n:02}Umbra{:03}", n * 17 % 1000)).collect()
}

async fn nothing_is_left_of_what_was_erased(store: Store) {
    let Some(place) = Place::on(store).await else { return };
    let server = place.serve();
    let (key, admin, mut http) = (place.key("agent"), place.key("admin"), server.http());
    let started = http.post(RUNS, &key, &json!({ "agent_id": "a" })).expect(201);
    let run = started["run_id"].as_str().expect("an id").to_owned();
    for words in words().chunks(5) {
        let step = json!({
            "kind": "LLM_CALL", "skill_name": "chat", "status": "SUCCESS", "params": { "q": words[0] },
            "outcome": { "data": { "found": words[1] } },
            "llm": { "provider": "openai", "model": "gpt-4o", "prompt": words[2..4].join(" "), "response": words[4],
                "input_tokens": 3, "output_tokens": 2, "cost_usd": 0.01 },
        });
        http.post(&format!("{RUNS}/{run}/steps"), &key, &step).expect(200);
    }
    let early = place.run(&["erase", &run, "--by", "ann", "--reason", "its subject asked for it"]);
    assert!(early.code == Some(1) && early.stderr.contains("the run goes on"), "{}", early.stderr);
    http.post(&format!("{RUNS}/{run}/complete"), &key, &json!({ "status": "SUCCEEDED" })).expect(200);
    let held = |text: &str| words().iter().filter(|word| text.contains(word.as_str())).count();
    if store == Store::Postgres {
        assert_eq!(held(&place.stored().await["run_contents"]), 50, "they can be found");
    }

    let erased =
        place.succeed(&["erase", &run, "--by", "ann", "--reason", "its subject asked for it", "--json"]);
    let erased: Value = serde_json::from_str(&erased).expect("JSON");
    let nobody = place.run(&["erase", &run, "--reason", "its subject asked for it"]);
    assert!(nobody.code != Some(0) && nobody.stderr.contains("--by"), "{}", nobody.stderr);
    assert_eq!(erased["texts"], 40, "{erased}");
    let again = place.run(&["erase", &run, "--by", "ann", "--reason", "again"]);
    assert!(again.code == Some(1) && again.stderr.contains("were erased at"), "{}", again.stderr);
    let steps = http.get(&format!("{RUNS}/{run}/steps"), &admin).expect(200);
    assert_eq!(held(&steps.to_string()), 0);
    let first = &steps["items"][0];
    assert_eq!(first["erased"], json!(["params", "outcome.data", "llm.prompt", "llm.response"]), "{first}");
    for hash in ["input_hash", "output_hash", "determinism_hash"] {
        assert!(first[hash].is_null(), "by it a guess could be told to be right: {first}");
    }
    let proof = http.get(&format!("{RUNS}/{run}/proof"), &admin).expect(200);
    assert_eq!(proof["integrity"]["verification_status"], "VERIFIED", "{proof}");
    for (table, rows) in place.stored().await {
        assert_eq!(held(&rows), 0, "{table}");
    }
    let (code, log) = server.stop();
    assert_eq!((code, held(&log)), (Some(0), 0), "{log}");

    let file = place.path("erased.json");
    let file = file.to_str().expect("UTF-8");
    place.succeed(&["bundle", &run, "-o", file]);
    assert_eq!(held(&fs::read_to_string(file).expect("a bundle")), 0);
    let public = place.public_keys();
    let told = place.run(&["verify", file, "--key", public.to_str().expect("UTF-8"), "--reexecute"]);
    assert_eq!(told.stdout.lines().last(), Some("COMPLETE"), "{}", told.stdout);
    assert!(
        told.stdout.contains("40 texts")
            && told.stdout.contains("ann")
            && told.stdout.contains("cannot be looked at"),
        "{}",
        told.stdout
    );
    for log in ["runs", "audit"] {
        assert_eq!(place.run(&["verify", "--log", log]).code, Some(0), "{log}");
    }
    assert_eq!(place.run(&["doctor"]).code, Some(0));

    // As docs/operations.md has it: then the file, and what was written ahead of it, have let go of them too.
    if store == Store::Sqlite {
        let file = place.data().join("hoc.db");
        let ran = Command::new("sqlite3").arg(file).arg("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)").output();
        let ran = ran.expect("sqlite3 starts");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    }
    let mut files = Vec::new();
    crate::canary::files(&place.data(), &mut files);
    for (name, bytes) in files {
        assert_eq!(held(&String::from_utf8_lossy(&bytes)), 0, "{name}");
    }
}

#[tokio::test]
async fn nothing_is_left_of_what_was_erased_on_sqlite() {
    nothing_is_left_of_what_was_erased(Store::Sqlite).await;
}

#[tokio::test]
async fn nothing_is_left_of_what_was_erased_on_postgres() {
    nothing_is_left_of_what_was_erased(Store::Postgres).await;
}
