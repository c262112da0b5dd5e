//! Checkpoints of a store whose place in a folder another store took, as one that was started by mistake: they are put
//! aside under the name of their tenant, and count as ever where that tenant is met again.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use orchestrator::ports::{Depth, Kept, OutsideLog, Statement};

use super::{CheckpointFiles, aside_of, file_name, if_there, refuse_no_file};

impl CheckpointFiles {
    /// Leaves what is kept of another store's log where it is found, under the name of its tenant: it may be all that
    /// proves what that store held. What was put aside of it before stays the newest where it says more.
    pub(super) fn put_aside(&self, name: &str, there: &str) -> io::Result<()> {
        let its = Statement::read(there);
        let whose = its.as_ref().map_or("unknown", |it| it.origin.tenant_id.as_str());
        let aside = aside_of(name, whose);
        let before = self.read(&aside, Depth::Newest)?.notes.into_iter().next();
        let more = |before: &String| {
            Statement::read(before).map(|it| it.place()) > its.as_ref().map(Statement::place)
        };
        // Two stores that take turns in one folder add to what is there.
        let history = self.folder.join(format!("{name}.history.jsonl"));
        refuse_no_file(&history)?;
        if let Some(lines) = if_there(fs::read(&history))? {
            let to = self.folder.join(format!("{aside}.history.jsonl"));
            refuse_no_file(&to)?;
            let mut to = OpenOptions::new().create(true).append(true).open(to)?;
            to.write_all(&lines)?;
            to.sync_data()?;
            fs::remove_file(history)?;
        }
        let newest = before.filter(more);
        self.replace(&format!("{aside}.checkpoint"), newest.as_deref().unwrap_or(there))?;
        if_there(fs::remove_file(self.folder.join(format!("{name}.checkpoint")))).map(drop)
    }

    /// What is kept of a log, in its place and aside. What is in its place is told where it is another store's only if
    /// nothing is kept of this one.
    pub(super) fn read_all(&self, log: &OutsideLog, depth: Depth) -> io::Result<Kept> {
        let name = file_name(&log.slug, log.log)?;
        let in_place = self.read(&name, depth)?;
        let aside = self.read(&aside_of(&name, &log.tenant_id), depth)?;
        let unreadable = in_place.unreadable || aside.unreadable;
        if [&in_place, &aside].iter().any(|kept| kept.unreadable && kept.notes.is_empty()) {
            // Whether that says more than the other nobody can tell.
            return Ok(Kept { notes: Vec::new(), unreadable });
        }
        let own =
            |note: &String| Statement::read(note).is_some_and(|it| it.origin.tenant_id == log.tenant_id);
        if !aside.notes.iter().chain(&in_place.notes).any(own) {
            return Ok(Kept { notes: in_place.notes, unreadable });
        }
        let mut notes: Vec<String> = aside.notes.into_iter().chain(in_place.notes).filter(own).collect();
        if depth == Depth::Newest {
            let newest = notes.into_iter().max_by_key(|note| Statement::read(note).map(|it| it.place()));
            notes = newest.into_iter().collect();
        }
        Ok(Kept { notes, unreadable })
    }

    /// The checkpoints that were put aside here, but for those of these logs: what is kept of those is compared with
    /// them wherever it stands.
    pub fn aside(folder: &Path, own: &[OutsideLog]) -> io::Result<Vec<PathBuf>> {
        let own = own.iter().filter_map(|log| {
            let name = file_name(&log.slug, log.log).ok()?;
            Some(format!("{}.checkpoint", aside_of(&name, &log.tenant_id)))
        });
        let own: Vec<String> = own.collect();
        let Some(files) = if_there(fs::read_dir(folder))? else { return Ok(Vec::new()) };
        let mut aside = Vec::new();
        for file in files {
            let file = file?;
            let name = file.file_name();
            let name = name.to_string_lossy();
            if name.contains(".of-") && name.ends_with(".checkpoint") && !own.iter().any(|own| *own == name) {
                aside.push(file.path());
            }
        }
        aside.sort();
        Ok(aside)
    }
}

#[cfg(test)]
mod tests {
    use orchestrator::ports::{CheckpointSink as _, OutsideCheckpoint, Stands};

    use super::*;

