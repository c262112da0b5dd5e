//! The database under the server: made for this, gone afterwards.

use super::{cpu::Watched, options::Kind};
use crate::test::postgres::{Care, Cluster, Installed, ON_DISK};
use anyhow::{Context as _, ensure};
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The file of a store on SQLite; beside it are its log and its index, which begin with the same name.
const FILE: &str = "hoc.db";

/// A database of its own for one bench.
pub(super) enum Database {
    /// In this folder.
    Sqlite(PathBuf),
    /// As durable as in production.
    Postgres { installed: Installed, cluster: Cluster },
}

impl Database {
    /// Makes one; that of SQLite stands in `folder`.
    pub(super) fn start(kind: Kind, folder: &Path) -> anyhow::Result<Self> {
        Ok(match kind {
            Kind::Sqlite => Self::Sqlite(folder.to_owned()),
            Kind::Postgres => {
                let installed = Installed::find_or_install()?;
                let cluster = Cluster::start(&installed, Care::Durable, Path::new(ON_DISK))?;
                Self::Postgres { installed, cluster }
            }
        })
    }

    /// As the page calls it.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Sqlite(_) => "SQLite".to_owned(),
            Self::Postgres { installed, .. } => format!("Postgres {}", installed.version),
        }
    }

    pub(super) fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => format!("sqlite://{}", folder.join(FILE).display()),
            Self::Postgres { cluster, .. } => cluster.url(),
        }
    }

    /// Its processes, where it has some: SQLite is in the server.
    pub(super) fn watched(&self) -> anyhow::Result<Option<Watched>> {
        Ok(match self {
            Self::Sqlite(_) => None,
            Self::Postgres { cluster, .. } => {
                Some(Watched { name: "database", pid: cluster.pid()?, with_children: true })
            }
        })
    }

    /// Bytes of the store while no server runs on it, to tell what it grew by.
    pub(super) fn size(&self) -> u64 {
        match self {
            Self::Sqlite(folder) => folder_size(folder, |name| name.starts_with(FILE)),
            Self::Postgres { cluster, .. } => folder_size(&cluster.tables(), |_| true),
        }
    }

    /// Bytes of the whole store as it stands: SQLite's files with their log, Postgres's `pg_database_size`.
    pub(super) fn whole(&self) -> anyhow::Result<u64> {
        let Self::Postgres { installed, cluster } = self else { return Ok(self.size()) };
        let said = sql(installed, &cluster.url(), "SELECT pg_database_size(current_database())")?;
        said.trim().parse().with_context(|| format!("`{said}` is no size of a database"))
    }

    /// Has it write what it kept for later, so that it does not do so while another is measured.
    pub(super) fn checkpoint(&self) -> anyhow::Result<()> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres { installed, cluster } => sql(installed, &cluster.url(), "CHECKPOINT").map(drop),
        }
    }

    /// Ends it.
    pub(super) fn stop(self) -> anyhow::Result<()> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres { cluster, .. } => cluster.stop(),
        }
    }
}

/// What Postgres answers to one statement.
pub(super) fn sql(installed: &Installed, url: &str, statement: &str) -> anyhow::Result<String> {
    let answer =
        ["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--dbname", url, "--command", statement];
    said(installed, "psql", &answer)
}

/// What a program says that comes with Postgres.
pub(super) fn said(installed: &Installed, program: &str, args: &[&str]) -> anyhow::Result<String> {
    let file = installed.bin.join(program);
    ensure!(
        file.is_file(),
        "the bench needs `{program}`, and {} has none (Fedora: package `postgresql-contrib`)",
        installed.bin.display()
    );
    let output = Command::new(&file).args(args).stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("starting {}", file.display()))?;
    ensure!(output.status.success(), "`{program}` failed:\n{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

/// Bytes of the files below a folder whose names are wanted. A database at work may take one away meanwhile.
fn folder_size(folder: &Path, wanted: impl Fn(&str) -> bool) -> u64 {
    let files =
        walkdir::WalkDir::new(folder).into_iter().flatten().filter(|entry| entry.file_type().is_file());
    let wanted = files.filter(|file| wanted(&file.file_name().to_string_lossy()));
    wanted.filter_map(|file| file.metadata().ok()).map(|metadata| metadata.len()).sum()
}
