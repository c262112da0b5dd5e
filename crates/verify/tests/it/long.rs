//! A long bundle is verified in as much memory as its ids and hashes take, and no more for its text.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{self, Command},
};

use proof::words::RunStatus;
use verify::{Options, Word};

use crate::kit::{self, Call, Scene};

const BUNDLE: &str = "long.bundle.json";
const PEAK: &str = "peak";

/// The test that is the other process, and the variable that tells it its part.
const TEST: &str = "long::plays_its_part";
const PART: &str = "HOC_TEST_LONG_BUNDLE";

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

/// The folder of the bundle that this process is to verify; none where nobody started it for that.
#[expect(clippy::disallowed_methods, reason = "a process that a test starts is told its part by a variable")]
fn given() -> Option<PathBuf> {
    std::env::var_os(PART).map(PathBuf::from)
}

/// What the process does that the test below starts: it verifies the bundle, and tells the most memory that it held.
#[test]
fn plays_its_part() {
    let Some(folder) = given() else { return };
    let options = Options { reexecute: true, ..Options::default() };
    let report =
        verify::stream(|| File::open(folder.join(BUNDLE)), &kit::keys(), &options).expect("a bundle");
    assert_eq!(report.word, Word::Complete, "{report}");
    let status = fs::read_to_string("/proc/self/status").expect("it is Linux");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("it is told");
    fs::write(folder.join(PEAK), peak.trim().trim_end_matches(" kB")).expect("it is written");
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
    let output = child.args(["--exact", TEST]).env(PART, &folder).output().expect("it starts");
    let peak = fs::read_to_string(folder.join(PEAK));
    fs::remove_dir_all(&folder).expect("it is ours");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let peak: u64 = peak.expect("it is told").parse().expect("kilobytes");
    assert!(peak < 64 << 10, "{peak} kB");
}
