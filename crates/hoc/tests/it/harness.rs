//! The binary in a folder of its own: commands that end, and servers that are started, killed and stopped.
//!
//! A [`Place`] is what an installation is: a data folder, and a database where it is not SQLite in that folder. Nothing
//! of the developer's environment gets in. Whatever is waited for is a state, with a deadline that only a hang meets.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use models::time;
use orchestrator::{Clock as _, SystemClock};
use serde_json::Value;
use tempfile::TempDir;
use testkit::{Store, TestDatabase};

use crate::http::Http;

/// Long enough that only a hang meets it.
pub(crate) const DEADLINE: Duration = Duration::from_mins(1);

/// A time that does not come while a test runs.
pub(crate) fn in_a_month() -> String {
    time::text(SystemClock.now() + TimeDelta::days(30))
}

/// Tries each of these in a place of its own on both stores: as `name::sqlite`, and as `name::postgres` where there is
/// one. As `testkit::on_both` does of what needs no more than a database.
macro_rules! on_both {
    ($($name:ident),+) => {$(
        mod $name {
            use testkit::Store;

            use $crate::harness::Place;

            #[tokio::test]
            async fn sqlite() {
                super::$name(Place::sqlite()).await;
            }

            #[tokio::test]
            async fn postgres() {
                if let Some(place) = Place::on(Store::Postgres).await {
                    super::$name(place).await;
                }
            }
        }
    )+};
}
pub(crate) use on_both;

/// An installation's folder, and its database where that is Postgres.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
    database: Option<TestDatabase>,
    variables: Vec<(String, String)>,
}

impl Place {
    /// On the embedded store.
    pub(crate) fn sqlite() -> Self {
        Self { folder: TempDir::new().expect("a folder"), database: None, variables: Vec::new() }
    }

    /// On an empty store of that kind; none where there is no Postgres to ask.
    pub(crate) async fn on(store: Store) -> Option<Self> {
        let database = match store {
            Store::Sqlite => None,
            Store::Postgres => Some(TestDatabase::empty(store).await?),
        };
        Some(Self { database, ..Self::sqlite() })
    }

    /// With one more variable in the environment of everything that is started here.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Its database, where that is Postgres.
    pub(crate) fn database(&self) -> Option<&TestDatabase> {
        self.database.as_ref()
    }

    /// Where its database is, where that is Postgres.
    pub(crate) fn database_url(&self) -> Option<&str> {
        self.database.as_ref().map(TestDatabase::url)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The binary, ready to be started here.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hoc"));
        command
            .args(args)
            .env_clear()
            .env("HOC_ENV", "test")
            .env("HOC_DATA_DIR", self.data())
            .env("HOC_LISTEN", "127.0.0.1:0")
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        if let Some(database) = &self.database {
            command.env("HOC_DATABASE_URL", database.url());
        }
        for (name, value) in &self.variables {
            command.env(name, value);
        }
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        Ran::of(self.command(args).output().expect("the binary starts"))
    }

    /// The same without a variable that everything here is started with.
    pub(crate) fn run_without(&self, variable: &str, args: &[&str]) -> Ran {
        Ran::of(self.command(args).env_remove(variable).output().expect("the binary starts"))
    }

    /// Runs a command that must succeed; gives what it printed.
    pub(crate) fn succeed(&self, args: &[&str]) -> String {
        let ran = self.run(args);
        assert_eq!(ran.code, Some(0), "hoc {args:?}: {}\n{}", ran.stdout, ran.stderr);
        ran.stdout
    }

    /// A key of a role, made on the store itself.
    pub(crate) fn key(&self, role: &str) -> String {
        self.key_with(role, &[])
    }

    /// The same in a tenant of that name, which is made where there is none.
    pub(crate) fn key_in(&self, tenant: &str, role: &str) -> String {
        self.key_with(role, &["--tenant", tenant])
    }

