//! The one choke point: every step of a governed run passes here (GAP-016, spec 3).
//!
//! The way of a call, in time. A call is prepared before it waits, so that a group only loads, decides and writes:
//!
//! 1. [`prepare`]: a request is checked, redacted and hashed; nothing that a store could refuse gets further.
//! 2. [`queue`]: what waits for a tenant is a [`group`], one transaction. [`parts`] says what fails together.
//! 3. [`load`]: all rows that the group touches are locked and read, in the one lock order, into the [`state`].
//! 4. [`decide`]: the calls are walked in their order over that state, in memory. [`judge`] makes the verdict of each,
//!    [`follow`] what follows from it: the record, breaches, the run's fate, the incidents of what struck.
//! 5. [`seal`]: the runs that ended get their receipts, and those that were told of late their addenda.
//! 6. [`write`]: what came of it is stored, table by table, and committed. Only then is anyone answered.
//! 7. [`outage`]: what stands in for 3 to 6 while the store is down, and is written when it is back.
//!
//! Who names whom has an order too, so that it can be read from one end: `xtask/src/check_layers/road.rs` holds it. The
//! number of statements has an upper bound that does not depend on the group's size.

pub mod call;
mod decide;
mod follow;
mod group;
mod item;
mod judge;
mod load;
mod outage;
mod parts;
pub(crate) mod prepare;
mod queue;
mod races;
mod seal;
mod state;
mod write;

use std::sync::Arc;

use models::{
    account::Tenant,
    activity::Freeze,
    ids::{KeyId, RunId, TenantId},
};

pub(crate) use self::call::{Answer, Done};
pub use self::item::MAX_GROUP;
pub(crate) use self::state::hot::KnownRun;
use self::{
    item::Bond,
    outage::{look, memory::Memory, spool},
    queue::Queue,
    races::Stuck,
    state::{kept_texts::Said, kept_trees::Trees, snapshots::Snapshots},
};
use crate::{budget::Budget, context::TenantSettings, errors::Error, spine::Spine, tenants::settings_of};

/// The choke point's standing parts: who waits, which policies are compiled, what outages remember. The spine keeps
/// them.
pub(crate) struct Choke {
    queue: Queue,
    pub(crate) snapshots: Snapshots,
    memory: Memory,
    /// The trees of traces.
    trees: Trees,
    /// What runs said last.
    said: Said,
    stuck: Stuck,
    /// The bytes of answers that no store has yet.
    unwritten: Budget,
}

/// How much may wait in the choke point, and be remembered.
pub(crate) struct Budgets {
    /// How many calls.
    pub(crate) places: Budget,
    /// The bytes of calls.
    pub(crate) waiting: Budget,
    /// The bytes of answers that no store has yet.
    pub(crate) unwritten: Budget,
    /// So many bytes are remembered: half for the trees of traces, a quarter for runs and what they used of limits, an
    /// eighth each for compiled policies and for what runs said last.
    pub(crate) remembered: usize,
}

impl Spine {
    /// The choke point, with its standing parts.
    pub(crate) fn choke(&self) -> &Choke {
        self.standing()
    }
}

impl Choke {
    pub(crate) fn new(Budgets { places, waiting, unwritten, remembered }: Budgets) -> Self {
        Self {
            queue: Queue::new(places, waiting),
            snapshots: Snapshots::within(remembered / 8),
            memory: Memory::within(remembered / 4),
            trees: Trees::within(remembered / 2),
            said: Said::within(remembered / 8),
            stuck: Stuck::default(),
            unwritten,
        }
    }

    /// What of what waits here is bounded: places, bytes of calls, bytes of answers for the store.
    pub(crate) fn budgets(&self) -> [&Budget; 3] {
        let [places, waiting] = self.queue.budgets();
        [places, waiting, &self.unwritten]
    }

    /// Forgets what is remembered of runs and of no use any more.
    pub(crate) fn forget(&self, spine: &Spine) {
        let (now, memory) = (spine.now(), spine.settings().outage_memory);
        self.memory.forget(now, memory);
        self.said.forget(now - memory);
    }

