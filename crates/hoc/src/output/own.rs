//! The files that an installation lives by: nothing that somebody names is written over them.

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use super::links::followed;
use crate::{config::Config, private};

/// What SQLite and a server keep beside the file of a store.
const BESIDE_STORE: [&str; 5] = ["", "-wal", "-shm", "-journal", "-serve.lock"];

/// Those files.
#[derive(Debug, Default)]
pub(crate) struct Own(Vec<Kept>);

#[derive(Debug)]
struct Kept {
    file: PathBuf,
    /// Whether a name in its folder is of it, too; by that name and its own.
    has: fn(&str, &str) -> bool,
    what: &'static str,
}

impl Own {
    pub(crate) fn of(config: &Config) -> Self {
        let mut own = Self::default();
        for store in config.store.sqlite_file().iter().flat_map(|file| [file.clone(), led(file)]) {
            for suffix in BESIDE_STORE {
                let mut name = store.clone().into_os_string();
                name.push(suffix);
                own.keep(name.into(), |name, own| name == own, "the store");
            }
        }
        for key in [config.keys.signing_key_file.value.clone(), config.keys.wrapping_key_file()] {
            for key in [led(&key), key] {
                own.keep(key, is_key, "a key");
            }
        }
        for folder in &config.keys.checkpoint_folders.value {
            own.keep(folder.join(".lock"), is_checkpoint, "a checkpoint");
        }
        let data = &config.store.data_dir.value;
        own.keep(data.join("serve.lock"), |name, own| name == own, "the lock of the server");
        own.keep(data.join("spool-refused.jsonl"), is_spool, "what was answered while the store was down");
        let settings = config.named_file.clone().unwrap_or_else(|| PathBuf::from("hoc.toml"));
        own.keep(settings, |name, own| name == own, "the settings");
        own
    }

    fn keep(&mut self, file: PathBuf, has: fn(&str, &str) -> bool, what: &'static str) {
        self.0.push(Kept { file, has, what });
    }

    /// Refuses a file that is one of them, by whatever name.
    pub(super) fn refuse(&self, file: &Path) -> io::Result<()> {
        let (is, name) = (identity(file), name_of(file));
        let folder = identity(private::folder_of(file));
        let of = |kept: &&Kept| {
            let beside = folder.is_some() && folder == identity(private::folder_of(&kept.file));
            (is.is_some() && is == identity(&kept.file))
                || (beside && (kept.has)(&name, &name_of(&kept.file)))
        };
        match self.0.iter().find(of) {
            None => Ok(()),
            Some(Kept { what, .. }) => {
                let why = format!("it is {what} of this installation, or has its name: name another file");
                Err(io::Error::new(io::ErrorKind::InvalidInput, why))
            }
        }
    }
}

/// A key, the next one, and those that signed before.
fn is_key(name: &str, own: &str) -> bool {
    name.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn is_checkpoint(name: &str, own: &str) -> bool {
    name == own || name.ends_with(".checkpoint") || name.ends_with(".history.jsonl")
}

fn is_spool(name: &str, _: &str) -> bool {
    name.starts_with("spool-") && Path::new(name).extension().is_some_and(|kind| kind == "jsonl")
}

fn name_of(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Where a name leads to, as far as its links can be followed.
fn led(file: &Path) -> PathBuf {
    followed(file).unwrap_or_else(|_| file.to_owned())
}

/// What the system knows a file by, whatever its name.
fn identity(file: &Path) -> Option<(u64, u64)> {
    let file = fs::metadata(file).ok()?;
    Some((file.dev(), file.ino()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_file_is_known_by_its_name_and_by_what_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("keys")).expect("a folder");
        symlink("keys", at("linked")).expect("a link");
        fs::write(at("keys/signing.pem"), "a key").expect("it is written");
        fs::hard_link(at("keys/signing.pem"), at("same")).expect("a link");
        let mut own = Own::default();
        own.keep(at("keys/signing.pem"), is_key, "a key");
        for refused in ["keys/signing.pem", "keys/signing.pem.next", "linked/signing.pem", "same"] {
            let why = own.refuse(&at(refused)).expect_err(refused).to_string();
            assert!(why.contains("a key of this installation"), "{why}");
        }
        for taken in ["keys/signing.pem-copy", "keys/run.json", "signing.pem", "gone/signing.pem"] {
            own.refuse(&at(taken)).expect(taken);
        }
    }
}
