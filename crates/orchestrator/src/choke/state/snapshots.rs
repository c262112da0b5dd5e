//! The policies that runs are bound to: found by content, compiled once, shared.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, Utc};
use drivers::{StoreError, Tx};
use engines::incidents::Mismatch;
use models::{
    account::Tenant,
    ids::{LimitId, SnapshotId, TenantId},
    policies::Snapshot,
};
use proof::{
    definitions::{LimitDefinition, SnapshotDefinition},
    hash::Hash,
};
use rules::{
    CompiledSnapshot,
    calendar::Calendar,
    limits::{Window, window},
    zone::Zone,
};

use super::recent::Recent;
use crate::{
    consequences::found::{Found, mismatched_definitions},
    context::TenantSettings,
    spine::Spine,
};

/// About how many bytes a compiled snapshot has for each byte of its definition, and beside those.
const COMPILED: usize = 16;
const REST: usize = 4 << 10;

/// The window that a limit counts in.
pub(in crate::choke) struct LimitWindow {
    /// None where the stored id is no id; then nothing can be counted.
    pub(in crate::choke) id: Option<LimitId>,
    pub(in crate::choke) window: Window,
    /// As it stands in keys and records.
    pub(in crate::choke) start: String,
}

/// One for each limit of a snapshot.
pub(in crate::choke) type Windows = Arc<[LimitWindow]>;

impl LimitWindow {
    fn at(limit: &LimitDefinition, now: DateTime<Utc>, calendar: Calendar) -> Self {
        let window = window(limit, now, calendar);
        Self { id: limit.limit_id.parse().ok(), window, start: window.start_text() }
    }
}

/// A snapshot, ready to judge.
pub(crate) struct BoundSnapshot {
    pub(crate) id: SnapshotId,
    pub(crate) digest: Hash,
    pub(crate) compiled: CompiledSnapshot,
    /// The zone by which `context.time` tells. Budgets reset by the tenant's calendar, the same for all its runs.
    pub(crate) zone: Zone,
    /// Rules and limits whose stored definition did not match its integrity row when the snapshot was made, or
    /// is loaded: each counts as failed (fail closed).
    pub(crate) tampered: BTreeSet<String>,
    /// About how many bytes it holds.
    weight: usize,
    /// The windows of its limits, as they were asked for last.
    windows: Mutex<Option<(DateTime<Utc>, Calendar, Windows)>>,
}

impl BoundSnapshot {
    /// The window that each limit counts in at `now`, in the order of the limits. A group asks many times at one time.
    pub(in crate::choke) fn windows(&self, now: DateTime<Utc>, calendar: Calendar) -> Windows {
        let mut known = lock(&self.windows);
        if let Some((at, by, windows)) = &*known
            && (*at, *by) == (now, calendar)
        {
            return Arc::clone(windows);
        }
        let limits = self.compiled.limits().iter();
        let windows: Windows = limits.map(|limit| LimitWindow::at(limit, now, calendar)).collect();
        *known = Some((now, calendar, Arc::clone(&windows)));
        windows
    }
}

/// The compiled snapshots of this replica.
pub(crate) struct Snapshots {
    by_id: Mutex<Recent<SnapshotId, Arc<BoundSnapshot>>>,
    /// What a run that starts now is bound to, for as long as the tenant's policy generation stays.
    current: Mutex<HashMap<TenantId, (u64, Arc<BoundSnapshot>)>>,
    /// What each tenant had compiled last, stored or not: for its rules.
    latest: Mutex<HashMap<TenantId, Arc<BoundSnapshot>>>,
    /// Definitions that do not match, for which an incident is to be opened.
    untold: Mutex<HashMap<TenantId, Vec<Found>>>,
}

impl Snapshots {
    /// None yet. Those that are not the newest of their tenant may be so many bytes; whoever still runs on one that is
    /// forgotten reads it again.
    pub(in crate::choke) fn within(most: usize) -> Self {
        Self {
            by_id: Mutex::new(Recent::within(most)),
            current: Mutex::default(),
            latest: Mutex::default(),
            untold: Mutex::default(),
        }
    }

    /// The snapshot that the tenant's policies make now. The generation is read in the caller's transaction, so
    /// a run that starts after a rule was answered with 201 has it, on any replica.
    pub(in crate::choke) async fn current(
        &self,
        spine: &Spine,
        tx: &Tx,
        tenant: &TenantSettings,
    ) -> Result<Arc<BoundSnapshot>, StoreError> {
        let generation = tx.account().policy_generation(tenant.id).await?;
        if let Some((of, snapshot)) = lock(&self.current).get(&tenant.id)
            && *of == generation
        {
            return Ok(Arc::clone(snapshot));
        }
        // As the store has it: what came with the caller's credential may be older than this generation.
        let stored = tx.account().find_tenant(tenant.id).await?;
        let (definition, tampered) = in_force(tx, tenant, stored.as_ref()).await?;
        let digest = definition.digest();
        let tampered = self.tell(tenant.id, tampered);
        if let Some(stored) = tx.policies().find_snapshot_by_digest(tenant.id, digest).await? {
            let bound = self.bind(tenant.id, &stored, &definition, tampered);
            lock(&self.current).insert(tenant.id, (generation, Arc::clone(&bound)));
            self.remember(tenant.id, &bound);
            return Ok(bound);
        }
        // Should this transaction roll back, the new row goes with it: so it is remembered when it is met again.
        let stored = store(spine, tx, tenant.id, generation, digest, &definition).await?;
        Ok(self.bind(tenant.id, &stored, &definition, tampered))
    }

