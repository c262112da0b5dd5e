//! `hoc bundle` and `hoc verify`: a run's evidence out of the store, and its words and exit codes.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{Place, Server, on_both, replaced};

pub(crate) const RUNS: &str = "/api/v1/runtime/activity/runs";

/// A run with one step; sealed if `sealed`.
pub(crate) fn run(place: &Place, server: &Server, sealed: bool) -> String {
    let (key, mut http) = (place.key("agent"), server.http());
    let started = http.post(RUNS, &key, &json!({ "agent_id": "a", "goal": "g" })).expect(201);
    let id = started["run_id"].as_str().expect("an id").to_owned();
    let step =
        json!({ "kind": "TOOL_CALL", "skill_name": "look", "params": { "at": "it" }, "status": "SUCCESS" });
    http.post(&format!("{RUNS}/{id}/steps"), &key, &step).expect(200);
    if sealed {
        http.post(&format!("{RUNS}/{id}/complete"), &key, &json!({ "status": "SUCCEEDED" })).expect(200);
    }
    id
}

async fn every_word_has_its_exit_code(place: Place) {
    let server = place.serve();
    let public = place.public_keys();
    let public = public.to_str().expect("UTF-8");
    let bundle = |id: &str| {
        let file = place.path(&format!("{id}.json"));
        place.succeed(&["bundle", id, "-o", file.to_str().expect("UTF-8")]);
        file
    };
    let verify = |file: &std::path::Path| {
        let ran = place.run(&["verify", file.to_str().expect("UTF-8"), "--key", public]);
        let word = ran.stdout.lines().last().unwrap_or_default().to_owned();
        (ran.code, word)
    };
    let sealed = bundle(&run(&place, &server, true));
    assert_eq!(verify(&sealed), (Some(0), "COMPLETE".to_owned()));
    assert_eq!(verify(&bundle(&run(&place, &server, false))), (Some(3), "OPEN".to_owned()));

    let bent = place.path("bent.json");
    fs::write(&bent, replaced(&sealed, "look", "lock")).expect("it is written");
    assert_eq!(verify(&bent), (Some(5), "TAMPERED".to_owned()));
    fs::write(&bent, "{}").expect("it is written");
    assert_eq!(verify(&bent).0, Some(1), "no bundle at all");
    assert_eq!(place.run(&["verify"]).code, Some(2), "nothing to verify");

    let told =
        place.run(&["verify", sealed.to_str().expect("UTF-8"), "--key", public, "--reexecute", "--json"]);
    let told: Value = serde_json::from_str(&told.stdout).expect("JSON");
    assert_eq!(told["word"], "COMPLETE");
    assert!(
        told["checks"].as_array().expect("checks").iter().any(|check| check["name"] == "reexecute"),
        "{told}"
    );

    for log in ["runs", "audit"] {
        let whole = place.run(&["verify", "--log", log, "--json"]);
        assert_eq!(whole.code, Some(0), "{}{}", whole.stdout, whole.stderr);
        let whole: Value = serde_json::from_str(&whole.stdout).expect("JSON");
        assert_eq!(whole["word"], "COMPLETE", "{whole}");
    }
}

on_both!(every_word_has_its_exit_code);

#[test]
fn a_bundle_needs_no_store_and_no_configuration_to_be_verified() {
    let place = Place::sqlite();
    let server = place.serve();
    let id = run(&place, &server, true);
    let (file, public) = (place.path("run.json"), place.public_keys());
    place.succeed(&["bundle", &id, "-o", file.to_str().expect("UTF-8")]);
    drop(server);
    let elsewhere = Place::sqlite().with("HOC_PERMIT_TTL", "not a length of time");
    fs::write(elsewhere.path("hoc.toml"), "nonsense").expect("a file");
    let args = ["verify", file.to_str().expect("UTF-8"), "--key", public.to_str().expect("UTF-8")];
    assert!(elsewhere.succeed(&args).ends_with("COMPLETE\n"));
    assert!(!elsewhere.data().exists());
}

#[test]
fn a_log_is_held_against_the_checkpoint_that_was_kept_outside() {
    let place = Place::sqlite();
    let server = place.serve();
    run(&place, &server, true);
    assert_eq!(server.stop().0, Some(0));
    let kept = place.data().join("keys/checkpoints/default-runs.checkpoint");
    let ahead = fs::read_to_string(&kept).expect("the server kept one");
    // An older store: the one that is there now, beside the checkpoint of a longer log.
    let copy = place.path("longer.checkpoint");
    fs::write(&copy, &ahead).expect("it is written");
    let args = ["verify", "--log", "runs", "--tenant", "default", "--since", copy.to_str().expect("UTF-8")];
    assert_eq!(place.run(&args).code, Some(0));
    fs::write(&copy, ahead.replacen("\n2\n", "\n3\n", 1)).expect("it is written");
    assert_eq!(place.run(&args).code, Some(5), "a checkpoint that nobody signed");
    // With somebody else's key nothing is checked, and that is no forgery.
    let other = Place::sqlite();
    other.succeed(&["migrate"]);
    let others = other.public_keys();
    for log in ["runs", "audit"] {
        let ran = place.run(&["verify", "--log", log, "--key", others.to_str().expect("UTF-8")]);
        assert_eq!((ran.code, ran.stdout.lines().last()), (Some(6), Some("WRONG_KEY")), "{}", ran.stdout);
        assert!(ran.stdout.contains("what was given is "), "{}", ran.stdout);
    }
}

