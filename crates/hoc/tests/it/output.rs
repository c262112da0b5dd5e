//! Where `hoc bundle -o` writes: whole or not at all, straight to what is no file, and over nothing else.

use std::{
    fs::{self, File, Permissions},
    os::unix::fs::{FileTypeExt as _, PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Instant,
};

use serde_json::json;

use crate::{
    bundle::RUNS,
    harness::{DEADLINE, Place, Server},
};

/// A sealed run whose bundle is longer than a pipe holds, by far, and takes a while to be packed.
fn long_run(place: &Place, server: &Server) -> String {
    let (key, mut http) = (place.key("agent"), server.http());
    let started = http.post(RUNS, &key, &json!({ "agent_id": "a", "goal": "g" })).expect(201);
    let id = started["run_id"].as_str().expect("an id").to_owned();
    for step in 0..20 {
        let lines: Vec<String> = (0..5_000).map(|line| format!("line {line} of letter {step}")).collect();
        let step = json!({
            "kind": "TOOL_CALL", "skill_name": "look", "params": { "at": lines.join(", ") }, "status": "SUCCESS",
        });
        http.post(&format!("{RUNS}/{id}/steps"), &key, &step).expect(200);
    }
    http.post(&format!("{RUNS}/{id}/complete"), &key, &json!({ "status": "SUCCEEDED" })).expect(200);
    id
}

/// `hoc bundle`, ready to be started.
fn bundle(place: &Place, id: &str, to: &Path) -> Command {
    place.command(&["bundle", id, "-o", to.to_str().expect("UTF-8")])
}

/// `hoc bundle` to its end: the exit code, and what was said.
fn bundled(place: &Place, id: &str, to: &Path) -> (Option<i32>, String, String) {
    let ran = place.run(&["bundle", id, "-o", to.to_str().expect("UTF-8")]);
    (ran.code, ran.stdout, ran.stderr)
}

fn verifies(place: &Place, file: &Path) {
    let key = place.public_keys();
    let args = ["verify", file.to_str().expect("UTF-8"), "--key", key.to_str().expect("UTF-8")];
    assert!(place.succeed(&args).ends_with("COMPLETE\n"));
}

/// An empty folder for what is written.
fn folder(place: &Place) -> PathBuf {
    let folder = place.path("out");
    fs::create_dir(&folder).expect("a folder");
    folder
}

fn names(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).expect("a folder").map(|file| file.expect("it is listed").file_name());
    let mut names: Vec<String> = files.map(|name| name.into_string().expect("UTF-8")).collect();
    names.sort();
    names
}

fn mode(file: &Path) -> u32 {
    fs::metadata(file).expect("it is there").permissions().mode() & 0o777
}

/// Whoever reads a pipe, for no longer than a minute, and writes it to a file: nobody has to read that meanwhile.
fn reader(pipe: &Path, command: &[&str], into: &Path) -> Child {
    let into = File::create(into).expect("a file");
    let mut reader = Command::new("timeout");
    reader.arg("60").args(command).arg(pipe).stdout(into).spawn().expect("it starts")
}

#[test]
fn a_pipe_gets_the_bundle_and_stays_one() {
    let place = Place::sqlite();
    let server = place.serve();
    let id = long_run(&place, &server);
    let (pipe, read) = (place.path("pipe"), place.path("read.json"));
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("it starts").success());
    let is_pipe = || fs::symlink_metadata(&pipe).expect("it is there").file_type().is_fifo();

    let mut all = reader(&pipe, &["cat"], &read);
    let (code, told, errors) = bundled(&place, &id, &pipe);
    assert!(code == Some(0) && is_pipe(), "{errors}");
    assert!(all.wait().expect("it ends").success());
    let bytes = fs::metadata(&read).expect("it is there").len();
    assert_eq!(told, format!("{}: {bytes} bytes\n", pipe.display()));
    verifies(&place, &read);

    // Readers that have heard enough.
    let mut some = reader(&pipe, &["head", "-c", "9"], &read);
    let (code, told, errors) = bundled(&place, &id, &pipe);
    assert_eq!((code, told.as_str()), (Some(0), ""), "{errors}");
    assert!(some.wait().expect("it ends").success() && is_pipe());
    assert_eq!(fs::metadata(&read).expect("it is there").len(), 9);
    let mut child = bundle(&place, &id, "-".as_ref()).stdout(Stdio::piped()).spawn().expect("it starts");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

/// By its descriptor alone: by its name, a device would be at the mercy of what is tested here.
#[test]
fn a_full_disk_is_that_of_the_output() {
    let Ok(full) = File::options().write(true).open("/dev/full") else { return };
    let place = Place::sqlite();
    let server = place.serve();
    let id = crate::bundle::run(&place, &server, true);
    let ran = bundle(&place, &id, "-".as_ref()).stdout(full).stderr(Stdio::piped()).output();
    let ran = ran.expect("it starts");
    let said = String::from_utf8(ran.stderr).expect("UTF-8");
    assert_eq!(ran.status.code(), Some(1), "{said}");
    assert!(said.contains("cannot write standard output") && said.contains("make room where"), "{said}");
    assert!(!said.contains("HOC_DATA_DIR"), "{said}");
}

