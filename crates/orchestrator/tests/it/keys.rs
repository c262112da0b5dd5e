//! Keys and tenants: who is let in, for how long, and what that leaves behind.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use kit::{Kit, signing_key};
use models::{
    account::{OwnerType, Role},
    logs::{SystemEventType, SystemFilter, SystemScope},
    page::PageRequest,
};
use orchestrator::{
    Error, Parts, Spine,
    background::{key_use, outages::Outages},
    errors::ConflictCode,
    handlers::{
        account::{self, AuthError, InstallationError, NewKey, NewTenant, SystemCaller},
        logs, policies,
    },
    secrets::WrappingKey,
};
use proof::{keys::SigningKey, words::ActorType};
use testkit::on_both;

/// Another server on the same store.
fn another(kit: &Kit, signing: SigningKey, wrapping: [u8; 32]) -> Spine {
    Spine::new(Parts {
        signing_key: Arc::new(signing),
        wrapping_key: WrappingKey::new(wrapping),
        ..kit::parts(kit.db.clone(), 1)
    })
}

fn cli() -> SystemCaller {
    SystemCaller { name: "ana".to_owned() }
}

on_both! {
    async fn a_key_opens_its_tenant_and_nothing_else_does(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let made = account::create_key_as(&kit.spine, &cli(), "acme", NewKey::of_role(Role::Agent)).await.unwrap();
        let ctx = account::authenticate(&kit.spine, made.token.expose()).await.unwrap();
        assert_eq!((ctx.tenant.slug.as_str(), ctx.role, ctx.key), ("acme", Role::Agent, made.key.id));
        assert_eq!((ctx.actor_type, ctx.actor_id.as_str()), (ActorType::Agent, "ana"));
        assert!(made.token.expose().starts_with(&made.key.prefix));

        let other = account::create_key_as(&kit.spine, &cli(), "acme", NewKey::of_role(Role::Admin)).await.unwrap();
        let (id, _) = made.token.expose().rsplit_once('_').unwrap();
        let (_, secret) = other.token.expose().rsplit_once('_').unwrap();
        for wrong in ["", "hoc_", &format!("{id}_{secret}"), &format!("hoc_{}_{secret}", "0".repeat(32))] {
            let err = account::authenticate(&kit.spine, wrong).await.unwrap_err();
            assert!(matches!(err, AuthError::Unknown), "{wrong}: {err}");
        }
        // Whoever has no credential makes nobody read anything: it is seen by the text.
        let before = kit.db.statements();
        for n in 0..50 {
            let made_up = format!("hoc_{n:032x}_{n:080x}");
            let err = account::authenticate(&kit.spine, &made_up).await.unwrap_err();
            assert!(matches!(err, AuthError::Unknown), "{made_up}: {err}");
            account::authenticate_session(&kit.spine, &made_up.replace("hoc_", "hoc_ses")).await.unwrap_err();
            account::open_session_by_link(&kit.spine, &made_up.replace("hoc_", "hoc_lnk")).await.unwrap_err();
        }
        assert_eq!(kit.db.statements(), before);
        let me = account::whoami(&kit.spine, &ctx).await.unwrap();
        assert_eq!((me.slug.as_str(), me.key.id, me.key.owner_type), ("acme", made.key.id, OwnerType::Service));
    }

    async fn of_many_first_starts_one_makes_the_first_key(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let cli = cli();
        let first = || account::create_first_key_as(&kit.spine, &cli, "default", NewKey::of_role(Role::Admin));
        let made = futures::future::join_all((0..8).map(|_| first())).await;
        assert_eq!(made.iter().flat_map(|made| made.as_ref().unwrap()).count(), 1);
        assert!(first().await.unwrap().is_none());
        assert_eq!(account::list_keys_of(&kit.spine, "default").await.unwrap().len(), 1);
    }

    async fn a_revoked_key_opens_nothing_here_at_once_and_elsewhere_within_a_second(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let admin = kit.caller("acme", Role::Admin).await;
        let elsewhere = another(&kit, signing_key(), [7; 32]);
        let made = account::create_key(&kit.spine, &admin, NewKey::of_role(Role::Viewer)).await.unwrap();
        account::authenticate(&elsewhere, made.token.expose()).await.expect("a new key is in force at once");
        account::authenticate(&kit.spine, made.token.expose()).await.unwrap();

        let revoked = account::revoke_key(&kit.spine, &admin, made.key.id).await.unwrap();
        assert_eq!(revoked.revoked_at, Some(kit.spine.now()));
        let at_once = account::authenticate(&kit.spine, made.token.expose()).await.unwrap_err();
        assert!(matches!(at_once, AuthError::Revoked), "{at_once}");
        let since = Instant::now();
        while account::authenticate(&elsewhere, made.token.expose()).await.is_ok() {
            assert!(since.elapsed() < Duration::from_secs(5), "it is in force still");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let again = account::revoke_key(&kit.spine, &admin, made.key.id).await.unwrap_err();
        assert!(matches!(again, Error::Conflict { code: ConflictCode::KeyRevoked, .. }), "{again}");

        let stranger = kit.caller("other", Role::Admin).await;
        let err = account::revoke_key(&kit.spine, &stranger, admin.key).await.unwrap_err();
        assert!(matches!(err, Error::NotFound { .. }), "{err}");
    }

    async fn a_revoked_key_stays_so_in_a_store_that_fell_back(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let admin = kit.caller("acme", Role::Admin).await;
        let made = account::create_key(&kit.spine, &admin, NewKey::of_role(Role::Viewer)).await.unwrap();
        account::authenticate(&kit.spine, made.token.expose()).await.unwrap();
        account::revoke_key(&kit.spine, &admin, made.key.id).await.unwrap();
        db.tamper("UPDATE api_keys SET revoked_at = NULL").await.expect("an older backup");
        for _ in 0..2 {
            let refused = account::authenticate(&kit.spine, made.token.expose()).await.unwrap_err();
            assert!(matches!(refused, AuthError::Revoked), "{refused}");
        }
    }

    async fn what_is_in_no_log_is_counted_where_it_governs(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let admin = kit.caller("acme", Role::Admin).await;
        let made = account::create_key(&kit.spine, &admin, NewKey::of_role(Role::Agent)).await.unwrap();
        let counted = async || account::settings(&kit.spine, &admin).await.unwrap().policy_generation;
        let before = counted().await;
        let agent = || Some("researcher".to_owned());
        policies::freeze(&kit.spine, &admin, agent(), "stop it".to_owned()).await.unwrap();
        assert_eq!(counted().await, before + 1, "a freeze");
        policies::freeze(&kit.spine, &admin, agent(), "stop it".to_owned()).await.unwrap_err();
        policies::unfreeze(&kit.spine, &admin, agent(), None).await.unwrap();
        assert_eq!(counted().await, before + 2, "the end of one");
        account::revoke_key(&kit.spine, &admin, made.key.id).await.unwrap();
        assert_eq!(counted().await, before + 3, "the end of a key");
    }

    async fn a_key_ends_with_its_time(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let admin = kit.caller("acme", Role::Admin).await;
        let end = kit.spine.now() + chrono::Duration::hours(1);
        let new = NewKey { expires_at: Some(end), ..NewKey::of_role(Role::Viewer) };
        let made = account::create_key(&kit.spine, &admin, new.clone()).await.unwrap();
        account::authenticate(&kit.spine, made.token.expose()).await.unwrap();
        kit.clock.advance(chrono::Duration::hours(1));
        let over = account::authenticate(&kit.spine, made.token.expose()).await.unwrap_err();
        assert!(matches!(over, AuthError::Expired), "{over}");
        let err = account::create_key(&kit.spine, &admin, new).await.unwrap_err();
        assert!(matches!(&err, Error::Invalid(fields) if fields[0].pointer == "/expires_at"), "{err}");
    }

    async fn who_may_enter_is_recorded_and_the_secret_is_not(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let admin = kit.caller("acme", Role::Admin).await;
        let made = account::create_key(&kit.spine, &admin, NewKey::of_role(Role::Auditor)).await.unwrap();
        account::revoke_key(&kit.spine, &admin, made.key.id).await.unwrap();
        let filter = SystemFilter { event_type: Some(SystemEventType::AuthChange), ..SystemFilter::default() };
        let records = logs::list_system(&kit.spine, &admin, filter, PageRequest::default()).await.unwrap().items;
        let mine: Vec<_> = records.iter().filter(|one| one.record.summary.contains(&made.key.prefix)).collect();
        assert_eq!(mine.len(), 2);
        assert!(mine.iter().all(|one| one.record.caused_by.as_deref() == Some("admin of acme")));
        let (_, secret) = made.token.expose().rsplit_once('_').unwrap();
        assert!(!format!("{records:?} {made:?}").contains(secret));

        let keys = account::list_keys(&kit.spine, &admin, PageRequest::default()).await.unwrap().items;
        assert_eq!(keys.iter().map(|key| key.role).collect::<Vec<_>>(), [Role::Auditor, Role::Admin], "newest first");
        assert_eq!(account::list_keys_of(&kit.spine, "acme").await.unwrap().len(), 2);
        let err = account::list_keys_of(&kit.spine, "nobody").await.unwrap_err();
        assert!(matches!(err, Error::NotFound { .. }), "{err}");
    }

    async fn use_of_keys_is_noted(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let admin = kit.caller("acme", Role::Admin).await;
        assert_eq!(account::whoami(&kit.spine, &admin).await.unwrap().key.last_used_at, None);
        key_use::tick(&kit.spine).await.unwrap();
        assert_eq!(account::whoami(&kit.spine, &admin).await.unwrap().key.last_used_at, Some(kit.spine.now()));
    }

    async fn a_tenant_is_made_once(db: TestDatabase) {
        let kit = Kit::on(db).await;
        account::create_tenant(&kit.spine, &cli(), NewTenant::of_slug("acme")).await.unwrap();
        let err = account::create_tenant(&kit.spine, &cli(), NewTenant::of_slug("acme")).await.unwrap_err();
        assert!(matches!(err, Error::Conflict { code: ConflictCode::TenantExists, .. }), "{err}");
        // Several at a time may find that there is no such tenant yet.
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let spine = kit.spine.clone();
                let new = NewKey::of_role(Role::Viewer);
                tokio::spawn(async move { account::create_key_as(&spine, &cli(), "new", new).await })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        assert_eq!(account::list_keys_of(&kit.spine, "new").await.unwrap().len(), 8);
    }

    async fn a_store_is_served_with_its_own_keys_only(db: TestDatabase) {
        let kit = Kit::on(db).await;
        kit.caller("acme", Role::Admin).await;
        let same = account::ensure_installation(&another(&kit, signing_key(), [7; 32])).await.unwrap();
        assert_eq!((same.name.as_str(), same.signing_key_id), ("test", signing_key().public().id()));
        let other = account::ensure_installation(&another(&kit, SigningKey::from_seed(&[9; 32]), [7; 32])).await;
        let err = other.unwrap_err();
        assert!(matches!(err, InstallationError::OtherSigningKey { .. }), "{err}");
        assert!(err.to_string().contains("HOC_SIGNING_KEY_FILE"), "it says what to do: {err}");
        let err = account::ensure_installation(&another(&kit, signing_key(), [8; 32])).await.unwrap_err();
        assert!(matches!(err, InstallationError::OtherWrappingKey(_)), "{err}");
        let published = account::public_keys(&kit.spine).await.unwrap();
        assert_eq!(published.len(), 1);
        assert_eq!(published[0].public_key, signing_key().public().to_pem());
    }

    async fn starts_stops_and_migrations_are_recorded(db: TestDatabase) {
        let kit = Kit::on(db).await;
        account::record_migration(&kit.spine, &["m1".to_owned()]).await.unwrap();
        account::record_migration(&kit.spine, &[]).await.unwrap();
        account::record_start(&kit.spine, "1.2.3").await.unwrap();
        account::record_stop(&kit.spine, "1.2.3").await.unwrap();
        let store = kit.db.read().await.unwrap();
        let installation = models::ids::TenantId::INSTALLATION;
        let (all, page) = (SystemFilter::default(), PageRequest::default());
        let records = store.logs().list_system_records(installation, false, &all, &page).await.unwrap().items;
        let mut events: Vec<_> = records.into_iter().map(|record| record.event_type).collect();
        events.sort_unstable();
        assert_eq!(events, [SystemEventType::Startup, SystemEventType::Shutdown, SystemEventType::Migration]);
        drop(store);

        // Among a tenant's own, in one order and one page after another, for those who may see them.
        let admin = kit.caller("acme", Role::Admin).await;
        kit.clock.advance(chrono::Duration::seconds(1));
        kit.caller("acme", Role::Viewer).await;
        let whole = PageRequest::new(Some(200), None, true).unwrap();
        let all = logs::list_system(&kit.spine, &admin, SystemFilter::default(), whole).await.unwrap();
        let of = |scope| all.items.iter().filter(|one| one.record.scope() == scope).count();
        assert_eq!((of(SystemScope::Installation), all.total), (3, Some(all.items.len() as u64)));
        assert!(of(SystemScope::Tenant) >= 3 && all.items[0].record.scope() == SystemScope::Tenant, "{:?}", all.items);
        assert!(all.items.is_sorted_by_key(|one| std::cmp::Reverse((one.record.created_at, one.record.id.0))));
        let (mut paged, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let page = PageRequest::new(Some(1), cursor.as_deref(), false).unwrap();
            let page = logs::list_system(&kit.spine, &admin, SystemFilter::default(), page).await.unwrap();
            paged.extend(page.items);
            match page.next_cursor {
                Some(next) => cursor = Some(next.to_string()),
                None => break,
            }
        }
        assert_eq!(paged, all.items);
        let viewer = kit.caller("acme", Role::Viewer).await;
        let theirs = logs::list_system(&kit.spine, &viewer, SystemFilter::default(), whole).await.unwrap();
        assert!(theirs.items.iter().all(|one| one.record.scope() == SystemScope::Tenant), "{:?}", theirs.items);
    }

    async fn an_outage_of_the_store_is_recorded_when_it_is_over(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let config = drivers::ConnectConfig { test: true, ..drivers::ConnectConfig::new(db.url()) };
        let broken = drivers::Db::connect(&config).await.unwrap();
        broken.close().await;
        let away = Spine::new(kit::parts(broken, 1));
        let outages = Outages::default();
        outages.tick(&kit.spine).await.unwrap();
        let err = outages.tick(&away).await.unwrap_err();
        assert!(matches!(err, Error::Unavailable(_)), "{err}");
        kit.clock.advance(chrono::Duration::seconds(30));
        outages.tick(&kit.spine).await.unwrap();
        outages.tick(&kit.spine).await.unwrap();
        let store = kit.db.read().await.unwrap();
        let (all, page) = (SystemFilter::default(), PageRequest::default());
        let records = store.logs().list_system_records(models::ids::TenantId::INSTALLATION, false, &all, &page).await.unwrap().items;
        let [outage] = &records[..] else { panic!("once: {records:?}") };
        assert_eq!(outage.event_type, SystemEventType::Error);
        assert!(outage.summary.ends_with("from 2026-03-02T09:00:00.000000Z to 2026-03-02T09:00:30.000000Z"), "{}", outage.summary);
    }
}