    fn of(tenant: &str, size: u64, root: char) -> OutsideCheckpoint {
        let (origin, root) = (format!("hoc/{tenant}/audit/0"), root.to_string().repeat(42));
        let note = format!("{origin}\n{size}\n{root}A=\n\n\u{2014} {origin} AAAAAAA=\n");
        OutsideCheckpoint {
            tenant: "acme".to_owned(),
            log: "audit",
            tree_size: size,
            note,
            grown: Vec::new(),
        }
    }

    fn log(tenant_id: &str) -> OutsideLog {
        OutsideLog { slug: "acme".to_owned(), tenant_id: tenant_id.to_owned(), log: "audit" }
    }

    async fn kept(files: &CheckpointFiles, tenant: &str, depth: Depth) -> Vec<String> {
        files.kept(&log(tenant), depth).await.expect("it is read").notes
    }

    fn in_place(files: &CheckpointFiles) -> String {
        fs::read_to_string(files.folder().join("acme-audit.checkpoint")).expect("the file is there")
    }

    #[tokio::test]
    async fn what_was_put_aside_counts_where_its_store_is_met_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = CheckpointFiles::open(folder.path()).expect("it opens");
        files.keep(&of("one", 15, 'a')).await.expect("it is kept");
        assert_eq!(files.keep(&of("two", 30, 'b')).await.expect("it is kept"), Stands::Another);
        for depth in [Depth::Newest, Depth::Recent, Depth::All] {
            let one = kept(&files, "one", depth).await;
            assert!(one.iter().all(|note| *note == of("one", 15, 'a').note) && !one.is_empty(), "{one:?}");
            let two = kept(&files, "two", depth).await;
            assert!(two.iter().all(|note| *note == of("two", 30, 'b').note) && !two.is_empty(), "{two:?}");
        }
        // A second history of the first store, as long and longer.
        for apart in [of("one", 15, 'c'), of("one", 40, 'c')] {
            assert_eq!(files.keep(&apart).await.expect("it is looked at"), Stands::Apart);
            assert_eq!(in_place(&files), of("two", 30, 'b').note);
        }
        // One that is older takes nobody's knowledge away.
        assert_eq!(files.keep(&of("one", 9, 'd')).await.expect("it is kept"), Stands::Another);
        assert_eq!(kept(&files, "one", Depth::Newest).await, [of("one", 15, 'a').note]);
        assert_eq!(files.keep(&of("two", 30, 'b')).await.expect("it is kept"), Stands::Another);
        assert_eq!(kept(&files, "one", Depth::Newest).await, [of("one", 15, 'a').note]);
        assert!(kept(&files, "one", Depth::All).await.contains(&of("one", 9, 'd').note));
    }

    #[tokio::test]
    async fn what_is_written_down_under_another_store_is_kept_for_its_own() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = CheckpointFiles::open(folder.path()).expect("it opens");
        files.keep(&of("two", 30, 'b')).await.expect("it is kept");
        files.write_down(&of("one", 15, 'a')).await.expect("it is written down");
        assert_eq!(kept(&files, "one", Depth::Recent).await, [of("one", 15, 'a').note]);
        assert_eq!(kept(&files, "two", Depth::All).await.last(), Some(&of("two", 30, 'b').note));
        let torn = folder.path().join("acme-audit.of-one.history.jsonl");
        fs::write(torn, "{\"tree_si").expect("half a line");
        let one = files.kept(&log("one"), Depth::Newest).await.expect("it is read");
        assert_eq!(one, Kept { notes: Vec::new(), unreadable: true }, "nobody knows what was there");
    }

    #[tokio::test]
    async fn a_tenant_of_the_store_that_is_looked_at_is_of_no_other_store() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = CheckpointFiles::open(folder.path()).expect("it opens");
        for tenant in ["one", "two", "three"] {
            files.keep(&of(tenant, 3, 'a')).await.expect("it is kept");
        }
        let aside = |own: &[OutsideLog]| CheckpointFiles::aside(folder.path(), own).expect("it is read");
        assert_eq!(aside(&[]).len(), 2);
        assert_eq!(aside(&[log("one")]), [folder.path().join("acme-audit.of-two.checkpoint")]);
        assert_eq!(aside(&[log("one"), log("two"), log("three")]), Vec::<PathBuf>::new());
    }
}
