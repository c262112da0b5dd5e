//! Whether a store that was out of room has some again.
//!
//! One row may find a place where a call finds none: in what units of work that failed have left in the log of an
//! embedded store, or in a page of Postgres that is not full. So once a write found no room, that a row can be
//! committed proves nothing: as much as a call may write has to find room as well.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use crate::StoreError;

/// So much has to find room.
const ENOUGH: usize = 1 << 20;

/// The same on Postgres, which gives a table its pages as it is filled. Nobody else sees this one, and it goes with its
/// unit of work.
pub(crate) const FILLED: &str = "CREATE TEMPORARY TABLE hoc_room ON COMMIT DROP AS \
                                 SELECT repeat(md5(n::text), 60) AS filled FROM generate_series(1, 512) AS n";

/// What this process has met of a store that is out of room.
#[derive(Debug, Default)]
pub(crate) struct Room {
    /// How many writes found none.
    missed: AtomicU64,
    /// How many of them were before it was last shown that there is some.
    settled: AtomicU64,
}

impl Room {
    /// Takes note of a failure that tells that there is none.
    pub(crate) fn note(&self, err: &StoreError) {
        if err.is_out_of_room() {
            self.missed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many writes found none by now, where it was not shown since that there is some.
    pub(crate) fn missed(&self) -> Option<u64> {
        let missed = self.missed.load(Ordering::Relaxed);
        (missed > self.settled.load(Ordering::Relaxed)).then_some(missed)
    }

    /// There is room, as was shown after so many had found none.
    pub(crate) fn found(&self, missed: u64) {
        self.settled.fetch_max(missed, Ordering::Relaxed);
    }
}

/// Fills a file beside the embedded store at `path`, and leaves nothing of it.
pub(crate) fn fill_beside(path: &Path) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push("-room");
    // What a process that was killed left.
    match fs::remove_file(&beside) {
        Err(err) if err.kind() != io::ErrorKind::NotFound => return Err(err),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    fs::remove_file(&beside)?;
    file.write_all(&vec![b' '; ENOUGH])?;
    file.sync_data()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_filled_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = folder.path().join("hoc.db");
        for left in [false, true] {
            if left {
                fs::write(folder.path().join("hoc.db-room"), "of a process that was killed")
                    .expect("written");
            }
            fill_beside(&store).expect("there is room");
            assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
        }
        fill_beside(&folder.path().join("gone/hoc.db")).expect_err("there is no folder");
    }

    #[test]
    fn a_write_that_finds_none_meanwhile_counts() {
        let room = Room::default();
        assert_eq!(room.missed(), None);
        room.missed.fetch_add(2, Ordering::Relaxed);
        let before = room.missed().expect("two found none");
        room.missed.fetch_add(1, Ordering::Relaxed);
        room.found(before);
        assert_eq!(room.missed(), Some(3));
        room.found(3);
        assert_eq!(room.missed(), None);
    }
}
