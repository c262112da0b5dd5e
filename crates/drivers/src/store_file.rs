//! The file of an embedded store: whether its path still leads to the file that this process has open.
//!
//! A file that is removed or replaced under a running server stays open in it, and nobody will ever find it again. The
//! server would go on answering, and every commit would be gone with the process. The same holds for the write-ahead
//! log beside the file, which has the last commits. So both files are compared with their paths around every unit of
//! work that writes.
//!
//! A file that is damaged is not written on either: what is written beside the damage may be lost with it. It is down,
//! as a Postgres is that cannot be reached, and what is halted stays so.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::StoreError;

/// What is said of a damaged file.
const DAMAGED: &str = "the file of the store is damaged: nothing is written to it any more. Stop the server, keep the file, and \
                       restore a backup (`hoc doctor` reads it before you serve)";

/// What the system knows a file by, whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    /// None where there is nothing, or nothing that can be looked at.
    fn at(path: &Path) -> Option<Self> {
        let file = fs::metadata(path).ok()?;
        Some(Self { device: file.dev(), inode: file.ino() })
    }
}

/// The open file, and its log.
#[derive(Debug)]
pub(crate) struct StoreFile {
    path: PathBuf,
    log_path: PathBuf,
    opened: Identity,
    /// From when there is one: it stays as long as anybody has the store open.
    log: OnceLock<Identity>,
    /// Why nothing is written any more: what was open is nobody's.
    lost: OnceLock<String>,
    /// Whether SQLite met something in it that is none of its own.
    damaged: AtomicBool,
}

impl StoreFile {
    /// The file at `path`, which this process has just opened.
    pub(crate) fn opened(path: &Path) -> Result<Self, StoreError> {
        let gone = || StoreError::Unavailable(format!("{} is not there", path.display()).into());
        let opened = Identity::at(path).ok_or_else(gone)?;
        let mut log_path = path.as_os_str().to_owned();
        log_path.push("-wal");
        let log = OnceLock::new();
        let (lost, damaged) = (OnceLock::new(), AtomicBool::new(false));
        Ok(Self { path: path.to_owned(), log_path: log_path.into(), opened, log, lost, damaged })
    }

    /// Refuses to go on where the path leads elsewhere.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        if self.lost.get().is_none()
            && let Some(what) = self.misses()
        {
            let why = format!(
                "{what} under the running server: what it has open would be gone with it, so nothing is written any \
                 more. Stop it, see that the store is what it should be, and start it again; where an older one is in \
                 its place, accept the loss with `hoc doctor --accept-restore`",
            );
            if self.lost.set(why).is_ok() {
                tracing::error!(store = %self.path.display(), "{what} under the running server");
            }
        }
        self.lost.get().map_or(Ok(()), |why| Err(StoreError::ReadOnly(why.clone())))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Takes note of a failure that tells of damage.
    pub(crate) fn note(&self, err: &StoreError) {
        if err.is_damage() && !self.damaged.swap(true, Ordering::Relaxed) {
            tracing::error!(store = %self.path.display(), error = err as &dyn std::error::Error, "{DAMAGED}");
        }
    }

    /// What is damaged, and what to do.
    pub(crate) fn damage(&self) -> Option<&'static str> {
        self.damaged.load(Ordering::Relaxed).then_some(DAMAGED)
    }

    /// Why nothing is written, if that is so.
    pub(crate) fn lost(&self) -> Option<String> {
        self.lost.get().cloned()
    }

    fn misses(&self) -> Option<&'static str> {
        match Identity::at(&self.path) {
            None => return Some("the file of the store was removed"),
            Some(there) if there != self.opened => return Some("the file of the store was replaced"),
            Some(_) => {}
        }
        match (self.log.get(), Identity::at(&self.log_path)) {
            (None, Some(there)) => {
                let _ = self.log.set(there);
                None
            }
            (Some(known), there) if there != Some(*known) => {
                Some("the write-ahead log of the store was removed or replaced")
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, log) = (folder.path().join("hoc.db"), folder.path().join("hoc.db-wal"));
        fs::write(&file, "a store").expect("it is written");
        (folder, file, log)
    }

    fn said(file: &StoreFile) -> String {
        match file.check() {
            Err(StoreError::ReadOnly(why)) => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_file_that_is_replaced_is_missed_for_good() {
        let (folder, path, log) = place();
        let file = StoreFile::opened(&path).expect("it is there");
        file.check().expect("nothing has happened");
        fs::write(&log, "").expect("it is written");
        file.check().expect("a log that begins is none that was lost");
        fs::write(&path, "another content").expect("it is written");
        file.check().expect("it is the same file");
        let aside = folder.path().join("aside");
        fs::rename(&path, &aside).expect("it moves");
        assert!(said(&file).contains("was removed"), "{}", said(&file));
        fs::rename(&aside, &path).expect("it moves back");
        assert!(said(&file).contains("was removed"), "what was answered meanwhile is not known");
    }

    #[test]
    fn a_log_that_is_removed_or_another_is_missed() {
        for anew in [false, true] {
            let (_folder, path, log) = place();
            fs::write(&log, "").expect("it is written");
            let file = StoreFile::opened(&path).expect("it is there");
            file.check().expect("nothing has happened");
            // Kept under another name, so that its number is not given to the next.
            fs::rename(&log, log.with_extension("aside")).expect("it moves");
            if anew {
                fs::write(&log, "").expect("it is written");
            }
            assert!(said(&file).contains("write-ahead log"), "{}", said(&file));
        }
    }
}
