//! Looks in the store what was done, through any server, to what this one remembers: what governs the tenants of its
//! runs, the keys by which they are called, and which of the runs take no more steps.
//!
//! A few statements for all of them, in one unit of work, so that all is of one moment; none where no run is
//! remembered.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use models::{
    account::FailureMode,
    activity::Freeze,
    ids::{RunId, TenantId},
};

use crate::{
    context::TenantSettings, credentials::Credential, errors::Error, spine::Spine, tenants::settings_of,
};

/// Looks once.
pub(in crate::choke) async fn look(spine: &Spine) -> Result<(), Error> {
    let choke = spine.choke();
    let governs = &choke.memory.governs;
    let began = spine.elapsed();
    let running = choke.memory.running(spine.now() - spine.settings().outage_memory);
    if running.is_empty() {
        governs.forget(began);
        return Ok(());
    }
    let tenants: BTreeSet<TenantId> = running.iter().map(|(tenant, _)| *tenant).collect();
    let ids: Vec<TenantId> = tenants.iter().copied().collect();

    let store = spine.read_first().await?;
    let mut found: HashMap<TenantId, Arc<TenantSettings>> = HashMap::new();
    let mut moved: Vec<TenantId> = Vec::new();
    for tenant in store.account().find_tenants(&ids).await? {
        let before = governs.settings(tenant.id);
        let settings = match before {
            // The store fell back: there is nothing to learn from it.
            Some(before) if before.generation > tenant.policy_generation => continue,
            Some(before) if before.generation == tenant.policy_generation => before,
            _ => {
                // Whose key does not open is told at each of its calls, and is not looked at.
                let Ok(settings) = settings_of(spine, &tenant) else { continue };
                moved.push(tenant.id);
                Arc::new(settings)
            }
        };
        found.insert(tenant.id, settings);
    }
    let mut freezes: HashMap<TenantId, Vec<Arc<Freeze>>> =
        moved.iter().map(|tenant| (*tenant, Vec::new())).collect();
    if !moved.is_empty() {
        for freeze in store.activity().freezes_of_tenants(&moved).await? {
            freezes.entry(freeze.tenant).or_default().push(Arc::new(freeze));
        }
    }
    let older = spine.credentials().older(&found);
    let keys = if older.is_empty() { Vec::new() } else { store.account().find_keys(&older).await? };
    let going_on = going_on(running, &found);
    let stopped =
        if going_on.is_empty() { Vec::new() } else { store.activity().runs_that_stopped(&going_on).await? };
    drop(store);

    let keys = keys.into_iter().filter_map(|key| {
        let tenant = Arc::clone(found.get(&key.tenant)?);
        Some(Credential { key: Arc::new(key), tenant })
    });
    spine.credentials().renew(&older, keys.collect());
    choke.memory.looked((began, spine.elapsed()), &going_on, stopped);
    for settings in found.values() {
        choke.queue.learn(settings);
    }
    governs.looked((began, spine.elapsed() - began), &tenants, found, freezes);
    Ok(())
}

/// The runs of tenants that go on while the store is down. What is done to others' meanwhile makes no difference to
/// what passes: nothing does.
fn going_on(
    running: Vec<(TenantId, RunId)>,
    found: &HashMap<TenantId, Arc<TenantSettings>>,
) -> Vec<(TenantId, RunId)> {
    let goes_on = |tenant: &TenantId| {
        found.get(tenant).is_some_and(|settings| settings.failure_mode == FailureMode::Degrade)
    };
    running.into_iter().filter(|(tenant, _)| goes_on(tenant)).collect()
}
