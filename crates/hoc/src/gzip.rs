//! Files that are packed by gzip: one member or several, and nothing behind them.

use std::{
    error::Error,
    fmt,
    io::{self, BufRead, Read},
    mem,
};

use flate2::bufread::GzDecoder;

/// The first byte of a member.
const BEGIN: u8 = 0x1f;

/// What is in the members, one after another.
pub(crate) enum Members<R> {
    In(Box<GzDecoder<R>>),
    /// One is over, and another may begin.
    Behind(R),
    Over,
}

/// What stands behind the last member is none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NotPacked;

impl fmt::Display for NotPacked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("something that is not packed stands behind it")
    }
}

impl Error for NotPacked {}

impl<R: BufRead> Members<R> {
    pub(crate) fn of(packed: R) -> Self {
        Self::In(Box::new(GzDecoder::new(packed)))
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        loop {
            match self {
                Self::In(member) => {
                    let read = member.read(into)?;
                    if read > 0 {
                        return Ok(read);
                    }
                }
                Self::Behind(rest) => match rest.fill_buf()?.first() {
                    Some(&BEGIN) => {}
                    Some(_) => return Err(io::Error::new(io::ErrorKind::InvalidData, NotPacked)),
                    None => *self = Self::Over,
                },
                Self::Over => return Ok(0),
            }
            *self = match mem::replace(self, Self::Over) {
                Self::In(member) => Self::Behind(member.into_inner()),
                Self::Behind(rest) => Self::of(rest),
                Self::Over => Self::Over,
            };
        }
    }
}
