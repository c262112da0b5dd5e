//! Tenants, keys, the installation and its signing keys.

use drivers::StoreError;
use models::account::{CaptureMode, Installation, SigningKey};

use crate::sample::{self, OTHER, TENANT, at, key, tenant};

testkit::on_both! {
    async fn a_tenant_comes_back_as_it_went(db: TestDatabase) {
        let db = sample::store(db).await;
        let tx = db.read().await.expect("read");
        assert_eq!(tx.account().find_tenant(TENANT).await.expect("found"), Some(tenant(TENANT)));
        assert_eq!(tx.account().find_tenant_by_slug(&tenant(OTHER).slug).await.expect("found"), Some(tenant(OTHER)));
        assert_eq!(tx.account().list_tenants().await.expect("all"), [tenant(TENANT), tenant(OTHER)]);
        assert_eq!(tx.account().find_tenant_by_slug("").await.expect("none"), None);
    }

    async fn settings_change_and_the_generation_goes_its_own_way(db: TestDatabase) {
        let db = sample::store(db).await;
        let tx = db.begin().await.expect("begin");
        assert_eq!(tx.account().bump_policy_generation(TENANT).await.expect("1"), 1);
        assert_eq!(tx.account().bump_policy_generation(TENANT).await.expect("2"), 2);
        let changed = models::account::Tenant { capture_mode: CaptureMode::Full, wrapped_key: vec![], ..tenant(TENANT) };
        tx.account().save_tenant(&changed).await.expect("saved");
        let stored = tx.account().find_tenant(TENANT).await.expect("found").expect("there");
        assert_eq!((stored.policy_generation, stored.capture_mode), (2, CaptureMode::Full));
        assert_eq!(tx.account().policy_generation(OTHER).await.expect("untouched"), 0);
        let gone = sample::tenant(models::ids::TenantId(sample::uuid(404)));
        assert!(matches!(tx.account().save_tenant(&gone).await, Err(StoreError::RowsAffected { actual: 0, .. })));
        assert!(tx.account().bump_policy_generation(gone.id).await.is_err());
    }

    async fn what_governs_a_tenant_goes_on_from_what_this_process_saw_of_it(db: TestDatabase) {
        let store = sample::store(db).await;
        let bump = async || {
            let tx = store.begin().await?;
            let generation = tx.account().bump_policy_generation(TENANT).await?;
            tx.commit().await.map(|()| generation)
        };
        let read = async || store.begin().await?.account().policy_generation(TENANT).await;
        assert_eq!((bump().await.expect("1"), bump().await.expect("2")), (1, 2));
        let undone = store.begin().await.expect("begin");
        assert_eq!(undone.account().bump_policy_generation(TENANT).await.expect("not committed"), 3);
        undone.rollback().await.expect("undone");
        assert_eq!(read().await.expect("what did not commit was not seen"), 2);

        // Another server, which has only read it: for a run that it refused, and for what it remembers.
        let (refused, remembers) = (sample::open(db).await, sample::open(db).await);
        let tx = refused.begin().await.expect("begin");
        assert_eq!(tx.account().policy_generation(TENANT).await.expect("read"), 2);
        tx.rollback().await.expect("refused");
        remembers.read().await.expect("read").account().find_tenants(&[TENANT]).await.expect("looked at");

        // As in a failover to a standby that lagged: a freeze is gone, and no log knows.
        db.tamper("UPDATE tenants SET policy_generation = 1").await.expect("set back");
        let before = read().await.expect_err("a run that starts would not be refused");
        assert!(matches!(&before, StoreError::ReadOnly(why) if why.contains("changed 2 times")), "{before}");
        bump().await.expect_err("nor is it written on as if nothing had been lost");
        for one in [&store, &refused, &remembers] {
            assert!(one.compare_logs().await.is_err() && one.fell_back().is_some());
        }
        assert!(sample::open(db).await.compare_logs().await.is_ok(), "who starts anew takes it as it is");

        // Somebody who starts anew goes on with what there is: that it was changed as often since makes it no other.
        db.tamper("UPDATE tenants SET policy_generation = 7").await.expect("changed by others");
        assert!(store.compare_logs().await.is_err() && store.fell_back().is_some());
        read().await.expect_err("until this one is started anew, too");
    }

    async fn a_key_is_found_by_its_id_alone_with_its_tenant(db: TestDatabase) {
        let db = sample::store(db).await;
        let tx = db.begin().await.expect("begin");
        let mine = models::account::ApiKey {
            scopes: vec!["a".into(), sample::ODD.into()],
            agents: Some(models::account::AgentNames(vec![sample::ODD.into(), "billing-*".into()])),
            ..key(TENANT, 1)
        };
        tx.account().insert_key(&mine).await.expect("key");
        tx.account().insert_key(&key(OTHER, 2)).await.expect("key");
        let found = tx.account().find_key(mine.id).await.expect("found");
        assert_eq!(found, Some((mine.clone(), tenant(TENANT))));
        assert_eq!(tx.account().list_keys(TENANT).await.expect("own"), [mine.clone()]);
        assert_eq!(tx.account().find_key_of(OTHER, mine.id).await.expect("not theirs"), None);

        assert!(!tx.account().revoke_key(OTHER, mine.id, at(1)).await.expect("not theirs"));
        assert!(tx.account().revoke_key(TENANT, mine.id, at(1)).await.expect("revoked"));
        assert!(!tx.account().revoke_key(TENANT, mine.id, at(2)).await.expect("once"));
        tx.account().touch_keys(TENANT, &[mine.id], at(5)).await.expect("used");
        tx.account().touch_keys(TENANT, &[mine.id], at(4)).await.expect("older news");
        tx.account().touch_keys(OTHER, &[mine.id], at(6)).await.expect("not theirs");
        let (stored, _) = tx.account().find_key(mine.id).await.expect("found").expect("there");
        assert_eq!((stored.revoked_at, stored.last_used_at), (Some(at(1)), Some(at(5))));
    }

    async fn there_is_one_installation_and_its_keys_stay_published(db: TestDatabase) {
        let db = sample::store(db).await;
        let tx = db.begin().await.expect("begin");
        assert_eq!(tx.account().installation().await.expect("none yet"), None);
        let old = SigningKey { id: "a".into(), public_key: "PEM".into(), created_at: at(0), retired_at: None };
        let new = SigningKey { id: "b".into(), created_at: at(1), ..old.clone() };
        let it = Installation { name: sample::ODD.into(), signing_key_id: "a".into(), created_at: at(0) };
        tx.account().insert_signing_key(&old).await.expect("key");
        tx.account().insert_installation(&it).await.expect("installation");
        tx.account().insert_signing_key(&new).await.expect("key");
        let it = Installation { signing_key_id: "b".into(), ..it };
        tx.account().save_installation(&it).await.expect("rotated");
        tx.account().retire_signing_key("a", at(2)).await.expect("retired");
        assert_eq!(tx.account().installation().await.expect("there"), Some(it.clone()));
        let retired = SigningKey { retired_at: Some(at(2)), ..old };
        assert_eq!(tx.account().signing_keys().await.expect("both"), [retired, new]);
        assert!(matches!(tx.account().retire_signing_key("c", at(2)).await, Err(StoreError::RowsAffected { .. })));
        assert!(matches!(tx.account().insert_installation(&it).await, Err(StoreError::Conflict(_))));
    }
}
