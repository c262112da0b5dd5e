//! The console as a browser meets it: who gets in, what a page may load, what is escaped, whom it refuses.

use axum::body::Body;
use models::account::Role;
use orchestrator::handlers::account::{self, SystemCaller};
use serde_json::json;

use super::{
    app::{ACME, Answer, App, Call, OTHER},
    scene::{ACTIVITY, Scene, text},
};

pub(crate) const SAME: (&str, &str) = ("sec-fetch-site", "same-origin");

/// What a form sends.
pub(crate) fn form(call: Call<'_>, body: impl Into<String>) -> Call<'_> {
    call.header("content-type", "application/x-www-form-urlencoded").body(Body::from(body.into()))
}

/// The cookie of a session of that key.
pub(crate) async fn session(app: &App, key: &str) -> String {
    let answer = form(app.post("/console/login").header(SAME.0, SAME.1), format!("key={key}")).send().await;
    assert_eq!(answer.status.as_u16(), 303, "{}", answer.text);
    cookie(&answer)
}

fn cookie(answer: &Answer) -> String {
    let set = answer.header("set-cookie");
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax") && set.contains("Path=/"), "{set}");
    set.split(';').next().expect("a cookie").to_owned()
}

/// Every page of the scene.
fn pages(scene: &Scene) -> Vec<String> {
    [
        "/console/overview".to_owned(),
        "/console/overview/decisions".to_owned(),
        "/console/activity/runs".to_owned(),
        "/console/activity/runs?state=LIVE&status=RUNNING&risk_level=VIOLATED&agent_id=support-bot"
            .to_owned(),
        format!("/console/activity/runs/{}", scene.run_id),
        format!("/console/activity/runs/{}/evidence", scene.run_id),
        format!("/console/activity/runs/{}/proof", scene.run_id),
        format!("/console/activity/runs/{}/proof?verify=true", scene.run_id),
        "/console/incidents".to_owned(),
        "/console/incidents?topic=ACTIVE&severity=high&category=POLICY_VIOLATION".to_owned(),
        format!("/console/incidents/{}", scene.incident_id),
        "/console/policies/rules".to_owned(),
        "/console/policies/rules?status=ACTIVE&enforcement_mode=BLOCK".to_owned(),
        format!("/console/policies/rules/{}", scene.rule_id),
        "/console/policies/rules/new".to_owned(),
        format!("/console/policies/rules/{}/edit", scene.rule_id),
        "/console/policies/limits".to_owned(),
        "/console/policies/limits/new".to_owned(),
        format!("/console/policies/limits/{}", scene.limit_id),
        format!("/console/policies/limits/{}/edit", scene.limit_id),
        "/console/policies/freezes".to_owned(),
        "/console/logs/system".to_owned(),
        "/console/logs/system?event_type=AUTH_CHANGE&severity=info&component=keys".to_owned(),
        "/console/logs/audit".to_owned(),
        format!("/console/logs/audit?event_type=LimitCreated&run_id={}", scene.run_id),
        format!("/console/logs/audit/{}", scene.audit_id),
    ]
    .into()
}

/// What every page must have and must not have, whatever its status.
fn is_a_page(path: &str, answer: &Answer) {
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{path}: {}", answer.text);
    let policy = answer.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{policy}");
    assert!(!policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("x-frame-options"), "DENY");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("referrer-policy"), "same-origin");
    assert_eq!(answer.header("x-request-id"), "req-test");
    let text = answer.text.to_lowercase();
    assert!(text.starts_with("<!doctype html>") && text.contains("<title>") && text.contains("lang=\"en\""));
    assert!(!text.contains("<script") && !text.contains("<style"), "{path}: {text}");
    for forbidden in [" style=", " onclick=", " onload=", "javascript:", "http://", "https://"] {
        assert!(!text.contains(forbidden), "{path} has {forbidden}: {text}");
    }
    assert_eq!(text.matches("<main").count(), 1, "{path}");
    assert_eq!(text.matches("<h1").count(), 1, "{path}");
}

