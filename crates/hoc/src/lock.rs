//! One server on an embedded store: a lock that the operating system gives, and takes back however the holder ends.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read as _, Seek as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process,
    time::Duration,
};

use anyhow::{Context as _, bail};

use crate::private;

/// How often a lock that is held is tried again, and after how long: who only looks whether it is held has it for less.
const LOOKS: u32 = 25;
const LOOK: Duration = Duration::from_millis(10);

/// The lock, held until this is dropped or the process ends.
#[derive(Debug)]
pub(crate) struct ServeLock {
    file: File,
}

impl ServeLock {
    /// Takes the lock of a data folder, or says who has it.
    pub(crate) fn take(data_dir: &Path) -> anyhow::Result<Self> {
        let path = data_dir.join("serve.lock");
        let mut file = open(&path)?;
        let mut looks = 0;
        let taken = loop {
            match file.try_lock() {
                // Whoever only looks has it for a moment too.
                Err(TryLockError::WouldBlock) if looks < LOOKS => {
                    looks += 1;
                    std::thread::sleep(LOOK);
                }
                taken => break taken,
            }
        };
        match taken {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = file.read_to_string(&mut holder);
                let holder = holder.trim();
                let holder = if holder.is_empty() { "another process" } else { holder };
                bail!(
                    "another server serves the data folder {}: {holder}. Stop it first, or give this one a folder of \
                     its own (HOC_DATA_DIR). To serve one store by many, use Postgres (HOC_DATABASE_URL)",
                    data_dir.display()
                );
            }
            Err(TryLockError::Error(err)) => {
                return Err(err).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
        let lock = Self { file };
        lock.tell("starting")?;
        Ok(lock)
    }

    /// What the server says of itself that serves a data folder now; none where there is none.
    pub(crate) fn holder(data_dir: &Path) -> anyhow::Result<Option<String>> {
        let path = data_dir.join("serve.lock");
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(err) => return Err(err).with_context(|| format!("cannot open {}", path.display())),
        };
        // Shared: who looks is not taken for a server by another who does.
        match file.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                Ok(Some(holder.trim().to_owned()))
            }
            Err(TryLockError::Error(err)) => {
                Err(err).with_context(|| format!("cannot lock {}", path.display()))
            }
        }
    }

    /// Leaves word for those who come later. The lock is the lock; this is only what they are told.
    pub(crate) fn tell(&self, what: &str) -> anyhow::Result<()> {
        let mut file = &self.file;
        file.set_len(0).and_then(|()| file.rewind()).context("cannot write the lock file")?;
        writeln!(file, "process {}, {what}", process::id()).context("cannot write the lock file")
    }
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
