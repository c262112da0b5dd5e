//! Files and folders that only their owner may read.
//!
//! The mode of a file is named where the file is made, and not left to the umask of whoever starts the server.
//! Checkpoints are the exception: they are for others to read.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use tempfile::{Builder, NamedTempFile};

/// The mode of a file that only its owner may read and write.
pub(crate) const MODE: u32 = 0o600;

/// A folder that only its owner may look into, made if it is missing.
pub(crate) fn folder(folder: &Path) -> io::Result<()> {
    if folder.is_file() {
        return Err(io::Error::new(io::ErrorKind::NotADirectory, "it is a file, and must be a folder"));
    }
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// The folder that a file is in.
pub(crate) fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A new file beside another, under a name that nobody can guess: nothing that is there is written to, and no link is
/// followed. It is removed when it is dropped, unless it was given a name to stay.
pub(crate) fn file_beside(file: &Path) -> io::Result<NamedTempFile> {
    // By hand, as the errors of `tempfile` itself tell of the name that nobody knows.
    let make = |path: &Path| -> io::Result<File> {
        OpenOptions::new().write(true).create_new(true).mode(MODE).open(path)
    };
    Builder::new().prefix(".hoc-").suffix(".new").rand_bytes(16).make_in(folder_of(file), make)
}

/// Lets nobody but its owner read an embedded store: its file, which is made if it is missing, and those that SQLite
/// keeps beside it, which get the mode that the file has when SQLite makes them.
pub(crate) fn sqlite(file: &Path) -> anyhow::Result<()> {
    let made = OpenOptions::new().write(true).create(true).truncate(false).mode(MODE).open(file);
    if made.is_err() {
        // Whoever opens it next says why it cannot be made.
        return Ok(());
    }
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let mut name = file.as_os_str().to_owned();
        name.push(suffix);
        tighten(&PathBuf::from(name))?;
    }
    Ok(())
}

fn tighten(file: &Path) -> anyhow::Result<()> {
    let mode = match fs::metadata(file) {
        Ok(metadata) => metadata.permissions().mode() & 0o777,
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(err) => return Err(err).with_context(|| format!("cannot look at {}", file.display())),
    };
    if mode & 0o700 == mode {
        return Ok(());
    }
    tracing::warn!(
        file = %file.display(),
        mode = format!("{mode:04o}"),
        "others could read the store; from now on its owner alone can"
    );
    fs::set_permissions(file, Permissions::from_mode(mode & 0o700)).with_context(|| {
        format!(
            "others may read {} (mode {mode:04o}), and that cannot be changed: let it belong to whoever serves it",
            file.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(file: &Path) -> u32 {
        fs::metadata(file).expect("it is there").permissions().mode() & 0o777
    }

    #[test]
    fn a_store_that_others_could_read_is_closed_to_them_with_all_that_is_beside_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("hoc.db");
        sqlite(&file).expect("it is made");
        assert_eq!(mode(&file), 0o600);
        for suffix in ["", "-wal", "-shm"] {
            let open = folder.path().join(format!("hoc.db{suffix}"));
            fs::write(&open, "").expect("it is written");
            fs::set_permissions(&open, Permissions::from_mode(0o644)).expect("ours");
        }
        sqlite(&file).expect("they are tightened");
        for suffix in ["", "-wal", "-shm"] {
            assert_eq!(mode(&folder.path().join(format!("hoc.db{suffix}"))), 0o600, "{suffix}");
        }
        assert!(!folder.path().join("hoc.db-journal").exists(), "what is not there is not made");
        sqlite(&folder.path().join("no/such/folder/hoc.db")).expect("SQLite itself says why it cannot");
    }
}
