//! A file that is written piece by piece, packed where it is to be.

use std::io::{self, Write};

use api::{Coding, Effort, Packer};

/// What a file is written through.
pub(crate) enum Packing<W: Write> {
    Plain(W),
    Packed(Packer<W>),
}

impl<W: Write> Packing<W> {
    pub(crate) fn begin(coding: Option<Coding>, to: W) -> io::Result<Self> {
        Ok(match coding {
            None => Self::Plain(to),
            Some(coding) => Self::Packed(Packer::begin(coding, Effort::Usual, to)?),
        })
    }

    /// More of it.
    pub(crate) fn put(&mut self, plain: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(to) => to.write_all(plain),
            Self::Packed(packer) => packer.put(plain),
        }
    }

    /// There is no more of it.
    pub(crate) fn end(self) -> io::Result<W> {
        match self {
            Self::Plain(to) => Ok(to),
            Self::Packed(packer) => packer.end(),
        }
    }
}
