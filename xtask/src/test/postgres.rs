//! A Postgres that is there, and a throw-away cluster of it.

use super::{install, tool::Tool};
use crate::settings::env;
use anyhow::{Context as _, bail, ensure};
use std::{
    io::{BufRead as _, BufReader},
    os::unix::{
        fs::{MetadataExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// The variable by which the tests find their Postgres: a URL of a database from which they may create others.
pub(super) const POSTGRES_URL: &str = "HOC_TEST_POSTGRES_URL";

/// Where a cluster is whose tables are to be on a disk. Whatever TMPDIR says: the path of a unix socket has at most 107
/// bytes, and the user that Postgres runs as must be able to get there.
pub(crate) const ON_DISK: &str = "/tmp";

/// The oldest that the product supports.
const OLDEST: u32 = 15;

/// Its programs.
pub(crate) static POSTGRES: Tool = Tool {
    name: "Postgres",
    package: "postgresql",
    find: || Installed::find().map(|found| found.bin),
    wanted: || {
        format!(
            "the tests need Postgres {OLDEST} or newer (Debian and Ubuntu: package `postgresql`; Fedora: `postgresql-server`; Homebrew: `postgresql@17`), or the URL of a running one in {POSTGRES_URL}"
        )
    },
    variable: None,
};

/// The programs of a Postgres server.
pub(crate) struct Installed {
    /// The folder of `initdb`, `pg_ctl` and `postgres`.
    pub(crate) bin: PathBuf,
    /// As the server says it: `15.18`.
    pub(crate) version: String,
}

impl Installed {
    /// The same, which is installed where there is none and that can be done without asking anybody.
    pub(crate) fn find_or_install() -> anyhow::Result<Self> {
        install::missing(&[&POSTGRES])?;
        Self::find().with_context(POSTGRES.wanted)
    }

    /// The newest on this machine that is new enough: in the search path, or where distributions put it.
    fn find() -> Option<Self> {
        let mut folders: Vec<PathBuf> =
            env("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default();
        for parent in ["/usr/lib/postgresql", "/usr/local/opt", "/opt/homebrew/opt"] {
            let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
            folders.extend(entries.map(|entry| entry.path().join("bin")));
        }
        folders.extend(std::fs::read_dir("/usr").into_iter().flatten().flatten().filter_map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            name.starts_with("pgsql-").then(|| entry.path().join("bin"))
        }));
        folders.iter().filter_map(|bin| Self::at(bin)).max_by_key(|found| found.number().unwrap_or_default())
    }

    fn at(bin: &Path) -> Option<Self> {
        if !["initdb", "pg_ctl", "postgres"].iter().all(|program| bin.join(program).is_file()) {
            return None;
        }
        let output = Command::new(bin.join("postgres")).arg("--version").output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        // postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)
        let version = text.split(')').nth(1)?.split_whitespace().next()?.to_owned();
        let found = Self { bin: bin.to_owned(), version };
        found.number().is_some_and(|(major, _)| major >= OLDEST).then_some(found)
    }

    fn number(&self) -> Option<(u32, u32)> {
        let mut parts = self.version.split('.');
        Some((
            parts.next()?.parse().ok()?,
            parts.next().and_then(|minor| minor.parse().ok()).unwrap_or_default(),
        ))
    }
}

/// What a power cut may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Care {
    /// Everything: tests lose nothing by it.
    Fast,
    /// Nothing that was committed, as in production: the server's defaults.
    Durable,
}

impl Care {
    /// Settings of the server.
    fn settings(self) -> &'static str {
        match self {
            Self::Fast => "-c fsync=off -c synchronous_commit=off -c full_page_writes=off",
            Self::Durable => "-c fsync=on -c synchronous_commit=on -c full_page_writes=on",
        }
    }
}

/// A running cluster. It ends, and its folder goes, when this value does or when this process does, however it does.
pub(crate) struct Cluster {
    folder: PathBuf,
    /// `postgres.sh`, which ends the cluster when its standard input does.
    keeper: Child,
}

impl Cluster {
    /// Starts one in that place, [`ON_DISK`] or one in memory; it takes a few seconds.
    pub(crate) fn start(installed: &Installed, care: Care, place: &Path) -> anyhow::Result<Self> {
        let folder = new_folder(place)?;
        let mut keeper = Command::new("sh");
        keeper.arg("-c").arg(include_str!("postgres.sh")).arg("postgres.sh");
        keeper.arg(&installed.bin).arg(&folder).arg(care.settings());
        // A group of its own: Ctrl-C is for us, and the keeper acts when we are gone.
        keeper.current_dir(&folder).process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
        // Postgres refuses to run as root.
        if std::fs::metadata(&folder)?.uid() == 0 {
            let (uid, gid) = unprivileged_user()?;
            chown(&folder, Some(uid), Some(gid))?;
            keeper.uid(uid).gid(gid);
        }
        let mut keeper = keeper.spawn().context("starting sh")?;
        let mut answer = String::new();
        let output = keeper.stdout.take().context("the keeper has an output")?;
        BufReader::new(output).read_line(&mut answer)?;
        let cluster = Self { folder, keeper };
        if answer.trim() != "ready" {
            let log = std::fs::read_to_string(cluster.folder.join("log")).unwrap_or_default();
            bail!("Postgres {} of {} does not start:\n{log}", installed.version, installed.bin.display());
        }
        Ok(cluster)
    }

    /// Where its `postgres` database is.
    pub(crate) fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// Where another database of it is.
    pub(crate) fn url_of(&self, database: &str) -> String {
        format!("postgres://postgres@localhost/{database}?host={}", self.folder.display())
    }

    /// The process of its postmaster.
    pub(crate) fn pid(&self) -> anyhow::Result<u32> {
        let file = std::fs::read_to_string(self.folder.join("data").join("postmaster.pid"))?;
        file.lines()
            .next()
            .and_then(|line| line.trim().parse().ok())
            .context("postmaster.pid begins with no number")
    }

    /// Where its tables are, without the write-ahead log.
    pub(crate) fn tables(&self) -> PathBuf {
        self.folder.join("data").join("base")
    }

    /// Ends it and waits until its files are gone.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        self.end();
        ensure!(!self.folder.exists(), "{} is still there", self.folder.display());
        Ok(())
    }

    fn end(&mut self) {
        drop(self.keeper.stdin.take());
        // An error here means that it has ended already.
        let _ = self.keeper.wait();
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.end();
    }
}

/// A folder that only its owner can enter.
fn new_folder(place: &Path) -> anyhow::Result<PathBuf> {
    Ok(tempfile::Builder::new().prefix("hoc-pg-").tempdir_in(place)?.keep())
}

/// The user and group that Postgres runs as when we are root: its own where the package made one.
fn unprivileged_user() -> anyhow::Result<(u32, u32)> {
    let users = std::fs::read_to_string("/etc/passwd")?;
    let ids = |wanted: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(wanted))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    ids("postgres")
        .or_else(|| ids("nobody"))
        .context("Postgres does not run as root, and there is neither a user postgres nor a user nobody: run this as another user")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        let version = |text: &str| Installed { bin: PathBuf::new(), version: text.to_owned() }.number();
        assert_eq!(version("15.18"), Some((15, 18)));
        assert_eq!(version("18beta1"), None);
        assert!(version("16.2") > version("9.6"));
    }
}
