//! kill -9 after every write: a process asks for what an agent writes (runs, permits, steps, spans, ends, what comes
//! late), and for what a person changes that governs it (rules, limits, keys, freezes, kills). It dies after its first
//! statement that writes anything, the next one after its second, and so on, before and after every COMMIT among them.
//! Another process takes up the store. What was answered is there, once and as it was told. What was not is there whole
//! or not at all. All of it asked again is answered the same, and counts once: in tables, in limits, in counters, in
//! bundles and in logs.
//!
//! The suite takes all deaths at a COMMIT and some of the others; `cargo xtask drill kill-between` takes all.
//! `HOC_DRILL_AT=N` has the process die after its N-th write alone. `lost.rs` asks for the same of a process that lives
//! and loses its connection, `outage.rs` of one that writes what another has answered without the store.

mod books;
mod cast;
mod child;
mod deadly;
mod lost;
mod outage;
mod script;
mod stands;

use std::{collections::BTreeSet, time::Instant};

use kit::Kit;
use tempfile::TempDir;
use testkit::{Store, TestDatabase, on_both};

use self::{
    books::Books,
    cast::Cast,
    child::{Fate, Part},
};
use crate::interleaving::variable;

/// Of the deaths that are at no COMMIT, one of so many is tried where nobody says how many.
const fn every(store: Store) -> usize {
    match store {
        Store::Sqlite => 6,
        Store::Postgres => 12,
    }
}

on_both! {
    async fn each_call_happens_once_wherever_its_server_dies(db: TestDatabase) {
        Box::pin(die_after_writes(db)).await;
    }
}

#[expect(clippy::print_stderr, reason = "who runs a drill wants to know what it came to")]
async fn die_after_writes(db: &TestDatabase) {
    let (begun, store) = (Instant::now(), db.store());
    let mut stage = Box::pin(Stage::on(db)).await;
    let heard =
        Box::pin(stage.play(Fate::Lives)).await.unwrap_or_else(|why| panic!("{store:?}, nobody died: {why}"));
    let (places, writes) = (places(store, &heard), heard.len());
    for place in &places {
        if let Err(why) = Box::pin(stage.play(Fate::DiesAfter(*place))).await {
            let last = heard.get(place - 1).map(String::as_str).unwrap_or_default();
            panic!("{store:?}, dead after write {place} of {writes} (HOC_DRILL_AT={place}), `{last}`: {why}");
        }
    }
    let (deaths, took) = (places.len(), begun.elapsed().as_secs());
    eprintln!(
        "kill between: {deaths} deaths among {writes} writes on {store:?}, none lost or doubled, in {took} s"
    );
}

/// So much more a file may grow each time, in blocks: no whole number of pages, so that it ends anywhere in one.
const STEP: u64 = 389;

/// A COMMIT of SQLite is many writes to its log, and each time another of them is the last one, and is cut.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_call_happens_once_wherever_the_log_of_sqlite_ends() {
    let db = TestDatabase::migrated(Store::Sqlite).await.unwrap();
    let mut stage = Box::pin(Stage::on(&db)).await;
    for beyond in [Fate::DiesBeyond, Fate::IsRefusedBeyond] {
        let (mut asked_all, mut cut_at) = (false, BTreeSet::new());
        for steps in 1..100 {
            let fate = beyond(steps * STEP);
            match Box::pin(stage.play(fate)).await {
                Ok(heard) => asked_all = !heard.is_empty(),
                Err(why) => panic!("{fate:?}: {why}"),
            }
            if asked_all {
                assert!(cut_at.len() > 2, "{fate:?}: cut behind {cut_at:?} answers alone");
                break;
            }
            cut_at.insert(stage.answered);
        }
        assert!(asked_all, "no room is enough");
    }
}

/// After which of the writes a process is to die.
fn places(store: Store, heard: &[String]) -> Vec<usize> {
    let number = |name| variable(name).map(|number| usize::try_from(number).unwrap());
    if let Some(at) = number("HOC_DRILL_AT") {
        return vec![at];
    }
    let every = number("HOC_DRILL_EVERY").unwrap_or(every(store)).max(1);
    let commits = |place: usize| heard.get(place - 1).is_some_and(|sql| sql == "COMMIT");
    let is_taken = |place: &usize| place.is_multiple_of(every) || commits(*place) || commits(place + 1);
    (1..=heard.len()).filter(is_taken).collect()
}

/// A store, and the process that has taken it up.
struct Stage<'d> {
    db: &'d TestDatabase,
    folder: TempDir,
    kit: Kit,
    processes: u64,
    /// How many things the last process was answered.
    answered: usize,
    books: Books<'d>,
}

impl<'d> Stage<'d> {
    async fn on(db: &'d TestDatabase) -> Self {
        let kit = Kit::on(db).await;
        let books = Box::pin(Books::of(db, &kit)).await;
        Self { db, folder: tempfile::tempdir().unwrap(), kit, processes: 0, answered: 0, books }
    }

    /// Has that become of a process; gives what it wrote where it asked for all.
    async fn play(&mut self, fate: Fate) -> Result<Vec<String>, String> {
        self.processes += 2;
        let cast = Cast::of(&self.kit, &format!("dies-{}", self.processes)).await;
        let before = self.db.row_counts().await;
        // Nobody else has the store open: who opens it next finds it as the dead left it.
        self.kit.db.close().await;
        let part = Part {
            url: self.db.url().to_owned(),
            tokens: cast.tokens.clone(),
            process: self.processes,
            fate,
            folder: self.folder.path().to_owned(),
            spool: None,
        };
        let left = part.play()?;
        self.answered = left.told.len();
        self.kit = Kit::replica(self.db, self.processes + 1).await;
        Box::pin(self.books.check(&self.kit, &cast, &before, left.told)).await?;
        Ok(left.heard)
    }
}
