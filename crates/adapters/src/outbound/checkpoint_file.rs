//! Checkpoints as files in a folder outside the store: the newest of each log, and all that there ever were.
//!
//! Whoever holds a copy of such a folder can show that a log was rewritten or set back. A checkpoint is kept when
//! it survives a power cut: the file, its rename and the folder are synced before [`CheckpointSink::keep`] returns.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufReader, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use orchestrator::ports::{
    CheckpointSink, Depth, Kept, OutsideCheckpoint, OutsideLog, SinkError, Stands, Statement,
};

mod aside;

/// So much of a history is read where not all of it is asked for.
const RECENT: u64 = 16 * 1024;

/// A folder of checkpoints: `<tenant>-<log>.checkpoint` is the newest signed note of that log, and
/// `<tenant>-<log>.history.jsonl` has one line for each, oldest first. Several processes may share it.
#[derive(Clone, Debug)]
pub struct CheckpointFiles {
    folder: Arc<Path>,
}

impl CheckpointFiles {
    /// The folder, made if it is not there. Fails where this process may not write.
    pub fn open(folder: impl Into<PathBuf>) -> io::Result<Self> {
        let folder = folder.into();
        fs::create_dir_all(&folder)?;
        let files = Self { folder: folder.into() };
        files.lock()?;
        Ok(files)
    }

    /// Where they are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn write(&self, checkpoint: &OutsideCheckpoint) -> io::Result<Stands> {
        let name = file_name(&checkpoint.tenant, checkpoint.log)?;
        let _held = self.lock()?;
        let there = self.read_all(&log_of(checkpoint), Depth::Newest)?;
        if there.unreadable && there.notes.is_empty() {
            let why = format!("what is kept as {name} cannot be read as a checkpoint");
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        let stands = there.notes.first().map_or(Stands::GoesOn, |there| checkpoint.stands_to(there));
        if stands == Stands::Apart {
            return Ok(stands);
        }
        let anothers = self.anothers(&name, checkpoint)?;
        if let Some(there) = &anothers {
            self.put_aside(&name, there)?;
        }
        self.append(&format!("{name}.history.jsonl"), checkpoint)?;
        if stands != Stands::IsOlder {
            self.replace(&format!("{name}.checkpoint"), &checkpoint.note)?;
        }
        File::open(&self.folder)?.sync_all()?;
        Ok(if anothers.is_some() { Stands::Another } else { stands })
    }

    /// The checkpoint of another store that has the place of this one.
    fn anothers(&self, name: &str, checkpoint: &OutsideCheckpoint) -> io::Result<Option<String>> {
        let there = self.read(name, Depth::Newest)?.notes.into_iter().next();
        Ok(there.filter(|there| checkpoint.stands_to(there) == Stands::Another))
    }

    fn note(&self, checkpoint: &OutsideCheckpoint) -> io::Result<()> {
        let mut name = file_name(&checkpoint.tenant, checkpoint.log)?;
        let _held = self.lock()?;
        if self.anothers(&name, checkpoint)?.is_some() {
            name = aside_of(&name, &log_of(checkpoint).tenant_id);
        }
        self.append(&format!("{name}.history.jsonl"), checkpoint)?;
        File::open(&self.folder)?.sync_all()
    }

    /// What is kept under a name. Where the newest is torn, the last line of the history that is whole stands for it.
    fn read(&self, name: &str, depth: Depth) -> io::Result<Kept> {
        let mut kept = Kept::default();
        if let Some(newest) = self.there(&format!("{name}.checkpoint"), &mut kept)? {
            // A note is much shorter, and what is not is none.
            let mut bytes = Vec::new();
            newest.take(RECENT).read_to_end(&mut bytes)?;
            let newest = String::from_utf8_lossy(&bytes).into_owned();
            kept.unreadable |= Statement::read(&newest).is_none();
            kept.notes.extend((!kept.unreadable).then_some(newest));
        }
        if depth == Depth::Newest && !kept.notes.is_empty() {
            return Ok(kept);
        }
        let Some(mut history) = self.there(&format!("{name}.history.jsonl"), &mut kept)? else {
            return Ok(kept);
        };
        let length = history.metadata()?.len();
        if depth != Depth::All {
            history.seek(SeekFrom::Start(length.saturating_sub(RECENT)))?;
        }
        let past = past(BufReader::new(history))?;
        kept.unreadable |= length > 0 && past.is_empty();
        match depth {
            Depth::Newest => kept.notes.extend(past.into_iter().last()),
            Depth::Recent | Depth::All => kept.notes.extend(past),
        }
        Ok(kept)
    }

