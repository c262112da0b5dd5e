//! Checkpoints of a log (c2sp.org/tlog-checkpoint): how long it is and what its root is, as a signed note.

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    hash::Hash,
    keys::{PublicKey, SigningKey},
    note::{self, Note, NoteError},
    words::LogName,
};

/// What a checkpoint says. Its origin is also the name of the key that signs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log; ours are a [`LogOrigin`].
    pub origin: String,
    /// How many leaves it has.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

/// Why a text is no checkpoint, or no checkpoint of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The note's text has not the form of a checkpoint.
    #[error("this is not the text of a checkpoint")]
    Malformed,
    /// The note is none, or not signed by a known key.
    #[error(transparent)]
    Note(#[from] NoteError),
}

impl Checkpoint {
    /// The three lines that are signed.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root.0))
    }

    /// Reads the text of a note. Extension lines are refused: ours have none, and no monitor could audit them.
    pub fn from_text(text: &str) -> Result<Self, CheckpointError> {
        let body = text.strip_suffix('\n').ok_or(CheckpointError::Malformed)?;
        let [origin, size, root] = body.split('\n').collect::<Vec<_>>()[..] else {
            return Err(CheckpointError::Malformed);
        };
        let checkpoint = Self {
            origin: origin.to_owned(),
            size: size.parse().map_err(|_| CheckpointError::Malformed)?,
            root: STANDARD
                .decode(root)
                .ok()
                .and_then(|bytes| Hash::from_slice(&bytes))
                .ok_or(CheckpointError::Malformed)?,
        };
        // One checkpoint has one text: no sign, no leading zero.
        if origin.is_empty() || checkpoint.text() != text {
            return Err(CheckpointError::Malformed);
        }
        Ok(checkpoint)
    }

    /// The signed note.
    pub fn sign(&self, key: &SigningKey) -> Result<String, NoteError> {
        note::sign(&self.text(), &self.origin, key)
    }

    /// Reads a note that one of `keys` signed in the name of the checkpoint's own origin.
    pub fn open(note: &str, keys: &[PublicKey]) -> Result<Self, CheckpointError> {
        let note = Note::parse(note)?;
        let checkpoint = Self::from_text(&note.text)?;
        note.signed_by(&checkpoint.origin, keys)?;
        Ok(checkpoint)
    }
}

/// The origin of one of our logs: `<installation>/<tenant>/<log>/<epoch>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LogOrigin {
    /// Name of the installation; may have slashes of its own, no space and no plus.
    pub installation: String,
    /// Whose log.
    pub tenant_id: String,
    /// Which of the two.
    pub log: LogName,
    /// Goes up when a restore of an older backup is accepted.
    pub epoch: u64,
}

impl fmt::Display for LogOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{}", self.installation, self.tenant_id, self.log, self.epoch)
    }
}

/// A text that is not the origin of one of our logs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not <installation>/<tenant>/<log>/<epoch>")]
pub struct NotAnOrigin(pub String);

impl FromStr for LogOrigin {
    type Err = NotAnOrigin;

    fn from_str(text: &str) -> Result<Self, NotAnOrigin> {
        let wrong = || NotAnOrigin(text.to_owned());
        let [epoch, log, tenant, installation] = text.rsplitn(4, '/').collect::<Vec<_>>()[..] else {
            return Err(wrong());
        };
        let origin = Self {
            installation: installation.to_owned(),
            tenant_id: tenant.to_owned(),
            log: log.parse().map_err(|_| wrong())?,
            epoch: epoch.parse().map_err(|_| wrong())?,
        };
        let whole = !installation.is_empty() && !tenant.is_empty() && origin.to_string() == text;
        if whole { Ok(origin) } else { Err(wrong()) }
    }
}
