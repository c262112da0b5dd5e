//! Whether a store is behind its outside checkpoints: an older backup was restored. It is read, and not written, until
//! somebody accepts what that lost.

use chrono::TimeDelta;
use drivers::StoreError;
use models::account::Tenant;
use proof::words::LogName;

use super::{outside::outside, seen};
use crate::{
    errors::Error,
    ports::Depth,
    spine::{HeldBack, Spine},
};

/// A log that does not go on from the newest checkpoint that was kept outside the store.
#[derive(Clone, Debug, PartialEq)]
pub struct Lost {
    /// Whose log.
    pub tenant: Tenant,
    /// Which of the two.
    pub log: LogName,
    /// How many leaves the store has.
    pub size: u64,
    /// How many the checkpoint says there were.
    pub was: u64,
    /// The epoch of the checkpoint.
    pub(crate) epoch: u64,
    pub(crate) note: String,
    /// Where something is kept of it that nobody can read. How many leaves there were is not known then.
    pub(crate) unreadable: Option<String>,
}

impl Lost {
    /// What is wrong with the log, in words.
    #[must_use]
    pub fn told(&self) -> String {
        let Self { tenant, log, size, was, .. } = self;
        let slug = &tenant.slug;
        if let Some(place) = &self.unreadable {
            format!(
                "what is kept of the {log} log of `{slug}` in {place} cannot be read, so that nobody can tell whether \
                 rows are gone: put a copy in its place, or remove the files of this log there to do without"
            )
        } else if size < was {
            format!(
                "the {log} log of `{slug}` has {size} leaves, and had {was} when it was last signed outside"
            )
        } else {
            format!(
                "the {log} log of `{slug}` is not the one that was signed outside when it had {was} leaves"
            )
        }
    }

    /// The same for whoever asks: without whose log it is, how long it is, and where something is kept of it.
    const fn in_short(&self) -> &'static str {
        if self.unreadable.is_some() {
            "what is kept of a log outside of it cannot be read"
        } else {
            "a log is not as it was when it was last signed outside"
        }
    }
}

/// What is said of a fall that nobody could look into yet: to accept it now would be to accept what stands nowhere.
const NOT_LOOKED_INTO: &str = "this store fell back under the server, which could not look yet what is lost. It is read and not \
    written; ask again";

/// What is added where what is lost could not be written down.
const NOT_KEPT: &str = ". What is lost could not be written down outside the store: see that checkpoints can be kept before it is accepted";

/// How long nobody looks again whose look has failed: it reads what is kept of the logs of all tenants.
const REST: TimeDelta = TimeDelta::seconds(1);

/// Looks what a store lost that fell back a moment ago, so that it stands outside before anybody is told how it can be
/// accepted: who does so looks there. Once it was looked, that is done each second in the background. One looks at a
/// time, and the others go by what he found; gives what is to be said where nothing could be.
pub(crate) async fn look_into_fall(spine: &Spine) -> Option<&'static str> {
    if !spine.is_fall_new() {
        return None;
    }
    let mut failed = spine.fall_look().lock().await;
    if !spine.is_fall_new() {
        return None;
    }
    if failed.is_none_or(|at| spine.elapsed() - at >= REST) {
        match hold_back_if_lost(spine, Depth::Recent).await {
            Ok(_) => return None,
            Err(err) => {
                tracing::warn!(
                    error = &err as &dyn std::error::Error,
                    "what the store lost could not be looked at"
                );
            }
        }
        *failed = Some(spine.elapsed());
    }
    // Where no log is known to have lost something, there is nothing to be written down.
    (!spine.db().fallen().is_empty()).then_some(NOT_LOOKED_INTO)
}

/// Compares every log with what any sink keeps of it, and with what this process saw. Where one is behind, nothing is
/// written from now on; where none is any more, all is as ever.
pub async fn hold_back_if_lost(spine: &Spine, depth: Depth) -> Result<Vec<Lost>, Error> {
    match spine.db().compare_logs().await {
        Ok(()) | Err(StoreError::ReadOnly(_)) => {}
        Err(err) => return Err(err.into()),
    }
    let mut is_kept = true;
    for seen in spine.db().fallen() {
        if let Some(tenant) = spine.read().await?.account().find_tenant(seen.tenant).await? {
            match seen::keep_seen(spine, &tenant.slug, &seen).await {
                // Nothing can be signed for, which was told; that the store is behind holds all the same.
                Err(Error::OtherSigningKey(_)) => {}
                kept => is_kept &= kept?,
            }
        }
    }
    let lost = lost(spine, depth).await?;
    let older = |what: &str| {
        format!(
            "this store is an older backup, or rows of it are gone: {what}. It is read and not written; restore a newer \
             backup, or accept the loss with `hoc doctor --accept-restore`"
        )
    };
    let held = lost.first().map(|first| [older(&first.told()), older(first.in_short())]);
    let held = held.or_else(|| Some([spine.db().fell_back()?, spine.db().fell_back_in_short()?]));
    let unkept = if is_kept { "" } else { NOT_KEPT };
    let held = held.map(|[why, in_short]| HeldBack {
        why: why + &kept_where(spine) + unkept,
        in_short: in_short + unkept,
    });
    if spine.hold_back(held.clone()) {
        if let Some(HeldBack { why, .. }) = &held {
            tracing::error!(logs = lost.len(), "{why}");
        } else {
            tracing::info!("the store is written again");
        }
    }
    Ok(lost)
}

/// Where this process keeps what it has seen: other servers may keep theirs elsewhere, and have seen less.
fn kept_where(spine: &Spine) -> String {
    let places: Vec<String> = spine.sinks().iter().map(|sink| sink.place()).collect();
    if places.is_empty() {
        return String::new();
    }
    format!(". What this server has seen of the logs is kept in {}", places.join(" and "))
}

/// The logs that do not go on from what is kept of them outside.
pub(crate) async fn lost(spine: &Spine, depth: Depth) -> Result<Vec<Lost>, Error> {
    if spine.sinks().is_empty() {
        return Ok(Vec::new());
    }
    let mut kept = Vec::new();
    for tenant in spine.read().await?.account().list_tenants().await? {
        for log in LogName::ALL {
            let outside = outside(spine, tenant.id, &tenant.slug, *log, depth).await;
            kept.push((tenant.clone(), *log, outside));
        }
    }
    let (mut lost, store) = (Vec::new(), spine.read().await?);
    for (tenant, log, outside) in kept {
        // Of several, the one that knows most speaks.
        let behind = outside.not_led_to(&store, tenant.id, log).await?.last().copied().cloned();
        if behind.is_none() && outside.unreadable.is_none() {
            continue;
        }
        let head = store.ledger().head(tenant.id, log).await?;
        let size = head.map_or(0, |head| head.frontier.size());
        lost.push(if let Some((kept, note)) = behind {
            let (was, epoch) = (kept.size, kept.origin.epoch);
            Lost { tenant, log, size, was, epoch, note, unreadable: None }
        } else {
            let unreadable = outside.unreadable;
            Lost { tenant, log, size, was: 0, epoch: 0, note: String::new(), unreadable }
        });
    }
    Ok(lost)
}
