//! One server on an embedded store: a lock that the operating system gives, and takes back however the holder ends.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Seek as _, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    process,
    time::Duration,
};

use anyhow::{Context as _, anyhow, bail};

use crate::private;

/// How often a lock that is held is tried again, and after how long: who only looks whether it is held has it for less.
const LOOKS: u32 = 25;
const LOOK: Duration = Duration::from_millis(10);
const FILE: &str = "serve.lock";

/// The locks of a server, held until this is dropped or the process ends.
///
/// The data folder itself is locked: `serve.lock` can be removed and made anew under a running server, and the folder
/// that holds it cannot. An embedded store is locked too, because another data folder may name it. `serve.lock` holds
/// what the server says of itself. It is locked as well, for older builds, which know no other lock.
#[derive(Debug)]
pub(crate) struct ServeLock {
    file: File,
    /// None where the store's folder is not there: then SQLite says why it cannot open the store.
    store: Option<File>,
    _folder: Option<File>,
}

impl ServeLock {
    /// Takes the locks of a data folder and of the embedded store that is served from it, or says who has one of them.
    pub(crate) fn take(data_dir: &Path, store: &Path) -> anyhow::Result<Self> {
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
        let file = locked(&data_dir.join(FILE))?.ok_or_else(|| is_served(data_dir))?;
        refuse_second_names(store)?;
        let store = match of_store(store)? {
            Some(path) => Some(locked(&path)?.ok_or_else(|| store_is_served(store, &path))?),
            None => None,
        };
        let lock = Self { file, store, _folder: folder };
        lock.tell("starting")?;
        Ok(lock)
    }

