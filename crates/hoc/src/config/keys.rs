//! `[keys]`: where the installation's keys are, and what they sign goes.

use std::path::{Path, PathBuf};

use super::{
    Flags, Shown,
    origin::{Name, Setting, Sources},
    quoted,
};

pub(super) static SIGNING_KEY_FILE: Name = Name {
    section: "keys",
    key: "signing_key_file",
    variable: "HOC_SIGNING_KEY_FILE",
    flag: Some("--signing-key-file"),
};
pub(super) static CHECKPOINT_FOLDERS: Name =
    Name { section: "keys", key: "checkpoint_folders", variable: "HOC_CHECKPOINT_FOLDERS", flag: None };

/// The section.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    /// Ed25519, PKCS#8 PEM. The wrapping key is beside it.
    pub(crate) signing_key_file: Setting<PathBuf>,
    /// Folders that checkpoints are written to, outside the store. By default one beside the key.
    pub(crate) checkpoint_folders: Setting<Vec<PathBuf>>,
}

impl Keys {
    pub(super) fn read(sources: &Sources, flags: &Flags, data_dir: &Path) -> anyhow::Result<Self> {
        let file = flags.signing_key_file.as_deref();
        let made = data_dir.join("keys").join("signing.pem");
        let signing_key_file =
            sources.setting(&SIGNING_KEY_FILE, file, made, |text| Ok(PathBuf::from(text)))?;
        let beside = signing_key_file.value.with_file_name("checkpoints");
        let folders =
            |text: &str| Ok(text.split(':').filter(|part| !part.is_empty()).map(PathBuf::from).collect());
        Ok(Self {
            checkpoint_folders: sources.setting(&CHECKPOINT_FOLDERS, None, vec![beside], folders)?,
            signing_key_file,
        })
    }

    /// The key that wraps tenant keys: `<file>.wrap` beside a key file that was named.
    pub(crate) fn wrapping_key_file(&self) -> PathBuf {
        let signing = &self.signing_key_file;
        if signing.is_given() {
            let mut name = signing.value.clone().into_os_string();
            name.push(".wrap");
            PathBuf::from(name)
        } else {
            signing.value.with_file_name("wrapping.key")
        }
    }

    /// The flags that name the same keys again.
    pub(super) fn repeated(&self) -> Option<(&'static str, String)> {
        let file = &self.signing_key_file;
        file.is_said().then(|| ("--signing-key-file", quoted(&file.value.display().to_string())))
    }

    pub(super) fn show(&self) -> Vec<Shown> {
        let folders =
            self.checkpoint_folders.value.iter().map(|folder| folder.display().to_string()).collect();
        vec![
            Shown::text(
                &SIGNING_KEY_FILE,
                self.signing_key_file.value.display(),
                &self.signing_key_file.origin,
            ),
            Shown::list(&CHECKPOINT_FOLDERS, folders, &self.checkpoint_folders.origin),
        ]
    }
}
