//! The real binary: built, configured by environment, started, asked, stopped.

use super::{cpu, http::Client, stats::Latencies};
use crate::{manifests, tree};
use anyhow::{Context as _, bail, ensure};
use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// What `hoc serve` says when it is ready.
const LISTENING: &str = "listening on http://";

/// Builds the release binary; gives its path.
pub(super) fn build(root: &Path) -> anyhow::Result<PathBuf> {
    let build = ["build", "--release", "--package", "hoc"];
    let status = tree::cargo()?.args(build).status().context("starting `cargo build`")?;
    ensure!(status.success(), "`cargo build --release --package hoc` failed");
    Ok(manifests::read(root)?.target_directory.join("release").join("hoc"))
}

/// `hoc` on a store of its own.
pub(super) struct Hoc {
    binary: PathBuf,
    /// Data directory; also where the bench keeps its files.
    pub(super) folder: PathBuf,
    pub(super) url: String,
}

impl Hoc {
    pub(super) fn new(binary: &Path, folder: &Path, url: String) -> Self {
        Self { binary: binary.to_owned(), folder: folder.to_owned(), url }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(args).current_dir(&self.folder).stdin(Stdio::null());
        command.env("HOC_DATA_DIR", &self.folder).env("HOC_DATABASE_URL", &self.url);
        command.env("HOC_LISTEN", "127.0.0.1:0").env_remove("HOC_SIGNING_KEY_FILE").env_remove("HOC_ENV");
        command
    }

    /// What a command says on its standard output.
    fn said(&self, args: &[&str]) -> anyhow::Result<String> {
        let output = self.command(args).output().context("starting hoc")?;
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "`hoc {}` failed:\n{errors}", args.join(" "));
        Ok(String::from_utf8(output.stdout)?)
    }

    fn said_json(&self, args: &[&str]) -> anyhow::Result<serde_json::Value> {
        let said = self.said(args)?;
        let last = said.lines().last().unwrap_or_default();
        serde_json::from_str(last)
            .with_context(|| format!("`hoc {}` ends with no JSON: {said}", args.join(" ")))
    }

    /// A new API key; the first one also makes the store.
    pub(super) fn key(&self, role: &str) -> anyhow::Result<String> {
        let words = ["keys", "create", "--role", role, "--owner", "bench", "--json"];
        let made = if role == "agent" {
            // Before keys were bound to agents, every key was one of any.
            self.said_json(&[&words[..], &["--any-agent"]].concat()).or_else(|_| self.said_json(&words))?
        } else {
            self.said_json(&words)?
        };
        Ok(made["key"].as_str().context("`hoc keys create` names no key")?.to_owned())
    }

    /// Writes the installation's public keys to a file for `hoc verify`.
    pub(super) fn public_keys(&self) -> anyhow::Result<PathBuf> {
        let file = self.folder.join("bench-keys.pem");
        std::fs::write(&file, self.said(&["keys", "public"])?)?;
        Ok(file)
    }

    /// Adds rows to a list, number `from` up to `until`.
    pub(super) fn rows(&self, list: &str, from: u64, until: u64) -> anyhow::Result<()> {
        let (from, until) = (from.to_string(), until.to_string());
        self.said(&["bench-rows", "--throw-away", "--list", list, "--from", &from, "--until", &until])
            .map(drop)
    }

    /// What each evaluation of a step against so many rules took, in process.
    pub(super) fn evaluations(&self, rules: usize) -> anyhow::Result<Latencies> {
        let said = self.said_json(&["bench-rules", "--rules", &rules.to_string()])?;
        let took = said["latencies_ns"].as_array().context("`hoc bench-rules` gives no latencies")?;
        let took = took.iter().filter_map(serde_json::Value::as_u64).map(Duration::from_nanos).collect();
        Ok(Latencies::new(took))
    }

    /// Starts the server and waits until it listens.
    pub(super) fn serve(&self) -> anyhow::Result<Server> {
        let log = self.folder.join("bench-serve.log");
        let began = Instant::now();
        let mut command = self.command(&["serve"]);
        let child =
            command.stdout(Stdio::piped()).stderr(File::create(&log)?).spawn().context("starting hoc")?;
        let mut server = Server { child, address: String::new(), started_in: Duration::ZERO };
        let output = server.child.stdout.take().context("the server has an output")?;
        let Some(address) = listening(output) else {
            bail!(
                "hoc serve ended before it listened:\n{}",
                std::fs::read_to_string(&log).unwrap_or_default()
            );
        };
        (server.address, server.started_in) = (address, began.elapsed());
        Ok(server)
    }

    /// How long `hoc verify` takes for a bundle, its own start included, and the most memory that it held; an error if
    /// it finds a fault.
    pub(super) fn verify(&self, bundle: &Path, keys: &Path) -> anyhow::Result<(Duration, Option<u64>)> {
        let (bundle, keys) = (bundle.to_str().context("a path")?, keys.to_str().context("a path")?);
        let mut command = self.command(&["verify", bundle, "--key", keys]);
        let began = Instant::now();
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().context("starting hoc")?;
        let pid = child.id();
        let (output, took, peak) = thread::scope(|scope| {
            let watching = scope.spawn(|| cpu::last_peak(pid));
            let output = child.wait_with_output();
            let took = began.elapsed();
            (output, took, watching.join().ok().flatten())
        });
        let output = output?;
        let said = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.success(), "the bundle does not verify ({}): {said}", output.status);
        Ok((took, peak))
    }
}

/// Where the server listens; the rest of its output is read and dropped, so that it never waits for us.
fn listening(output: ChildStdout) -> Option<String> {
    let mut lines = BufReader::new(output).lines();
    let address = lines.by_ref().map_while(Result::ok).find_map(|line| {
        let (_, address) = line.split_once(LISTENING)?;
        Some(address.trim().trim_end_matches('/').to_owned())
    })?;
    thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
    Some(address)
}

/// A running `hoc serve`. It is killed when this value goes.
pub(super) struct Server {
    child: Child,
    pub(super) address: String,
    /// From the start of the process to its line that it listens.
    pub(super) started_in: Duration,
}

impl Server {
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn client(&self, key: &str) -> Client {
        Client::new(&self.address, key)
    }

    /// Stops it as an operator would, and waits for its end.
    pub(super) fn stop(mut self) -> anyhow::Result<()> {
        let terminate = format!("kill -TERM {}", self.child.id());
        ensure!(Command::new("sh").args(["-c", &terminate]).status()?.success(), "`{terminate}` failed");
        let status = self.child.wait()?;
        ensure!(status.success(), "hoc serve ended with {status}");
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // An error here means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
