//! Who gets into the console: by a key, by a link, by a session's cookie; and how that ends.

use models::account::Role;
use orchestrator::handlers::account::{self, SystemCaller};
use serde_json::json;

use super::{
    app::{ACME, App},
    console::{SAME, cookie, form, is_a_page, pages, session},
    scene::{Scene, text},
};

#[tokio::test]
async fn who_is_not_logged_in_is_led_to_the_login_and_back() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    for path in pages(&scene).into_iter().chain(["/console/nonsense".to_owned(), "/console".to_owned()]) {
        let answer = app.get(&path).send().await;
        assert_eq!(answer.status.as_u16(), 303, "{path}: {}", answer.text);
        assert!(answer.header("location").starts_with("/console/login"), "{path}");
    }
    let asked = "/console/activity/runs?state=LIVE";
    let login = app.get(asked).send().await;
    assert_eq!(login.header("location"), "/console/login?next=%2Fconsole%2Factivity%2Fruns%3Fstate%3DLIVE");
    let page = app.get(login.header("location")).send().await;
    is_a_page("/console/login", &page);
    assert!(page.text.contains("value=\"/console/activity/runs?state=LIVE\""), "{}", page.text);
    let sent = format!("key={}&next=%2Fconsole%2Factivity%2Fruns%3Fstate%3DLIVE", scene.admin);
    let answer = form(app.post("/console/login").header(SAME.0, SAME.1), sent).send().await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, asked));
    let page = app.get(asked).header("cookie", &cookie(&answer)).send().await;
    assert_eq!(page.status, 200);
    let sent = format!("key={}&next=https%3A%2F%2Fevil.example", scene.admin);
    let answer = form(app.post("/console/login").header(SAME.0, SAME.1), sent).send().await;
    assert_eq!(answer.header("location"), "/console/overview", "a login leads to our own pages only");
}

#[tokio::test]
async fn a_wrong_key_is_told_on_the_page_and_opens_nothing() {
    let app = App::new().await;
    for key in ["", "nonsense", &format!("hoc_{}_{}", "0".repeat(32), "0".repeat(64))] {
        let answer =
            form(app.post("/console/login").header(SAME.0, SAME.1), format!("key={key}")).send().await;
        assert_eq!(answer.status.as_u16(), 401, "{}", answer.text);
        is_a_page("/console/login", &answer);
        assert!(answer.text.contains("role=\"alert\""), "{}", answer.text);
        assert_eq!(answer.header("set-cookie"), "");
    }
}

#[tokio::test]
async fn a_link_logs_in_once() {
    let app = App::new().await;
    let key = app.key(Role::Admin).await;
    let by = SystemCaller { name: "test".to_owned() };
    let id = account::authenticate(&app.kit.spine, &key).await.expect("a key").key;
    let link = || async {
        let token = account::create_login_link_as(&app.kit.spine, &by, id).await.expect("a link");
        format!("/console/login?token={}", token.expose())
    };
    let mine = link().await;
    // What looks without meaning it does not use the link up: a preview, a prefetch, a link on another site.
    for (name, value) in [("sec-fetch-site", "cross-site"), ("sec-purpose", "prefetch")] {
        let page = app.get(&mine).header(name, value).send().await;
        assert_eq!((page.status.as_u16(), page.header("set-cookie")), (200, ""), "{name}");
        assert!(page.text.contains("logs you in once"), "{}", page.text);
    }
    app.call(axum::http::Method::HEAD, &mine).send().await;
    let answer = app.get(&mine).header("sec-fetch-site", "none").send().await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/console/overview"));
    let page = app.get("/console/overview").header("cookie", &cookie(&answer)).send().await;
    assert_eq!(page.status, 200, "{}", page.text);
    let again = app.get(&mine).send().await;
    assert_eq!((again.status.as_u16(), again.header("set-cookie")), (401, ""));
    assert!(again.text.contains("used before"), "{}", again.text);
    assert!(again.text.contains("hoc login-link"), "and what makes another is told: {}", again.text);
    // And by the button.
    let other = link().await;
    let token = other.rsplit('=').next().expect("a token").to_owned();
    let answer =
        form(app.post("/console/login").header(SAME.0, SAME.1), format!("token={token}")).send().await;
    assert_eq!(answer.status.as_u16(), 303, "{}", answer.text);
}

