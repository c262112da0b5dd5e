//! The spool as files in the data folder: the calls that were answered while the store was down, a line each.
//!
//! This process writes `spool-0.jsonl`, or the first such file that no other process of this folder holds. It holds its
//! file by a lock on the open file, which ends with the process. It also takes over the files that other processes
//! left.
//!
//! A line is synced before [`Spool::append`] returns. Lines that the store refused go to `spool-refused.jsonl`. Every
//! process tries them again when it starts, and now and then while they are few, because the reason may be gone; a line
//! that is in the store already is passed over.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use orchestrator::ports::Spool;

/// How large the file may grow. What would go beyond it is refused, and so nothing passes any more.
const MAX_BYTES: u64 = 256 << 20;

/// How many processes may share a folder.
const MAX_FILES: usize = 64;

const SET_ASIDE: &str = "spool-refused.jsonl";

/// So many lines that were set aside are taken back at most while a process serves: each is tried by itself, and calls
/// of its tenant wait meanwhile.
const FEW: usize = 200;

/// The spool of one process.
#[derive(Clone, Debug)]
pub struct SpoolFiles {
    folder: Arc<Path>,
    held: Arc<Mutex<Held>>,
}

#[derive(Debug)]
struct Held {
    /// Lines are added to the first. The others are what processes left.
    files: Vec<File>,
    /// Lines of all files that are still to be written to the store.
    lines: usize,
    max_bytes: u64,
}

impl SpoolFiles {
    /// The spool of a folder, made if it is not there. Fails where this process may not write.
    pub fn open(folder: impl Into<PathBuf>) -> io::Result<Self> {
        Self::bounded(folder.into(), MAX_BYTES)
    }

    fn bounded(folder: PathBuf, max_bytes: u64) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        let mut held = Held { files: Vec::new(), lines: 0, max_bytes };
        for n in 0..MAX_FILES {
            let path = folder.join(format!("spool-{n}.jsonl"));
            if !held.files.is_empty() && !path.exists() {
                break;
            }
            held.take(&path)?;
        }
        if held.files.is_empty() {
            let why =
                format!("{MAX_FILES} processes hold a spool in {}: give each its own", folder.display());
            return Err(io::Error::other(why));
        }
        held.take_back(&folder.join(SET_ASIDE), usize::MAX)?;
        File::open(&folder)?.sync_all()?;
        Ok(Self { folder: folder.into(), held: Arc::new(Mutex::new(held)) })
    }

    /// How many lines wait in a folder's spool, and how many were set aside; whoever holds it.
    pub fn waiting(folder: &Path) -> io::Result<(usize, usize)> {
        let count = |path: &Path| match fs::read(path) {
            Ok(bytes) => Ok(lines(&bytes).count()),
            Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(err) => Err(err),
        };
        let mut waiting = 0;
        for n in 0..MAX_FILES {
            waiting += count(&folder.join(format!("spool-{n}.jsonl")))?;
        }
        Ok((waiting, count(&folder.join(SET_ASIDE))?))
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Held) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let held = Arc::clone(&self.held);
        let done = tokio::task::spawn_blocking(move || {
            work(&mut held.lock().unwrap_or_else(PoisonError::into_inner))
        });
        done.await.unwrap_or_else(|stopped| Err(io::Error::other(stopped)))
    }
}

