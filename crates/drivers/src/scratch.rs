//! scratch
use std::time::Instant;
use models::{ids::*, logs::entity::aos_trace_steps as steps};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, TransactionTrait};
use uuid::Uuid;
use crate::{ConnectConfig, Db, bulk};

fn model(i: i64) -> steps::Model {
    let at = chrono::DateTime::from_timestamp_micros(1_700_000_000_000_001).unwrap();
    let h = vec![1u8; 32];
    steps::Model {
        tenant_id: TenantId(Uuid::nil()), run_id: RunId(Uuid::nil()), trace_id: TraceId(Uuid::nil()), step_index: i, parent_step_index: None,
        kind: "LLM_CALL".into(), skill_name: "skill".into(), params: Some("{\"a\":\"bcdefghijklmnopqrstuvwxyz\"}".repeat(8)), status: "SUCCESS".into(), outcome_category: "SUCCESS".into(),
        outcome_code: None, outcome_data: Some("{}".into()), prompt: Some("p".repeat(200)), response: Some("r".repeat(300)), finish_reason: Some("stop".into()), provider: Some("openai".into()), model: Some("gpt".into()),
        input_tokens: 1, output_tokens: 2, cache_read_tokens: 3, reasoning_tokens: 4, cost_microusd: 5, cost_known: true, duration_ms: 6, retry_count: 0, started_at: Some(at), recorded_at: at,
        level: "INFO".into(), source: "external".into(), external_span_id: None, external_parent_span_id: None, idempotency_key: Some(format!("k{i}")), request_hash: Some(h.clone()), replay_behavior: None,
        input_hash: h.clone(), output_hash: h.clone(), permit_id: None, decision_id: Some(DecisionId(Uuid::nil())), pre_decision_hash: None, post_decision_hash: Some(h.clone()), activity_hash: Some(h.clone()), provider_hash: Some(h.clone()),
        run_after: "{\"cost\":1}".into(), determinism_hash: h.clone(), prev_hash: h.clone(), assurance: "ENFORCED".into(), step_hash: h,
    }
}

testkit::on_both! {
    async fn measure(db: TestDatabase) {
        let past = db.connection().await;
        let store = db.store();
        let config = ConnectConfig { test: true, ..ConnectConfig::new(db.url()) };
        let db = Db::connect(&config).await.expect("a store");
        let mut next = 0i64;
        for (lo, hi) in [(1i64, 4i64), (8, 40), (40, 64), (64,64), (500, 500)] {
            let rounds = 100i64;
            let (mut ours, mut theirs, mut rows) = (0, 0, 0);
            for round in 0..rounds {
                let n = lo + (round * 7919) % (hi - lo + 1);
                rows += n;
                let models: Vec<_> = (next..next + n).map(model).collect(); next += n;
                let tx = db.begin().await.unwrap();
                let t = Instant::now();
                bulk::insert::<steps::Entity>(&tx.conn, models).await.unwrap();
                ours += t.elapsed().as_micros();
                tx.commit().await.unwrap();
                let models: Vec<_> = (next..next + n).map(model).collect(); next += n;
                let tx = past.begin().await.unwrap();
                let t = Instant::now();
                steps::Entity::insert_many(models.into_iter().map(|m| m.into_active_model().reset_all())).exec_without_returning(&tx).await.unwrap();
                theirs += t.elapsed().as_micros();
                tx.commit().await.unwrap();
            }
            let per = |t: u128| t / rows as u128;
            println!("{store:?} {lo}..{hi}: per row ours {}us insert_many {}us; per call {} / {}", per(ours), per(theirs), ours / rounds as u128, theirs / rounds as u128);
        }
    }
}
