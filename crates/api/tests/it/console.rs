//! The console as a browser meets it, page by page: what a page may load, what is escaped, whom it refuses.

use axum::body::Body;
use models::account::Role;
use serde_json::json;

use super::{
    app::{Answer, App, Call, OTHER},
    console_links::{is_of, routes},
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

pub(crate) fn cookie(answer: &Answer) -> String {
    let set = answer.header("set-cookie");
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax") && set.contains("Path=/"), "{set}");
    set.split(';').next().expect("a cookie").to_owned()
}

/// Every page of the scene.
pub(crate) fn pages(scene: &Scene) -> Vec<String> {
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
        "/console/policies/stopped".to_owned(),
        "/console/policies/stopped?state=LIFTED&target_type=AGENT&target_id=support-bot".to_owned(),
        "/console/logs/system".to_owned(),
        "/console/logs/system?event_type=AUTH_CHANGE&severity=info&component=keys".to_owned(),
        format!("/console/logs/system/{}", scene.system_id),
        "/console/logs/audit".to_owned(),
        format!("/console/logs/audit?event_type=LimitCreated&run_id={}", scene.run_id),
        format!("/console/logs/audit/{}", scene.audit_id),
        "/console/jobs".to_owned(),
        "/console/jobs?state=CANCELLED&kind=log_check".to_owned(),
        format!("/console/jobs/{}", scene.job_id),
        format!("/console/jobs/{}", scene.cancelled_job_id),
    ]
    .into()
}

/// What every page must have and must not have, whatever its status.
pub(crate) fn is_a_page(path: &str, answer: &Answer) {
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

/// A new page belongs into [`pages`], so that all these tests open it.
#[tokio::test]
async fn every_page_of_the_router_is_opened() {
    let app = App::new().await;
    let opened = pages(&Scene::set(&app).await);
    // Where the console begins, and what is there for those who are not logged in.
    let elsewhere = ["/console/", "/console/login", "/console/static/{file}"];
    for route in routes("get").into_iter().filter(|route| !elsewhere.contains(&route.as_str())) {
        assert!(opened.iter().any(|page| is_of(&route, page)), "`pages` has no {route}");
    }
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
    "<script>alert(1)</script>\"' onmouseover=x <img src=x onerror=alert(2)> {{7+7}} \u{202e}";

#[tokio::test]
async fn what_others_sent_is_text() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    // A name that turns what stands beside it is none.
    let seen = HOSTILE.trim_end_matches([' ', '\u{202e}']);
    let name = format!("bot{seen}");
    let body = json!({"agent_id": name, "goal": HOSTILE, "metadata": {HOSTILE: HOSTILE}});
    let run = app.post(format!("{ACTIVITY}/runs")).key(&scene.agent).json(&body).send().await.expect(201);
    let run_id = text(&run["run_id"]);
    let step = json!({
        "kind": "LLM_CALL", "skill_name": seen, "status": "FAILURE", "params": {"q": HOSTILE},
        "outcome": {"category": "PERMANENT", "code": HOSTILE, "data": HOSTILE},
        "llm": {"provider": seen, "model": seen, "prompt": HOSTILE, "response": HOSTILE, "finish_reason": HOSTILE,
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
        ("/console/policies/stopped", "Nobody has stopped anything yet."),
        ("/console/logs/system", "role=\"search\""),
        ("/console/logs/audit", "No entry yet."),
        ("/console/jobs", "No job yet."),
    ] {
        let answer = app.get(path).header("cookie", &cookie).send().await;
        assert!(answer.text.contains("empty\"") || path.ends_with("/system"), "{path}: {}", answer.text);
        assert!(answer.text.contains(says), "{path}: {}", answer.text);
    }
}
