//! Spans that could not be recorded, told to people: exporters hide a partial success. What could not be written waits
//! for the next try, and what still waits when a server stops is told then.

use super::system_records::record_rejected;
use crate::{context::CallContext, ports::RejectedSpans, rejections::Rejected, spine::Spine};

/// Tells of what was rejected of a request, now or with what comes after it.
pub(crate) async fn tell(spine: &Spine, ctx: &CallContext, spans: &RejectedSpans) {
    if spans.count == 0 {
        return;
    }
    let rejected = Rejected {
        tenant: ctx.tenant.id,
        key: ctx.key,
        by: ctx.actor_id.clone(),
        correlation_id: Some(ctx.correlation_id.clone()),
        spans: spans.clone(),
        requests: 1,
    };
    let told = spine.rejections().note(rejected, spine.now());
    record(spine, told.into_iter().collect()).await;
}

/// Tells of what has waited long enough.
pub(crate) async fn flush(spine: &Spine) {
    record(spine, spine.rejections().due(spine.now())).await;
}

/// Tells of all that waits: a server stops, and nobody else knows of it.
pub(crate) async fn tell_rest(spine: &Spine) {
    record(spine, spine.rejections().rest()).await;
}

async fn record(spine: &Spine, told: Vec<Rejected>) {
    if told.is_empty() {
        return;
    }
    if let Err(err) = record_rejected(spine, &told).await {
        // What was sent is recorded or answered as rejected; that people are not told of it now fails nobody's request.
        // Where nobody knows whether it was written, it is rather told twice than not at all.
        tracing::warn!(
            error = &err as &dyn std::error::Error,
            "rejected spans could not be told in a system record; that is tried again"
        );
        spine.rejections().put_back(told, spine.now());
    }
}