#[tokio::test]
async fn the_cookie_is_a_credential_of_the_api_with_its_keys_role_and_tenant() {
    let app = App::new().await;
    let viewer = session(&app, &app.key(Role::Viewer).await).await;
    let whoami = app.get("/api/v1/account/whoami").header("cookie", &viewer).send().await.expect(200);
    assert_eq!((&whoami["tenant"], &whoami["key"]["role"]), (&ACME.into(), &"viewer".into()), "{whoami}");
    let refused = app.post("/api/v1/account/keys").header("cookie", &viewer).header(SAME.0, SAME.1);
    assert_eq!(refused.json(&json!({"role": "admin"})).send().await.problem(403), "forbidden");
    let admin = session(&app, &app.key(Role::Admin).await).await;
    let made = app.post("/api/v1/account/keys").header("cookie", &admin).header(SAME.0, SAME.1);
    made.json(&json!({"role": "viewer"})).send().await.expect(201);
    // A key in the header is what counts, also a wrong one.
    let call = app.get("/api/v1/account/whoami").header("cookie", &admin).key("nonsense");
    assert_eq!(call.send().await.problem(401), "unauthenticated");
}

#[tokio::test]
async fn a_session_ends_with_a_logout_and_with_its_key() {
    let app = App::new().await;
    let admin = app.key(Role::Admin).await;
    let key = app.key(Role::Viewer).await;
    let (one, two) = (session(&app, &key).await, session(&app, &key).await);
    let answer =
        form(app.post("/console/logout").header("cookie", &one).header(SAME.0, SAME.1), "").send().await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/console/login"));
    assert!(answer.header("set-cookie").contains("Max-Age=0"), "{}", answer.header("set-cookie"));
    assert_eq!(app.get("/console/overview").header("cookie", &one).send().await.status, 303);
    assert_eq!(
        app.get("/api/v1/account/whoami").header("cookie", &one).send().await.problem(401),
        "unauthenticated"
    );
    assert_eq!(app.get("/console/overview").header("cookie", &two).send().await.status, 200);
    let whoami = app.get("/api/v1/account/whoami").key(&key).send().await.expect(200);
    let revoke = format!("/api/v1/account/keys/{}/revoke", text(&whoami["key"]["key_id"]));
    app.post(revoke).key(&admin).send().await.expect(200);
    assert_eq!(app.get("/console/overview").header("cookie", &two).send().await.status, 303);
}

#[tokio::test]
async fn behind_https_the_cookie_is_bound_to_the_host_whatever_a_request_says() {
    let app = App::behind_https().await;
    let key = app.key(Role::Viewer).await;
    for said in ["https", "http", ""] {
        let login = app.post("/console/login").header(SAME.0, SAME.1).header("x-forwarded-proto", said);
        let answer = form(login, format!("key={key}")).send().await;
        let set = answer.header("set-cookie").to_owned();
        assert!(set.starts_with("__Host-hoc_session=hoc_ses") && set.ends_with("; Secure"), "{set}");
        let pair = set.split(';').next().expect("a cookie");
        let page = app.get("/console/overview").header("x-forwarded-proto", said);
        assert_eq!(page.header("cookie", pair).send().await.status, 200);
        let plain = pair.replace("__Host-", "");
        assert_eq!(app.get("/console/overview").header("cookie", &plain).send().await.status, 303);
    }
    // And where it is not, nobody can say that it is.
    let app = App::new().await;
    let key = app.key(Role::Viewer).await;
    let login = app.post("/console/login").header(SAME.0, SAME.1).header("x-forwarded-proto", "https");
    let answer = form(login, format!("key={key}")).send().await;
    assert!(answer.header("set-cookie").starts_with("hoc_session=hoc_ses"));
}
