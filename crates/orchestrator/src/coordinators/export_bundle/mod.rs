//! The signed run evidence bundle: everything that a stranger needs to check a run with a public key alone.
//!
//! A bundle is a stream, of a run of any length: what its caller may be refused for is refused before its first byte,
//! and no more of the run is held than what is told next. What stands in segments is told as it is stored.

mod head;
mod live;
mod segments;
mod stream;
mod teller;
mod telling;

use models::ids::{RunId, TenantId};
use tracing::Instrument as _;

pub use self::stream::BundleStream;
use self::{head::Head, teller::Teller, telling::tell_all};
use crate::{context::CallContext, errors::Error, handlers::activity, spine::Spine};

/// `activity.bundle`: the run's bundle, as of checkpoints signed now. JSON, ready to be kept. What of the run cannot be
/// read is named in it, and is an incident; the rest is there.
#[tracing::instrument(name = "activity.bundle", skip_all, fields(tenant = %ctx.tenant.id, run = %id))]
pub async fn stream(spine: &Spine, ctx: &CallContext, id: RunId) -> Result<BundleStream, Error> {
    activity::get(spine, ctx, id).await?;
    let place = spine.told_run(ctx.tenant.id)?;
    let bundle = begun(spine, ctx.tenant.id, &ctx.tenant.slug, id).await?;
    // However long its caller takes for it.
    Ok(bundle.with(place))
}

/// The same in one piece, for who has the memory for that.
pub async fn bundle(spine: &Spine, ctx: &CallContext, id: RunId) -> Result<Vec<u8>, Error> {
    stream(spine, ctx, id).await?.whole().await
}

/// The bundle of a run, for who needs no credential: the command line, on the store itself.
pub async fn of_run(spine: &Spine, tenant: TenantId, slug: &str, id: RunId) -> Result<BundleStream, Error> {
    begun(spine, tenant, slug, id).await
}

async fn begun(spine: &Spine, tenant: TenantId, slug: &str, id: RunId) -> Result<BundleStream, Error> {
    let head = Box::pin(Head::read(spine, tenant, slug, id)).await?;
    let spine = spine.clone();
    Ok(BundleStream::of(|out| {
        let span = tracing::Span::current();
        async move { Box::pin(tell_all(&Teller { spine: &spine, tenant, run: id, out: &out }, head)).await }
            .instrument(span)
    }))
}