    /// A file of the folder, opened to be read. What is none says nothing, and may stand in the place of one.
    fn there(&self, name: &str, kept: &mut Kept) -> io::Result<Option<File>> {
        let file = self.folder.join(name);
        match refuse_no_file(&file) {
            Ok(()) => if_there(File::open(file)),
            Err(err) if err.kind() == io::ErrorKind::InvalidData => {
                kept.unreadable = true;
                Ok(None)
            }
            Err(err) => Err(err),
        }
    }

    fn failed(&self, source: io::Error) -> SinkError {
        SinkError { place: self.folder.display().to_string(), source }
    }

    /// Only one process writes at a time. The lock is the open file's, so it ends with its holder.
    fn lock(&self) -> io::Result<File> {
        let lock = self.folder.join(".lock");
        refuse_no_file(&lock)?;
        let lock = OpenOptions::new().create(true).append(true).open(lock)?;
        lock.lock()?;
        Ok(lock)
    }

    fn append(&self, name: &str, checkpoint: &OutsideCheckpoint) -> io::Result<()> {
        let line = serde_json::json!({ "tree_size": checkpoint.tree_size, "note": checkpoint.note });
        let history = self.folder.join(name);
        refuse_no_file(&history)?;
        let mut history = OpenOptions::new().create(true).read(true).append(true).open(history)?;
        // A line that a power cut left half written is ended first, so that it spoils no other.
        let mut last = *b"\n";
        if history.metadata()?.len() > 0 {
            history.seek(SeekFrom::End(-1))?;
            history.read_exact(&mut last)?;
        }
        let start = if last == *b"\n" { "" } else { "\n" };
        history.write_all(format!("{start}{line}\n").as_bytes())?;
        history.sync_data()
    }

    fn replace(&self, name: &str, note: &str) -> io::Result<()> {
        let making = self.folder.join(format!("{name}.new"));
        // What a crash left. Nobody else makes it under the lock, and a link in its place is not followed.
        if_there(fs::remove_file(&making))?;
        let mut file = File::create_new(&making)?;
        file.write_all(note.as_bytes())?;
        file.sync_all()?;
        fs::rename(making, self.folder.join(name))
    }

    /// Does it where it may take its time.
    async fn off<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> io::Result<T> + Send + 'static,
    ) -> Result<T, SinkError> {
        let files = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&files)).await;
        done.unwrap_or_else(|stopped| Err(io::Error::other(stopped))).map_err(|source| self.failed(source))
    }
}

#[async_trait]
impl CheckpointSink for CheckpointFiles {
    fn place(&self) -> String {
        self.folder.display().to_string()
    }

    async fn keep(&self, checkpoint: &OutsideCheckpoint) -> Result<Stands, SinkError> {
        let checkpoint = checkpoint.clone();
        self.off(move |files| files.write(&checkpoint)).await
    }

    async fn write_down(&self, checkpoint: &OutsideCheckpoint) -> Result<(), SinkError> {
        let checkpoint = checkpoint.clone();
        self.off(move |files| files.note(&checkpoint)).await
    }

    async fn kept(&self, log: &OutsideLog, depth: Depth) -> Result<Kept, SinkError> {
        let log = log.clone();
        self.off(move |files| files.read_all(&log, depth)).await
    }
}

