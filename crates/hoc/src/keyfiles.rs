//! The installation's two keys as files: what signs, and what wraps tenant keys. Neither is ever in the store.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use orchestrator::secrets::WrappingKey;
use proof::keys::SigningKey;
use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    config::keys::Keys,
    private,
    whole::{MOST_SAID, text_of},
};

/// Where the key files are.
#[derive(Clone, Debug)]
pub(crate) struct KeyFiles {
    pub(crate) signing: PathBuf,
    pub(crate) wrapping: PathBuf,
}

/// The keys of an installation.
#[derive(Debug)]
pub(crate) struct InstallationKeys {
    pub(crate) signing: SigningKey,
    pub(crate) wrapping: WrappingKey,
}

impl KeyFiles {
    /// Where the configuration says.
    pub(crate) fn of(keys: &Keys) -> Self {
        Self { signing: keys.signing_key_file.value.clone(), wrapping: keys.wrapping_key_file() }
    }

    /// Reads both keys. `key_id` names the signing key that the store was begun with, for the error's sake.
    pub(crate) fn read(&self, key_id: &str) -> anyhow::Result<InstallationKeys> {
        let advice = |what: &str, path: &Path| {
            format!(
                "this store is signed with key {key_id}, and its {what} key file {} is not there: put it back from \
                 your backup, or name where it is with HOC_SIGNING_KEY_FILE (the wrapping key is beside it, with \
                 .wrap behind its name)",
                path.display()
            )
        };
        self.finish_rotation(key_id)?;
        let signing = read_private(&self.signing)?.with_context(|| advice("signing", &self.signing))?;
        let wrapping = read_private(&self.wrapping)?.with_context(|| advice("wrapping", &self.wrapping))?;
        Ok(InstallationKeys { signing: self.signing_of(&signing)?, wrapping: self.wrapping_of(&wrapping)? })
    }

    /// Reads both keys, and makes those that are missing of what `secret` draws: only ever for an empty store.
    pub(crate) fn read_or_make(&self, secret: impl Fn() -> [u8; 32]) -> anyhow::Result<InstallationKeys> {
        let signing =
            one(&self.signing, || SigningKey::from_seed(&secret()).to_pem().as_str().to_owned().into())?;
        let wrapping = one(&self.wrapping, || format!("{}\n", hex::encode(secret())).into())?;
        Ok(InstallationKeys { signing: self.signing_of(&signing)?, wrapping: self.wrapping_of(&wrapping)? })
    }

    /// The key that is to sign next, made and durable before the store hears of it.
    pub(crate) fn next(&self, secret: impl Fn() -> [u8; 32]) -> anyhow::Result<SigningKey> {
        let made = || SigningKey::from_seed(&secret()).to_pem().as_str().to_owned().into();
        self.signing_of(&one(&self.next_file(), made)?)
    }

    /// Puts the next key in the place of the one that signed, once the store names it; the old one is kept beside it.
    /// Whoever is cut off in the middle does the rest at the next start.
    pub(crate) fn finish_rotation(&self, key_id: &str) -> anyhow::Result<()> {
        let next = self.next_file();
        let Some(waiting) = read_private(&next)? else { return Ok(()) };
        if self.signing_of(&waiting)?.public().id() != key_id {
            return Ok(());
        }
        if let Some(old) = read_private(&self.signing)? {
            let old = self.signing_of(&old)?.public().id();
            if old != key_id {
                fs::rename(&self.signing, beside(&self.signing, &old))
                    .context("cannot put the old key aside")?;
            }
        }
        fs::rename(&next, &self.signing).context("cannot put the new key in place")?;
        File::open(private::folder_of(&self.signing))?.sync_all().context("cannot sync the key folder")
    }

    fn next_file(&self) -> PathBuf {
        beside(&self.signing, "next")
    }

    fn signing_of(&self, text: &SecretString) -> anyhow::Result<SigningKey> {
        SigningKey::from_pem(text.expose_secret())
            .with_context(|| format!("the key file {}", self.signing.display()))
    }

