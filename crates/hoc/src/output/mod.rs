//! Files that somebody named, to be written: whole or not at all, and nothing else that is there is touched.
//!
//! A file that is there is replaced when all of the new one is written, and keeps its mode; a link stays, and what it
//! names is replaced. What cannot be replaced, as a pipe or a device, is written as it comes.

mod links;
mod own;
mod rights;

use std::{
    error::Error,
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Stdout, Write},
    os::unix::fs::FileTypeExt as _,
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

pub(crate) use self::own::Own;
use self::{links::followed, rights::Rights};
use crate::private;

/// What a name stands for.
#[derive(Debug)]
pub(crate) enum Place {
    /// Standard output.
    Standard,
    /// A pipe or a device.
    Straight(PathBuf),
    /// A file, and the rights of the one that is there now.
    File(PathBuf, Option<Rights>),
}

impl Place {
    /// Looks, and opens nothing: to open a pipe is to wait for its reader. What the installation lives by is refused.
    pub(crate) fn of(name: &Path, own: &Own) -> io::Result<Self> {
        if is_standard(name) {
            return Ok(Self::Standard);
        }
        // It follows links where the system lets this user follow them, so it comes first.
        let there = match fs::metadata(name) {
            Ok(there) => there,
            Err(err) if err.kind() == io::ErrorKind::NotFound => {
                let file = followed(name)?;
                own.refuse(&file)?;
                return Ok(Self::File(file, None));
            }
            Err(err) => return Err(err),
        };
        if there.is_file() {
            let file = followed(name)?;
            own.refuse(&file)?;
            return Ok(Self::File(file, Some(Rights::of(&there))));
        }
        if there.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder: name a file in it"));
        }
        if there.file_type().is_socket() {
            let why = "it is a socket: name a file, a pipe or a device";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        Ok(Self::Straight(name.to_owned()))
    }

    /// Whether it is what the command answers, and not told of.
    pub(crate) fn is_answer(&self) -> bool {
        matches!(self, Self::Standard)
    }

    /// Whether it is there at its end only, and until then is a file that has to be removed.
    pub(crate) fn is_file(&self) -> bool {
        matches!(self, Self::File(..))
    }

    /// Begins to write there.
    pub(crate) fn begin(self) -> io::Result<Output> {
        let to = match self {
            Self::Standard => To::Standard(io::stdout()),
            Self::Straight(name) => To::Straight(OpenOptions::new().write(true).open(name)?),
            Self::File(file, there) => To::Beside { making: private::file_beside(&file)?, file, there },
        };
        Ok(Output { to, bytes: 0 })
    }
}

/// `/dev/stdout` is what it says, and no file to be replaced where standard output is one.
fn is_standard(name: &Path) -> bool {
    name == Path::new("-") || name == Path::new("/dev/stdout")
}

/// What is being written. Dropped before its end, it leaves no file.
#[derive(Debug)]
pub(crate) struct Output {
    to: To,
    bytes: u64,
}

#[derive(Debug)]
enum To {
    Standard(Stdout),
    Straight(File),
    Beside { making: NamedTempFile, file: PathBuf, there: Option<Rights> },
}

impl Output {
    /// All of it was written, and now it is there. Gives how many bytes.
    pub(crate) fn end(self) -> io::Result<u64> {
        match self.to {
            To::Standard(mut to) => to.flush()?,
            To::Straight(to) if to.metadata()?.file_type().is_block_device() => to.sync_all()?,
            To::Straight(_) => {}
            To::Beside { making, file, there } => put(making, &file, there)?,
        }
        Ok(self.bytes)
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = match &mut self.to {
            To::Standard(to) => to.write(bytes),
            To::Straight(to) => to.write(bytes),
            To::Beside { making, .. } => making.as_file_mut().write(bytes),
        }?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.to {
            To::Standard(to) => to.flush(),
            To::Straight(to) => to.flush(),
            To::Beside { making, .. } => making.as_file_mut().flush(),
        }
    }
}

/// Puts a file that is whole in its place.
fn put(making: NamedTempFile, file: &Path, there: Option<Rights>) -> io::Result<()> {
    if let Some(rights) = there {
        rights.give(making.as_file())?;
    }
    making.as_file().sync_all()?;
    making.persist(file).map_err(|err| err.error)?;
    // It is there, and whole. That a power cut does not take its name back is more than some file systems can do.
    if let Ok(folder) = File::open(private::folder_of(file)) {
        let _ = folder.sync_all();
    }
    Ok(())
}