    fn key_with(&self, role: &str, more: &[&str]) -> String {
        let any: &[&str] = if role == "agent" { &["--any-agent"] } else { &[] };
        let words = ["keys", "create", "--role", role, "--owner", role, "--json"];
        let args = [&words[..], any, more].concat();
        let printed = self.succeed(&args);
        let last: Value =
            serde_json::from_str(printed.lines().last().expect("a line")).expect("a line of JSON");
        last["key"].as_str().expect("a key").to_owned()
    }

    /// The installation's public keys in a file.
    pub(crate) fn public_keys(&self) -> PathBuf {
        let path = self.path("hoc.pub");
        std::fs::write(&path, self.succeed(&["keys", "public"])).expect("the key is written");
        path
    }

    /// Everything that is in the database, by table; nothing on SQLite, which is in the data folder.
    pub(crate) async fn stored(&self) -> BTreeMap<String, String> {
        match &self.database {
            Some(database) => database.contents().await,
            None => BTreeMap::new(),
        }
    }

    /// Backs the store up, while no server runs.
    pub(crate) async fn back_up(&self) {
        match &self.database {
            Some(database) => database.back_up().await,
            None => self.copy_sqlite("data/hoc.db", "backup.db"),
        }
    }

    /// Does something with a server, ends it, and backs the store up.
    pub(crate) async fn back_up_after<T>(&self, deed: impl FnOnce(&Server) -> T) -> T {
        let server = self.serve();
        let done = deed(&server);
        server.stop();
        self.back_up().await;
        done
    }

    /// Does something with a server, ends it, and puts the backup in place of the store: it is lost.
    pub(crate) async fn lose<T>(&self, deed: impl FnOnce(&Server) -> T) -> T {
        let server = self.serve();
        let done = deed(&server);
        server.stop();
        self.restore().await;
        done
    }

    /// Puts the backup in place of the store, while no server runs.
    pub(crate) async fn restore(&self) {
        match &self.database {
            Some(database) => database.restore().await,
            None => self.copy_sqlite("backup.db", "data/hoc.db"),
        }
    }

    fn copy_sqlite(&self, from: &str, to: &str) {
        for suffix in ["", "-wal", "-shm"] {
            let (from, to) = (self.path(&format!("{from}{suffix}")), self.path(&format!("{to}{suffix}")));
            if from.exists() {
                std::fs::copy(from, to).expect("it is copied");
            } else if to.exists() {
                std::fs::remove_file(to).expect("it goes");
            }
        }
    }

