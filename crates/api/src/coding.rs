//! How answers are packed, and files: by zstd or gzip. The server packs and `hoc bundle` does, both by this.

use std::io::{self, Write as _};

use flate2::{Compression, write::GzEncoder};
use zstd::bulk::Compressor;

/// A form that bytes are packed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// RFC 8878.
    Zstd,
    /// RFC 1952.
    Gzip,
}

/// How much time is taken to save bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// The least. More saves a tenth of the bytes, and takes twice the time: for answers that somebody waits for.
    Least,
    /// As much as the coding's own program takes: for files.
    Usual,
}

impl Effort {
    pub(crate) fn of_zstd(self) -> i32 {
        match self {
            Self::Least => 1,
            Self::Usual => zstd::DEFAULT_COMPRESSION_LEVEL,
        }
    }

    pub(crate) fn of_gzip(self) -> Compression {
        match self {
            Self::Least => Compression::fast(),
            Self::Usual => Compression::default(),
        }
    }
}

impl Coding {
    /// As `Accept-Encoding` has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
        }
    }

    /// The bytes in this form. They may be held for as long as somebody likes, so no more than they are is held.
    pub fn pack(self, plain: &[u8], effort: Effort) -> io::Result<Vec<u8>> {
        let mut packed = match self {
            Self::Zstd => {
                let mut packer = Compressor::new(effort.of_zstd())?;
                // What was damaged does not unpack as something else.
                packer.include_checksum(true)?;
                packer.compress(plain)?
            }
            Self::Gzip => {
                let mut packer = GzEncoder::new(Vec::new(), effort.of_gzip());
                packer.write_all(plain)?;
                packer.finish()?
            }
        };
        packed.shrink_to_fit();
        Ok(packed)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::MultiGzDecoder;

    use super::*;

    #[test]
    fn what_is_packed_is_less_and_unpacks_to_the_same() {
        for plain in [&b"{\"a\":1}".repeat(10_000)[..], b"", &[0, 255, 7]] {
            for effort in [Effort::Least, Effort::Usual] {
                let zstd = Coding::Zstd.pack(plain, effort).expect("it packs");
                assert_eq!(zstd::decode_all(zstd.as_slice()).expect("it unpacks"), plain);
                let gzip = Coding::Gzip.pack(plain, effort).expect("it packs");
                let mut unpacked = Vec::new();
                MultiGzDecoder::new(gzip.as_slice()).read_to_end(&mut unpacked).expect("it unpacks");
                assert_eq!(unpacked, plain);
                let is_less = |packed: &[u8]| packed.len() * 10 < plain.len();
                assert!(plain.len() < 1_000 || (is_less(&zstd) && is_less(&gzip)));
            }
        }
    }
}
