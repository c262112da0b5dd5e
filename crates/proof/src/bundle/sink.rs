//! Where a bundle is written to, and how: each value canonically, and what is written hashed as it goes.

use serde::Serialize;

use crate::{
    canonical::{Canonicalizer, NotCanonical},
    hash::{self, Hash, Stream},
};

/// Takes a bundle's bytes as they come.
pub trait Sink {
    /// More of them.
    fn put(&mut self, bytes: &[u8]);
}

impl Sink for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// What a value was written into is kept for the next, unless it was so long.
const KEPT: usize = 1 << 20;

/// A document that is being written.
#[derive(Debug)]
pub(super) struct Out<S> {
    pub(super) sink: S,
    canonicalizer: Canonicalizer,
    value: Vec<u8>,
    /// The part that is being written, as far as it goes.
    part: Option<Stream>,
}

impl<S: Sink> Out<S> {
    pub(super) fn to(sink: S) -> Self {
        Self { sink, canonicalizer: Canonicalizer::default(), value: Vec::new(), part: None }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        if let Some(part) = &mut self.part {
            part.update(bytes);
        }
        self.sink.put(bytes);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Writes a value; gives what `of` makes of its bytes.
    fn told<T: Serialize + ?Sized, R>(
        &mut self,
        value: &T,
        of: impl FnOnce(&[u8]) -> R,
    ) -> Result<R, NotCanonical> {
        let mut bytes = std::mem::take(&mut self.value);
        let written = self.canonicalizer.append(value, &mut bytes);
        self.bytes(&bytes);
        let of = of(&bytes);
        bytes.clear();
        if bytes.capacity() <= KEPT {
            self.value = bytes;
        }
        written.map(|()| of)
    }

    pub(super) fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotCanonical> {
        self.told(value, |_| ())
    }

    /// Writes a value and hashes what was written.
    pub(super) fn piece<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<Hash, NotCanonical> {
        self.told(value, hash::leaf)
    }

    /// Writes a list of them.
    pub(super) fn pieces<'t, T: Serialize + 't>(
        &mut self,
        values: impl IntoIterator<Item = &'t T>,
    ) -> Result<Vec<Hash>, NotCanonical> {
        self.text("[");
        let mut hashes = Vec::new();
        for value in values {
            if !hashes.is_empty() {
                self.text(",");
            }
            hashes.push(self.piece(value)?);
        }
        self.text("]");
        Ok(hashes)
    }

    /// What is written from here on is a part of the document.
    pub(super) fn begin_part(&mut self) {
        self.part = Some(Stream::default());
    }

    /// The digest of the part that ends here.
    pub(super) fn end_part(&mut self) -> Hash {
        self.part.take().unwrap_or_default().finish()
    }
}
