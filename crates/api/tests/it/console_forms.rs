//! Every form of the console, found by the walk over its pages: no other site can send it, and whoever may is shown it
//! and nobody else.

use std::collections::BTreeMap;

use models::account::Role;
use serde_json::json;

use super::{
    app::{App, Call},
    console::{SAME, form, is_a_page, session},
    console_links::{is_of, routes, walk},
    scene::{POLICIES, Scene},
};

/// A scene in which each form is on some page.
async fn scene(app: &App) -> Scene {
    let scene = Scene::set(app).await;
    let freeze = app.post(format!("{POLICIES}/freeze")).key(&scene.admin);
    let another = json!({"agent_id": "another-bot", "reason": "it misbehaves"});
    freeze.json(&another).send().await.expect(201);
    scene
}

#[tokio::test]
async fn what_takes_a_form_has_one_on_a_page() {
    let app = App::new().await;
    let scene = scene(&app).await;
    let forms = walk(&app, Role::Admin, &scene.admin).await.forms;
    for route in routes("post") {
        assert!(
            forms.keys().any(|to| is_of(&route, to)),
            "no form of the scene's pages leads to {route}, so nothing is tried with it: have the scene show it"
        );
    }
}

#[tokio::test]
async fn no_other_site_gets_anything_done() {
    let app = App::new().await;
    let scene = scene(&app).await;
    let forms = walk(&app, Role::Admin, &scene.admin).await.forms;
    let cookie = session(&app, &scene.admin).await;
    let foreign: [&[(&str, &str)]; 4] = [
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "https://evil.example"), ("host", "127.0.0.1:8080")],
        &[],
    ];
    for headers in foreign {
        let with = |call| headers.iter().fold(call, |call: Call<'_>, (name, value)| call.header(name, value));
        for (to, page) in &forms {
            // Another site may well know a key of its own, to log somebody in with it.
            let body = if to == "/console/login" { format!("key={}", scene.admin) } else { String::new() };
            let answer = form(with(app.post(to).header("cookie", &cookie)), body).send().await;
            let got = (answer.status.as_u16(), answer.header("set-cookie"));
            assert_eq!(got, (403, ""), "{to} of {page}, {headers:?}: {}", answer.text);
            is_a_page(to, &answer);
        }
        let keys = with(app.post("/api/v1/account/keys").header("cookie", &cookie));
        assert_eq!(keys.json(&json!({"role": "admin"})).send().await.problem(403), "cross_site_request");
    }
    let still = app.get("/console/overview").header("cookie", &cookie).send().await;
    assert_eq!(still.status, 200, "the logout did not happen");
}

#[tokio::test]
async fn a_form_is_shown_to_those_who_may_send_it_and_to_nobody_else() {
    let app = App::new().await;
    let scene = scene(&app).await;
    let mut all = BTreeMap::new();
    let mut shown = Vec::new();
    for role in Role::ALL {
        let key = scene.key(&app, *role).await;
        let forms = walk(&app, *role, &key).await.forms;
        all.extend(forms.clone());
        shown.push((*role, key, forms));
    }
    for (role, key, forms) in &shown {
        for (to, page) in &all {
            // Each with a session of its own: one of the forms ends it.
            let cookie = session(&app, key).await;
            let call = app.post(to).header("cookie", &cookie).header(SAME.0, SAME.1);
            let answer = form(call, "").send().await;
            let (status, is_shown) = (answer.status.as_u16(), forms.contains_key(to));
            assert!(status < 500, "{to} of {page} as {role}: {status} {}", answer.text);
            assert_eq!(status != 403, is_shown, "{to} of {page} as {role}: {status} {}", answer.text);
            if !is_shown {
                is_a_page(to, &answer);
            }
        }
    }
}