/// That the answer to a form says what is wrong at that field: marked, with words that no API has, and a link to it.
pub(crate) fn is_refused_at(answer: &Answer, form: &str, field: &str) {
    let text = &answer.text;
    assert_eq!(text.matches("aria-invalid=\"true\"").count(), 1, "{field}: {text}");
    let marked = format!("id=\"{form}-{field}\"");
    let at = text.find(&marked).unwrap_or_else(|| panic!("no field {field}: {text}"));
    let end = text[at..].find('>').expect("a tag");
    let told = format!("aria-describedby=\"{form}-{field}-fault");
    assert!(
        text[at..at + end].contains("aria-invalid=\"true\"") && text[at..at + end].contains(&told),
        "{text}"
    );
    assert!(text.contains(&format!("id=\"{form}-{field}-fault\"")), "{text}");
    let alert =
        text.split("role=\"alert\"").nth(1).and_then(|rest| rest.split("</div>").next()).expect("an alert");
    assert!(alert.contains(&format!("href=\"#{form}-{field}\"")), "{field}: {alert}");
    assert!(
        !alert.contains("<code>/") && !alert.contains(&format!("/{field}")),
        "{field} is a pointer: {alert}"
    );
}

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
async fn no_other_site_gets_anything_done() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let cookie = session(&app, &scene.admin).await;
    let foreign: [&[(&str, &str)]; 4] = [
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "https://evil.example"), ("host", "127.0.0.1:8080")],
        &[],
    ];
    for headers in foreign {
        let with = |call| headers.iter().fold(call, |call: Call<'_>, (name, value)| call.header(name, value));
        let answer = form(with(app.post("/console/login")), format!("key={}", scene.admin)).send().await;
        assert_eq!((answer.status.as_u16(), answer.header("set-cookie")), (403, ""), "{headers:?}");
        is_a_page("/console/login", &answer);
        let incident = format!("/console/incidents/{}", scene.incident_id);
        for path in [
            "/console/logout".to_owned(),
            format!("{incident}/acknowledge"),
            format!("{incident}/resolve"),
            "/console/policies/rules".to_owned(),
            format!("/console/policies/rules/{}", scene.rule_id),
            format!("/console/policies/rules/{}/retire", scene.rule_id),
            "/console/policies/limits".to_owned(),
            format!("/console/policies/limits/{}", scene.limit_id),
            format!("/console/policies/limits/{}/disable", scene.limit_id),
            "/console/policies/freezes".to_owned(),
            "/console/policies/freezes/lift".to_owned(),
        ] {
            let answer = form(with(app.post(&path).header("cookie", &cookie)), "").send().await;
            assert_eq!(answer.status.as_u16(), 403, "{path} {headers:?}");
            is_a_page(&path, &answer);
        }
        let keys = with(app.post("/api/v1/account/keys").header("cookie", &cookie));
        assert_eq!(keys.json(&json!({"role": "admin"})).send().await.problem(403), "cross_site_request");
    }
    let still = app.get("/console/overview").header("cookie", &cookie).send().await;
    assert_eq!(still.status, 200, "the logout did not happen");
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

#[tokio::test]
async fn every_page_is_a_page_for_who_may_see_it_and_a_clear_no_for_who_may_not() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let only_inspectors = ["/evidence", "/proof"];
    let sets_policy = |path: &str| path.ends_with("/new") || path.ends_with("/edit");
    for role in Role::ALL {
        let cookie = session(&app, &scene.key(&app, *role).await).await;
        for path in pages(&scene) {
            let answer = app.get(&path).header("cookie", &cookie).send().await;
            let may = match role {
                Role::Agent => {
                    path.starts_with("/console/activity/runs")
                        && !only_inspectors.iter().any(|end| path.contains(end))
                }
                Role::Viewer | Role::Policy => {
                    !only_inspectors.iter().any(|end| path.contains(end))
                        && (*role == Role::Policy || !sets_policy(&path))
                }
                Role::Operator | Role::Auditor => !sets_policy(&path),
                Role::Admin => true,
            };
            assert_eq!(
                answer.status.as_u16(),
                if may { 200 } else { 403 },
                "{path} as {role}: {}",
                answer.text
            );
            is_a_page(&path, &answer);
            if !may {
                assert!(answer.text.contains(&format!("logged in as {role}")), "{}", answer.text);
            }
        }
    }
}