    /// Starts a server whose store can be taken away: see [`Self::take_store_from`].
    pub(crate) fn serve_on_a_shaky_store(&self) -> Server {
        if self.database.is_some() {
            return self.serve();
        }
        // What would exceed the limit on files is refused, like on a full disk; the process is not killed for it.
        self.serve_by(r#"trap "" XFSZ; exec "$0" "$@""#)
    }

    /// Starts a server that may open so many files.
    pub(crate) fn serve_with_descriptors(&self, most: u32) -> Server {
        self.serve_by(&format!(r#"ulimit -n {most}; exec "$0" "$@""#))
    }

    /// Starts a server by a shell, which does something before.
    fn serve_by(&self, script: &str) -> Server {
        let plain = self.command(&["serve"]);
        let mut command = Command::new("sh");
        command.args(["-c", script]).arg(plain.get_program()).args(plain.get_args());
        command.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        Server::start(command)
    }

    /// Takes the store away from a running server: Postgres is gone, the disk under SQLite is full.
    pub(crate) async fn take_store_from(&self, server: &Server) {
        match &self.database {
            Some(database) => database.take_away().await,
            None => server.limit_files("0:unlimited"),
        }
    }

    /// Brings the store back.
    pub(crate) async fn bring_store_back_to(&self, server: &Server) {
        match &self.database {
            Some(database) => database.bring_back().await,
            None => server.limit_files("unlimited:unlimited"),
        }
    }

    /// Starts a server and waits until it is ready.
    pub(crate) fn serve(&self) -> Server {
        self.serve_with(&[])
    }

    /// The same with more arguments.
    pub(crate) fn serve_with(&self, args: &[&str]) -> Server {
        Server::start(self.command(&[&["serve"], args].concat()))
    }
}

/// A command that ended.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }
}

/// A server process. Dropped, it is killed.
pub(crate) struct Server {
    child: Child,
    lines: Receiver<String>,
    errors: Option<thread::JoinHandle<String>>,
    /// What it printed before it was ready.
    pub(crate) greeting: Vec<String>,
    /// `host:port`.
    pub(crate) address: String,
}

impl Server {
    /// Starts a process that prints where it listens when it is ready, and waits for that line.
    pub(crate) fn start(command: Command) -> Self {
        const READY: &str = "listening on http://";
        let mut server = Self::start_until(command, |line| line.starts_with(READY));
        let ready = server.greeting.pop().expect("the line");
        ready[READY.len()..].clone_into(&mut server.address);
        server
    }

    /// Starts a process and waits for a line; what it printed so far, with that line, is its greeting.
    pub(crate) fn start_until(mut command: Command, ready: impl Fn(&str) -> bool) -> Self {
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
        let stdout = child.stdout.take().expect("piped");
        let mut stderr = child.stderr.take().expect("piped");
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let errors = thread::spawn(move || {
            let mut text = String::new();
            let _ = stderr.read_to_string(&mut text);
            text
        });
        let mut server =
            Self { child, lines, errors: Some(errors), greeting: Vec::new(), address: String::new() };
        loop {
            match server.lines.recv_timeout(DEADLINE) {
                Ok(line) => {
                    let is_ready = ready(&line);
                    server.greeting.push(line);
                    if is_ready {
                        return server;
                    }
                }
                Err(why) => {
                    server.kill();
                    let end = match why {
                        RecvTimeoutError::Timeout => "was not ready in time",
                        RecvTimeoutError::Disconnected => "ended before it was ready",
                    };
                    let errors = server.errors();
                    panic!("the server {end}: {:?}\n{errors}", server.greeting);
                }
            }
        }
    }

    /// The key that a first start prints.
    pub(crate) fn admin_key(&self) -> &str {
        let key = self.greeting.iter().find_map(|line| line.trim().strip_prefix("export KEY="));
        key.expect("the first start prints the admin key")
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// A connection to it.
    pub(crate) fn http(&self) -> Http {
        Http::connect(&self.address)
    }

    /// How long the files may be that the process writes from now on.
    pub(crate) fn limit_files(&self, limit: &str) {
        let pid = self.child.id().to_string();
        let limited = Command::new("prlimit").args(["--pid", &pid, &format!("--fsize={limit}")]).status();
        assert!(limited.expect("prlimit starts").success());
    }

    /// `kill -9`: nothing more runs in it.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it was started");
        self.child.wait().expect("it ends");
    }

    /// Sends it a signal, which is named without `SIG`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("sh").args(["-c", &format!("kill -{name} {}", self.child.id())]).status();
        assert!(sent.expect("sh starts").success());
    }

    /// Asks it to stop, as an operator does, and waits until it has; gives its exit code and its log.
    pub(crate) fn stop(self) -> (Option<i32>, String) {
        self.stop_by("TERM")
    }

    /// The same by a signal of that name.
    pub(crate) fn stop_by(mut self, signal: &str) -> (Option<i32>, String) {
        self.signal(signal);
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("it was started") {
                break status;
            }
            assert!(begun.elapsed() < DEADLINE, "the server does not stop");
            thread::sleep(Duration::from_millis(5));
        };
        (status.code(), self.errors())
    }

    /// What it printed since it was ready. Only after it ended.
    pub(crate) fn said_since(&self) -> Vec<String> {
        self.lines.try_iter().collect()
    }

    fn errors(&mut self) -> String {
        self.errors.take().map(|thread| thread.join().unwrap_or_default()).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A file that somebody changed: the first `from` in it is now `to`.
pub(crate) fn replaced(path: &Path, from: &str, to: &str) -> Vec<u8> {
    let text = std::fs::read_to_string(path).expect("it reads");
    assert!(text.contains(from), "{from} is not in {}", path.display());
    text.replacen(from, to, 1).into_bytes()
}