/// Others may be able to write to the folder. Whoever opened a pipe that they put there would wait for its other end,
/// and a device may have no end.
fn refuse_no_file(file: &Path) -> io::Result<()> {
    match if_there(fs::metadata(file))? {
        Some(there) if !there.is_file() => {
            let why = format!("{} is no file: remove it", file.display());
            Err(io::Error::new(io::ErrorKind::InvalidData, why))
        }
        _ => Ok(()),
    }
}

fn if_there<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(err) => Err(err),
    }
}

/// The notes of a history that the one after them does not cover, and the last. In a history of one log that only grew,
/// each covers the one before it.
fn past(history: impl io::BufRead) -> io::Result<Vec<String>> {
    let mut uncovered = Vec::new();
    let mut last: Option<(Statement, String)> = None;
    for line in history.split(b'\n') {
        let Some((statement, note)) = line_of(&line?) else { continue };
        if let Some((before, note)) = last.take() {
            let goes_on = match statement.place().cmp(&before.place()) {
                std::cmp::Ordering::Less => false,
                std::cmp::Ordering::Equal => statement.root == before.root,
                std::cmp::Ordering::Greater => true,
            };
            let covers = goes_on && statement.is_of_the_log_of(&before);
            uncovered.extend((!covers).then_some(note));
        }
        last = Some((statement, note));
    }
    uncovered.extend(last.map(|(_, note)| note));
    Ok(uncovered)
}

/// The note of a line; none where a power cut has left half of it.
fn line_of(line: &[u8]) -> Option<(Statement, String)> {
    let mut line: serde_json::Value = serde_json::from_slice(line).ok()?;
    let serde_json::Value::String(note) = line["note"].take() else { return None };
    Some((Statement::read(&note)?, note))
}

/// Whose log a checkpoint is of.
fn log_of(checkpoint: &OutsideCheckpoint) -> OutsideLog {
    let tenant_id = Statement::read(&checkpoint.note).map(|it| it.origin.tenant_id).unwrap_or_default();
    OutsideLog { slug: checkpoint.tenant.clone(), tenant_id, log: checkpoint.log }
}

/// The name under which what is kept of a tenant's log is put aside.
fn aside_of(name: &str, tenant_id: &str) -> String {
    format!("{name}.of-{tenant_id}")
}

