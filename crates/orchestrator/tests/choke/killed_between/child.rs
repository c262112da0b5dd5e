//! The process that dies: this test binary once more, in which one test runs, and does something only where it is given
//! its part.

use std::{
    fs::{self, File},
    io::Write as _,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    sync::Arc,
};

use kit::{FrozenClock, Kit, spooled};
use orchestrator::{Error, background::overdue};
use serde::{Deserialize, Serialize};

use super::{
    cast::callers,
    deadly::{self, Heard},
    script::{Call, Script, Told},
};

/// The variable that tells a process its part, and the test that plays it.
const PART: &str = "HOC_TEST_PART";
const TEST: &str = "killed_between::child::plays_its_part";

/// What ends a process that aborts, and one that makes a file longer than it may.
const SIGABRT: i32 = 6;
const SIGXFSZ: i32 = 25;

/// What becomes of a process.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) enum Fate {
    Lives,
    /// It dies after so many writes.
    DiesAfter(usize),
    /// No file may be longer than so many blocks of 512 bytes. The system ends it amid the write of what would be.
    DiesBeyond(u64),
    /// The same, and the system refuses to write it, as on a full disk. It asks for nothing more then.
    IsRefusedBeyond(u64),
}

impl Fate {
    /// From now on this process has it.
    fn hears(self) -> Heard {
        deadly::after(if let Self::DiesAfter(writes) = self { writes } else { 0 })
    }

    /// The shell's word for it.
    fn limit(self) -> String {
        match self {
            Self::Lives | Self::DiesAfter(_) => String::new(),
            Self::DiesBeyond(blocks) => format!("ulimit -f {blocks}; "),
            Self::IsRefusedBeyond(blocks) => format!(r#"trap "" XFSZ; ulimit -f {blocks}; "#),
        }
    }

    /// Whether a process that this became of may have ended so, having asked for all or not.
    fn may_end(self, status: ExitStatus, asked_all: bool) -> bool {
        match self {
            Self::Lives => status.success() && asked_all,
            Self::DiesAfter(_) => status.signal() == Some(SIGABRT) && !asked_all,
            // Who has asked for all may still write when it closes the store.
            Self::DiesBeyond(_) => status.signal() == Some(SIGXFSZ) || (status.success() && asked_all),
            Self::IsRefusedBeyond(_) => status.success(),
        }
    }
}

/// What a process is to do at a control plane of its own on the store, until it dies: ask all there is to ask.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) url: String,
    pub(super) tokens: [String; 2],
    /// Which process on the store it is.
    pub(super) process: u64,
    pub(super) fate: Fate,
    /// Where it keeps what it was told, as a caller does who got the answers, and what it wrote.
    pub(super) folder: PathBuf,
    /// A spool: it takes that up and writes what waits there, and asks nothing.
    pub(super) spool: Option<PathBuf>,
}

/// What is left of a process.
pub(super) struct Left {
    /// What was answered, each before the next thing was asked.
    pub(super) told: Vec<Told>,
    /// What it wrote, where it asked for all and lived to say so.
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

    /// Says what this process wrote, which is all there was to do.
    fn wrote(&self, heard: &Heard) {
        fs::write(self.heard(), deadly::lock(heard).join("\n")).unwrap();
    }

    /// Has a process play it, and waits until that has ended as it was to.
    pub(super) fn play(&self) -> Result<Left, String> {
        let mut process = Command::new("sh");
        process.args(["-c", &format!(r#"{}exec "$0" "$@""#, self.fate.limit())]);
        process.arg(std::env::current_exe().unwrap()).args(["--exact", TEST, "--nocapture"]);
        let output = process.env(PART, serde_json::to_string(self).unwrap()).output().unwrap();
        let read = |path: PathBuf| fs::read_to_string(path).unwrap_or_default();
        let heard = read(self.heard());
        if !self.fate.may_end(output.status, !heard.is_empty()) {
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
    match &part.spool {
        None => Box::pin(ask_all(&part)).await,
        Some(spool) => Box::pin(write_overdue(&part, spool)).await,
    }
}

async fn ask_all(part: &Part) {
    let spine = kit::replica(&part.url, Arc::new(FrozenClock::default()), part.process).await;
    let [agent, admin] = callers(&spine, &part.tokens).await;
    let mut told = File::create(part.told()).unwrap();
    let heard = part.fate.hears();
    let mut script = Script::at(&spine, &agent, &admin);
    while let Some(answer) = Box::pin(script.next()).await {
        let answer = match answer {
            // What a full disk gives, and nothing else: the store takes nothing, or a refusal is recorded by nobody.
            Err(Error::Unavailable(_) | Error::CommitUnknown(_) | Error::Busy)
                if matches!(part.fate, Fate::IsRefusedBeyond(_)) =>
            {
                return;
            }
            // So is a step of an agent that was frozen: a lift that the store did not take, or that no look has seen
            // since, is none for whoever answers without it.
            Err(Error::StepHalted(halted))
                if matches!(part.fate, Fate::IsRefusedBeyond(_))
                    && !halted.recorded
                    && matches!(script.asks(), Some(Call::Refusal | Call::StepOfOther)) =>
            {
                return;
            }
            answer => answer.unwrap(),
        };
        writeln!(told, "{}", serde_json::to_string(&answer).unwrap()).unwrap();
        told.sync_data().unwrap();
    }
    part.wrote(&heard);
}

/// As a server does that starts when the store is back.
async fn write_overdue(part: &Part, spool: &Path) {
    let kit = Kit::spooling_at(&part.url, spool, part.process).await;
    let heard = part.fate.hears();
    overdue::tick(&kit.spine).await.unwrap();
    assert_eq!(spooled(spool), (0, 0), "all of it is written");
    part.wrote(&heard);
}
