//! Who exported the spans: the resource they came with.

use orchestrator::ports::SpanSource;
use serde_json::json;

use super::{
    value::{named, object_of},
    wire::{Any, Attribute},
};

/// The agent of spans that say nothing of where they come from, as OpenTelemetry names it.
const UNKNOWN: &str = "unknown_service";

/// The resource as the run's agent, project and environment.
pub(super) fn source(attributes: &[Attribute<'_>]) -> SpanSource {
    // Of several names the first that says something; a name may be a number, or what else can be told in a word.
    let said = |one: &Attribute<'_>| match one.value.as_ref()? {
        Any::Int(number) => Some(number.to_string()),
        Any::Bool(value) => Some(value.to_string()),
        other => named(other).map(str::to_owned),
    };
    let of = |key: &str| attributes.iter().filter(|one| one.key == key).find_map(said);
    let first = |keys: &[&str]| keys.iter().find_map(|key| of(key));
    let environment = json!({
        "sdk": first(&["telemetry.sdk.name"]),
        "version": first(&["telemetry.sdk.version"]),
        "environment": first(&["deployment.environment.name", "deployment.environment"]),
        "telemetry": "otlp",
        "resource": object_of(attributes),
    });
    SpanSource {
        agent_id: first(&["hoc.agent_id", "service.name"]).unwrap_or_else(|| UNKNOWN.to_owned()),
        project_id: first(&["hoc.project_id", "openinference.project.name"]),
        environment: Some(environment.to_string()),
        ..SpanSource::default()
    }
}
