//! Signed notes (c2sp.org/signed-note): text that people can read, under signatures that machines can check.

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    hash::sha256,
    keys::{PublicKey, SigningKey},
};

/// Ed25519 over the text, in the list of signature types.
const ED25519: u8 = 0x01;
/// More than any log and its witnesses need; less than a nuisance.
const MAX_SIGNATURES: usize = 100;

/// Why a text is no note, or no note of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Not the form of a signed note.
    #[error("this is not a signed note")]
    Malformed,
    /// A name that a signature line cannot hold.
    #[error("`{0}` cannot be a key's name")]
    Name(String),
    /// Nobody whose key is known signed it.
    #[error("no key that is known signed this note")]
    Unsigned,
    /// A signature in the name of a known key that it did not make.
    #[error("the signature in the name of `{0}` is false")]
    False(String),
}

/// A text and its signatures, of which nothing is believed yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What is signed, with its last newline.
    pub text: String,
    /// In the order of their lines. Those by unknown keys are cosignatures of others.
    pub signatures: Vec<NoteSignature>,
}

/// One line under a note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    /// The name of the key.
    pub name: String,
    /// See [`key_hash`].
    pub key_hash: [u8; 4],
    /// What the key made of the text.
    pub signature: Vec<u8>,
}

/// How a signature line names a key beside its name: the first bytes of SHA-256 over name and key.
#[must_use]
pub fn key_hash(name: &str, key: &PublicKey) -> [u8; 4] {
    let hash = sha256(&[name.as_bytes(), b"\n", &[ED25519], &key.to_bytes()].concat());
    [hash.0[0], hash.0[1], hash.0[2], hash.0[3]]
}

/// Signs a text that ends in a newline, in the name `name`.
pub fn sign(text: &str, name: &str, key: &SigningKey) -> Result<String, NoteError> {
    if !is_name(name) {
        return Err(NoteError::Name(name.to_owned()));
    }
    if !is_text(text) {
        return Err(NoteError::Malformed);
    }
    let signature = [&key_hash(name, &key.public())[..], &key.sign(text.as_bytes())].concat();
    Ok(format!("{text}\n\u{2014} {name} {}\n", STANDARD.encode(signature)))
}

impl Note {
    /// Reads a note; believes nothing.
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        let (text, lines) = note.rsplit_once("\n\n").ok_or(NoteError::Malformed)?;
        let (text, lines) = (format!("{text}\n"), lines.strip_suffix('\n').ok_or(NoteError::Malformed)?);
        if !is_text(&text) || lines.split('\n').count() > MAX_SIGNATURES {
            return Err(NoteError::Malformed);
        }
        let signatures =
            lines.split('\n').map(signature).collect::<Option<_>>().ok_or(NoteError::Malformed)?;
        Ok(Self { text, signatures })
    }

    /// Whether one of `keys` signed in the name `name`: which one. A signature by nobody known is passed over;
    /// a false one in the name of a known key spoils the note.
    pub fn signed_by<'k>(&self, name: &str, keys: &'k [PublicKey]) -> Result<&'k PublicKey, NoteError> {
        let mut signer = None;
        for line in self.signatures.iter().filter(|line| line.name == name) {
            for key in keys.iter().filter(|key| key_hash(name, key) == line.key_hash) {
                if !key.verifies(self.text.as_bytes(), &line.signature) {
                    return Err(NoteError::False(name.to_owned()));
                }
                signer = Some(key);
            }
        }
        signer.ok_or(NoteError::Unsigned)
    }
}

fn signature(line: &str) -> Option<NoteSignature> {
    let (name, encoded) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
    let bytes = STANDARD.decode(encoded).ok()?;
    let (key_hash, signature) = bytes.split_first_chunk()?;
    (is_name(name) && !signature.is_empty()).then(|| NoteSignature {
        name: name.to_owned(),
        key_hash: *key_hash,
        signature: signature.to_vec(),
    })
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c == '+' || c.is_whitespace() || c.is_control())
}

fn is_text(text: &str) -> bool {
    text.ends_with('\n') && !text.contains(|c: char| c < ' ' && c != '\n')
}
