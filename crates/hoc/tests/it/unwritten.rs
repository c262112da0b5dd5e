//! Answers that cannot be written: whichever command has one says so and fails, whatever else it did; and a reader that
//! hangs up is no failure.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{Read as _, pipe},
    process::Stdio,
};

use serde_json::{Value, json};

use crate::{
    bundle,
    harness::{Place, in_a_month},
    import,
};

/// A disk without room; none where there is no such device.
fn full() -> Option<File> {
    File::options().write(true).open("/dev/full").ok()
}

/// The command's answer finds no room.
fn gets_lost(place: &Place, args: &[&str], full: &File) {
    let full = full.try_clone().expect("a descriptor more");
    let ran = place.command(args).stdout(full).stderr(Stdio::piped()).output().expect("it starts");
    let said = String::from_utf8(ran.stderr).expect("UTF-8");
    assert_eq!(ran.status.code(), Some(1), "hoc {args:?}: {said}");
    assert_eq!(said.matches("error: cannot write standard output").count(), 1, "hoc {args:?}: {said}");
    assert!(said.contains("make room where standard output goes"), "hoc {args:?}: {said}");
}

/// The commands that a help names.
fn commands(help: &str) -> Vec<&str> {
    let list = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    // What does not fit into a line goes on further right.
    let named = list.take_while(|line| !line.is_empty()).filter(|line| !line.starts_with("   "));
    named.filter_map(|line| line.split_whitespace().next()).collect()
}

/// The commands from this one on that have none below them, by all their words. The help of each gets lost too.
fn leaves(place: &Place, words: &[&str], full: &File) -> BTreeSet<String> {
    let asked = [words, &["--help"]].concat();
    gets_lost(place, &asked, full);
    let help = place.succeed(&asked);
    let below = commands(&help);
    if below.is_empty() {
        return BTreeSet::from([words.join(" ")]);
    }
    below.into_iter().flat_map(|word| leaves(place, &[words, &[word]].concat(), full)).collect()
}

#[test]
fn an_answer_that_gets_lost_is_a_failure_of_every_command() {
    let Some(full) = full() else { return };
    let place = Place::sqlite();
    let server = place.serve();
    let run = bundle::run(&place, &server, true);
    let job = json!({ "kind": "log_check", "run_at": in_a_month() });
    let job = server.http().post("/api/v1/runtime/jobs", &place.key("admin"), &job).expect(201);
    let job = job["job_id"].as_str().expect("an id");
    server.stop();
    let [file, other, public] = [place.path("run.json"), place.path("other.json"), place.public_keys()];
    let [file, other, public] = [&file, &other, &public].map(|path| path.to_str().expect("UTF-8"));
    place.succeed(&["bundle", &run, "-o", file]);
    let revoked = ["keys", "create", "--role", "viewer", "--owner", "ann", "--json"];
    let revoked: Value = serde_json::from_str(&place.succeed(&revoked)).expect("JSON");
    let revoked = revoked["key_id"].as_str().expect("an id");
    let capture = import::captures().swap_remove(0);
    let capture = capture.to_str().expect("UTF-8");

    let all: [&[&str]; 36] = [
        &["serve", "--print-config"],
        &["serve", "--print-config", "--json"],
        &["demo", "--once"],
        &["demo", "--once", "--json"],
        &["migrate"],
        &["migrate", "--json"],
        &["keys", "create", "--role", "viewer"],
        &["keys", "create", "--role", "viewer", "--json"],
        &["keys", "list"],
        &["keys", "list", "--json"],
        &["keys", "revoke", revoked],
        &["keys", "public"],
        &["login-link"],
        &["login-link", "--json"],
        &["import", "otlp", capture],
        &["import", "otlp", capture, "--json"],
        &["bundle", &run, "-o", other],
        &["bundle", &run, "-o", other, "--json"],
        &["bundle", &run, "-o", "-"],
        &["verify", file, "--key", public],
        &["verify", file, "--key", public, "--json"],
        &["verify", "--log", "runs"],
        &["erase", &run, "--by", "ann", "--reason", "its subject asked for it"],
        &["jobs", "list"],
        &["jobs", "list", "--json"],
        &["jobs", "show", job],
        &["jobs", "show", job, "--json"],
        &["jobs", "cancel", job, "--by", "ann"],
        &["jobs", "follow", job],
        &["jobs", "requeue", job, "--by", "ann"],
        &["doctor"],
        &["doctor", "--json"],
        &["facts"],
        &["facts", "--json"],
        &["openapi"],
        &["keys", "rotate"],
    ];
    for args in all {
        gets_lost(&place, args, &full);
    }
    gets_lost(&place, &["--version"], &full);
    let begins = |leaf: &&String| all.iter().any(|args| args.join(" ").starts_with(leaf.as_str()));
    let leaves = leaves(&place, &[], &full);
    assert_eq!(leaves.iter().find(|leaf| !begins(leaf)), None, "no answer of it was tried");
    assert!(leaves.len() > 15, "{leaves:?}");
}

#[test]
fn a_reader_that_hangs_up_is_no_failure() {
    let place = Place::sqlite();
    place.key("admin");
    for args in [&["--help"][..], &["facts"], &["openapi"], &["keys", "public"], &["keys", "list", "--json"]]
    {
        let (reader, writer) = pipe().expect("a pipe");
        drop(reader);
        let mut child = place.command(args).stdout(writer).stderr(Stdio::piped()).spawn().expect("it starts");
        let mut said = String::new();
        child.stderr.take().expect("piped").read_to_string(&mut said).expect("UTF-8");
        assert_eq!((child.wait().expect("it ends").code(), said.as_str()), (Some(0), ""), "hoc {args:?}");
    }
}