impl Held {
    /// Takes a file that nobody holds, with what is in it.
    fn take(&mut self, path: &Path) -> io::Result<()> {
        let mut file = open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(()),
            Err(TryLockError::Error(err)) => return Err(err),
        }
        let text = read(&mut file)?;
        // A line that a power cut left half written was never answered.
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        if whole < text.len() {
            file.set_len(whole as u64)?;
            file.sync_all()?;
        }
        self.lines += lines(&text[..whole]).count();
        self.files.push(file);
        Ok(())
    }

    /// Takes the lines that were set aside as if they had been left, and gives them; as long as there is no room for
    /// them, or they are more than that, they stay where they are.
    fn take_back(&mut self, path: &Path, most: usize) -> io::Result<Vec<Vec<u8>>> {
        let Some(file) = self.files.first_mut().filter(|_| path.exists()) else { return Ok(Vec::new()) };
        let mut refused = open(path)?;
        refused.lock()?;
        let text = read(&mut refused)?;
        let before = file.metadata()?.len();
        // A line that was half written is whole in the file that it came from.
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let taken: Vec<Vec<u8>> = lines(&text[..whole]).map(<[u8]>::to_vec).collect();
        if text.is_empty() || taken.len() > most || before + text.len() as u64 > self.max_bytes {
            return Ok(Vec::new());
        }
        if let Err(err) = file.write_all(&text[..whole]).and_then(|()| file.sync_all()) {
            file.set_len(before)?;
            return Err(err);
        }
        self.lines += taken.len();
        refused.set_len(0)?;
        refused.sync_all()?;
        Ok(taken)
    }

    fn append(&mut self, mut line: Vec<u8>) -> io::Result<()> {
        line.push(b'\n');
        let Some(file) = self.files.first_mut() else { return Err(io::Error::other("no spool is held")) };
        let before = file.metadata()?.len();
        if before + line.len() as u64 > self.max_bytes {
            let why = format!("the spool has its {} MiB", self.max_bytes >> 20);
            return Err(io::Error::new(io::ErrorKind::StorageFull, why));
        }
        if let Err(err) = file.write_all(&line).and_then(|()| file.sync_data()) {
            // Nobody is told what is not durable, so it must not be found later either.
            file.set_len(before)?;
            return Err(err);
        }
        self.lines += 1;
        Ok(())
    }

    fn written(&mut self, lines: usize) -> io::Result<()> {
        self.lines = self.lines.saturating_sub(lines);
        if self.lines > 0 {
            return Ok(());
        }
        for file in &mut self.files {
            file.set_len(0)?;
            file.sync_all()?;
        }
        Ok(())
    }
}

#[async_trait]
impl Spool for SpoolFiles {
    async fn left(&self) -> io::Result<Vec<Vec<u8>>> {
        self.run(|held| {
            let mut left = Vec::with_capacity(held.lines);
            for file in &mut held.files {
                left.extend(lines(&read(file)?).map(<[u8]>::to_vec));
            }
            Ok(left)
        })
        .await
    }

    async fn append(&self, line: Vec<u8>) -> io::Result<()> {
        self.run(move |held| held.append(line)).await
    }

    async fn written(&self, lines: usize) -> io::Result<()> {
        self.run(move |held| held.written(lines)).await
    }

    async fn set_aside(&self, mut line: Vec<u8>) -> io::Result<()> {
        let path = self.folder.join(SET_ASIDE);
        line.push(b'\n');
        self.run(move |_| {
            let mut file = open(&path)?;
            // Another process may be about to take back what is there.
            file.lock()?;
            file.write_all(&line)?;
            file.sync_all()
        })
        .await
    }

    async fn take_back(&self) -> io::Result<Vec<Vec<u8>>> {
        let path = self.folder.join(SET_ASIDE);
        self.run(move |held| held.take_back(&path, FEW)).await
    }
}