#[tokio::test]
async fn another_tenants_pages_show_nothing_of_the_first() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let cookie = session(&app, &app.kit.token(OTHER, Role::Admin).await).await;
    for path in pages(&scene) {
        let answer = app.get(&path).header("cookie", &cookie).send().await;
        is_a_page(&path, &answer);
        let named = path.split('?').next().unwrap_or_default();
        let names_a_thing = scene.ids().iter().any(|id| named.contains(id));
        assert_eq!(answer.status.as_u16(), if names_a_thing { 404 } else { 200 }, "{path}: {}", answer.text);
        for id in scene.ids() {
            assert!(path.contains(id) || !answer.text.contains(id), "{path} tells of {id}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn what_is_wrong_with_an_address_is_a_page() {
    let app = App::new().await;
    let cookie = session(&app, &app.key(Role::Admin).await).await;
    for (path, status) in [
        ("/console/nonsense", 404),
        ("/console/activity/runs/nonsense", 404),
        ("/console/activity/runs/run_00000000000000000000000000000000", 404),
        ("/console/activity/runs?state=live", 400),
        ("/console/activity/runs?zzz=1", 400),
        ("/console/activity/runs?cursor=AA", 400),
        ("/console/static/nothing", 404),
    ] {
        let answer = app.get(path).header("cookie", &cookie).send().await;
        assert_eq!(answer.status.as_u16(), status, "{path}: {}", answer.text);
        is_a_page(path, &answer);
    }
    let answer = app.post("/console/overview").header("cookie", &cookie).header(SAME.0, SAME.1).send().await;
    assert_eq!(answer.status.as_u16(), 405);
    is_a_page("/console/overview", &answer);
    app.kit.db.close().await;
    let answer = app.get("/console/overview").header("cookie", &cookie).send().await;
    assert_eq!(answer.status.as_u16(), 503, "{}", answer.text);
    is_a_page("/console/overview", &answer);
}

const HOSTILE: &str =
    "<script>alert(1)</script>\"' onmouseover=x <img src=x onerror=alert(2)> {{7*7}} \u{202e}";

#[tokio::test]
async fn what_others_sent_is_text() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    // A name that turns what stands beside it is none.
    let name = format!("bot{}", HOSTILE.trim_end_matches([' ', '\u{202e}']));
    let body = json!({"agent_id": name, "goal": HOSTILE, "metadata": {HOSTILE: HOSTILE}});
    let run = app.post(format!("{ACTIVITY}/runs")).key(&scene.agent).json(&body).send().await.expect(201);
    let run_id = text(&run["run_id"]);
    let step = json!({
        "kind": "LLM_CALL", "skill_name": HOSTILE, "status": "FAILURE", "params": {"q": HOSTILE},
        "outcome": {"category": "PERMANENT", "code": HOSTILE, "data": HOSTILE},
        "llm": {"provider": HOSTILE, "model": HOSTILE, "prompt": HOSTILE, "response": HOSTILE, "finish_reason": HOSTILE,
            "input_tokens": 1, "output_tokens": 1, "cost_usd": 0.75},
    });
    let answer =
        app.post(format!("{ACTIVITY}/runs/{run_id}/steps")).key(&scene.agent).json(&step).send().await;
    assert_eq!(answer.problem(403), "step_halted");
    let cookie = session(&app, &scene.admin).await;
    let scene = Scene { run_id, ..scene };
    for path in pages(&scene) {
        let answer = app.get(&path).header("cookie", &cookie).send().await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        for raw in ["<script", "<img", "onmouseover=x <", "\"' on"] {
            assert!(!answer.text.contains(raw), "{path} has {raw}: {}", answer.text);
        }
    }
    let page =
        app.get(format!("/console/activity/runs/{}", scene.run_id)).header("cookie", &cookie).send().await;
    assert!(page.text.contains("&#60;script&#62;alert(1)"), "it is shown, as text: {}", page.text);
    let filter = "/console/activity/runs?agent_id=%22%3E%3Cscript%3Ealert(1)%3C/script%3E";
    let answer = app.get(filter).header("cookie", &cookie).send().await;
    assert!(!answer.text.contains("<script"), "{}", answer.text);
}

#[tokio::test]
async fn an_incident_is_handled_by_forms() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let cookie = session(&app, &scene.admin).await;
    let incident = format!("/console/incidents/{}", scene.incident_id);
    let post = |what: &str, body: &'static str| {
        let call = app.post(format!("{incident}/{what}")).header("cookie", &cookie).header(SAME.0, SAME.1);
        form(call, body).send()
    };
    let page = || app.get(&incident).header("cookie", &cookie).send();
    assert!(page().await.text.contains("id=\"acknowledge\""));
    let done = post("acknowledge", "note=on+%3Cit%3E").await;
    assert_eq!((done.status.as_u16(), done.header("location")), (303, incident.as_str()));
    let told = page().await.text;
    assert!(told.contains("ACKED") && told.contains("on &#60;it&#62;"), "{told}");
    assert!(!told.contains("id=\"acknowledge\""), "{told}");
    let odd = post("resolve", "resolution_type=nonsense").await;
    assert_eq!(odd.status.as_u16(), 400, "{}", odd.text);
    is_a_page(&incident, &odd);
    assert_eq!(post("resolve", "resolution_type=fixed&note=").await.status.as_u16(), 303);
    let told = page().await.text;
    assert!(told.contains("RESOLVED") && told.contains("fixed") && !told.contains("Handle it"), "{told}");
    let late = post("acknowledge", "").await;
    assert_eq!(late.status.as_u16(), 409, "{}", late.text);
    is_a_page(&incident, &late);
    assert!(late.text.contains("incident_resolved"), "{}", late.text);
}

