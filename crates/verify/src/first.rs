//! What something begins with that is read but once.

use std::{
    cell::Cell,
    io::{self, Read},
};

/// Keeps the first byte that is no white space, as what is read goes by.
pub(crate) struct Noting<'n, R> {
    pub(crate) from: R,
    pub(crate) first: &'n Cell<Option<u8>>,
}

impl<R: Read> Read for Noting<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(into)?;
        if self.first.get().is_none() {
            self.first.set(into[..read].trim_ascii_start().first().copied());
        }
        Ok(read)
    }
}
