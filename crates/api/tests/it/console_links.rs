//! Every link of the console leads to a page: a walk from `/console` to all that each role can reach.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use models::account::Role;
use serde_json::json;

use super::{
    app::{App, Call},
    console::session,
    scene::{ACTIVITY, Scene},
};

/// The values of an attribute in the tags that begin so.
fn values<'a>(page: &'a str, tag: &str, name: &str) -> Vec<&'a str> {
    let tags = page.split(tag).skip(1).map(|rest| rest.split('>').next().unwrap_or_default());
    let value = |tag: &'a str| tag.split(&format!("{name}=\"")).nth(1)?.split('"').next();
    tags.filter_map(value).collect()
}

/// Where a reference leads from a page, as a browser resolves it, and the place in that page.
fn resolve(page: &str, reference: &str) -> (String, Option<String>) {
    let reference = reference.replace("&#38;", "&").replace("&amp;", "&");
    let (to, place) = match reference.split_once('#') {
        Some((to, place)) => (to.to_owned(), Some(place.to_owned())),
        None => (reference, None),
    };
    let here = page.split('?').next().unwrap_or_default();
    let to = match to.chars().next() {
        None => page.to_owned(),
        Some('/') => to,
        Some('?') => format!("{here}{to}"),
        Some(_) => panic!("{page} has a relative link: {to}"),
    };
    (to, place)
}

/// What a role is shown.
pub(crate) struct Shown {
    /// The pages that it comes to.
    pub(crate) pages: BTreeSet<String>,
    /// Where the forms of those pages lead that change something, each with a page that it is on.
    pub(crate) forms: BTreeMap<String, String>,
}

/// The addresses of the console's router that take this method, as the router writes them.
pub(crate) fn routes(method: &str) -> Vec<String> {
    let source = include_str!("../../src/console/mod.rs");
    let taken_by = format!("{method}(");
    let path = |route: &str| -> Option<String> {
        let path = route.trim_start().strip_prefix('"')?.split('"').next()?;
        Some(if path.starts_with("/console") { path.to_owned() } else { format!("/console{path}") })
    };
    let calls = source.split(".route(").skip(1).filter(|call| call.contains(&taken_by));
    let routes: Vec<String> = calls.filter_map(path).collect();
    assert!(routes.len() > 10, "the router is written in another way: {routes:?}");
    routes
}

/// Whether an address is one of a route's.
pub(crate) fn is_of(route: &str, address: &str) -> bool {
    let address = address.split('?').next().unwrap_or_default();
    let (names, parts) = (route.split('/'), address.split('/'));
    names.clone().count() == parts.clone().count()
        && names.zip(parts).all(|(name, part)| name.starts_with('{') || name == part)
}

/// Follows every link that a role is shown.
pub(crate) async fn walk(app: &App, role: Role, key: &str) -> Shown {
    let cookie = session(app, key).await;
    let get = |path: &str| -> Call<'_> { app.get(path).header("cookie", &cookie) };
    // No link leads to the login from within; its form is a form all the same.
    let starts = ["/console", "/console/login"];
    let mut seen = BTreeSet::from(starts.map(str::to_owned));
    let mut todo = VecDeque::from(starts.map(|path| (path.to_owned(), "the start".to_owned())));
    let mut forms = BTreeMap::new();
    while let Some((path, from)) = todo.pop_front() {
        let answer = get(&path).send().await;
        if answer.status == 303 {
            let to = answer.header("location").to_owned();
            assert!(!to.starts_with("/console/login"), "{path} on {from} as {role} leads to the login");
            if seen.insert(to.clone()) {
                todo.push_back((to, path));
            }
            continue;
        }
        assert_eq!(answer.status, 200, "{path} on {from} as {role}: {}", answer.text);
        if !answer.header("content-type").starts_with("text/html") {
            continue;
        }
        let mut links = values(&answer.text, "<a ", "href");
        links.extend(values(&answer.text, "<link ", "href"));
        for form in answer.text.split("<form").skip(1) {
            let form = format!("<form{}", form.split('>').next().unwrap_or_default());
            let action = values(&format!("{form}>"), "<form", "action").concat();
            if form.contains("method=\"post\"") {
                let (to, _) = resolve(&path, &action);
                let answer = get(&to).send().await;
                assert_ne!(answer.status, 404, "the form for {to} on {path} as {role} leads nowhere");
                forms.insert(to, path.clone());
            } else {
                assert!(form.contains("method=\"get\""), "{path} has a form of another method: {form}");
                assert!(action.is_empty() || action.starts_with('/'), "{path}: {action}");
                let to = resolve(&path, &action).0;
                let to =
                    if action.is_empty() { to.split('?').next().unwrap_or_default().to_owned() } else { to };
                if seen.insert(to.clone()) {
                    todo.push_back((to, path.clone()));
                }
            }
        }
        for link in links {
            let (to, place) = resolve(&path, link);
            if let Some(place) = place.filter(|_| to == path) {
                assert!(answer.text.contains(&format!("id=\"{place}\"")), "{path} has no place {place}");
            }
            if seen.insert(to.clone()) {
                todo.push_back((to, path.clone()));
            }
        }
        assert!(seen.len() < 500, "the walk as {role} does not end: {seen:?}");
        assert!(
            !answer.text.contains(" formaction="),
            "{path} has a button that leads elsewhere than its form"
        );
    }
    Shown { pages: seen, forms }
}

#[tokio::test]
async fn every_link_leads_to_a_page_for_every_role() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let complete = app.post(format!("{ACTIVITY}/runs/{}/complete", scene.run_id)).key(&scene.agent);
    complete.json(&json!({"status": "SUCCEEDED"})).send().await.expect(200);
    super::scene::start(&app, &scene.agent).await;
    for role in Role::ALL {
        let seen = walk(&app, *role, &scene.key(&app, *role).await).await.pages;
        let run = format!("/console/activity/runs/{}", scene.run_id);
        let mut expected = vec![run.clone()];
        if *role != Role::Agent {
            expected.extend([
                "/console/overview".to_owned(),
                format!("/console/incidents/{}", scene.incident_id),
                format!("/console/policies/rules/{}", scene.rule_id),
                format!("/console/policies/limits/{}", scene.limit_id),
                format!("/console/logs/audit/{}", scene.audit_id),
                format!("/console/jobs/{}", scene.job_id),
            ]);
        }
        if matches!(role, Role::Operator | Role::Auditor | Role::Admin) {
            expected.push(format!("{run}/proof"));
            expected.push(format!("{ACTIVITY}/runs/{}/bundle", scene.run_id));
        }
        for path in expected {
            assert!(seen.contains(&path), "{role} does not come to {path}: {seen:#?}");
        }
        // The console with a slash after it is for people who type.
        let routes = routes("get").into_iter().filter(|route| *role == Role::Admin && route != "/console/");
        for route in routes {
            assert!(seen.iter().any(|page| is_of(&route, page)), "no link leads to {route}: {seen:#?}");
        }
    }
}
