//! One server on an embedded store: a lock that the operating system gives, and takes back however the holder ends.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Seek as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process,
    time::Duration,
};

use anyhow::{Context as _, anyhow};

use crate::private;

/// How often a lock that is held is tried again, and after how long: who only looks whether it is held has it for less.
const LOOKS: u32 = 25;
const LOOK: Duration = Duration::from_millis(10);
const FILE: &str = "serve.lock";

/// The lock, held until this is dropped or the process ends: of the data folder itself, which nobody removes under the
/// store that is in it. The file `serve.lock` has what the holder says of itself. It is locked as well, for builds that
/// know only it, but whoever removes it and makes it anew has another file, which is free.
#[derive(Debug)]
pub(crate) struct ServeLock {
    file: File,
    _folder: Option<File>,
}

impl ServeLock {
    /// Takes the lock of a data folder, or says who has it.
    pub(crate) fn take(data_dir: &Path) -> anyhow::Result<Self> {
        let folder = File::open(data_dir).with_context(|| format!("cannot open {}", data_dir.display()))?;
        let folder = match patiently(&folder) {
            Ok(()) => Some(folder),
            Err(TryLockError::WouldBlock) => return Err(is_served(data_dir)),
            // Few file systems lock files only.
            Err(TryLockError::Error(err)) => {
                tracing::warn!(
                    error = &err as &dyn std::error::Error,
                    folder = %data_dir.display(),
                    "the data folder itself cannot be locked: while this server runs, do not remove serve.lock in it"
                );
                None
            }
        };
        let path = data_dir.join(FILE);
        let file = open(&path)?;
        match patiently(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(is_served(data_dir)),
            Err(TryLockError::Error(err)) => {
                return Err(err).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
        let lock = Self { file, _folder: folder };
        lock.tell("starting")?;
        Ok(lock)
    }

    /// What the server says of itself that serves a data folder now; none where there is none.
    pub(crate) fn holder(data_dir: &Path) -> anyhow::Result<Option<String>> {
        for path in [data_dir.to_owned(), data_dir.join(FILE)] {
            let file = match File::open(&path) {
                Ok(file) => file,
                Err(err) if err.kind() == io::ErrorKind::NotFound => continue,
                Err(err) => return Err(err).with_context(|| format!("cannot open {}", path.display())),
            };
            // Shared: who looks is not taken for a server by another who does.
            match file.try_lock_shared() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(Some(said(data_dir))),
                Err(TryLockError::Error(_)) if path == data_dir => {}
                Err(TryLockError::Error(err)) => {
                    return Err(err).with_context(|| format!("cannot lock {}", path.display()));
                }
            }
        }
        Ok(None)
    }

    /// Leaves word for those who come later. The lock is the lock; this is only what they are told.
    pub(crate) fn tell(&self, what: &str) -> anyhow::Result<()> {
        let mut file = &self.file;
        file.set_len(0).and_then(|()| file.rewind()).context("cannot write the lock file")?;
        writeln!(file, "process {}, {what}", process::id()).context("cannot write the lock file")
    }
}

/// Takes the lock of a file, if nobody has it for longer than it takes to look.
fn patiently(file: &File) -> Result<(), TryLockError> {
    for _ in 0..LOOKS {
        match file.try_lock() {
            // Whoever only looks has it for a moment too.
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOOK),
            taken => return taken,
        }
    }
    file.try_lock()
}

/// What the holder says of itself.
fn said(data_dir: &Path) -> String {
    match fs::read_to_string(data_dir.join(FILE)) {
        Ok(said) if !said.trim().is_empty() => said.trim().to_owned(),
        _ => format!("another process, which {FILE} no longer names"),
    }
}

fn is_served(data_dir: &Path) -> anyhow::Error {
    anyhow!(
        "another server serves the data folder {}: {}. Stop it first, or give this one a folder of its own \
         (HOC_DATA_DIR). To serve one store by many, use Postgres (HOC_DATABASE_URL)",
        data_dir.display(),
        said(data_dir)
    )
}

/// Waits for its turn: only one process of this machine makes a store or brings it up to date.
pub(crate) fn turn_to_migrate(data_dir: &Path) -> anyhow::Result<File> {
    let path: PathBuf = data_dir.join("migrate.lock");
    let file = open(&path)?;
    file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
    Ok(file)
}

fn open(path: &Path) -> anyhow::Result<File> {
    // Whoever may open it may take it.
    OpenOptions::new()
        .create(true)
        .mode(private::MODE)
        .read(true)
        .write(true)
        .truncate(false)
        .open(path)
        .with_context(|| {
            format!(
                "cannot open {} (may this user write to that folder? HOC_DATA_DIR, or --data-dir, names another)",
                path.display()
            )
        })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn the_second_is_told_who_has_it_and_gets_it_when_they_are_gone() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = ServeLock::take(folder.path()).expect("nobody has it");
        first.tell("listening on http://127.0.0.1:1").expect("it is written");
        let refused = ServeLock::take(folder.path()).expect_err("it is taken").to_string();
        assert!(refused.contains("listening on http://127.0.0.1:1"), "{refused}");
        assert!(refused.contains("HOC_DATA_DIR"), "{refused}");
        let holder = ServeLock::holder(folder.path()).expect("it can be looked at");
        assert!(holder.is_some_and(|holder| holder.ends_with("listening on http://127.0.0.1:1")));
        drop(first);
        assert_eq!(ServeLock::holder(folder.path()).expect("it can be looked at"), None);
        ServeLock::take(folder.path()).expect("it is free again");
    }

    #[test]
    fn a_lock_whose_file_was_removed_is_still_held() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = ServeLock::take(folder.path()).expect("nobody has it");
        first.tell("listening on http://127.0.0.1:1").expect("it is written");
        fs::remove_file(folder.path().join(FILE)).expect("it is there");
        for made_anew in [false, true] {
            if made_anew {
                fs::write(folder.path().join(FILE), "").expect("it is made anew");
            }
            let refused = ServeLock::take(folder.path()).expect_err("it is taken").to_string();
            assert!(refused.contains("which serve.lock no longer names"), "{refused}");
            let holder = ServeLock::holder(folder.path()).expect("it can be looked at");
            assert!(holder.is_some(), "made anew: {made_anew}");
        }
        drop(first);
        assert_eq!(ServeLock::holder(folder.path()).expect("it can be looked at"), None);
        ServeLock::take(folder.path()).expect("it is free again");
    }

    #[test]
    fn a_server_of_a_build_that_locks_the_file_alone_is_heeded() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = open(&folder.path().join(FILE)).expect("a file");
        file.try_lock().expect("nobody has it");
        ServeLock::take(folder.path()).expect_err("it is taken");
        assert!(ServeLock::holder(folder.path()).expect("it can be looked at").is_some());
    }

    #[test]
    fn who_looks_does_not_keep_a_server_from_starting() {
        let folder = tempfile::tempdir().expect("a folder");
        drop(ServeLock::take(folder.path()).expect("nobody has it"));
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !over.load(Ordering::Relaxed) {
                        ServeLock::holder(folder.path()).expect("it can be looked at");
                    }
                });
            }
            let taken = (0..200).try_for_each(|_| ServeLock::take(folder.path()).map(drop));
            over.store(true, Ordering::Relaxed);
            taken.expect("nobody serves");
        });
    }
}
