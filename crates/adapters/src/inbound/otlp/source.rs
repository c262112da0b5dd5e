//! Who exported the spans: the resource they came with.

use opentelemetry_proto::tonic::{common::v1::AnyValue, resource::v1::Resource};
use orchestrator::ports::SpanSource;
use serde_json::json;

use super::value::{Members, any_nul, text};

/// The agent of spans that say nothing of where they come from, as OpenTelemetry names it.
const UNKNOWN: &str = "unknown_service";

/// The resource as the run's agent, project and environment.
pub(super) fn source(resource: Option<Resource>) -> SpanSource {
    let attributes = resource.map(|resource| resource.attributes).unwrap_or_default();
    if any_nul(&attributes) {
        return SpanSource { agent_id: UNKNOWN.to_owned(), ..SpanSource::default() };
    }
    let value = |key: &str| -> Option<&AnyValue> {
        attributes.iter().find(|one| one.key == key).and_then(|one| one.value.as_ref())
    };
    let first =
        |keys: &[&str]| keys.iter().find_map(|key| text(value(key)?)).filter(|text| !text.trim().is_empty());
    let environment = json!({
        "sdk": first(&["telemetry.sdk.name"]),
        "version": first(&["telemetry.sdk.version"]),
        "environment": first(&["deployment.environment.name", "deployment.environment"]),
        "telemetry": "otlp",
        "resource": serde_json::to_value(Members(&attributes)).unwrap_or_default(),
    });
    SpanSource {
        agent_id: first(&["hoc.agent_id", "service.name"]).unwrap_or(UNKNOWN).to_owned(),
        project_id: first(&["hoc.project_id", "openinference.project.name"]).map(str::to_owned),
        environment: Some(environment.to_string()),
    }
}
