//! The bytes of a request, span by span.

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest, resource::v1::Resource, trace::v1::Span,
};
use orchestrator::ports::Unreadable;
use prost::Message as _;
use serde::Deserialize;
use serde_json::value::RawValue;

/// What is told of each resource, with its spans.
pub(super) type OnResource<'f> =
    &'f mut dyn FnMut(Option<Resource>, &mut dyn Iterator<Item = Result<Span, String>>);

/// Protobuf stands or falls as a whole: what does not parse has no known end.
pub(super) fn protobuf(body: &[u8], on_resource: OnResource<'_>) -> Result<(), Unreadable> {
    let request = ExportTraceServiceRequest::decode(body)
        .map_err(|err| Unreadable(format!("it is no ExportTraceServiceRequest: {err}")))?;
    for resource in request.resource_spans {
        let spans = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
        on_resource(resource.resource, &mut spans.map(Ok));
    }
    Ok(())
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow, default, alias = "resource_spans", rename = "resourceSpans")]
    resource_spans: Option<Vec<ResourceSpans<'a>>>,
}

#[derive(Deserialize)]
struct ResourceSpans<'a> {
    #[serde(borrow, default)]
    resource: Option<&'a RawValue>,
    #[serde(borrow, default, alias = "scope_spans", rename = "scopeSpans")]
    scope_spans: Option<Vec<ScopeSpans<'a>>>,
}

#[derive(Deserialize)]
struct ScopeSpans<'a> {
    #[serde(borrow, default)]
    spans: Option<Vec<&'a RawValue>>,
}

/// JSON is read in two passes: where the spans are, then each by itself.
pub(super) fn json(body: &[u8], on_resource: OnResource<'_>) -> Result<(), Unreadable> {
    let unreadable = |why: &dyn std::fmt::Display| {
        Unreadable(format!("it is no ExportTraceServiceRequest in JSON: {why}"))
    };
    // To serde a list is a structure too.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(unreadable(&"an object is expected"));
    }
    let request: Request<'_> = serde_json::from_slice(body).map_err(|err| unreadable(&err))?;
    for resource in request.resource_spans.unwrap_or_default() {
        // What an exporter says of itself is worth less than its spans.
        let about = resource.resource.and_then(|raw| serde_json::from_str(raw.get()).ok());
        let spans = resource.scope_spans.unwrap_or_default().into_iter();
        let spans = spans.flat_map(|scope| scope.spans.unwrap_or_default());
        let read = |raw: &RawValue| {
            serde_json::from_str(raw.get()).map_err(|err| format!("a span cannot be read: {err}"))
        };
        on_resource(about, &mut spans.map(read));
    }
    Ok(())
}
