//! Tenants, keys, the installation and its signing keys.

use drivers::{Db, StoreError};
use models::account::{CaptureMode, Installation, SigningKey};
use testkit::TestDatabase;

use crate::sample::{self, OTHER, TENANT, at, key, tenant};

/// A change of what governs the tenant: a freeze, say.
async fn change(server: &Db) -> Result<u64, StoreError> {
    let tx = server.begin().await?;
    let generation = tx.account().bump_policy_generation(TENANT).await?;
    tx.commit().await.map(|()| generation)
}

/// What a server does every moment for the runs that it remembers.
async fn look(server: &Db) -> Result<(), StoreError> {
    server.read().await?.account().find_tenants(&[TENANT]).await.map(drop)
}

/// As in a failover to a standby that lagged: only so many changes of what governs the tenant are there.
async fn fall_back_to(db: &TestDatabase, count: u64) {
    db.disarm("governed_changes").await;
    db.tamper(&format!("DELETE FROM governed_changes WHERE generation > {count}")).await.expect("gone");
    db.tamper(&format!("UPDATE tenants SET policy_generation = {count}")).await.expect("set back");
}

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
        let bump = async || change(&store).await;
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
        fall_back_to(db, 1).await;
        let before = read().await.expect_err("a run that starts would not be refused");
        assert!(matches!(&before, StoreError::ReadOnly(why) if why.contains("changed 2 times")), "{before}");
        bump().await.expect_err("nor is it written on as if nothing had been lost");
        for one in [&store, &refused, &remembers] {
            assert!(one.compare_logs().await.is_err() && one.fell_back().is_some());
        }
        assert!(sample::open(db).await.compare_logs().await.is_ok(), "who starts anew takes it as it is");

        // Somebody who starts anew goes on with what there is: that it was changed as often since makes it no other.
        let anew = sample::open(db).await;
        for _ in 0..6 {
            change(&anew).await.expect("changed by others");
            assert!(store.compare_logs().await.is_err() && store.fell_back().is_some());
        }
        read().await.expect_err("until this one is started anew, too");
    }

    async fn who_asks_for_a_run_that_goes_on_learns_that_a_change_is_gone(db: TestDatabase) {
        let store = sample::store(db).await;
        let run = sample::run(TENANT, 1);
        let tx = store.begin().await.expect("begin");
        tx.activity().insert_runs(&[run.clone()]).await.expect("inserted");
        tx.traces().start_traces(&[sample::trace(TENANT, 1)]).await.expect("inserted");
        tx.commit().await.expect("commit");
        let steps = async |server: &Db| {
            let tx = server.begin().await?;
            let locked = tx.run_locks().lock_whole(TENANT, &[run.id], at(0)).await?;
            tx.rollback().await.map(|()| locked.len())
        };
        let remembers = async |server: &Db| {
            let tx = server.begin().await?;
            let states = tx.run_locks().lock_states(TENANT, &[run.id], at(0)).await?;
            tx.rollback().await.map(|()| states.len())
        };
        assert_eq!(steps(&store).await.expect("nothing was seen yet"), 1);
        change(&store).await.expect("a freeze");
        assert_eq!(steps(&store).await.expect("it goes on"), 1);
        change(&sample::open(db).await).await.expect("another server lifts it");
        let before = store.statements();
        assert_eq!(steps(&store).await.expect("it goes on"), 1);
        assert_eq!(store.statements() - before, 3, "its beginning, its end, and one for all of it");
        assert_eq!(remembers(&store).await.expect("it goes on"), 1);
        assert_eq!(store.statements() - before, 6, "the same for who remembers the run");

        fall_back_to(db, 0).await;
        let lost = steps(&store).await.expect_err("the freeze is gone");
        assert!(matches!(&lost, StoreError::ReadOnly(why) if why.contains("changed 1 times")), "{lost}");
        let lost = remembers(&store).await.expect_err("the freeze is gone");
        assert!(matches!(&lost, StoreError::ReadOnly(why) if why.contains("changed 1 times")), "{lost}");
        let anew = sample::open(db).await;
        assert_eq!(steps(&anew).await.expect("who starts anew takes it as it is"), 1);
        change(&anew).await.expect("as much is changed");
        let lost = steps(&store).await.expect_err("it is another change");
        assert!(matches!(&lost, StoreError::ReadOnly(why) if why.contains("another change")), "{lost}");
    }

    async fn a_store_that_was_changed_as_often_since_it_fell_back_is_no_other(db: TestDatabase) {
        for more in [1_u64, 3] {
            let (one, two) = (sample::open(db).await, sample::open(db).await);
            if more == 1 {
                sample::store(db).await;
            }
            for server in [&one, &two, &one] {
                change(server).await.expect("they change it by turns");
            }
            let last = change(&one).await.expect("a freeze");
            look(&two).await.expect("the other learns of it");
            fall_back_to(db, last - 1).await;
            let anew = sample::open(db).await;
            for _ in 0..more {
                change(&anew).await.expect("a key is revoked by the command line");
            }
            for server in [&one, &two] {
                let lost = look(server).await.expect_err("the freeze is gone");
                assert!(matches!(&lost, StoreError::ReadOnly(why) if why.contains("another change")), "{lost}");
                change(server).await.expect_err("nor is it written on");
                assert!(server.compare_logs().await.is_err() && server.fell_back().is_some());
            }
            anew.compare_logs().await.expect("who has seen nothing else goes on");
        }
    }

    async fn changes_of_several_servers_at_once_are_all_met(db: TestDatabase) {
        let (one, two) = (sample::store(db).await, sample::open(db).await);
        for _ in 0..8 {
            // Begun in one order and committed in the other.
            let early = one.read().await.expect("a moment");
            early.account().find_tenants(&[TENANT]).await.expect("read");
            let (first, second) = tokio::join!(change(&one), change(&two));
            assert_ne!(first.expect("changed"), second.expect("changed"));
            early.account().find_tenants(&[TENANT]).await.expect("it is of an earlier moment");
            let undone = two.begin().await.expect("begin");
            undone.account().bump_policy_generation(TENANT).await.expect("changed");
            undone.rollback().await.expect("undone");
            for server in [&one, &two] {
                look(server).await.expect("the store goes on");
                server.compare_logs().await.expect("in all that was seen");
            }
        }
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
        assert_eq!(tx.account().lock_installation().await.expect("there"), Some(it.clone()));
        let retired = SigningKey { retired_at: Some(at(2)), ..old };
        assert_eq!(tx.account().signing_keys().await.expect("both"), [retired, new]);
        assert!(matches!(tx.account().retire_signing_key("c", at(2)).await, Err(StoreError::RowsAffected { .. })));
        assert!(matches!(tx.account().insert_installation(&it).await, Err(StoreError::Conflict(_))));
    }
}