#[test]
fn a_link_and_a_mode_are_kept_and_no_other_file_is_touched() {
    let place = Place::sqlite();
    let server = place.serve();
    let id = long_run(&place, &server);
    let folder = folder(&place);
    let [link, file, new] = ["link.json", "file.json", "new.json"].map(|name| folder.join(name));
    symlink("file.json", &link).expect("a link");
    fs::write(&file, "before").expect("it is written");
    fs::set_permissions(&file, Permissions::from_mode(0o640)).expect("ours");
    let others = ["file.json.new", "link.json.new", "new.json.new"].map(|name| folder.join(name));
    for other in &others {
        fs::write(other, "mine").expect("it is written");
    }
    let there = names(&folder);

    let (code, _, errors) = bundled(&place, &id, &link);
    assert_eq!(code, Some(0), "{errors}");
    assert_eq!(fs::read_link(&link).expect("it is a link still"), Path::new("file.json"));
    assert_eq!((mode(&file), names(&folder)), (0o640, there));
    verifies(&place, &file);

    let both: Vec<Child> =
        (0..2).map(|_| bundle(&place, &id, &new).stdout(Stdio::null()).spawn().expect("it starts")).collect();
    for mut each in both {
        assert_eq!(each.wait().expect("it ends").code(), Some(0), "two at once");
    }
    assert_eq!(mode(&new), 0o600, "it holds what agents said");
    verifies(&place, &new);
    for other in &others {
        assert_eq!(fs::read_to_string(other).expect("it reads"), "mine");
    }
    assert_eq!(names(&folder).len(), 6, "{:?}", names(&folder));
}

#[test]
fn whoever_is_ended_leaves_nothing_and_what_was_there() {
    let place = Place::sqlite();
    let server = place.serve();
    let id = long_run(&place, &server);
    let folder = folder(&place);
    let file = folder.join("run.json.gz");
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        // One that was faster than the signal wrote all of it.
        let ended = (0..20).any(|_| {
            let there = names(&folder);
            let before = fs::read(&file).ok();
            let is_ended = match signalled(heard(&bundle(&place, &id, &file), &folder), &folder, signal) {
                Some(0) => {
                    verifies(&place, &file);
                    false
                }
                ended => {
                    assert_eq!(ended, Some(code), "SIG{signal}");
                    assert_eq!(names(&folder), there, "SIG{signal}");
                    assert_eq!(fs::read(&file).ok(), before, "SIG{signal}");
                    true
                }
            };
            assert!(names(&folder).iter().all(|name| name == "run.json.gz"), "{:?}", names(&folder));
            fs::write(&file, "before").expect("it is written");
            is_ended
        });
        assert!(ended, "SIG{signal} came too late each time");
    }
}

/// The command as if nobody had told this process to be deaf to a signal, as `nohup` does.
fn heard(command: &Command, folder: &Path) -> Command {
    by(&["/usr/bin/env", "--default-signal"], command, folder)
}

/// The command as another one starts it.
fn by(starts: &[&str], command: &Command, folder: &Path) -> Command {
    let mut by = Command::new(starts[0]);
    by.args(&starts[1..]).arg(command.get_program()).args(command.get_args());
    let said = command.get_envs().filter_map(|(name, value)| Some((name, value?)));
    by.env_clear().envs(said).current_dir(folder);
    by
}

/// The code with which a command ends that gets a signal as soon as there is another file in the folder.
fn signalled(mut command: Command, folder: &Path, signal: &str) -> Option<i32> {
    let there = names(folder);
    let mut child = command.stdout(Stdio::null()).spawn().expect("it starts");
    let begun = Instant::now();
    while names(folder) == there && child.try_wait().expect("it was started").is_none() {
        assert!(begun.elapsed() < DEADLINE, "nothing is written");
        thread::yield_now();
    }
    if child.try_wait().expect("it was started").is_none() {
        let sent = Command::new("sh").args(["-c", &format!("kill -{signal} {}", child.id())]).status();
        assert!(sent.expect("sh starts").success());
    }
    child.wait().expect("it ends").code()
}

#[test]
fn who_is_to_outlive_its_terminal_does() {
    let place = Place::sqlite();
    let server = place.serve();
    let id = long_run(&place, &server);
    let folder = folder(&place);
    let file = folder.join("run.json.gz");
    let nohup =
        by(&["/bin/sh", "-c", "trap '' HUP; exec \"$@\"", "sh"], &bundle(&place, &id, &file), &folder);
    assert_eq!(signalled(nohup, &folder, "HUP"), Some(0));
    verifies(&place, &file);
}
