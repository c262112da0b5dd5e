//! Checkpoints as files in a folder outside the store: the newest of each log, and all that there ever were.
//!
//! Whoever holds a copy of such a folder can show that a log was rewritten or set back. A checkpoint is kept when
//! it survives a power cut: the file, its rename and the folder are synced before [`CheckpointSink::keep`] returns.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use orchestrator::ports::{CheckpointSink, OutsideCheckpoint, SinkError};

/// A folder of checkpoints: `<tenant>-<log>.checkpoint` is the newest signed note of that log, and
/// `<tenant>-<log>.history.jsonl` has one line for each, oldest first. Several processes may share it.
#[derive(Clone, Debug)]
pub struct CheckpointFiles {
    folder: Arc<Path>,
}

impl CheckpointFiles {
    /// The folder, made if it is not there. Fails where this process may not write.
    pub fn open(folder: impl Into<PathBuf>) -> io::Result<Self> {
        let folder = folder.into();
        fs::create_dir_all(&folder)?;
        let files = Self { folder: folder.into() };
        files.lock()?;
        Ok(files)
    }

    /// Where they are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn write(&self, checkpoint: &OutsideCheckpoint) -> io::Result<()> {
        let name = file_name(&checkpoint.tenant, checkpoint.log)?;
        let _held = self.lock()?;
        self.append(&format!("{name}.history.jsonl"), checkpoint)?;
        self.replace(&format!("{name}.checkpoint"), &checkpoint.note)?;
        File::open(&self.folder)?.sync_all()
    }

    fn failed(&self, source: io::Error) -> SinkError {
        SinkError { place: self.folder.display().to_string(), source }
    }

    /// Only one process writes at a time. The lock is the open file's, so it ends with its holder.
    fn lock(&self) -> io::Result<File> {
        let lock = OpenOptions::new().create(true).append(true).open(self.folder.join(".lock"))?;
        lock.lock()?;
        Ok(lock)
    }

    fn append(&self, name: &str, checkpoint: &OutsideCheckpoint) -> io::Result<()> {
        let line = serde_json::json!({ "tree_size": checkpoint.tree_size, "note": checkpoint.note });
        let mut history =
            OpenOptions::new().create(true).read(true).append(true).open(self.folder.join(name))?;
        // A line that a power cut left half written is ended first, so that it spoils no other.
        let mut last = *b"\n";
        if history.metadata()?.len() > 0 {
            history.seek(SeekFrom::End(-1))?;
            history.read_exact(&mut last)?;
        }
        let start = if last == *b"\n" { "" } else { "\n" };
        history.write_all(format!("{start}{line}\n").as_bytes())?;
        history.sync_data()
    }

    /// Puts the note in place, unless a newer one of the same log is there: another replica was faster.
    fn replace(&self, name: &str, note: &str) -> io::Result<()> {
        let newest = self.folder.join(name);
        let there = match fs::read_to_string(&newest) {
            Ok(there) => there,
            Err(err) if err.kind() == io::ErrorKind::NotFound => String::new(),
            Err(err) => return Err(err),
        };
        if let (Some(there), Some(new)) = (head(&there), head(note))
            && there.0 == new.0
            && there.1 > new.1
        {
            return Ok(());
        }
        let making = self.folder.join(format!("{name}.new"));
        let mut file = File::create(&making)?;
        file.write_all(note.as_bytes())?;
        file.sync_all()?;
        fs::rename(making, newest)
    }
}

#[async_trait]
impl CheckpointSink for CheckpointFiles {
    async fn keep(&self, checkpoint: &OutsideCheckpoint) -> Result<(), SinkError> {
        let (files, checkpoint) = (self.clone(), checkpoint.clone());
        let written = tokio::task::spawn_blocking(move || files.write(&checkpoint)).await;
        written.unwrap_or_else(|stopped| Err(io::Error::other(stopped))).map_err(|source| self.failed(source))
    }

    async fn newest(&self, tenant: &str, log: &str) -> Result<Option<String>, SinkError> {
        let name = file_name(tenant, log).map_err(|source| self.failed(source))?;
        let newest = self.folder.join(format!("{name}.checkpoint"));
        let read = tokio::task::spawn_blocking(move || fs::read_to_string(newest)).await;
        match read.unwrap_or_else(|stopped| Err(io::Error::other(stopped))) {
            Ok(note) => Ok(Some(note)),
            Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(self.failed(source)),
        }
    }
}

fn file_name(tenant: &str, log: &str) -> io::Result<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if tenant.is_empty() || !tenant.chars().all(plain) {
        let why = format!("`{tenant}` cannot be part of a file's name");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    Ok(format!("{tenant}-{log}"))
}

/// The first two lines of a checkpoint: the log's origin, epoch included, and its size.
fn head(note: &str) -> Option<(&str, u64)> {
    let mut lines = note.lines();
    Some((lines.next()?, lines.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn checkpoint(origin: &str, tree_size: u64) -> OutsideCheckpoint {
        let note = format!("{origin}\n{tree_size}\nroot\n\n\u{2014} {origin} sig\n");
        OutsideCheckpoint { tenant: "acme".to_owned(), log: "audit", tree_size, note }
    }

    fn read(files: &CheckpointFiles, name: &str) -> String {
        fs::read_to_string(files.folder().join(name)).expect("the file is there")
    }

    #[tokio::test]
    async fn the_newest_is_in_place_and_all_are_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = CheckpointFiles::open(folder.path().join("made")).expect("it opens");
        for (origin, size, newest) in [
            ("hoc/acme/audit/0", 3, 3),
            ("hoc/acme/audit/0", 2, 3),
            ("hoc/acme/audit/0", 9, 9),
            ("hoc/acme/audit/1", 1, 1),
        ] {
            files.keep(&checkpoint(origin, size)).await.expect("it is kept");
            let note = read(&files, "acme-audit.checkpoint");
            assert_eq!(head(&note).expect("a checkpoint").1, newest, "after {origin} {size}");
        }
        let history = read(&files, "acme-audit.history.jsonl");
        let sizes: Vec<u64> = history
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("a line of JSON"))
            .map(|line| line["tree_size"].as_u64().expect("a size"))
            .collect();
        assert_eq!(sizes, [3, 2, 9, 1]);
    }

    #[tokio::test]
    async fn a_line_cut_by_a_crash_spoils_no_other() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = CheckpointFiles::open(folder.path()).expect("it opens");
        fs::write(folder.path().join("acme-audit.history.jsonl"), "{\"tree_si").expect("half a line");
        files.keep(&checkpoint("hoc/acme/audit/0", 5)).await.expect("it is kept");
        let history = read(&files, "acme-audit.history.jsonl");
        let last = history.lines().last().expect("a line");
        assert_eq!(serde_json::from_str::<serde_json::Value>(last).expect("whole")["tree_size"], 5);
    }

    #[tokio::test]
    async fn a_failure_names_its_place() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = CheckpointFiles::open(folder.path().join("gone")).expect("it opens");
        fs::remove_dir_all(files.folder()).expect("it goes");
        let failed = files.keep(&checkpoint("hoc/acme/audit/0", 1)).await.expect_err("no folder");
        assert!(failed.place.ends_with("gone"), "{failed}");
        let odd = OutsideCheckpoint { tenant: "../acme".to_owned(), ..checkpoint("o", 1) };
        let files = CheckpointFiles::open(folder.path()).expect("it opens");
        let refused = files.keep(&odd).await.expect_err("a name that climbs");
        assert_eq!(refused.source.kind(), io::ErrorKind::InvalidInput);
    }
}
