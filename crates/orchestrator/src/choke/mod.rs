//! The one choke point: every step of a governed run passes here (GAP-016, spec 3).
//!
//! A call is prepared (redacted, hashed) before it waits, so that a group only loads, decides and writes:
//!
//! 1. [`prepare`] turns a request into a [`prepare::Call`]; nothing that a store could refuse gets further.
//! 2. [`queue`] collects what waits for a tenant into a group, one transaction.
//! 3. [`load`] locks and reads all rows that the group touches, in the one lock order.
//! 4. [`decide`] walks the calls in their order over that working state, in memory.
//! 5. [`causes`] opens or joins the incidents of what struck, with them locked; [`seal`] seals the runs that ended.
//! 6. [`write`] stores what came of it, table by table, and commits. Only then is anyone answered.
//!
//! The number of statements has an upper bound that does not depend on the group's size.

mod addendum;
mod answered;
pub mod call;
mod caller;
mod capture;
mod causes;
mod chain;
mod decide;
mod effects;
mod end;
mod evidence;
mod facts;
mod fingerprint;
mod fired;
pub(crate) mod fit;
mod gap;
mod gates;
mod given;
mod group;
mod held;
mod intervene;
mod item;
mod judge;
mod kept;
mod late;
mod load;
mod memory;
mod met;
mod outage;
mod overdue;
mod parts;
mod permit;
pub(crate) mod prepare;
mod priced;
mod queue;
mod races;
mod record;
mod seal;
mod snapshots;
mod spool;
mod standing;
mod start;
mod state;
mod strikes;
mod sums;
mod traced;
mod tree;
mod trees;
mod unwritten;
mod usage;
mod weight;
mod write;

use std::sync::Arc;

pub(crate) use self::call::{Answer, Done};
pub use self::item::MAX_GROUP;
use self::{item::Bond, queue::Queue, snapshots::Snapshots};
use crate::{
    budget::Budget, context::TenantSettings, errors::Error, handlers::account::settings_of, spine::Spine,
};

/// The choke point's standing parts: who waits, which policies are compiled, what outages remember.
pub(crate) struct Choke {
    queue: Queue,
    pub(crate) snapshots: Snapshots,
    memory: memory::Memory,
    /// The trees of traces.
    trees: trees::Trees,
    stuck: races::Stuck,
    /// The bytes of answers that no store has yet.
    unwritten: Budget,
}

impl Choke {
    pub(crate) fn new(max_waiting: usize, waiting: Budget, unwritten: Budget) -> Self {
        Self {
            queue: Queue::new(max_waiting, waiting),
            snapshots: Snapshots::default(),
            memory: memory::Memory::default(),
            trees: trees::Trees::default(),
            stuck: races::Stuck::default(),
            unwritten,
        }
    }

    /// Puts calls in line that go together: none after the first that is refused.
    pub(crate) async fn submit(
        &self,
        spine: &Spine,
        tenant: &Arc<TenantSettings>,
        calls: Vec<prepare::Call>,
    ) -> Result<Vec<Option<Answer>>, Error> {
        self.queue.submit(spine, tenant, calls, Bond::Together).await
    }

    /// Puts calls in line that share a transaction and nothing else; at most [`MAX_GROUP`].
    pub(crate) async fn submit_each(
        &self,
        spine: &Spine,
        tenant: &Arc<TenantSettings>,
        calls: Vec<prepare::Call>,
    ) -> Result<Vec<Option<Answer>>, Error> {
        self.queue.submit(spine, tenant, calls, Bond::EachAlone).await
    }

    /// Takes up answers that an earlier process of this replica gave while the store was down. Gives how many.
    pub(crate) async fn take_up(&self, spine: &Spine) -> Result<usize, Error> {
        spool::take_up(spine).await
    }

    /// Writes answers that were given while the store was down, where no call of their tenant has done so yet.
    pub(crate) async fn write_overdue(&self, spine: &Spine) -> Result<(), Error> {
        for tenant in self.memory.overdue() {
            // As it is now: nobody else may call for it.
            let Some(stored) = spine.read().await?.account().find_tenant(tenant).await? else { continue };
            let tenant = Arc::new(settings_of(spine, &stored)?);
            self.submit(spine, &tenant, Vec::new()).await?;
        }
        Ok(())
    }
}
