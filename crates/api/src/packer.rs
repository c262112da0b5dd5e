//! Packing what comes piece by piece, as it comes.

use std::io::{self, Write};

use flate2::write::GzEncoder;
use zstd::stream::write::Encoder;

use crate::coding::{Coding, Effort};

/// A packer in front of what it writes to.
pub struct Packer<W: Write>(Of<W>);

enum Of<W: Write> {
    Zstd(Encoder<'static, W>),
    Gzip(GzEncoder<W>),
}

impl<W: Write> Packer<W> {
    /// One that packs so.
    pub fn begin(coding: Coding, effort: Effort, to: W) -> io::Result<Self> {
        Ok(Self(match coding {
            Coding::Zstd => {
                let mut packer = Encoder::new(to, effort.of_zstd())?;
                // What was damaged does not unpack as something else.
                packer.include_checksum(true)?;
                Of::Zstd(packer)
            }
            Coding::Gzip => Of::Gzip(GzEncoder::new(to, effort.of_gzip())),
        }))
    }

    /// More of it.
    pub fn put(&mut self, plain: &[u8]) -> io::Result<()> {
        match &mut self.0 {
            Of::Zstd(packer) => packer.write_all(plain),
            Of::Gzip(packer) => packer.write_all(plain),
        }
    }

    /// Writes all that has come, so that it unpacks, instead of waiting for more.
    pub fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Of::Zstd(packer) => packer.flush(),
            Of::Gzip(packer) => packer.flush(),
        }
    }

    /// What it writes to.
    pub fn to(&mut self) -> &mut W {
        match &mut self.0 {
            Of::Zstd(packer) => packer.get_mut(),
            Of::Gzip(packer) => packer.get_mut(),
        }
    }

    /// There is no more of it.
    pub fn end(self) -> io::Result<W> {
        match self.0 {
            Of::Zstd(packer) => packer.finish(),
            Of::Gzip(packer) => packer.finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::MultiGzDecoder;

    use super::*;

    #[test]
    fn what_is_packed_piece_by_piece_unpacks_to_all_of_it() {
        let plain = b"{\"a\":1}".repeat(50_000);
        for coding in [Coding::Zstd, Coding::Gzip] {
            let mut packer = Packer::begin(coding, Effort::Least, Vec::new()).expect("it begins");
            let mut bytes = Vec::new();
            for (n, piece) in plain.chunks(70_000).enumerate() {
                packer.put(piece).expect("it packs");
                if n == 0 {
                    packer.flush().expect("it flushes");
                    assert!(!packer.to().is_empty(), "the first is there at once");
                }
                bytes.append(packer.to());
            }
            bytes.append(&mut packer.end().expect("it ends"));
            let mut unpacked = Vec::new();
            match coding {
                Coding::Zstd => zstd::stream::copy_decode(&bytes[..], &mut unpacked).expect("it unpacks"),
                Coding::Gzip => {
                    MultiGzDecoder::new(&bytes[..]).read_to_end(&mut unpacked).expect("it unpacks");
                }
            }
            assert!(unpacked == plain && bytes.len() * 10 < plain.len(), "{coding:?}: {}", bytes.len());
        }
    }
}