#[tokio::test]
async fn who_may_look_but_not_act_is_offered_no_form() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let cookie = session(&app, &app.key(Role::Viewer).await).await;
    let incident = format!("/console/incidents/{}", scene.incident_id);
    let rule = format!("/console/policies/rules/{}", scene.rule_id);
    let limit = format!("/console/policies/limits/{}", scene.limit_id);
    let freezes = "/console/policies/freezes".to_owned();
    for (path, form_is, posts) in [
        (&rule, "Change it", ""),
        (&limit, "Change it", ""),
        (&limit, "Disable it", "/disable"),
        (&freezes, "Freeze an agent", ""),
        (&freezes, "Freeze all agents", "/lift"),
        (&incident, "Handle it", "/acknowledge"),
        (&incident, "Handle it", "/resolve"),
        (&rule, "Retire it", "/retire"),
    ] {
        let page = app.get(path).header("cookie", &cookie).send().await;
        assert!(page.status == 200 && !page.text.contains(form_is), "{}", page.text);
        let call = app.post(format!("{path}{posts}")).header("cookie", &cookie).header(SAME.0, SAME.1);
        let refused = form(call, "reason=x").send().await;
        assert_eq!(refused.status.as_u16(), 403, "{path}{posts}: {}", refused.text);
        is_a_page(path, &refused);
    }
}

#[tokio::test]
async fn a_rule_is_made_and_retired_by_forms() {
    let app = App::new().await;
    let cookie = session(&app, &app.key(Role::Policy).await).await;
    let post = |path: String, body: &'static str| {
        form(app.post(path).header("cookie", &cookie).header(SAME.0, SAME.1), body).send()
    };
    let rules = || "/console/policies/rules".to_owned();
    for (body, field) in [
        ("name=a&enforcement_mode=BLOCK&condition=context.step.cots+%3E+1", "condition"),
        ("name=a&enforcement_mode=BLOCK", "condition"),
        ("enforcement_mode=BLOCK&condition=context.step.cost_microusd+%3E+1", "name"),
        ("name=a&condition=context.step.cost_microusd+%3E+1", "enforcement_mode"),
        ("name=a&enforcement_mode=BLOCK&scope=AGENT&condition=context.step.cost_microusd+%3E+1", "scope_id"),
        (
            "name=a&enforcement_mode=BLOCK&precedence=low&condition=context.step.cost_microusd+%3E+1",
            "precedence",
        ),
    ] {
        let refused = post(rules(), body).await;
        assert_eq!(refused.status.as_u16(), 422, "{}", refused.text);
        is_a_page("/console/policies/rules", &refused);
        is_refused_at(&refused, "new-rule", field);
    }
    let good = "name=costly&description=too+dear&enforcement_mode=BLOCK&bind_at=STEP_PRE\
        &condition=context.step.cost_microusd+%3E+1";
    let made = post(rules(), good).await;
    assert_eq!(made.status.as_u16(), 303, "{}", made.text);
    let rule = made.header("location").to_owned();
    let page = app.get(&rule).header("cookie", &cookie).send().await;
    assert!(page.text.contains("context.step.cost_microusd &#62; 1"), "{}", page.text);
    assert!(page.text.contains("STEP_PRE"), "{}", page.text);
    let again = post(rules(), good).await;
    assert_eq!(again.status.as_u16(), 409, "{}", again.text);
    assert!(again.text.contains("value=\"costly\""), "what was typed is kept: {}", again.text);
    let silent = post(format!("{rule}/retire"), "reason=").await;
    assert_eq!(silent.status.as_u16(), 422, "{}", silent.text);
    assert_eq!(post(format!("{rule}/retire"), "reason=no+longer+needed").await.status.as_u16(), 303);
    let page = app.get(&rule).header("cookie", &cookie).send().await;
    assert!(page.text.contains("RETIRED") && page.text.contains("no longer needed"), "{}", page.text);
    assert!(!page.text.contains("Retire it"), "{}", page.text);
}