fn file_name(tenant: &str, log: &str) -> io::Result<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if tenant.is_empty() || !tenant.chars().all(plain) {
        let why = format!("`{tenant}` cannot be part of a file's name");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    Ok(format!("{tenant}-{log}"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A root, by the letter that its text is made of.
    fn note(epoch: u64, tree_size: u64, root: char) -> String {
        let (origin, root) = (format!("hoc/acme/audit/{epoch}"), root.to_string().repeat(42));
        format!("{origin}\n{tree_size}\n{root}A=\n\n\u{2014} {origin} AAAAAAA=\n")
    }

    fn checkpoint(epoch: u64, tree_size: u64, root: char) -> OutsideCheckpoint {
        let note = note(epoch, tree_size, root);
        OutsideCheckpoint { tenant: "acme".to_owned(), log: "audit", tree_size, note, grown: Vec::new() }
    }

    /// What is kept of the log of [`checkpoint`].
    async fn of_it(files: &CheckpointFiles, depth: Depth) -> Kept {
        let log = OutsideLog { slug: "acme".to_owned(), tenant_id: "acme".to_owned(), log: "audit" };
        files.kept(&log, depth).await.expect("it is read")
    }

    fn read(files: &CheckpointFiles, name: &str) -> String {
        fs::read_to_string(files.folder().join(name)).expect("the file is there")
    }

    fn sizes(history: &str) -> Vec<u64> {
        history
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("a line of JSON"))
            .map(|line| line["tree_size"].as_u64().expect("a size"))
            .collect()
    }

    #[tokio::test]
    async fn the_newest_stays_in_place_against_all_that_does_not_go_on_from_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = CheckpointFiles::open(folder.path().join("made")).expect("it opens");
        for (epoch, size, root, stands, in_place) in [
            (0, 3, 'a', Stands::GoesOn, (0, 3, 'a')),
            (0, 2, 'x', Stands::IsOlder, (0, 3, 'a')),
            (0, 3, 'a', Stands::GoesOn, (0, 3, 'a')),
            // Another history: as long, and longer without a proof.
            (0, 3, 'b', Stands::Apart, (0, 3, 'a')),
            (0, 9, 'b', Stands::Apart, (0, 3, 'a')),
            (1, 1, 'c', Stands::GoesOn, (1, 1, 'c')),
            (0, 30, 'a', Stands::Apart, (1, 1, 'c')),
        ] {
            let kept = files.keep(&checkpoint(epoch, size, root)).await.expect("it is looked at");
            assert_eq!(kept, stands, "{epoch} {size} {root}");
            let (epoch, size, root) = in_place;
            assert_eq!(read(&files, "acme-audit.checkpoint"), note(epoch, size, root));
        }
        assert_eq!(sizes(&read(&files, "acme-audit.history.jsonl")), [3, 2, 3, 1]);
    }

    #[tokio::test]
    async fn a_torn_file_is_stood_for_by_the_history() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = CheckpointFiles::open(folder.path()).expect("it opens");
        files.keep(&checkpoint(0, 5, 'a')).await.expect("it is kept");
        for torn in ["", "hoc/acme/audit/0\n5\naaaa"] {
            fs::write(folder.path().join("acme-audit.checkpoint"), torn).expect("it is torn");
            let kept = of_it(&files, Depth::Newest).await;
            assert_eq!(kept.notes, [note(0, 5, 'a')]);
            let apart = files.keep(&checkpoint(0, 9, 'b')).await.expect("it is looked at");
            assert_eq!(apart, Stands::Apart, "what was kept still counts");
        }
        fs::write(folder.path().join("acme-audit.history.jsonl"), "{\"tree_si").expect("half a line");
        let kept = of_it(&files, Depth::Recent).await;
        assert_eq!(kept, Kept { notes: Vec::new(), unreadable: true });
        files.keep(&checkpoint(0, 9, 'a')).await.expect_err("nobody knows what was there");
        let log = OutsideLog { slug: "other".to_owned(), tenant_id: "acme".to_owned(), log: "audit" };
        assert_eq!(files.kept(&log, Depth::All).await.expect("it is read"), Kept::default());
    }

    #[tokio::test]
    async fn what_another_store_left_is_put_aside_and_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = CheckpointFiles::open(folder.path()).expect("it opens");
        let of = |tenant: &str, size: u64| {
            let checkpoint = checkpoint(0, size, 'a');
            let note = checkpoint.note.replace("hoc/acme/", &format!("hoc/{tenant}/"));
            OutsideCheckpoint { note, ..checkpoint }
        };
        for (tenant, size, stands) in [
            ("one", 15, Stands::GoesOn),
            ("two", 3, Stands::Another),
            ("two", 3, Stands::GoesOn),
            ("one", 15, Stands::Another),
            ("two", 3, Stands::Another),
        ] {
            assert_eq!(files.keep(&of(tenant, size)).await.expect("it is kept"), stands, "{tenant}");
            assert_eq!(read(&files, "acme-audit.checkpoint"), of(tenant, size).note);
        }
        assert_eq!(read(&files, "acme-audit.of-one.checkpoint"), of("one", 15).note);
        assert_eq!(sizes(&read(&files, "acme-audit.of-one.history.jsonl")), [15, 15]);
        let aside = CheckpointFiles::aside(folder.path(), &[]).expect("it is read");
        assert_eq!(aside.len(), 2, "{aside:?}");
    }

    #[tokio::test]
    async fn of_a_history_every_fall_counts() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = CheckpointFiles::open(folder.path()).expect("it opens");
        for (size, root) in [(2, 'a'), (8, 'b'), (4, 'c'), (6, 'd'), (6, 'e'), (6, 'e')] {
            files.write_down(&checkpoint(0, size, root)).await.expect("it is written down");
        }
        let kept = of_it(&files, Depth::All).await;
        assert_eq!(kept.notes, [note(0, 8, 'b'), note(0, 6, 'd'), note(0, 6, 'e')]);
        assert_eq!(of_it(&files, Depth::Recent).await, kept);
        for _ in 0..200 {
            files.write_down(&checkpoint(0, 7, 'f')).await.expect("it is written down");
        }
        let recent = of_it(&files, Depth::Recent).await;
        assert_eq!(recent.notes, [note(0, 7, 'f')], "not all is read at every start");
    }

    #[tokio::test]
    async fn a_line_cut_by_a_crash_spoils_no_other() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = CheckpointFiles::open(folder.path()).expect("it opens");
        files.keep(&checkpoint(0, 3, 'a')).await.expect("it is kept");
        let history = folder.path().join("acme-audit.history.jsonl");
        let mut cut = read(&files, "acme-audit.history.jsonl");
        cut.push_str("{\"tree_si");
        fs::write(&history, cut).expect("half a line");
        files.keep(&checkpoint(0, 3, 'a')).await.expect("it is kept");
        let last = read(&files, "acme-audit.history.jsonl").lines().last().map(sizes);
        assert_eq!(last, Some(vec![3]));
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn what_is_no_file_is_not_opened() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = CheckpointFiles::open(folder.path()).expect("it opens");
        for name in ["acme-audit.checkpoint", "acme-audit.history.jsonl", ".lock"] {
            let file = folder.path().join(name);
            if_there(fs::remove_file(&file)).expect("it goes");
            std::os::unix::fs::symlink("/dev/zero", &file).expect("a link");
            if name != ".lock" {
                let kept = of_it(&files, Depth::All).await;
                assert_eq!(kept, Kept { notes: Vec::new(), unreadable: true }, "{name}");
            }
            files.keep(&checkpoint(0, 3, 'a')).await.expect_err("nobody knows what was there");
            fs::remove_file(&file).expect("it goes");
        }
        files.keep(&checkpoint(0, 3, 'a')).await.expect("it is kept");
    }

    /// A folder may be one that others can write to as well.
    #[cfg(unix)]
    #[tokio::test]
    async fn a_link_under_the_name_of_a_new_one_is_not_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = CheckpointFiles::open(folder.path()).expect("it opens");
        let others = folder.path().join("of-somebody-else");
        fs::write(&others, "as it was").expect("it is written");
        for (epoch, size, root) in [(0, 3, 'a'), (1, 1, 'c')] {
            let new = folder.path().join("acme-audit.checkpoint.new");
            std::os::unix::fs::symlink(&others, &new).expect("a link");
            files.keep(&checkpoint(epoch, size, root)).await.expect("it is kept");
            assert_eq!(read(&files, "acme-audit.checkpoint"), note(epoch, size, root));
            assert!(!new.exists(), "nothing is left over");
        }
        assert_eq!(read(&files, "of-somebody-else"), "as it was");
    }

    #[tokio::test]
    async fn a_failure_names_its_place() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = CheckpointFiles::open(folder.path().join("gone")).expect("it opens");
        fs::remove_dir_all(files.folder()).expect("it goes");
        let failed = files.keep(&checkpoint(0, 1, 'a')).await.expect_err("no folder");
        assert!(failed.place.ends_with("gone"), "{failed}");
        let odd = OutsideCheckpoint { tenant: "../acme".to_owned(), ..checkpoint(0, 1, 'a') };
        let files = CheckpointFiles::open(folder.path()).expect("it opens");
        let refused = files.keep(&odd).await.expect_err("a name that climbs");
        assert_eq!(refused.source.kind(), io::ErrorKind::InvalidInput);
    }
}
