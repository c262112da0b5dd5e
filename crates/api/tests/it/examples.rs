//! One request for each operation, as it would be made in a scene: what the walks send.

use serde_json::{Value, json};

use super::{
    app::{App, Call},
    scene::{Scene, budget, costly, llm_step},
};
use axum::http::Method;

/// An operation of the OpenAPI document.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: Method,
    pub(crate) path: String,
    /// `x-roles`; none for what is public.
    pub(crate) roles: Vec<String>,
    pub(crate) has_body: bool,
    pub(crate) body_is_required: bool,
}

/// Every operation there is.
pub(crate) fn operations() -> Vec<Operation> {
    let document: Value = serde_json::to_value(api::openapi()).expect("a document");
    let paths = document["paths"].as_object().expect("paths");
    let mut all = Vec::new();
    for (path, item) in paths {
        for (method, operation) in item.as_object().expect("a path") {
            let Ok(method) = method.to_uppercase().parse::<Method>() else { continue };
            let roles = operation["x-roles"].as_array().cloned().unwrap_or_default();
            let body = &operation["requestBody"];
            all.push(Operation {
                id: operation["operationId"].as_str().expect("an operationId").to_owned(),
                method,
                path: path.clone(),
                roles: roles.iter().map(|role| role.as_str().expect("a role").to_owned()).collect(),
                has_body: !body.is_null(),
                body_is_required: body["required"] == true,
            });
        }
    }
    assert!(all.len() > 35, "the document has lost its operations");
    all
}

impl Operation {
    /// Its path, with the scene's ids.
    pub(crate) fn path_in(&self, scene: &Scene) -> String {
        let entity = match self.path.split('/').nth(5) {
            Some("rules") => &scene.rule_id,
            Some("limits") => &scene.limit_id,
            Some("llm-runs") => &scene.llm_run_id,
            Some("system") => &scene.system_id,
            _ if self.id == "jobs.requeue" => &scene.cancelled_job_id,
            _ if self.path.starts_with("/api/v1/runtime/jobs") => &scene.job_id,
            _ if self.path.starts_with("/api/v1/account/keys") => &scene.spare_key_id,
            _ => &scene.incident_id,
        };
        let path = self
            .path
            .replace("{run_id}", &scene.run_id)
            .replace("{entry_id}", &scene.audit_id)
            .replace("{log}", "audit")
            .replace("{id}", entity);
        assert!(!path.contains('{'), "{}: the walk knows no value for {path}", self.id);
        path + self.query()
    }

    /// The parameters without which it is 400.
    fn query(&self) -> &'static str {
        match self.id.as_str() {
            "logs.prove_consistency" => "?from=1",
            _ => "",
        }
    }

    /// Whether its body is JSON that is read as ours is. Spans are read as OTLP wants: tests/it/spans has their turn.
    pub(crate) fn takes_our_json(&self) -> bool {
        self.has_body && self.id != "activity.ingest"
    }

    /// A body that is taken.
    pub(crate) fn body(&self) -> Option<Value> {
        let body = match self.id.as_str() {
            "activity.start" => json!({"agent_id": "another-bot"}),
            "activity.permit" => json!({"kind": "TOOL_CALL", "skill_name": "search"}),
            "activity.record" => llm_step("0.01"),
            "activity.record_batch" => json!({"steps": [llm_step("0.01")]}),
            "activity.complete" => json!({"status": "SUCCEEDED"}),
            "activity.ingest" => one_span(),
            "activity.abort" | "activity.kill" | "jobs.cancel" | "jobs.requeue" => {
                json!({"reason": "no more"})
            }
            "jobs.create" => json!({"kind": "log_check"}),
            "policies.freeze" => json!({"agent_id": "another-bot", "reason": "it misbehaves"}),
            "policies.create_rule" => named(costly()),
            "policies.create_limit" => named(budget()),
            "policies.modify_rule" => json!({"precedence": 7}),
            "policies.update_limit" => json!({"max_value": 3}),
            "policies.retire_rule" => json!({"reason": "no longer needed"}),
            "policies.validate_rule" => json!({"condition": "context.step.retry_count > 3"}),
            "incidents.acknowledge" | "incidents.close" => json!({"note": "seen"}),
            "incidents.acknowledge_many" => {
                json!({"incident_ids": ["inc_019cadc69a8070008000000000000099"], "note": "seen"})
            }
            "incidents.resolve" => json!({"note": "done", "resolution_type": "fixed"}),
            "account.update_settings" => json!({"block_unknown_cost": true}),
            "account.create_key" => json!({"role": "viewer"}),
            id => {
                assert!(!self.has_body, "{id}: the walk knows no body for it");
                return None;
            }
        };
        Some(body)
    }

    /// The request, without a key.
    pub(crate) fn call<'a>(&self, app: &'a App, scene: &Scene) -> Call<'a> {
        let call = self.bare(app, scene);
        match self.body_in(scene) {
            Some(body) => call.json(&body),
            None => call,
        }
    }

    /// A body that is taken, with the scene's ids.
    pub(crate) fn body_in(&self, scene: &Scene) -> Option<Value> {
        match self.body()? {
            body if body["incident_ids"].is_array() => {
                Some(json!({"incident_ids": [scene.incident_id], "note": body["note"]}))
            }
            body => Some(body),
        }
    }

    /// The request, without a key and a body.
    pub(crate) fn bare<'a>(&self, app: &'a App, scene: &Scene) -> Call<'a> {
        let call = app.call(self.method.clone(), self.path_in(scene));
        let version = if self.id == "account.update_settings" { "\"0\"" } else { "\"1\"" };
        if self.method == Method::PATCH { call.header("if-match", version) } else { call }
    }
}

/// A trace of one span.
fn one_span() -> Value {
    let span = json!({"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "answer"});
    json!({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})
}

/// The same under another name: names are unique.
fn named(mut body: Value) -> Value {
    body["name"] = json!("another");
    body
}
