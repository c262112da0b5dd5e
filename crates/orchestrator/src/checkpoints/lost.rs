//! Whether a store is behind its outside checkpoints: an older backup was restored. It is read, and not written, until
//! somebody accepts what that lost.

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

/// Looks what a store lost that fell back a moment ago, so that it stands outside before anybody is told how it can be
/// accepted: who does so looks there. Once it was looked, that is done each second in the background.
pub(crate) async fn look_into_fall(spine: &Spine) {
    if !spine.is_fall_new() {
        return;
    }
    if let Err(err) = hold_back_if_lost(spine, Depth::Recent).await {
        tracing::warn!(error = &err as &dyn std::error::Error, "what the store lost could not be looked at");
    }
}

/// Compares every log with what any sink keeps of it, and with what this process saw. Where one is behind, nothing is
/// written from now on; where none is any more, all is as ever.
pub async fn hold_back_if_lost(spine: &Spine, depth: Depth) -> Result<Vec<Lost>, Error> {
    match spine.db().compare_logs().await {
        Ok(()) | Err(StoreError::ReadOnly(_)) => {}
        Err(err) => return Err(err.into()),
    }
    for seen in spine.db().fallen() {
        if let Some(tenant) = spine.read().await?.account().find_tenant(seen.tenant).await? {
            match seen::keep_seen(spine, &tenant.slug, &seen).await {
                // Nothing can be signed for, which was told; that the store is behind holds all the same.
                Ok(()) | Err(Error::OtherSigningKey(_)) => {}
                Err(err) => return Err(err),
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
    let held = held.map(|[why, in_short]| HeldBack { why: why + &kept_where(spine), in_short });
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
            kept.push((tenant.clone(), *log, outside(spine, &tenant.slug, *log, depth).await));
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
