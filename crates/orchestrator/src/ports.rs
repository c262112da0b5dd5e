//! The outside world, as L4 needs it. L3 implements these.

use async_trait::async_trait;

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
}

/// Keeps checkpoints outside the store.
#[async_trait]
pub trait CheckpointSink: Send + Sync {
    /// Keeps one; returns when it is durable there.
    async fn keep(&self, checkpoint: &OutsideCheckpoint) -> Result<(), SinkError>;
}

/// The sink could not keep the checkpoint. It is signed again with the next one, so nothing is lost.
#[derive(Debug, thiserror::Error)]
#[error("could not keep a checkpoint in {place}")]
pub struct SinkError {
    /// Where it should have gone.
    pub place: String,
    /// Why it did not.
    #[source]
    pub source: std::io::Error,
}
