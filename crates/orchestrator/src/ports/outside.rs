//! Checkpoints outside the store: what a place that keeps them is given, and what it must refuse.

use std::io;

use async_trait::async_trait;
use proof::{
    checkpoint::{Checkpoint, LogOrigin},
    hash::Hash,
    merkle::verify_consistency,
    note::Note,
};

/// A checkpoint that is to be kept where the store's holder cannot change it unseen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutsideCheckpoint {
    /// The tenant's slug.
    pub tenant: String,
    /// `audit` or `runs`.
    pub log: &'static str,
    /// How many leaves it covers.
    pub tree_size: u64,
    /// The signed note.
    pub note: String,
    /// That the log grew to this from where it was, for each size that is known to be kept.
    pub grown: Vec<Grown>,
}

/// Whose log is looked for outside the store, and which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutsideLog {
    /// The tenant's slug. A tenant of another store may have it as well.
    pub slug: String,
    /// The tenant's id, which no other has.
    pub tenant_id: String,
    /// `audit` or `runs`.
    pub log: &'static str,
}

/// That a log with so many leaves is the beginning of the one that a checkpoint speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grown {
    /// So many.
    pub from: u64,
    /// The consistency proof.
    pub proof: Vec<Hash>,
}

/// How a checkpoint stands to the one that is in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    /// It goes on from it, and comes in its place.
    GoesOn,
    /// It is older.
    IsOlder,
    /// It does not show that it goes on from it: it may be a second history.
    Apart,
    /// That one is of another store: perhaps of one that was lost. It is put aside, and never lost itself.
    Another,
}

impl OutsideCheckpoint {
    /// How it stands to `there`, which is a checkpoint in its place.
    #[must_use]
    pub fn stands_to(&self, there: &str) -> Stands {
        let (Some(there), Some(new)) = (Statement::read(there), Statement::read(&self.note)) else {
            return Stands::Apart;
        };
        if !new.is_of_the_log_of(&there) {
            return Stands::Another;
        }
        // Somebody accepted what a restore lost.
        if new.origin.epoch > there.origin.epoch {
            return Stands::GoesOn;
        }
        if new.origin.epoch < there.origin.epoch {
            return Stands::Apart;
        }
        if new.size < there.size {
            return Stands::IsOlder;
        }
        let proof = self.grown.iter().find(|grown| grown.from == there.size).map(|grown| &grown.proof[..]);
        let proof = proof.unwrap_or_default();
        match verify_consistency(there.size, there.root, new.size, new.root, proof) {
            Ok(()) => Stands::GoesOn,
            Err(_) => Stands::Apart,
        }
    }
}

/// What a note says, of which nothing is believed yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Of which log.
    pub origin: LogOrigin,
    /// How many leaves it has.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

impl Statement {
    /// Reads a note; none where it is no checkpoint of a log of ours.
    #[must_use]
    pub fn read(note: &str) -> Option<Self> {
        let Checkpoint { origin, size, root } = Checkpoint::from_text(&Note::parse(note).ok()?.text).ok()?;
        Some(Self { origin: origin.parse().ok()?, size, root })
    }

    /// Whether both are of one log, whatever their epochs.
    #[must_use]
    pub fn is_of_the_log_of(&self, other: &Self) -> bool {
        let of = |it: &Self| LogOrigin { epoch: 0, ..it.origin.clone() };
        of(self) == of(other)
    }

    /// Where in the life of its log it is.
    #[must_use]
    pub fn place(&self) -> (u64, u64) {
        (self.origin.epoch, self.size)
    }
}

/// How far back to look at what is kept of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// The newest alone.
    Newest,
    /// The newest, and the last part of the history.
    Recent,
    /// All that there ever were.
    All,
}

/// What is kept of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// The notes that the log must go on from. Of a history, those that the one after them does not cover.
    pub notes: Vec<String>,
    /// Something is kept that cannot be read as a checkpoint.
    pub unreadable: bool,
}

/// Keeps checkpoints outside the store.
#[async_trait]
pub trait CheckpointSink: Send + Sync {
    /// Where it keeps them, in words.
    fn place(&self) -> String;

    /// Keeps one; returns when it is durable there. One that does not go on from what is there is not kept.
    async fn keep(&self, checkpoint: &OutsideCheckpoint) -> Result<Stands, SinkError>;

    /// Adds a checkpoint to what there ever was, and puts it in no place: the store does not have any more what it
    /// says.
    async fn write_down(&self, checkpoint: &OutsideCheckpoint) -> Result<(), SinkError>;

    /// What is kept here of a log: also what was put aside while another store had its place.
    async fn kept(&self, log: &OutsideLog, depth: Depth) -> Result<Kept, SinkError>;
}

/// The sink did not do it. A checkpoint that was not kept is signed again with the next one, so nothing is lost.
#[derive(Debug, thiserror::Error)]
#[error("could not keep or read a checkpoint in {place}")]
pub struct SinkError {
    /// Where it should have gone.
    pub place: String,
    /// Why it did not.
    #[source]
    pub source: io::Error,
}
