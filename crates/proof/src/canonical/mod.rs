//! Canonical JSON: RFC 8785 bytes of what our records hold, and of nothing else.
//!
//! Strings, booleans, null, arrays, objects and integers up to 2^53 have one canonical form. Fractions and
//! larger integers are refused: RFC 8785 would map two different 64-bit numbers to the same bytes.
//! Hashing a record is on the path of every step, so this writes straight into one buffer; tests hold it
//! to the bytes of another implementation.

mod refused;
mod serializer;
mod text;

use std::cell::RefCell;

use serde::Serialize;

pub use refused::{MAX_INTEGER, NotCanonical};
use serializer::Writer;
pub use text::{cmp_member_names, plain_until};

/// Canonical bytes of one of our own values.
///
/// # Panics
/// If the value holds a fraction or an integer beyond [`MAX_INTEGER`]. Our records are typed so that they hold
/// no fraction; whoever takes integers from outside bounds them there. Use [`try_to_bytes`] for the rest.
#[must_use]
pub fn to_bytes<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    try_to_bytes(value).unwrap_or_else(|refused| panic!("not a canonical value: {refused}"))
}

/// Canonical bytes as text, for a record's field that holds canonical JSON.
///
/// # Panics
/// As [`to_bytes`].
#[must_use]
pub fn to_text<T: Serialize + ?Sized>(value: &T) -> String {
    String::from_utf8(to_bytes(value)).unwrap_or_else(|_| unreachable!("canonical JSON is UTF-8"))
}

/// Canonical bytes of any value, or why it has none.
pub fn try_to_bytes<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, NotCanonical> {
    thread_local! {
        /// What one value leaves behind for the next. It changes how fast they are written, never what is written.
        static SHARED: RefCell<Canonicalizer> = RefCell::default();
    }
    let mut out = Vec::with_capacity(1024);
    SHARED.with(|shared| match shared.try_borrow_mut() {
        Ok(mut canonicalizer) => canonicalizer.append(value, &mut out),
        // A value that makes canonical bytes of another while it is written.
        Err(_) => Canonicalizer::default().append(value, &mut out),
    })?;
    Ok(out)
}

/// Writes many values without allocating for each: keep one where thousands of records are hashed.
#[derive(Debug, Default)]
pub struct Canonicalizer {
    state: serializer::State,
}

impl Canonicalizer {
    /// Appends the canonical bytes of `value`. On an error `out` is as it was.
    pub fn append<T: Serialize + ?Sized>(
        &mut self,
        value: &T,
        out: &mut Vec<u8>,
    ) -> Result<(), NotCanonical> {
        let start = out.len();
        self.state.clear();
        value.serialize(&mut Writer { out, state: &mut self.state }).inspect_err(|_| out.truncate(start))
    }
}
