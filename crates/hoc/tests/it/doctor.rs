//! `hoc doctor`, and the other commands that only look.

use std::fs;

use serde_json::Value;
use testkit::Store;

use crate::harness::Place;

async fn a_sound_installation_has_nothing_to_mend(store: Store) {
    let Some(place) = Place::on(store).await else { return };
    let server = place.serve();
    let place = place.with("HOC_LISTEN", &server.address);
    let printed = place.succeed(&["doctor", "--json"]);
    let findings: Value = serde_json::from_str(&printed).expect("JSON");
    let findings = findings.as_array().expect("a list");
    for what in ["store", "append-only", "commit", "keys", "logs", "server"] {
        assert!(
            findings.iter().any(|finding| finding["what"] == what && finding["state"] == "ok"),
            "{what}: {printed}"
        );
    }
}

#[tokio::test]
async fn a_sound_installation_has_nothing_to_mend_on_sqlite() {
    a_sound_installation_has_nothing_to_mend(Store::Sqlite).await;
}

#[tokio::test]
async fn a_sound_installation_has_nothing_to_mend_on_postgres() {
    a_sound_installation_has_nothing_to_mend(Store::Postgres).await;
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
fn the_contract_is_printed_without_a_store() {
    let place = Place::sqlite();
    let document: Value = serde_json::from_str(&place.succeed(&["openapi"])).expect("JSON");
    assert!(document["paths"]["/api/v1/runtime/activity/runs"].is_object());
    assert!(!place.data().exists());
}

#[test]
fn every_command_has_help_with_an_example() {
    let place = Place::sqlite();
    for command in ["serve", "demo", "migrate", "keys", "bundle", "verify", "doctor", "openapi"] {
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
