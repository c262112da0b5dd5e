//! Console sessions: who is logged in, by what, for how long.

use chrono::{Duration, Utc};
use kit::Kit;
use models::{
    account::Role,
    logs::{SystemEventType, SystemFilter},
    page::PageRequest,
};
use orchestrator::{
    Error,
    handlers::{
        account::{self, AuthError, NewKey, SystemCaller},
        logs,
    },
};
use testkit::{Store, on_both};

fn cli() -> SystemCaller {
    SystemCaller { name: "ana".to_owned() }
}

async fn key(kit: &Kit, role: Role, expires_at: Option<chrono::DateTime<Utc>>) -> account::CreatedKey {
    let new = NewKey { expires_at, ..NewKey::of_role(role) };
    account::create_key_as(&kit.spine, &cli(), "acme", new).await.unwrap()
}

on_both! {
    async fn a_session_may_what_its_key_may_and_ends_with_it(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let made = key(&kit, Role::Auditor, None).await;
        let opened = account::open_session(&kit.spine, made.token.expose()).await.unwrap();
        assert_eq!(opened.lasts, Duration::hours(12));
        let ctx = account::authenticate_session(&kit.spine, opened.token.expose()).await.unwrap();
        assert_eq!((ctx.tenant.slug.as_str(), ctx.role, ctx.key), ("acme", Role::Auditor, made.key.id));
        assert_eq!(ctx.actor_id, "ana");

        let wrong = opened.token.expose().replace(|digit: char| digit.is_ascii_digit(), "0");
        for nonsense in ["", "hoc_ses", made.token.expose(), &wrong] {
            let err = account::authenticate_session(&kit.spine, nonsense).await.unwrap_err();
            assert!(matches!(err, AuthError::Unknown), "{nonsense}: {err}");
        }
        let err = account::authenticate(&kit.spine, opened.token.expose()).await.unwrap_err();
        assert!(matches!(err, AuthError::Unknown), "a session is no key: {err}");

        account::revoke_key_as(&kit.spine, &cli(), made.key.id).await.unwrap();
        let err = account::authenticate_session(&kit.spine, opened.token.expose()).await.unwrap_err();
        assert!(matches!(err, AuthError::Revoked), "{err}");
        let err = account::open_session(&kit.spine, made.token.expose()).await.unwrap_err();
        assert!(matches!(err, AuthError::Revoked), "{err}");
    }

    async fn a_session_ends_when_its_owner_says_so_or_its_time_is_over(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let made = key(&kit, Role::Viewer, None).await;
        let (one, two) = (
            account::open_session(&kit.spine, made.token.expose()).await.unwrap().token,
            account::open_session(&kit.spine, made.token.expose()).await.unwrap().token,
        );
        account::close_session(&kit.spine, one.expose()).await.unwrap();
        account::close_session(&kit.spine, one.expose()).await.unwrap();
        let err = account::authenticate_session(&kit.spine, one.expose()).await.unwrap_err();
        assert!(matches!(err, AuthError::Ended), "{err}");
        account::authenticate_session(&kit.spine, two.expose()).await.unwrap();

        kit.clock.advance(Duration::hours(12));
        let err = account::authenticate_session(&kit.spine, two.expose()).await.unwrap_err();
        assert!(matches!(err, AuthError::Expired), "{err}");
        kit.clock.advance(Duration::seconds(1));
        account::open_session(&kit.spine, made.token.expose()).await.unwrap();
        let err = account::authenticate_session(&kit.spine, two.expose()).await.unwrap_err();
        assert!(matches!(err, AuthError::Unknown), "what has expired is forgotten: {err}");
    }

    async fn who_logs_out_is_out_though_the_store_does_not_take_it(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let made = key(&kit, Role::Viewer, None).await;
        let opened = account::open_session(&kit.spine, made.token.expose()).await.unwrap().token;
        account::authenticate_session(&kit.spine, opened.expose()).await.unwrap();
        let locks = match db.store() {
            Store::Sqlite => "UPDATE tenants SET slug = slug",
            Store::Postgres => "LOCK TABLE sessions IN EXCLUSIVE MODE",
        };
        let stranger = db.stranger(locks).await;
        let closed = account::close_session(&kit.spine, opened.expose()).await;
        assert!(matches!(closed, Err(AuthError::Failed(Error::Unavailable(_)))), "{closed:?}");
        let err = account::authenticate_session(&kit.spine, opened.expose()).await.unwrap_err();
        assert!(matches!(err, AuthError::Ended), "the store can be read, and says that it is in force: {err}");
        stranger.let_go().await;
    }

    async fn a_session_lasts_no_longer_than_its_key(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let made = key(&kit, Role::Viewer, Some(kit.spine.now() + Duration::minutes(5))).await;
        let opened = account::open_session(&kit.spine, made.token.expose()).await.unwrap();
        assert_eq!(opened.lasts, Duration::minutes(5));
        kit.clock.advance(Duration::minutes(5));
        let err = account::authenticate_session(&kit.spine, opened.token.expose()).await.unwrap_err();
        assert!(matches!(err, AuthError::Expired), "{err}");
    }

    async fn a_link_logs_in_once_within_the_hour(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let made = key(&kit, Role::Admin, None).await;
        let link = account::create_login_link_as(&kit.spine, &cli(), made.key.id).await.unwrap();
        // Of those who come at the same time, one gets in.
        let (one, two) = futures::join!(
            account::open_session_by_link(&kit.spine, link.expose()),
            account::open_session_by_link(&kit.spine, link.expose()),
        );
        let (opened, refused) = if one.is_ok() { (one, two) } else { (two, one) };
        assert!(matches!(refused.unwrap_err(), AuthError::Used));
        assert_eq!(opened.unwrap().context.role, Role::Admin);
        assert!(matches!(account::open_session_by_link(&kit.spine, link.expose()).await.unwrap_err(), AuthError::Used));
        assert!(matches!(account::authenticate_session(&kit.spine, link.expose()).await.unwrap_err(), AuthError::Unknown));

        let late = account::create_login_link_as(&kit.spine, &cli(), made.key.id).await.unwrap();
        kit.clock.advance(Duration::hours(1));
        assert!(matches!(account::open_session_by_link(&kit.spine, late.expose()).await.unwrap_err(), AuthError::Expired));
        let lost = account::create_login_link_as(&kit.spine, &cli(), made.key.id).await.unwrap();
        account::revoke_key_as(&kit.spine, &cli(), made.key.id).await.unwrap();
        assert!(matches!(account::open_session_by_link(&kit.spine, lost.expose()).await.unwrap_err(), AuthError::Revoked));
    }

    async fn who_logged_in_and_out_is_a_system_record_without_the_secret(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let made = key(&kit, Role::Admin, None).await;
        let ctx = account::authenticate(&kit.spine, made.token.expose()).await.unwrap();
        let link = account::create_login_link_as(&kit.spine, &cli(), made.key.id).await.unwrap();
        let opened = account::open_session_by_link(&kit.spine, link.expose()).await.unwrap();
        account::close_session(&kit.spine, opened.token.expose()).await.unwrap();
        let filter = SystemFilter { event_type: Some(SystemEventType::AuthChange), ..SystemFilter::default() };
        let page = PageRequest::new(Some(200), None, false).unwrap();
        let records = logs::list_system(&kit.spine, &ctx, filter, page).await.unwrap().items;
        for what in ["login link lnk_", "session ses_"] {
            assert!(records.iter().any(|one| one.record.summary.starts_with(what)), "{what}: {records:?}");
        }
        assert!(records.iter().any(|one| one.record.summary.contains(" closed with key ")), "{records:?}");
        for secret in [link.expose(), opened.token.expose()] {
            let (_, secret) = secret.rsplit_once('_').unwrap();
            assert!(!format!("{records:?}").contains(secret));
        }
    }
}
