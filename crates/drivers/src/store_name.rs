//! What a store is known by to whoever keeps elsewhere what was committed to it.

/// The store that a process is on, at one moment. As long as this is the same, what was committed is there; where it is
/// another, some of that may be missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreName {
    /// What every process calls it that is on it: another after a restart, a failover or a restore. None of an embedded
    /// store, which one process has.
    pub shared: Option<String>,
    /// How many stores this process has met at its URL. One that it left and came back to is not the same.
    pub met: u64,
    /// How often this process found that the store had fallen back, or that somebody had accepted that it had.
    pub falls: u64,
}
