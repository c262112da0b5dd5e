//! A file that is read piece by piece, unpacked where it is packed.

use std::{
    cell::{Cell, RefCell},
    io::{self, BufReader, Cursor, Read},
    rc::Rc,
};

use api::Coding;

use crate::packed::{Bounds, coding_by, does_not_unpack, unpacker};

/// How many bytes tell how a file is packed.
const BEGIN: u64 = 4;

/// How much of a file is read at once.
const AT_ONCE: usize = 128 << 10;

/// What a file has in it, as it is read; an error where that is more than is allowed. What it fails with is said as it
/// is of a file that is read whole.
pub(crate) struct Unpacking {
    plain: Box<dyn Read>,
    /// None of a plain file.
    coding: Option<Coding>,
    raw: Rc<Raw>,
    bounds: Bounds,
    given: u64,
}

/// What came of the file itself.
#[derive(Default)]
struct Raw {
    came: Cell<u64>,
    /// What reading it failed with: no fault of its packing.
    failed: RefCell<Option<io::Error>>,
}

/// The file itself, of which no more is read than is allowed.
struct File<R> {
    from: R,
    raw: Rc<Raw>,
    bounds: Bounds,
}

impl<R: Read> Read for File<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = loop {
            match self.from.read(into) {
                Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        let came = self.raw.came.get() + *read.as_ref().unwrap_or(&0) as u64;
        self.raw.came.set(came);
        let read = read.and_then(|read| self.bounds.of_file(came).map(|()| read));
        read.map_err(|err| {
            let told = io::Error::from(err.kind());
            self.raw.failed.replace(Some(err));
            told
        })
    }
}

impl Unpacking {
    /// `length` is how long the file is, as far as that is known; `most` what is allowed, where somebody says it.
    pub(crate) fn begin(from: impl Read + 'static, length: u64, most: Option<u64>) -> io::Result<Self> {
        let (raw, bounds) = (Rc::new(Raw::default()), Bounds { length, most });
        let mut file = File { from, raw: Rc::clone(&raw), bounds };
        let mut begin = Vec::new();
        let read = file.by_ref().take(BEGIN).read_to_end(&mut begin);
        read.map_err(|err| raw.failed.take().unwrap_or(err))?;
        let coding = coding_by(&begin);
        let file = Cursor::new(begin).chain(file);
        let plain: Box<dyn Read> = match coding {
            None => Box::new(file),
            Some(coding) => unpacker(coding, BufReader::with_capacity(AT_ONCE, file))?,
        };
        Ok(Self { plain, coding, raw, bounds, given: 0 })
    }
}

impl Read for Unpacking {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let given = match self.plain.read(into) {
            Ok(given) => given,
            Err(err) => {
                return Err(match (self.raw.failed.take(), self.coding) {
                    (Some(failed), _) => failed,
                    (None, Some(coding)) => io::Error::other(does_not_unpack(coding, err)),
                    (None, None) => err,
                });
            }
        };
        self.given += given as u64;
        if let Some(coding) = self.coding {
            self.bounds.when_unpacked(coding, self.given, self.raw.came.get())?;
        }
        Ok(given)
    }
}

#[cfg(test)]
mod tests {
    use api::Effort;

    use super::*;
    use crate::packed::read;

    const FORMS: [Option<Coding>; 3] = [None, Some(Coding::Zstd), Some(Coding::Gzip)];

    /// Gives one byte at a time, or so.
    struct Few(Cursor<Vec<u8>>, usize);

    impl Read for Few {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let few = into.len().min(self.1);
            self.0.read(&mut into[..few])
        }
    }

    fn streamed(bytes: &[u8], at_once: usize, most: Option<u64>) -> Result<Vec<u8>, String> {
        let from = Few(Cursor::new(bytes.to_vec()), at_once);
        let mut all = Vec::new();
        let read = Unpacking::begin(from, 0, most).and_then(|mut file| file.read_to_end(&mut all));
        read.map(|_| all).map_err(|err| err.to_string())
    }

    #[test]
    fn what_is_read_piece_by_piece_is_what_is_read_whole_and_fails_alike() {
        let plain = (0..5_000).map(|n| format!("{{\"step\":{n}}}")).collect::<Vec<_>>().concat();
        for form in FORMS {
            let pack = |plain: &[u8]| {
                form.map_or_else(
                    || plain.to_vec(),
                    |coding| coding.pack(plain, Effort::Usual).expect("it packs"),
                )
            };
            let whole = pack(plain.as_bytes());
            let mut damaged = whole.clone();
            damaged[whole.len() / 2] ^= 0x10;
            let long = pack(&vec![b' '; (1 << 20) + 1]);
            for bytes in [
                &whole[..],
                &[&whole[..], &whole[..]].concat(),
                &[&whole[..], b"something more"].concat(),
                &whole[..whole.len() / 2],
                &whole[..whole.len() - 1],
                &whole[..1],
                b"",
                &damaged,
                &long,
            ] {
                for (at_once, most) in [(1, Some(1 << 20)), (7, Some(1 << 20)), (usize::MAX, None)] {
                    let expected = read(bytes, 0, most).map_err(|err| err.to_string());
                    assert!(
                        streamed(bytes, at_once, most) == expected,
                        "{form:?} by {at_once}: {expected:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_small_file_is_not_believed_to_be_a_large_one() {
        let part = Coding::Zstd.pack(&vec![b' '; 1 << 20], Effort::Usual).expect("it packs");
        let bomb = part.repeat(257);
        let why = streamed(&bomb, usize::MAX, None).expect_err("it is refused");
        assert!(why.contains("longer than 256 MiB") && why.contains("--max-mib"), "{why}");
        assert_eq!(streamed(&bomb, usize::MAX, Some(257 << 20)).map(|all| all.len()), Ok(257 << 20));
    }

    #[test]
    fn a_disk_that_fails_is_no_fault_of_the_packing() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("the disk is gone"))
            }
        }
        for form in FORMS.into_iter().flatten() {
            let whole = form.pack(&[b'x'; 100], Effort::Usual).expect("it packs");
            for length in [0, 2, whole.len() / 2] {
                let from = Cursor::new(whole[..length].to_vec()).chain(Broken);
                let read =
                    Unpacking::begin(from, 0, None).and_then(|mut file| file.read_to_end(&mut Vec::new()));
                assert_eq!(read.expect_err("it fails").to_string(), "the disk is gone", "{form:?}");
            }
        }
    }
}