#[tokio::test]
async fn the_proof_is_recomputed_when_it_is_asked_for() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let cookie = session(&app, &scene.admin).await;
    let proof = format!("/console/activity/runs/{}/proof", scene.run_id);
    let verify = || app.get(format!("{proof}?verify=true")).header("cookie", &cookie).send();
    assert!(
        verify().await.text.contains(">UNSUPPORTED</p>"),
        "a run that is not sealed has nothing to compare with"
    );
    let complete = app.post(format!("{ACTIVITY}/runs/{}/complete", scene.run_id)).key(&scene.agent);
    complete.json(&json!({"status": "SUCCEEDED"})).send().await.expect(200);
    let before = app.get(&proof).header("cookie", &cookie).send().await;
    assert!(!before.text.contains("id=\"verification\""), "nothing is claimed before: {}", before.text);
    let sealed = verify().await;
    assert!(sealed.text.contains(">VERIFIED</p>"), "{}", sealed.text);
}

#[tokio::test]
async fn lists_page_by_the_last_row() {
    let app = App::new().await;
    let agent = app.key(Role::Agent).await;
    for _ in 0..53 {
        super::scene::start(&app, &agent).await;
    }
    let cookie = session(&app, &app.key(Role::Viewer).await).await;
    let rows =
        |answer: &Answer| answer.text.matches("<td class=\"wide\"><a href=\"/console/activity/runs/").count();
    let first = app.get("/console/activity/runs?agent_id=support-bot").header("cookie", &cookie).send().await;
    assert_eq!(rows(&first), 50, "{}", first.text);
    let older =
        first.text.split("<a href=\"?").find(|part| part.contains("rel=\"next\"")).expect("a next page");
    let older = older.split('"').next().expect("a query").replace("&#38;", "&").replace("&amp;", "&");
    assert!(older.starts_with("agent_id=support-bot&cursor="), "the filter stays: {older}");
    let second = app.get(format!("/console/activity/runs?{older}")).header("cookie", &cookie).send().await;
    assert_eq!(rows(&second), 3, "{}", second.text);
    assert!(!second.text.contains("rel=\"next\""), "{}", second.text);
}

#[tokio::test]
async fn an_empty_console_says_what_to_do_next() {
    let app = App::new().await;
    let cookie = session(&app, &app.key(Role::Admin).await).await;
    for (path, says) in [
        ("/console/overview", "curl"),
        ("/console/activity/runs", "curl"),
        ("/console/incidents", "No incident."),
        ("/console/policies/rules", "Make the first rule"),
        ("/console/policies/limits", "Make the first limit"),
        ("/console/policies/freezes", "Nothing is frozen."),
        ("/console/logs/system", "role=\"search\""),
        ("/console/logs/audit", "No entry yet."),
    ] {
        let answer = app.get(path).header("cookie", &cookie).send().await;
        assert!(answer.text.contains("empty\"") || path.ends_with("/system"), "{path}: {}", answer.text);
        assert!(answer.text.contains(says), "{path}: {}", answer.text);
    }
}
