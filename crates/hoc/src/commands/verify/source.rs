//! Where a bundle is read from: from its beginning as often as is asked, and never held.

use std::{
    cell::Cell,
    fs,
    io::{self, Read, Seek as _, SeekFrom, Write as _},
    os::fd::AsFd as _,
    path::Path,
    rc::Rc,
};

/// A file, or what comes once.
pub(super) enum Source {
    /// It begins there.
    File { file: fs::File, begin: u64 },
    /// What comes once is kept, for it may have to be read again.
    Passing { from: fs::File, kept: Option<Rc<Kept>> },
}

/// What has come so far, in a file that has no name.
pub(super) struct Kept {
    file: Option<fs::File>,
    /// Not all of it could be written, so it is of no use.
    is_broken: Cell<bool>,
}

impl Source {
    /// A file; `-` is standard input.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = if path == Path::new("-") {
            fs::File::from(io::stdin().as_fd().try_clone_to_owned()?)
        } else {
            fs::File::open(path)?
        };
        if !file.metadata()?.is_file() {
            return Ok(Self::Passing { from: file, kept: None });
        }
        // Who gives it as standard input may have read some of it.
        let begin = (&file).stream_position()?;
        Ok(Self::File { file, begin })
    }

    /// How much is there to be read, as far as that is known.
    pub(super) fn length(&self) -> io::Result<u64> {
        match self {
            Self::File { file, begin } => Ok(file.metadata()?.len().saturating_sub(*begin)),
            Self::Passing { .. } => Ok(0),
        }
    }

    /// All of it, from its beginning. What was read before is over then.
    pub(super) fn read_again(&mut self) -> io::Result<Box<dyn Read>> {
        match self {
            Self::File { file, begin } => {
                file.seek(SeekFrom::Start(*begin))?;
                Ok(Box::new(file.try_clone()?))
            }
            Self::Passing { from, kept } => {
                let is_again = kept.is_some();
                let kept = kept.get_or_insert_with(|| Rc::new(Kept::begin()));
                if is_again {
                    kept.go_to_its_beginning()?;
                }
                let (from, kept) = (from.try_clone()?, Rc::clone(kept));
                Ok(Box::new(Passing { is_kept: is_again, from, kept }))
            }
        }
    }
}

impl Kept {
    fn begin() -> Self {
        // Nobody else can open it, and it is gone when nobody has it open.
        let file = tempfile::tempfile().ok();
        Self { is_broken: Cell::new(file.is_none()), file }
    }

    fn go_to_its_beginning(&self) -> io::Result<()> {
        match &self.file {
            Some(file) if !self.is_broken.get() => {
                let mut file = file;
                file.seek(SeekFrom::Start(0)).map(drop)
            }
            _ => Err(io::Error::other(
                "it has to be read twice, and there is no room to keep it in the folder for temporary files: write it to \
                 a file, and give that",
            )),
        }
    }

    fn read(&self, into: &mut [u8]) -> io::Result<usize> {
        let Some(mut file) = self.file.as_ref() else { return Ok(0) };
        file.read(into)
    }

    /// Without it all is well as long as nobody has to read it again.
    fn keep(&self, bytes: &[u8]) {
        let Some(mut file) = self.file.as_ref().filter(|_| !self.is_broken.get()) else { return };
        if file.write_all(bytes).is_err() {
            self.is_broken.set(true);
        }
    }
}

/// Reads what was kept, and then what comes, which it keeps.
struct Passing {
    /// Whether what comes next was kept.
    is_kept: bool,
    from: fs::File,
    kept: Rc<Kept>,
}

impl Read for Passing {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.is_kept {
            let read = self.kept.read(into)?;
            if read > 0 || into.is_empty() {
                return Ok(read);
            }
            self.is_kept = false;
        }
        let read = self.from.read(into)?;
        self.kept.keep(&into[..read]);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::{os::fd::OwnedFd, thread};

    use super::*;

    fn passing(bytes: &'static [u8]) -> Source {
        let (from, mut to) = io::pipe().expect("a pipe");
        thread::spawn(move || to.write_all(bytes));
        Source::Passing { from: fs::File::from(OwnedFd::from(from)), kept: None }
    }

    #[test]
    fn what_comes_once_is_read_as_often_as_is_asked() {
        let mut source = passing(b"all that comes");
        for length in [0, 3, 3, 9, 14, 14, 2] {
            let mut part = vec![0; length];
            source.read_again().expect("it begins").read_exact(&mut part).expect("it is there");
            assert_eq!(part, b"all that comes"[..length]);
        }
        let mut all = Vec::new();
        source.read_again().expect("it begins").read_to_end(&mut all).expect("it reads");
        assert_eq!(all, b"all that comes");
    }

    #[test]
    fn what_could_not_be_kept_is_not_read_again() {
        let mut source = passing(b"all that comes");
        let mut all = Vec::new();
        source.read_again().expect("it begins").read_to_end(&mut all).expect("it reads");
        let Source::Passing { kept: Some(kept), .. } = &source else { panic!("it is kept") };
        kept.is_broken.set(true);
        let Err(why) = source.read_again() else { panic!("half of it is not all") };
        assert!(why.to_string().contains("write it to a file"), "{why}");
    }

    #[test]
    fn a_file_is_read_from_where_it_was_given() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        fs::write(&path, "all of it").expect("it is written");
        let mut source = Source::open(&path).expect("it opens");
        assert_eq!(source.length().expect("it is known"), 9);
        for _ in 0..2 {
            let mut all = String::new();
            source.read_again().expect("it begins").read_to_string(&mut all).expect("it reads");
            assert_eq!(all, "all of it");
        }
    }
}
