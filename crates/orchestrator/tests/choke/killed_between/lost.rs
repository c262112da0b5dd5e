//! The connection is lost at a COMMIT of each call: before Postgres has read it, or when Postgres has carried it out
//! and nobody has heard. Whoever asked is told that nobody knows; then there is nothing of the call, or all of it, and
//! asked again it is done once.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use kit::{FrozenClock, Kit};
use orchestrator::Error;
use testkit::{
    Store, Switchboard, TestDatabase,
    wire::{Line, Stage},
};

use super::{
    books::{Books, Lost},
    cast::{Cast, callers},
    script::{CALLS, Call, Script, Told},
};

/// How far it has come.
#[derive(Default)]
struct Progress {
    /// How many calls were answered.
    answered: AtomicUsize,
    /// How many calls have sent their first COMMIT, which is the one that is lost.
    met: AtomicUsize,
}

/// Whether the COMMIT of a call is lost. A refusal is answered from memory then, and what is written of it by and by
/// says so.
fn is_lost(call: usize) -> bool {
    CALLS.get(call) != Some(&Call::Refusal)
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
        let holds = async |answered| books.hold_lost(&kit, &cast, &before, (answered, lost)).await;
        let (told, unknown) = tokio::select! {
            told = Box::pin(ask_all(script, &progress, &holds)) => told,
            () = let_through(&board, lost, &progress) => unreachable!("it goes on for as long as it is asked"),
        };
        assert_eq!(progress.met.into_inner(), CALLS.len(), "{lost:?}: each call sends a COMMIT");
        let due: BTreeSet<usize> = (0..CALLS.len()).filter(|call| is_lost(*call)).collect();
        assert_eq!(unknown, due, "{lost:?}: who asked for each of them has met what was lost");
        wire.cut();
        if let Err(why) = Box::pin(books.check(&kit, &cast, &before, told)).await {
            panic!("{lost:?} was lost of each COMMIT: {why}");
        }
    }
}

/// Asks for all there is to ask, each until it is answered; gives which of them were told that nobody knows. What
/// stands then is held against what was lost.
async fn ask_all(
    mut script: Script,
    progress: &Progress,
    holds: &impl AsyncFn(usize) -> Result<(), String>,
) -> (Vec<Told>, BTreeSet<usize>) {
    let (mut told, mut unknown, mut tries) = (Vec::new(), BTreeSet::new(), 0);
    while let Some(answer) = Box::pin(script.next()).await {
        let asked = told.len();
        match answer {
            Ok(answer) => told.push(answer),
            Err(err @ (Error::Unavailable(_) | Error::CommitUnknown(_) | Error::Busy)) => {
                tries += 1;
                // Else it was not that COMMIT: a connection behind a lost one may be found dead.
                let met = progress.met.load(Ordering::SeqCst) > asked && is_lost(asked);
                // And when it is asked again, what carried it out may meet another dead one behind its own COMMIT.
                if met
                    && unknown.insert(asked)
                    && let Err(why) = Box::pin(holds(asked)).await
                {
                    panic!("after {asked} answers, told {err}: {why}");
                }
            }
            Err(err) => panic!("after {asked} answers: {err}: {err:?}"),
        }
        assert!(tries <= 3 * CALLS.len(), "after {asked} answers it goes on without one");
        progress.answered.store(told.len(), Ordering::SeqCst);
    }
    (told, unknown)
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
            match lost {
                _ if !is_first || !is_lost(call) => board.let_through(line.id),
                Lost::Itself => board.lose(line.id),
                Lost::Answer => board.let_through_unheard(line.id),
            }
            if is_first {
                progress.met.store(call + 1, Ordering::SeqCst);
            }
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}