/// Opens a file to read it and to add to it. It may hold what agents said: it is its owner's alone.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).read(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn read(file: &mut File) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut text)?;
    Ok(text)
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(lines: &[Vec<u8>]) -> Vec<&str> {
        lines.iter().map(|line| std::str::from_utf8(line).expect("text")).collect()
    }

    #[tokio::test]
    async fn what_a_process_left_is_found_by_the_next_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let spool = SpoolFiles::open(folder.path()).expect("it opens");
        spool.append(b"one".to_vec()).await.expect("it is kept");
        spool.append(b"two".to_vec()).await.expect("it is kept");
        drop(spool);
        let spool = SpoolFiles::open(folder.path()).expect("it opens");
        assert_eq!(text(&spool.left().await.expect("lines")), ["one", "two"]);
        assert_eq!(SpoolFiles::waiting(folder.path()).expect("a count"), (2, 0));
        spool.append(b"three".to_vec()).await.expect("it is kept");
        spool.written(2).await.expect("counted");
        assert_eq!(spool.left().await.expect("lines").len(), 3, "not all of them are of no use yet");
        spool.written(1).await.expect("counted");
        assert!(spool.left().await.expect("lines").is_empty());
        spool.set_aside(b"odd".to_vec()).await.expect("it is kept");
        assert_eq!(SpoolFiles::waiting(folder.path()).expect("a count"), (0, 1));
        drop(spool);
        let spool = SpoolFiles::open(folder.path()).expect("it opens");
        assert_eq!(text(&spool.left().await.expect("lines")), ["odd"], "it is tried again at the next start");
        assert_eq!(SpoolFiles::waiting(folder.path()).expect("a count"), (1, 0));
    }

    #[tokio::test]
    async fn what_was_set_aside_is_taken_back_while_it_is_little() {
        let folder = tempfile::tempdir().expect("a folder");
        let spool = SpoolFiles::open(folder.path()).expect("it opens");
        assert!(spool.take_back().await.expect("nothing").is_empty());
        spool.append(b"one".to_vec()).await.expect("it is kept");
        spool.set_aside(b"odd".to_vec()).await.expect("it is kept");
        assert_eq!(text(&spool.take_back().await.expect("lines")), ["odd"]);
        assert_eq!(text(&spool.left().await.expect("lines")), ["one", "odd"]);
        assert_eq!(SpoolFiles::waiting(folder.path()).expect("a count"), (2, 0));
        spool.written(2).await.expect("counted");
        assert!(spool.left().await.expect("lines").is_empty());
        for n in 0..=FEW {
            spool.set_aside(n.to_string().into_bytes()).await.expect("it is kept");
        }
        assert!(spool.take_back().await.expect("they stay").is_empty());
        assert_eq!(SpoolFiles::waiting(folder.path()).expect("a count"), (0, FEW + 1));
    }

    #[tokio::test]
    async fn a_line_cut_by_a_crash_was_never_answered() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("spool-0.jsonl"), "one\ntw").expect("one and a half");
        let spool = SpoolFiles::open(folder.path()).expect("it opens");
        assert_eq!(text(&spool.left().await.expect("lines")), ["one"]);
        spool.append(b"three".to_vec()).await.expect("it is kept");
        assert_eq!(text(&spool.left().await.expect("lines")), ["one", "three"]);
    }

    #[tokio::test]
    async fn processes_of_one_folder_do_not_share_a_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = SpoolFiles::open(folder.path()).expect("it opens");
        let second = SpoolFiles::open(folder.path()).expect("it opens too");
        first.append(b"one".to_vec()).await.expect("it is kept");
        second.append(b"two".to_vec()).await.expect("it is kept");
        second.written(1).await.expect("counted");
        assert_eq!(text(&first.left().await.expect("lines")), ["one"]);
        second.append(b"three".to_vec()).await.expect("it is kept");
        drop((first, second));
        let third = SpoolFiles::open(folder.path()).expect("it opens");
        assert_eq!(text(&third.left().await.expect("lines")), ["one", "three"], "both were left");
    }

    #[tokio::test]
    async fn a_full_spool_refuses_and_keeps_what_it_has() {
        let folder = tempfile::tempdir().expect("a folder");
        let spool = SpoolFiles::bounded(folder.path().to_owned(), 8).expect("it opens");
        spool.append(b"one".to_vec()).await.expect("it fits");
        let full = spool.append(b"three".to_vec()).await.expect_err("it does not fit");
        assert_eq!(full.kind(), io::ErrorKind::StorageFull);
        assert_eq!(text(&spool.left().await.expect("lines")), ["one"]);
    }
}
