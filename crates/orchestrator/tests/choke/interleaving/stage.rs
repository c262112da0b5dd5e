//! What seeds are played on, one after another: a database, and before it the replicas of the seed that is played.

use kit::Kit;
use testkit::{Store, Switchboard, TestDatabase, Witness};

use super::replica::Replica;

pub(super) struct Stage {
    /// One who asks past the replicas.
    pub(super) kit: Kit,
    pub(super) witness: Witness,
    pub(super) board: Switchboard,
    pub(super) replicas: Vec<Replica>,
    /// How many processes there were.
    processes: u64,
    /// Last, so that everybody has left it before it is dropped.
    _db: TestDatabase,
}

impl Stage {
    pub(super) async fn new() -> Option<Self> {
        let db = TestDatabase::migrated(Store::Postgres).await?;
        Some(Self {
            kit: Kit::on(&db).await,
            witness: Witness::of(&db).await,
            board: Switchboard::before(&db),
            replicas: Vec::new(),
            processes: 0,
            _db: db,
        })
    }

    /// Starts a process as the replica `number`, in the place of one that was killed or as the next one. What it sends
    /// waits from now on.
    pub(super) async fn start(&mut self, number: usize, skew_ms: i64) {
        if let Some(killed) = self.replicas.get_mut(number) {
            killed.kill();
        }
        self.processes += 1;
        let replica = Replica::start(&self.board, &self.kit.clock, (number, self.processes), skew_ms).await;
        match self.replicas.get_mut(number) {
            Some(place) => *place = replica,
            None => self.replicas.push(replica),
        }
    }
}
