//! Answers to calls with an idempotency key, kept in the store, in the transaction of the write that they answer.
//!
//! A write claims its key before anything else, and leaves its answer at the end. A second call with the same key waits
//! for that transaction. If it commits, the second call finds the answer; if it fails, the second call is the first. So
//! a failed write frees its key by itself.

use chrono::{DateTime, Utc};
use entities::account::idempotency_keys;
use models::{
    account::KeptAnswer,
    ids::{KeyId, TenantId},
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryTrait as _, Value};

use super::Known;
use crate::{
    StoreError, bulk,
    driver::{driver, of_tenant},
    keys, read,
    rows::rows,
};

driver! {
    /// Reads of kept answers.
    read IdempotencyReads;
    /// Reads and writes of kept answers.
    write IdempotencyStore;
}

of_tenant!(idempotency_keys);

rows! {
    KeptAnswer, idempotency_keys, key(idempotency_key), fn answer_row(kept), fn kept_answer,
    same { key_id, idempotency_key, operation, request_hash, answer, answer_hash, created_at, expires_at }
    renamed { tenant => tenant_id } extra {}
}

impl IdempotencyReads<'_> {
    /// What is kept of the calls that these credentials made with these keys: at `now`, or all of it where there is
    /// none.
    pub async fn find_answers(
        self,
        tenant: TenantId,
        calls: &[(KeyId, String)],
        now: Option<DateTime<Utc>>,
    ) -> Result<Vec<KeptAnswer>, StoreError> {
        use idempotency_keys::Column as C;
        let mut calls: Vec<&(KeyId, String)> = calls.iter().collect();
        calls.sort();
        calls.dedup();
        let keys: Vec<[Value; 2]> =
            calls.into_iter().map(|(id, key)| [Value::from(id.0), Value::from(key.as_str())]).collect();
        let mut kept = of(tenant);
        if let Some(now) = now {
            kept = kept.filter(C::ExpiresAt.gt(now));
        }
        let rows = read::by_keys(self.conn, kept, [C::KeyId, C::IdempotencyKey], keys).await?;
        rows.into_iter().map(kept_answer).collect()
    }
}

impl IdempotencyStore<'_> {
    /// Claims the key of `call`, which has no answer yet; or says what is known of the call that has claimed the key
    /// before. An answer that is no longer kept at `now` counts as not there. Without a `now`, every answer counts.
    pub async fn check(self, call: &KeptAnswer, now: Option<DateTime<Utc>>) -> Result<Known, StoreError> {
        if let Some(now) = now {
            self.delete_expired(call.tenant, now).await?;
        }
        if bulk::insert_missing::<idempotency_keys::Entity>(self.conn, vec![answer_row(call)?]).await? == 1 {
            return Ok(Known::New);
        }
        let place = [(call.key_id, call.idempotency_key.clone())];
        match self.find_answers(call.tenant, &place, now).await?.pop() {
            Some(kept) if !kept.is_of(call) => Ok(Known::Conflict),
            Some(KeptAnswer { answer: Some(answer), .. }) => Ok(Known::Duplicate(answer)),
            // It was there a moment ago: whoever had it is rolled back, or it has just expired. The next try claims it.
            _ => Err(StoreError::Conflict("idempotency_keys".into())),
        }
    }

    /// Leaves the answer of a call that has claimed its key.
    pub async fn mark_completed(self, call: &KeptAnswer, answer: Vec<u8>) -> Result<(), StoreError> {
        use idempotency_keys::Column as C;
        let answered = call.clone().answered(answer);
        bulk::update::<idempotency_keys::Entity>(
            self.conn,
            vec![answer_row(&answered)?],
            &[C::Answer, C::AnswerHash],
        )
        .await
    }

    /// Keeps answers of calls whose keys nobody has. A key that somebody has taken meanwhile is a conflict.
    pub async fn insert_answers(self, answers: &[KeptAnswer]) -> Result<(), StoreError> {
        bulk::insert::<idempotency_keys::Entity>(self.conn, keys::rows(answers, answer_row)?).await
    }

    /// Deletes what a tenant does not keep any more at `now`.
    pub async fn delete_expired(self, tenant: TenantId, now: DateTime<Utc>) -> Result<(), StoreError> {
        let expired = idempotency_keys::Entity::delete_many()
            .filter(idempotency_keys::Column::TenantId.eq(tenant.0))
            .filter(idempotency_keys::Column::ExpiresAt.lte(now));
        self.conn.execute(expired.build(self.conn.backend())).await.map(drop)
    }
}
