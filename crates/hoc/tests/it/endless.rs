//! Files that somebody names and that have no end, or wait for one: they are left, and what ends is read.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::json;

use crate::{
    bundle::RUNS,
    harness::{Place, Ran},
};

/// A command that is ended where it waits; its exit code is 124 then.
fn in_time(place: &Place, args: &[&str]) -> Ran {
    let plain = place.command(args);
    let mut command = Command::new("timeout");
    command.arg("30").arg(plain.get_program()).args(plain.get_args()).env_clear();
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    Ran::of(command.current_dir(place.folder.path()).output().expect("it starts"))
}

fn pipe(file: PathBuf) -> PathBuf {
    assert!(Command::new("mkfifo").arg(&file).status().expect("mkfifo starts").success());
    file
}

fn path(file: &Path) -> &str {
    file.to_str().expect("UTF-8")
}

#[test]
fn what_has_no_end_is_not_read_for_ever() {
    let place = Place::sqlite();
    place.key("admin");
    let store = format!("sqlite://{}", pipe(place.path("store")).display());
    for (args, told) in [
        (&["serve", "--config", "/dev/zero"][..], "it is longer than"),
        (&["verify", "run.json", "--key", "/dev/zero"][..], "it is longer than"),
        (&["serve", "--database-url", store.as_str()][..], "is a pipe"),
        (&["doctor", "--database-url", store.as_str()][..], "is a pipe"),
    ] {
        let ran = in_time(&place, args);
        let said = ran.stdout + &ran.stderr;
        assert_eq!(ran.code, Some(1), "{args:?}: {said}");
        assert!(said.contains(told), "{args:?}: {said}");
    }

    // In a folder of checkpoints, which others may write to.
    let newest = place.data().join("keys/checkpoints/default-runs.checkpoint");
    let _ = fs::remove_file(&newest);
    pipe(newest);
    let ran = in_time(&place, &["doctor"]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stdout.contains("cannot be read"), "{}", ran.stdout);
}

#[test]
fn a_key_is_read_from_a_pipe() {
    let place = Place::sqlite();
    let key = place.key("agent");
    let server = place.serve();
    let started = server.http().post(RUNS, &key, &json!({ "agent_id": "a", "goal": "g" })).expect(201);
    server.stop();
    let file = place.path("run.json");
    place.succeed(&["bundle", started["run_id"].as_str().expect("an id"), "-o", path(&file)]);
    let (plain, from) = (place.public_keys(), pipe(place.path("key")));
    let pem = fs::read(plain).expect("it is written");
    let to = from.clone();
    let writer = std::thread::spawn(move || fs::write(to, pem).expect("it is read"));
    let ran = in_time(&place, &["verify", path(&file), "--key", path(&from)]);
    assert_eq!(ran.code, Some(3), "OPEN: {}{}", ran.stdout, ran.stderr);
    writer.join().expect("all of it is read");
}