/// Writes a file.
pub(crate) fn write_whole(name: &Path, own: &Own, bytes: &[u8]) -> Result<(), CannotWrite> {
    let write = || -> io::Result<u64> {
        let mut output = Place::of(name, own)?.begin()?;
        output.write_all(bytes)?;
        output.end()
    };
    write().map(drop).map_err(|why| CannotWrite::of(name, why))
}

/// What somebody named could not be written.
#[derive(Debug)]
pub(crate) struct CannotWrite {
    name: String,
    why: io::Error,
}

impl CannotWrite {
    pub(crate) fn of(name: &Path, why: io::Error) -> Self {
        let name = if is_standard(name) { "standard output".to_owned() } else { name.display().to_string() };
        Self { name, why }
    }

    /// Whether there is a reader that has heard enough, as `head` has: that is no failure.
    pub(crate) fn is_for_its_reader(&self) -> bool {
        self.why.kind() == io::ErrorKind::BrokenPipe
    }

    /// What to do where there is no room for it.
    pub(crate) fn advice(&self) -> String {
        format!(
            "the disk is full, or fails: make room where {} goes, or write to another disk",
            verify::shown(&self.name)
        )
    }
}

impl fmt::Display for CannotWrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot write {}", self.name)
    }
}

impl Error for CannotWrite {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.why)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs::Permissions,
        os::unix::{
            fs::{MetadataExt as _, PermissionsExt as _, symlink},
            net::UnixListener,
        },
    };

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let name = |file: io::Result<fs::DirEntry>| {
            file.expect("it is listed").file_name().into_string().expect("UTF-8")
        };
        let mut names: Vec<String> = fs::read_dir(folder).expect("a folder").map(name).collect();
        names.sort();
        names
    }

    fn mode(file: &Path) -> u32 {
        fs::metadata(file).expect("it is there").mode() & 0o777
    }

    #[test]
    fn a_file_is_whole_or_as_it_was() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("run.json");
        for there in [None, Some("before")] {
            let mut output = Place::of(&file, &Own::default()).expect("a place").begin().expect("it begins");
            output.write_all(b"a part").expect("it is written");
            assert_eq!(fs::read_to_string(&file).ok().as_deref(), there);
            drop(output);
            assert_eq!(names(folder.path()).len(), usize::from(there.is_some()), "a part is left");
            write_whole(&file, &Own::default(), b"before").expect("it is written");
        }
        assert_eq!(mode(&file), private::MODE, "others may not read a new one");
        for kept in [0o644, 0o400] {
            fs::set_permissions(&file, Permissions::from_mode(kept)).expect("ours");
            write_whole(&file, &Own::default(), b"after").expect("it is written");
            assert_eq!(mode(&file), kept);
        }
        assert_eq!(fs::read_to_string(&file).expect("it reads"), "after");
        assert_eq!(names(folder.path()), ["run.json"]);
    }

    #[test]
    fn what_links_name_is_written_and_they_stay() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("sub")).expect("a folder");
        symlink("sub/second", at("first")).expect("a link");
        symlink("../file", at("sub/second")).expect("a link");
        for bytes in ["new", "replaced"] {
            write_whole(&at("first"), &Own::default(), bytes.as_bytes()).expect("it is written");
            assert_eq!(fs::read_to_string(at("file")).expect("it reads"), bytes);
        }
        assert_eq!(fs::read_link(at("first")).expect("a link"), Path::new("sub/second"));
        assert_eq!(fs::read_link(at("sub/second")).expect("a link"), Path::new("../file"));
        assert_eq!(names(folder.path()), ["file", "first", "sub"]);
        symlink("loop", at("loop")).expect("a link");
        write_whole(&at("loop"), &Own::default(), b"never").expect_err("it ends nowhere");
    }

    #[test]
    fn what_cannot_be_written_says_why_and_is_left() {
        let folder = tempfile::tempdir().expect("a folder");
        let socket = folder.path().join("socket");
        let _listens = UnixListener::bind(&socket).expect("a socket");
        for (name, told) in [(socket.as_path(), "it is a socket"), (folder.path(), "it is a folder")] {
            let err = write_whole(name, &Own::default(), b"never").expect_err("it is no file");
            assert!(err.why.to_string().contains(told), "{err:?}");
        }
        let missing = folder.path().join("no/such/run.json");
        let err = write_whole(&missing, &Own::default(), b"never").expect_err("there is no folder");
        assert_eq!(err.why.kind(), io::ErrorKind::NotFound);
        assert!(!format!("{err}: {}", err.why).contains(".hoc-"), "{err:?}");
        assert_eq!(names(folder.path()), ["socket"]);
    }
}