    /// The tenant's runs that are remembered for their next groups, as these would go by them: in order of their ids,
    /// those behind `after`, so many at most.
    pub(crate) fn hot(&self, tenant: TenantId, after: Option<RunId>, most: usize) -> Vec<KnownRun> {
        self.memory.hot(tenant, after, most)
    }

    /// The run's next group reads it from the store, whatever is remembered of it.
    pub(crate) fn let_go(&self, tenant: TenantId, run: RunId) {
        self.memory.let_go(tenant, run);
    }

    /// How many calls have come.
    pub(crate) fn calls(&self) -> u64 {
        self.queue.calls()
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

    /// Looks what was done through other servers to what is remembered here. Where nothing is, the store is not asked.
    pub(crate) async fn look(&self, spine: &Spine) -> Result<(), Error> {
        look::look(spine).await
    }

    /// This server has begun a freeze, by which the tenant came to this generation: it holds here at once.
    pub(crate) fn froze(&self, spine: &Spine, freeze: Freeze, generation: u64) {
        self.memory.governs.began(spine.elapsed(), freeze, generation);
    }

    /// Somebody asked for this freeze, and the store did not take it: nothing that it would stop passes here without
    /// the store, until that has written something of the run again.
    pub(crate) fn asked_to_freeze(&self, spine: &Spine, freeze: Freeze) {
        self.memory.governs.asked_to_freeze(spine.elapsed(), freeze);
    }

    /// Somebody asked for a key to be revoked, and the store did not take it: nothing that is called with it passes
    /// here without the store, as long as a halt would hold that was asked for.
    pub(crate) fn asked_to_revoke(&self, spine: &Spine, tenant: TenantId, key: KeyId) {
        self.memory.governs.asked_to_revoke(spine.elapsed(), tenant, key);
    }

    /// Somebody asked that nothing of the tenant passes without the store, which did not take that: so nothing does
    /// here, as long as a halt would hold that was asked for.
    pub(crate) fn asked_to_fail_closed(&self, spine: &Spine, tenant: TenantId) {
        self.memory.governs.asked_to_fail_closed(spine.elapsed(), tenant);
    }

    /// This server has changed a tenant's settings: they hold here at once, whoever comes with older ones.
    pub(crate) fn changed(&self, spine: &Spine, tenant: &Tenant) {
        // Whose key does not open is told at each of its calls.
        if let Ok(settings) = settings_of(spine, tenant) {
            self.queue.learn(&Arc::new(settings));
        }
    }

    /// Goes by the store where somebody accepted what it lost of the tenant since this was last asked: nothing that
    /// this process saw of the tenant before is gone by any more, for what there is now may be another history.
    pub(crate) fn accept(&self, spine: &Spine, tenant: TenantId) {
        if self.memory.accepted(tenant, spine.db().acceptances(tenant)) {
            self.said.forget_tenant(tenant);
            self.trees.forget_tenant(tenant);
            self.snapshots.forget_current(tenant);
            spine.credentials().forget_tenant(tenant);
            self.queue.forget_settings(tenant);
        }
    }

    /// The texts of this run were erased: none is kept here either.
    pub(crate) fn forget_said(&self, tenant: TenantId, run: RunId) {
        self.said.forget_run(tenant, run);
    }

    /// Takes up answers that an earlier process of this replica gave while the store was down. Gives how many.
    pub(crate) async fn take_up(&self, spine: &Spine) -> Result<usize, Error> {
        spool::take_up(spine).await
    }

    /// Takes back answers that the store refused, to be written where what stood in their way is gone. Gives how many.
    pub(crate) async fn try_again(&self, spine: &Spine) -> Result<usize, Error> {
        spool::try_again(spine).await
    }

    /// Writes answers that were given while the store was down, where no call of their tenant has done so yet.
    pub(crate) async fn write_overdue(&self, spine: &Spine) -> Result<(), Error> {
        for tenant in self.memory.answers.tenants() {
            // As it is now: nobody else may call for it.
            let Some(stored) = spine.read().await?.account().find_tenant(tenant).await? else { continue };
            let tenant = Arc::new(settings_of(spine, &stored)?);
            self.submit(spine, &tenant, Vec::new()).await?;
        }
        Ok(())
    }
}
