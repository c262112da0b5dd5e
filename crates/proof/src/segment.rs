//! How a run's records are kept: the canonical bytes of each, a line each, pressed into one body by zstd, against a
//! dictionary of what the records of all runs have in common.
//!
//! A codec has a number, which is stored with the body, and its dictionary is kept for ever. Whoever makes a better one
//! adds it.

mod missing;

use std::{borrow::Cow, cell::RefCell, sync::LazyLock};

use zstd_safe::{CCtx, CDict, CParameter, DCtx, DDict, compress_bound, get_error_name};

pub use self::missing::{MissingSegment, held};
use crate::{
    records::RecordKind,
    tagged::{Hashed, RecordRef, RunEvidence},
};

/// The number of the codec that is written.
pub const NEWEST: i64 = 1;

/// Records of a run as they are, their ids, hashes and texts taken out.
const DICTIONARY_1: &[u8] = include_bytes!("segment/dictionary_1.jsonl");

/// Higher ones save a twentieth of the bytes, and take twice the time.
const LEVEL: i32 = 1;

/// Longer than the lines of any group are: a length that was tampered with is not believed.
const LONGEST: usize = 1 << 30;

static PRESSING: LazyLock<CDict<'static>> = LazyLock::new(|| CDict::create(DICTIONARY_1, LEVEL));
static OPENING: LazyLock<DDict<'static>> = LazyLock::new(|| DDict::create(DICTIONARY_1));

thread_local! {
    static PRESS: RefCell<CCtx<'static>> = RefCell::new(pressing());
    static OPEN: RefCell<DCtx<'static>> = RefCell::new(DCtx::create());
}

/// A context that says of each body its length and a checksum.
fn pressing() -> CCtx<'static> {
    let mut context = CCtx::create();
    // Neither fails: the parameter is known, and the dictionary outlives every context.
    let _ = context.set_parameter(CParameter::ChecksumFlag(true));
    let _ = context.ref_cdict(&PRESSING);
    context
}

/// Between two lines. None holds one, for JSON escapes it.
pub const FEED: u8 = b'\n';

/// A record as a line: its canonical bytes, which are those that were hashed where it carries them.
#[derive(Clone, Debug)]
pub struct Line<'r> {
    kind: RecordKind,
    bytes: Cow<'r, [u8]>,
}

impl<'r> Line<'r> {
    /// The line of a record that carries no bytes yet.
    ///
    /// # Panics
    /// As [`RecordRef::canonical_bytes`].
    #[must_use]
    pub fn of(record: impl Into<RecordRef<'r>>) -> Self {
        let record = record.into();
        Self { kind: record.kind(), bytes: Cow::Owned(record.canonical_bytes()) }
    }

    /// The kind of its record.
    #[must_use]
    pub const fn kind(&self) -> RecordKind {
        self.kind
    }

    /// Its bytes, without [`FEED`].
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl<'r, R: RunEvidence> From<&'r Hashed<R>> for Line<'r> {
    fn from(record: &'r Hashed<R>) -> Self {
        Self { kind: R::KIND, bytes: Cow::Borrowed(record.canonical_bytes()) }
    }
}

/// The lines, pressed by the newest codec.
///
/// # Errors
/// What zstd says, which is that there is no memory.
pub fn press(lines: &[u8]) -> Result<Vec<u8>, String> {
    let mut body = Vec::with_capacity(compress_bound(lines.len()));
    PRESS.with_borrow_mut(|context| context.compress2(&mut body, lines)).map_err(said)?;
    body.shrink_to_fit();
    Ok(body)
}

/// The lines of a body, which must be as long as they were.
///
/// # Errors
/// Why they are not what was pressed.
pub fn open(codec: i64, body: &[u8], length: usize) -> Result<Vec<u8>, String> {
    if codec != NEWEST {
        return Err(format!("no codec has the number {codec}"));
    }
    if length > LONGEST {
        return Err(format!("no segment is {length} bytes long"));
    }
    let mut lines = Vec::with_capacity(length);
    OPEN.with_borrow_mut(|context| context.decompress_using_ddict(&mut lines, body, &OPENING))
        .map_err(said)?;
    if lines.len() != length {
        return Err(format!("{} bytes where {length} were written", lines.len()));
    }
    Ok(lines)
}

fn said(code: usize) -> String {
    get_error_name(code).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_pressed_is_opened_as_it_was() {
        for lines in [&b""[..], b"{}", &b"{\"a\":1}\n".repeat(10_000), DICTIONARY_1, &[0, 255, 7]] {
            let body = press(lines).expect("pressed");
            assert_eq!(open(NEWEST, &body, lines.len()).as_deref(), Ok(lines));
        }
    }

    #[test]
    fn a_body_with_any_byte_changed_or_cut_is_not_opened_as_something_else() {
        let lines = b"{\"one\":\"line\"}\n{\"another\":\"line, which is longer\"}".repeat(3);
        let body = press(&lines).expect("pressed");
        for at in 0..body.len() {
            for bit in 0..8 {
                let mut changed = body.clone();
                changed[at] ^= 1 << bit;
                let opened = open(NEWEST, &changed, lines.len());
                assert!(opened.is_err() || opened.as_deref() == Ok(&lines), "byte {at}, bit {bit}");
            }
            assert!(open(NEWEST, &body[..at], lines.len()).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn lengths_and_codecs_are_not_believed() {
        let body = press(b"{}").expect("pressed");
        for (codec, length) in [(NEWEST, 1), (NEWEST, 3), (NEWEST, usize::MAX), (0, 2), (NEWEST + 1, 2)] {
            assert!(open(codec, &body, length).is_err(), "{codec} {length}");
        }
    }

    /// What is stored is read by this dictionary for ever.
    #[test]
    fn the_dictionary_of_a_codec_never_changes() {
        assert_eq!(
            crate::hash::sha256(DICTIONARY_1).to_string(),
            "4d1b67351f058d4d3e9474ef15f978991192e68210380f93874dfaf2a4ba9ece"
        );
    }
}
