//! The process that dies: this test binary once more, in which one test runs, and does something only where it is given
//! its part.

use std::{
    fs::{self, File},
    io::Write as _,
    os::unix::process::ExitStatusExt as _,
    path::PathBuf,
    process::Command,
    sync::Arc,
};

use kit::FrozenClock;
use serde::{Deserialize, Serialize};

use super::{
    cast::callers,
    deadly,
    script::{Script, Told},
};

/// The variable that tells a process its part, and the test that plays it.
const PART: &str = "HOC_TEST_PART";
const TEST: &str = "killed_between::child::plays_its_part";

/// What `abort` ends a process with.
const SIGABRT: i32 = 6;

/// What a process is to do: ask all there is to ask, at a control plane of its own on the store, until it dies.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) url: String,
    pub(super) tokens: [String; 2],
    /// Which process on the store it is.
    pub(super) process: u64,
    /// After how many writes it dies; at 0 it lives.
    pub(super) dies_after: usize,
    /// Where it keeps what it was told, as a caller does who got the answers, and what it wrote.
    pub(super) folder: PathBuf,
}

/// What is left of a process.
pub(super) struct Left {
    /// What was answered, each before the next thing was asked.
    pub(super) told: Vec<Told>,
    /// What it wrote, where it lived to say so.
    pub(super) heard: Vec<String>,
}

impl Part {
    #[expect(
        clippy::disallowed_methods,
        reason = "a process that a test starts is told its part by a variable"
    )]
    fn given() -> Option<Self> {
        let part = std::env::var(PART).ok()?;
        Some(serde_json::from_str(&part).unwrap())
    }

    fn told(&self) -> PathBuf {
        self.folder.join(format!("told-{}", self.process))
    }

    fn heard(&self) -> PathBuf {
        self.folder.join(format!("heard-{}", self.process))
    }

    /// Has a process play it, and waits until that has ended as it was to.
    pub(super) fn play(&self) -> Result<Left, String> {
        let mut process = Command::new(std::env::current_exe().unwrap());
        process.args(["--exact", TEST, "--nocapture"]).env(PART, serde_json::to_string(self).unwrap());
        let output = process.output().unwrap();
        let ended = if self.dies_after == 0 {
            output.status.success()
        } else {
            output.status.signal() == Some(SIGABRT)
        };
        let read = |path: PathBuf| fs::read_to_string(path).unwrap_or_default();
        let heard = read(self.heard());
        if !ended || (self.dies_after == 0) == heard.is_empty() {
            let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
            return Err(format!("the process ended by {}:\n{}", output.status, said.concat()));
        }
        let told = read(self.told()).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        Ok(Left { told, heard: heard.lines().map(str::to_owned).collect() })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plays_its_part() {
    let Some(part) = Part::given() else { return };
    let spine = kit::replica(&part.url, Arc::new(FrozenClock::default()), part.process).await;
    let [agent, admin] = callers(&spine, &part.tokens).await;
    let mut told = File::create(part.told()).unwrap();
    let heard = deadly::after(part.dies_after);
    let mut script = Script::at(&spine, &agent, &admin);
    while let Some(answer) = Box::pin(script.next()).await {
        writeln!(told, "{}", serde_json::to_string(&answer.unwrap()).unwrap()).unwrap();
        told.sync_data().unwrap();
    }
    let heard = deadly::lock(&heard).join("\n");
    fs::write(part.heard(), heard).unwrap();
}