    /// The compiled snapshots of these ids, read where this replica has not met them.
    pub(in crate::choke) async fn of(
        &self,
        tx: &Tx,
        tenant: &TenantSettings,
        ids: &BTreeSet<SnapshotId>,
    ) -> Result<HashMap<SnapshotId, Arc<BoundSnapshot>>, StoreError> {
        let mut found: HashMap<_, _> = {
            let mut known = lock(&self.by_id);
            ids.iter().filter_map(|id| Some((*id, Arc::clone(known.get(tenant.id, *id)?)))).collect()
        };
        let unknown: Vec<SnapshotId> = ids.iter().copied().filter(|id| !found.contains_key(id)).collect();
        if unknown.is_empty() {
            return Ok(found);
        }
        for stored in tx.policies().find_snapshots(tenant.id, &unknown).await? {
            let corrupt = |why: String| StoreError::Corrupt {
                table: "policy_snapshots",
                row: stored.id.to_string(),
                why,
            };
            let definition: SnapshotDefinition =
                serde_json::from_str(&stored.definition).map_err(|err| corrupt(err.to_string()))?;
            // A snapshot that does not match its address counts as failed in every part of it.
            let tampered = if definition.digest() == stored.digest {
                BTreeSet::new()
            } else {
                self.tell(tenant.id, vec![unlike_its_address(stored.id)]);
                names(&definition)
            };
            let bound = self.bind(tenant.id, &stored, &definition, tampered);
            self.remember(tenant.id, &bound);
            found.insert(stored.id, bound);
        }
        Ok(found)
    }

    /// Compiles a snapshot, taking over the rules that it shares with the one before.
    fn bind(
        &self,
        tenant: TenantId,
        stored: &Snapshot,
        definition: &SnapshotDefinition,
        tampered: BTreeSet<String>,
    ) -> Arc<BoundSnapshot> {
        let before = lock(&self.latest).get(&tenant).cloned();
        let bound = Arc::new(BoundSnapshot {
            id: stored.id,
            digest: stored.digest,
            compiled: CompiledSnapshot::compile_from(
                definition,
                before.as_ref().map(|before| &before.compiled),
            ),
            zone: Zone::parse(&definition.time_zone).unwrap_or(Zone::UTC),
            tampered,
            weight: REST + stored.definition.len() * COMPILED,
            windows: Mutex::default(),
        });
        lock(&self.latest).insert(tenant, Arc::clone(&bound));
        bound
    }

    /// Keeps what is to be told of when the unit of work is over; gives the ids of the policies.
    fn tell(&self, tenant: TenantId, found: Vec<Mismatch>) -> BTreeSet<String> {
        let ids = found.iter().filter_map(|mismatch| mismatch.policy_id.clone()).collect();
        if !found.is_empty() {
            lock(&self.untold).entry(tenant).or_default().extend(found.into_iter().map(|of| (None, of)));
        }
        ids
    }

    /// What was found of a tenant's definitions and not told of yet.
    pub(in crate::choke) fn untold(&self, tenant: TenantId) -> Vec<Found> {
        lock(&self.untold).remove(&tenant).unwrap_or_default()
    }

    /// Keeps what could not be told, to be told of with the next group.
    pub(in crate::choke) fn still_untold(&self, tenant: TenantId, found: Vec<Found>) {
        let mut untold = lock(&self.untold);
        let of_tenant = untold.entry(tenant).or_default();
        // Met again meanwhile, or again with each group that fails: once is enough.
        for of in found {
            if !of_tenant.contains(&of) {
                of_tenant.push(of);
            }
        }
    }

    /// Forgets what a run of the tenant would be bound to: its generation may come again, of other policies.
    pub(in crate::choke) fn forget_current(&self, tenant: TenantId) {
        lock(&self.current).remove(&tenant);
    }

    fn remember(&self, tenant: TenantId, bound: &Arc<BoundSnapshot>) {
        lock(&self.by_id).keep(tenant, bound.id, Arc::clone(bound), bound.weight);
    }
}

/// The tenant's active definitions; those that do not match their integrity row are named.
async fn in_force(
    tx: &Tx,
    tenant: &TenantSettings,
    stored: Option<&Tenant>,
) -> Result<(SnapshotDefinition, Vec<Mismatch>), StoreError> {
    let (rules, limits) = tx.policies().active_definitions(tenant.id).await?;
    let tampered = mismatched_definitions(&rules, &limits);
    let definition = SnapshotDefinition {
        rules: rules.into_iter().map(|(rule, _)| rule).collect(),
        limits: limits.into_iter().map(|(limit, _)| limit).collect(),
        time_zone: stored.map_or(&tenant.time_zone, |stored| &stored.time_zone).clone(),
        block_unknown_cost: stored.map_or(tenant.block_unknown_cost, |stored| stored.block_unknown_cost),
    };
    Ok((definition, tampered))
}

async fn store(
    spine: &Spine,
    tx: &Tx,
    tenant: TenantId,
    generation: u64,
    digest: Hash,
    definition: &SnapshotDefinition,
) -> Result<Snapshot, StoreError> {
    let now = spine.now();
    let id: SnapshotId = spine.id(now);
    let snapshot = Snapshot {
        tenant,
        id,
        digest,
        generation,
        definition: proof::canonical::to_text(definition),
        created_at: now,
    };
    tx.policies().insert_snapshot(&snapshot).await?;
    Ok(snapshot)
}

fn unlike_its_address(id: SnapshotId) -> Mismatch {
    Mismatch {
        table: "policy_snapshots",
        row: id.to_string(),
        log: "its digest",
        why: "the definition does not match the digest that runs are bound to".to_owned(),
        policy_id: None,
        part_of: None,
    }
}

fn names(definition: &SnapshotDefinition) -> BTreeSet<String> {
    let rules = definition.rules.iter().map(|rule| rule.rule_id.clone());
    rules.chain(definition.limits.iter().map(|limit| limit.limit_id.clone())).collect()
}

fn lock<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
