//! A tenant in which something happened: what the walks and the lists have to look at.

use models::account::Role;
use serde_json::{Value, json};

use super::app::{ACME, App};

/// A run with a step that counts and one that a rule refused, hence an incident; a limit; the keys to look at it.
pub(crate) struct Scene {
    pub(crate) agent: String,
    pub(crate) admin: String,
    pub(crate) rule_id: String,
    pub(crate) limit_id: String,
    pub(crate) run_id: String,
    pub(crate) incident_id: String,
    pub(crate) audit_id: String,
    pub(crate) llm_run_id: String,
    pub(crate) system_id: String,
    /// One that waits, and one that was cancelled.
    pub(crate) job_id: String,
    pub(crate) cancelled_job_id: String,
    /// A key that nobody uses.
    pub(crate) spare_key_id: String,
}

pub(crate) const ACTIVITY: &str = "/api/v1/runtime/activity";
pub(crate) const POLICIES: &str = "/api/v1/runtime/policies";
pub(crate) const INCIDENTS: &str = "/api/v1/runtime/incidents";
pub(crate) const JOBS: &str = "/api/v1/runtime/jobs";
pub(crate) const LOGS: &str = "/api/v1/runtime/logs";
pub(crate) const OVERVIEW: &str = "/api/v1/runtime/overview";
pub(crate) const ACCOUNT: &str = "/api/v1/account";

impl Scene {
    pub(crate) async fn set(app: &App) -> Self {
        let agent = app.key(Role::Agent).await;
        let admin = app.key(Role::Admin).await;
        let rule = app.post(format!("{POLICIES}/rules")).key(&admin).json(&costly()).send().await.expect(201);
        let limit =
            app.post(format!("{POLICIES}/limits")).key(&admin).json(&budget()).send().await.expect(201);
        let run_id = start(app, &agent).await;
        app.post(format!("{ACTIVITY}/runs/{run_id}/steps"))
            .key(&agent)
            .json(&llm_step("0.12"))
            .send()
            .await
            .expect(200);
        let halted = app
            .post(format!("{ACTIVITY}/runs/{run_id}/steps"))
            .key(&agent)
            .json(&llm_step("0.75"))
            .send()
            .await;
        assert_eq!(halted.problem(403), "step_halted");
        let incidents = app.get(format!("{INCIDENTS}/by-run/{run_id}")).key(&admin).send().await.expect(200);
        let audit = app.get(format!("{LOGS}/audit")).key(&admin).send().await.expect(200);
        let llm_runs =
            app.get(format!("{LOGS}/llm-runs?run_id={run_id}")).key(&admin).send().await.expect(200);
        let system = app.get(format!("{LOGS}/system")).key(&admin).send().await.expect(200);
        let spare =
            app.post(format!("{ACCOUNT}/keys")).key(&admin).json(&json!({"role": "viewer"})).send().await;
        let (job_id, cancelled_job_id) = (job(app, &admin).await, job(app, &admin).await);
        app.post(format!("{JOBS}/{cancelled_job_id}/cancel")).key(&admin).send().await.expect(200);
        Self {
            job_id,
            cancelled_job_id,
            rule_id: text(&rule["rule_id"]),
            limit_id: text(&limit["limit_id"]),
            incident_id: text(&incidents["items"][0]["incident_id"]),
            audit_id: text(&audit["items"][0]["id"]),
            llm_run_id: text(&llm_runs["items"][0]["id"]),
            system_id: text(&system["items"][0]["id"]),
            spare_key_id: text(&spare.expect(201)["key_id"]),
            agent,
            admin,
            run_id,
        }
    }

    /// Everything by which it could be recognised.
    pub(crate) fn ids(&self) -> [&str; 10] {
        let Self { rule_id, limit_id, run_id, incident_id, audit_id, llm_run_id, system_id, .. } = self;
        let Self { job_id, cancelled_job_id, spare_key_id, .. } = self;
        [
            rule_id,
            limit_id,
            run_id,
            incident_id,
            audit_id,
            llm_run_id,
            system_id,
            job_id,
            cancelled_job_id,
            spare_key_id,
        ]
        .map(String::as_str)
    }

    /// A key of that role, in the scene's tenant.
    pub(crate) async fn key(&self, app: &App, role: Role) -> String {
        match role {
            Role::Agent => self.agent.clone(),
            Role::Admin => self.admin.clone(),
            role => app.kit.token(ACME, role).await,
        }
    }
}

/// A job that is not due for long.
async fn job(app: &App, admin: &str) -> String {
    let body = json!({"kind": "log_check", "run_at": "2026-12-01T00:00:00Z"});
    text(&app.post(JOBS).key(admin).json(&body).send().await.expect(201)["job_id"])
}

/// A run of that agent.
pub(crate) async fn start(app: &App, agent: &str) -> String {
    let body = json!({"agent_id": "support-bot", "goal": "answer the mail"});
    text(&app.post(format!("{ACTIVITY}/runs")).key(agent).json(&body).send().await.expect(201)["run_id"])
}

/// A rule that refuses a step of more than half a dollar.
pub(crate) fn costly() -> Value {
    json!({
        "name": "no costly step",
        "enforcement_mode": "BLOCK",
        "condition": "context.step.cost_microusd > 500000",
    })
}

/// A budget of two dollars a day.
pub(crate) fn budget() -> Value {
    json!({"name": "daily", "limit_type": "COST_USD", "max_value": 2, "reset_period": "DAILY"})
}

/// A model call of that cost.
pub(crate) fn llm_step(cost_usd: &str) -> Value {
    json!({
        "kind": "LLM_CALL",
        "skill_name": "chat",
        "status": "SUCCESS",
        "params": {"temperature": 1, "seed": 12_345_678_901_234_567_890_u64},
        "llm": {
            "provider": "openai", "model": "gpt-4o", "input_tokens": 1200, "output_tokens": 300,
            "cost_usd": cost_usd, "prompt": "Where is my parcel?", "response": "On its way.",
        },
        "duration_ms": 840,
    })
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}
