//! What an installation lives by is written over by no command, by whatever name it is called.

use std::{fs, os::unix::fs::symlink};

use serde_json::json;

use crate::{bundle::RUNS, harness::Place};

#[test]
fn a_bundle_is_not_written_over_a_file_of_the_installation() {
    let place = Place::sqlite();
    let key = place.key("agent");
    let server = place.serve();
    let started = server.http().post(RUNS, &key, &json!({ "agent_id": "a", "goal": "g" })).expect(201);
    let run = started["run_id"].as_str().expect("an id");
    server.stop();
    place.succeed(&["doctor"]);
    symlink(place.data().join("hoc.db"), place.path("linked")).expect("a link");
    fs::hard_link(place.data().join("keys/signing.pem"), place.path("same")).expect("a link");
    let written = |to: &str| {
        let ran = place.run(&["bundle", run, "-o", to]);
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
        (ran.code, ran.stderr)
    };
    for (own, what) in [
        ("data/hoc.db", "the store"),
        ("data/hoc.db-wal", "the store"),
        ("data/hoc.db-shm", "the store"),
        ("linked", "the store"),
        ("data/keys/signing.pem", "a key"),
        ("data/keys/../keys/wrapping.key", "a key"),
        ("data/keys/signing.pem.next", "a key"),
        ("same", "a key"),
        ("data/keys/checkpoints/default-runs.checkpoint", "a checkpoint"),
        ("data/keys/checkpoints/default-runs.history.jsonl", "a checkpoint"),
        ("data/spool-0.jsonl", "what was answered"),
        ("data/serve.lock", "the lock"),
    ] {
        let (code, said) = written(own);
        assert_eq!(code, Some(1), "{own}: {said}");
        assert!(said.contains(what) && said.contains("name another file"), "{own}: {said}");
    }
    assert!(!place.data().join("keys/signing.pem.next").exists());
    assert_eq!(written("data/run.json").0, Some(0), "beside them it may be");
    place.succeed(&["doctor"]);
}