/// The last lines are what a reader sees: what failed, and whose key it was.
#[test]
fn what_failed_stands_last_and_a_wrong_key_is_no_forgery() {
    let place = Place::sqlite();
    let server = place.serve();
    let id = run(&place, &server, true);
    let file = place.path("run.json");
    let file = file.to_str().expect("UTF-8");
    place.succeed(&["bundle", &id, "-o", file]);
    let written = |name: &str, bytes: &[u8]| {
        let path = place.path(name);
        fs::write(&path, bytes).expect("it is written");
        path.to_str().expect("UTF-8").to_owned()
    };
    let mut http = server.http();
    let json = http.get("/.well-known/hoc/keys", "");
    let key_list: Value = serde_json::from_slice(&json.body).expect("JSON");
    let key_id = key_list["keys"][0]["key_id"].as_str().expect("an id").to_owned();
    let json = written("keys.json", &json.body);
    let pem = written("keys.pem", &http.get("/.well-known/hoc/keys.pem", "").body);
    for key in [&json, &pem] {
        assert!(place.succeed(&["verify", file, "--key", key]).ends_with("COMPLETE\n"), "{key}");
    }

    for (input, code, told) in [(file, 0, "COMPLETE"), (json.as_str(), 1, "standard input")] {
        let mut command = place.command(&["verify", "-", "--key", &pem]);
        let ran = command.stdin(fs::File::open(input).expect("it is there")).output().expect("it starts");
        assert_eq!(ran.status.code(), Some(code), "{input}");
        let said = [ran.stdout, ran.stderr].concat();
        assert!(String::from_utf8_lossy(&said).contains(told), "{input}");
    }

    let bent = written("bent.json", &replaced(file.as_ref(), "look", "lock"));
    let ran = place.run(&["verify", &bent, "--key", &pem]);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    let [.., failed, word] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!((ran.code, *word), (Some(5), "TAMPERED"));
    assert!(failed.starts_with("FAIL "), "{failed}");
    let claims: Vec<_> = lines.iter().filter(|line| line.contains("grade")).collect();
    assert!(claims.iter().all(|line| line.contains("claims")) && claims.len() == 1, "{claims:?}");

    let other = Place::sqlite();
    other.succeed(&["migrate"]);
    let others = other.public_keys();
    let ran = place.run(&["verify", file, "--key", others.to_str().expect("UTF-8")]);
    assert_eq!((ran.code, ran.stdout.lines().last()), (Some(6), Some("WRONG_KEY")));
    let failed = ran.stdout.lines().rev().nth(1).expect("a check");
    assert!(failed.contains(&key_id) && failed.contains("what was given is "), "{failed}");

    let refusal = http.get(&format!("{RUNS}/{id}x/bundle"), &place.key("admin"));
    for (name, bytes, told) in [
        ("refusal.json", refusal.body.as_slice(), "a server's refusal, 404"),
        ("run.json.gz", &[0x1f, 0x8b, 8, 0], "packed by gzip and cut short"),
    ] {
        let file = written(name, bytes);
        let ran = place.run(&["verify", &file, "--key", &pem]);
        assert_eq!(ran.code, Some(1), "{name}");
        assert!(ran.stderr.contains(told), "{name}: {}", ran.stderr);
    }
}

/// A terminal acts on what it is sent: no text of a bundle may clear the screen, or write a verdict of its own.
#[test]
fn a_bundle_writes_nothing_but_text_on_the_screen() {
    let place = Place::sqlite();
    let server = place.serve();
    let id = run(&place, &server, true);
    let file = place.path("run.json");
    place.succeed(&["bundle", &id, "-o", file.to_str().expect("UTF-8")]);
    let key = place.public_keys();
    let spoof = r"\u001b[2J\u001b[1;1Hok   signature\nCOMPLETE\n\u001b[8m\u202e";
    let text = fs::read_to_string(&file).expect("it reads");
    for (from, to) in [
        ("\"skill_name\":\"look\"".to_owned(), format!("\"skill_name\":\"{spoof}\"")),
        (format!("\"run_id\":\"{id}\""), format!("\"run_id\":\"{spoof}\"")),
        ("\"format\":\"".to_owned(), format!("\"{spoof}\":\"")),
    ] {
        assert!(text.contains(&from), "{from}");
        let bent = place.path("bent.json");
        fs::write(&bent, text.replacen(&from, &to, 1)).expect("it is written");
        let ran =
            place.run(&["verify", bent.to_str().expect("UTF-8"), "--key", key.to_str().expect("UTF-8")]);
        assert_eq!(ran.code, Some(5), "{from}");
        let acts = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
        assert!(!ran.stdout.contains(acts), "{:?}", ran.stdout);
        assert!(!ran.stdout.lines().any(|line| line == "COMPLETE"), "{}", ran.stdout);
    }
}