    /// What the server says of itself that serves a data folder now, or its embedded store from another one; none where
    /// there is none.
    pub(crate) fn holder(data_dir: &Path, store: &Path) -> anyhow::Result<Option<String>> {
        let own = data_dir.join(FILE);
        let folder = Some((data_dir.to_owned(), own.clone()));
        let store = of_store(store)?.map(|path| (path.clone(), path));
        for (path, says) in [folder, Some((own.clone(), own)), store].into_iter().flatten() {
            let file = match File::open(&path) {
                Ok(file) => file,
                Err(err) if err.kind() == io::ErrorKind::NotFound => continue,
                Err(err) => return Err(err).with_context(|| format!("cannot open {}", path.display())),
            };
            // Shared: who looks is not taken for a server by another who does.
            match file.try_lock_shared() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(Some(said(&says))),
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
        for mut file in [Some(&self.file), self.store.as_ref()].into_iter().flatten() {
            file.set_len(0).and_then(|()| file.rewind()).context("cannot write the lock file")?;
            writeln!(file, "process {}, {what}", process::id()).context("cannot write the lock file")?;
        }
        Ok(())
    }
}

/// The file whose lock stands for an embedded store; none where its folder is not there. It is beside the store's real
/// file, so that whoever names the store by another folder or by a link comes to the same. The store's own file is not
/// locked: SQLite has locks on it, which the system takes from a process that closes the file anywhere.
fn of_store(store: &Path) -> anyhow::Result<Option<PathBuf>> {
    match real(store) {
        Ok(real) => {
            let mut name = real.into_os_string();
            name.push("-");
            name.push(FILE);
            Ok(Some(name.into()))
        }
        Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(err) => Err(err).with_context(|| format!("cannot tell where the store {} is", store.display())),
    }
}

/// Where a file is, or will be when it is made.
fn real(file: &Path) -> io::Result<PathBuf> {
    match file.canonicalize() {
        Err(err) if err.kind() == io::ErrorKind::NotFound => {}
        found => return found,
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match fs::read_link(file) {
        Ok(target) => real(&folder.join(target)),
        Err(_) => Ok(folder.canonicalize()?.join(file.file_name().unwrap_or_default())),
    }
}

/// Refuses a store that has two names in the file system: SQLite keeps what was written last beside the name by which
/// it was opened, so a store that is opened by the other one is an older one, and what both write spoils it.
fn refuse_second_names(store: &Path) -> anyhow::Result<()> {
    match fs::metadata(store) {
        Ok(file) if file.is_file() && file.nlink() > 1 => bail!(
            "the store {} has {} names (hard links). What was written last is found by one of them alone, and two servers \
             would spoil it: stop whoever uses it, copy it to a file of its own, or remove the other names",
            store.display(),
            file.nlink()
        ),
        _ => Ok(()),
    }
}

/// The file, locked; none where another has the lock.
fn locked(path: &Path) -> anyhow::Result<Option<File>> {
    let file = open(path)?;
    match patiently(&file) {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(err)) => Err(err).with_context(|| format!("cannot lock {}", path.display())),
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

/// What the holder of a lock says of itself, in its file.
fn said(file: &Path) -> String {
    match fs::read_to_string(file) {
        Ok(said) if !said.trim().is_empty() => said.trim().to_owned(),
        _ => format!("another process, which {FILE} no longer names"),
    }
}

fn is_served(data_dir: &Path) -> anyhow::Error {
    anyhow!(
        "another server serves the data folder {}: {}. Stop it first, or give this one a folder of its own \
         (HOC_DATA_DIR). To serve one store by many, use Postgres (HOC_DATABASE_URL)",
        data_dir.display(),
        said(&data_dir.join(FILE))
    )
}

fn store_is_served(store: &Path, lock: &Path) -> anyhow::Error {
    anyhow!(
        "another server serves the store {} from another data folder: {}. Stop it first, or name another store \
         (HOC_DATABASE_URL). To serve one store by many, use Postgres",
        store.display(),
        said(lock)
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

    fn take(data_dir: &Path) -> anyhow::Result<ServeLock> {
        ServeLock::take(data_dir, &data_dir.join("hoc.db"))
    }

    fn holder(data_dir: &Path) -> anyhow::Result<Option<String>> {
        ServeLock::holder(data_dir, &data_dir.join("hoc.db"))
    }

    #[test]
    fn the_second_is_told_who_has_it_and_gets_it_when_they_are_gone() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = take(folder.path()).expect("nobody has it");
        first.tell("listening on http://127.0.0.1:1").expect("it is written");
        let refused = take(folder.path()).expect_err("it is taken").to_string();
        assert!(refused.contains("listening on http://127.0.0.1:1"), "{refused}");
        assert!(refused.contains("HOC_DATA_DIR"), "{refused}");
        let held_by = holder(folder.path()).expect("it can be looked at");
        assert!(held_by.is_some_and(|held_by| held_by.ends_with("listening on http://127.0.0.1:1")));
        drop(first);
        assert_eq!(holder(folder.path()).expect("it can be looked at"), None);
        take(folder.path()).expect("it is free again");
    }

    #[test]
    fn folders_that_name_one_store_exclude_each_other() {
        let [one, two] = [(), ()].map(|()| tempfile::tempdir().expect("a folder"));
        let (store, linked) = (one.path().join("hoc.db"), two.path().join("linked.db"));
        let around = two.path().join("..").join(one.path().file_name().expect("a name")).join("hoc.db");
        std::os::unix::fs::symlink(&store, &linked).expect("a link");
        // Before the store is made, and after.
        for made in [false, true] {
            let first = take(one.path()).expect("nobody has it");
            first.tell("listening on http://127.0.0.1:1").expect("it is written");
            for named in [&store, &linked, &around] {
                let refused = ServeLock::take(two.path(), named).expect_err("it is taken").to_string();
                let told = refused.contains("listening on http://127.0.0.1:1");
                assert!(told && refused.contains("HOC_DATABASE_URL"), "made: {made}: {refused}");
                let holder = ServeLock::holder(two.path(), named).expect("it can be looked at");
                assert!(holder.is_some_and(|holder| holder.ends_with("listening on http://127.0.0.1:1")));
            }
            ServeLock::take(two.path(), &one.path().join("other.db"))
                .expect("another store in the same folder");
            drop(first);
            drop(ServeLock::take(two.path(), &linked).expect("it is free again"));
            fs::write(&store, "a store").expect("it is written");
        }
        let nowhere = one.path().join("no/such/folder/hoc.db");
        ServeLock::take(two.path(), &nowhere).expect("SQLite itself says why it cannot");
    }

    #[test]
    fn a_store_with_two_names_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let (store, second) = (folder.path().join("hoc.db"), folder.path().join("second.db"));
        fs::write(&store, "a store").expect("it is written");
        fs::hard_link(&store, &second).expect("a second name");
        let refused = take(folder.path()).expect_err("it has two names").to_string();
        assert!(refused.contains("has 2 names"), "{refused}");
        fs::remove_file(&second).expect("it is there");
        take(folder.path()).expect("it has one");
    }

    #[test]
    fn a_lock_whose_file_was_removed_is_still_held() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = take(folder.path()).expect("nobody has it");
        first.tell("listening on http://127.0.0.1:1").expect("it is written");
        fs::remove_file(folder.path().join(FILE)).expect("it is there");
        for made_anew in [false, true] {
            if made_anew {
                fs::write(folder.path().join(FILE), "").expect("it is made anew");
            }
            let refused = take(folder.path()).expect_err("it is taken").to_string();
            assert!(refused.contains("which serve.lock no longer names"), "{refused}");
            let holder = holder(folder.path()).expect("it can be looked at");
            assert!(holder.is_some(), "made anew: {made_anew}");
        }
        drop(first);
        assert_eq!(holder(folder.path()).expect("it can be looked at"), None);
        take(folder.path()).expect("it is free again");
    }

    #[test]
    fn a_server_of_a_build_that_locks_the_file_alone_is_heeded() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = open(&folder.path().join(FILE)).expect("a file");
        file.try_lock().expect("nobody has it");
        take(folder.path()).expect_err("it is taken");
        assert!(holder(folder.path()).expect("it can be looked at").is_some());
    }

    #[test]
    fn who_looks_does_not_keep_a_server_from_starting() {
        let folder = tempfile::tempdir().expect("a folder");
        drop(take(folder.path()).expect("nobody has it"));
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !over.load(Ordering::Relaxed) {
                        holder(folder.path()).expect("it can be looked at");
                    }
                });
            }
            let taken = (0..200).try_for_each(|_| take(folder.path()).map(drop));
            over.store(true, Ordering::Relaxed);
            taken.expect("nobody serves");
        });
    }
}
