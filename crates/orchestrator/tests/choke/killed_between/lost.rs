//! The connection is lost at a COMMIT of each call: before Postgres has read it, or when Postgres has carried it out
//! and nobody has heard. Whoever asked may be told that nobody knows, and asks again.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use kit::{FrozenClock, Kit};
use orchestrator::Error;
use testkit::{
    Store, Switchboard, TestDatabase,
    wire::{Line, Stage},
};

use super::{
    books::Books,
    cast::{Cast, callers},
    script::{CALLS, Call, Script, Told},
};

/// What is lost of a COMMIT.
#[derive(Clone, Copy, Debug)]
enum Lost {
    Itself,
    Answer,
}

/// How far it has come.
#[derive(Default)]
struct Progress {
    /// How many calls were answered.
    answered: AtomicUsize,
    /// How many calls have sent their first COMMIT, which is the one that is lost.
    met: AtomicUsize,
    /// How many of them were lost: all but that of a refusal.
    lost: AtomicUsize,
    /// How often who asked was told that nobody knows.
    unknown: AtomicUsize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_call_happens_once_though_its_commit_is_lost() {
    let Some(db) = TestDatabase::migrated(Store::Postgres).await else { return };
    let kit = Kit::on(&db).await;
    let books = Box::pin(Books::of(&db, &kit)).await;
    let board = Switchboard::before(&db);
    for (process, lost) in [(1, Lost::Itself), (2, Lost::Answer)] {
        let cast = Cast::of(&kit, &format!("lost-{process}")).await;
        let before = db.row_counts().await;
        let wire = board.wire(0);
        let spine = kit::replica(wire.url(), Arc::new(FrozenClock::default()), process).await;
        let [agent, admin] = callers(&spine, &cast.tokens).await;
        let (script, progress) = (Script::at(&spine, &agent, &admin), Progress::default());
        wire.close_gate();
        let told = tokio::select! {
            told = Box::pin(ask_all(script, &progress)) => told,
            () = let_through(&board, lost, &progress) => unreachable!("it goes on for as long as it is asked"),
        };
        assert_eq!(progress.met.into_inner(), CALLS.len(), "{lost:?}: each call sends a COMMIT");
        assert_eq!(progress.lost.into_inner(), CALLS.len() - 1, "{lost:?}: of each but the refusal");
        assert!(progress.unknown.into_inner() > 0, "{lost:?}: nobody met what was lost");
        wire.cut();
        if let Err(why) = Box::pin(books.check(&kit, &cast, &before, told)).await {
            panic!("{lost:?} was lost of each COMMIT: {why}");
        }
    }
}

/// Asks for all there is to ask, each until it is answered.
async fn ask_all(mut script: Script, progress: &Progress) -> Vec<Told> {
    let mut told = Vec::new();
    while let Some(answer) = Box::pin(script.next()).await {
        match answer {
            Ok(answer) => told.push(answer),
            Err(Error::Unavailable(_) | Error::CommitUnknown(_) | Error::Busy) => {
                progress.unknown.fetch_add(1, Ordering::SeqCst);
            }
            Err(err) => panic!("after {} answers: {err}: {err:?}", told.len()),
        }
        let unknown = progress.unknown.load(Ordering::SeqCst);
        assert!(unknown <= 3 * CALLS.len(), "after {} answers it goes on without one", told.len());
        progress.answered.store(told.len(), Ordering::SeqCst);
    }
    told
}

/// Lets every statement through, but loses the first COMMIT of each call but a refusal, or its answer.
async fn let_through(board: &Switchboard, lost: Lost, progress: &Progress) {
    let mut changes = board.changes();
    loop {
        changes.borrow_and_update();
        let is_held = |line: &Line| line.stage == Stage::Held;
        for line in board.lines().into_iter().filter(is_held) {
            let call = progress.answered.load(Ordering::SeqCst);
            let is_first = line.says.starts_with("COMMIT") && progress.met.load(Ordering::SeqCst) == call;
            // A refusal is answered from memory then, and what is written of it by and by says so.
            let is_kept = CALLS.get(call) == Some(&Call::Refusal);
            match lost {
                _ if !is_first || is_kept => board.let_through(line.id),
                Lost::Itself => board.lose(line.id),
                Lost::Answer => board.let_through_unheard(line.id),
            }
            if is_first {
                progress.met.store(call + 1, Ordering::SeqCst);
                progress.lost.fetch_add(usize::from(!is_kept), Ordering::SeqCst);
            }
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}
