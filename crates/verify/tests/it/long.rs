//! A long bundle is verified in as much memory as its ids and hashes take, and no more for its text.

use std::{
    fs::{self, File},
    path::Path,
    process::{self, Command},
};

use proof::words::RunStatus;
use verify::{Options, Word};

use crate::kit::{self, Call, Scene};

const BUNDLE: &str = "long.bundle.json";
const PEAK: &str = "peak";

/// A run of so many steps, each with a text of so many bytes that no other has.
fn long(steps: usize, length: usize) -> Vec<u8> {
    let mut scene = Scene::new(kit::snapshot(vec![], vec![]));
    for step in 0..steps {
        scene.params = Some(format!("{step:0length$}"));
        scene.call(&if step % 2 == 0 { Call::model(10) } else { Call::tool("search") });
    }
    scene.seal(RunStatus::Succeeded);
    scene.json()
}

/// Where there is a bundle in the folder in which it is run: verifies it, and tells the most memory that it held.
#[test]
#[ignore = "it is run by the test below, in a process of its own"]
fn in_a_process_of_its_own() {
    if !Path::new(BUNDLE).exists() {
        return;
    }
    let options = Options { reexecute: true, ..Options::default() };
    let report = verify::stream(|| File::open(BUNDLE), &kit::keys(), &options).expect("a bundle");
    assert_eq!(report.word, Word::Complete, "{report}");
    let status = fs::read_to_string("/proc/self/status").expect("it is Linux");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("it is told");
    fs::write(PEAK, peak.trim().trim_end_matches(" kB")).expect("it is written");
}

#[test]
fn a_bundle_of_100_mebibytes_takes_less_than_64() {
    if !Path::new("/proc/self/status").exists() {
        return;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("long-bundle-{}", process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let json = long(4_000, 24 << 10);
    assert!(json.len() > 100 << 20, "{}", json.len());
    fs::write(folder.join(BUNDLE), &json).expect("it is written");
    drop(json);
    let mut child = Command::new(std::env::current_exe().expect("this"));
    child.args(["--exact", "long::in_a_process_of_its_own", "--ignored"]).current_dir(&folder);
    let output = child.output().expect("it starts");
    let peak = fs::read_to_string(folder.join(PEAK));
    fs::remove_dir_all(&folder).expect("it is ours");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let peak: u64 = peak.expect("it is told").parse().expect("kilobytes");
    assert!(peak < 64 << 10, "{peak} kB");
}