    fn wrapping_of(&self, text: &SecretString) -> anyhow::Result<WrappingKey> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.expose_secret().trim(), &mut bytes).with_context(|| {
            format!("the wrapping key file {} is not 64 hex digits", self.wrapping.display())
        })?;
        Ok(WrappingKey::new(bytes))
    }
}

/// The same file with something behind its name.
fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{what}"));
    name.into()
}

/// The text of a key file, which is made if it is missing.
fn one(path: &Path, make: impl FnOnce() -> SecretString) -> anyhow::Result<SecretString> {
    if let Some(text) = read_private(path)? {
        return Ok(text);
    }
    write_private(path, &make()).with_context(|| {
        let key_folder = path.parent().unwrap_or(path).display();
        format!("cannot make the key file {} (is {key_folder} writable?)", path.display())
    })?;
    // Two first starts may have met: what is there now is the key of both.
    read_private(path)?.with_context(|| format!("{} was made, and is gone", path.display()))
}

/// A file that only its owner may read; none where there is no such file.
fn read_private(path: &Path) -> anyhow::Result<Option<SecretString>> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(err) => return Err(err).with_context(|| format!("cannot read {}", path.display())),
    };
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        bail!(
            "the key file {} may be read or changed by others (mode {mode:04o}): run `chmod 600 {}`, and think of a \
             new key if it was so for long",
            path.display(),
            path.display()
        );
    }
    let read = File::open(path).and_then(|file| text_of(file, MOST_SAID));
    Ok(Some(read.with_context(|| format!("cannot read {}", path.display()))?.into()))
}

/// Makes a file that only its owner may read, whole or not at all, and durable. One that is there is left alone.
fn write_private(path: &Path, text: &SecretString) -> io::Result<()> {
    let folder = private::folder_of(path);
    private::folder(folder)?;
    let mut making = private::file_beside(path)?;
    making.as_file_mut().write_all(text.expose_secret().as_bytes())?;
    making.as_file().sync_all()?;
    // It never replaces a key.
    match making.persist_noclobber(path) {
        Err(err) if err.error.kind() == io::ErrorKind::AlreadyExists => {}
        made => drop(made?),
    }
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(folder: &Path) -> KeyFiles {
        let keys = folder.join("keys");
        KeyFiles { signing: keys.join("signing.pem"), wrapping: keys.join("wrapping.key") }
    }

    #[test]
    fn keys_are_made_once_for_their_owner_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = files(folder.path());
        let made = files.read_or_make(|| [7; 32]).expect("they are made");
        let again = files.read_or_make(|| [8; 32]).expect("they are read");
        assert_eq!(again.signing.public(), made.signing.public());
        assert_eq!(files.read("any").expect("they are there").signing.public(), made.signing.public());
        for file in [&files.signing, &files.wrapping] {
            assert_eq!(fs::metadata(file).expect("it is there").permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(
            fs::read_dir(folder.path().join("keys")).expect("a folder").count(),
            2,
            "nothing is left over"
        );
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = files(folder.path());
        files.read_or_make(|| [7; 32]).expect("they are made");
        fs::set_permissions(&files.wrapping, fs::Permissions::from_mode(0o640)).expect("the mode changes");
        let refused = files.read("any").expect_err("others may read it").to_string();
        assert!(refused.contains("0640") && refused.contains("chmod 600"), "{refused}");
    }

    #[test]
    fn a_missing_or_spoilt_key_says_what_to_do() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = files(folder.path());
        let missing = files.read("0011223344556677").expect_err("nothing is there").to_string();
        assert!(
            missing.contains("0011223344556677") && missing.contains("HOC_SIGNING_KEY_FILE"),
            "{missing}"
        );
        files.read_or_make(|| [7; 32]).expect("they are made");
        fs::write(&files.wrapping, "not a key").expect("it is written");
        let spoilt = files.read("any").expect_err("no key").to_string();
        assert!(spoilt.contains("64 hex digits"), "{spoilt}");
    }
}
