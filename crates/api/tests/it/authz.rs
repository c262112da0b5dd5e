//! Who may: every operation of the document, with no credential, with each role, and from another tenant.

use models::account::Role;

use super::{
    app::{App, OTHER},
    examples::{Operation, operations},
    scene::Scene,
};

/// What needs no credential. This list only shrinks.
const PUBLIC: &[&str] =
    &["account.public_keys", "account.public_keys_pem", "system.healthz", "system.openapi", "system.readyz"];

/// What has no id of the tenant in it and is no list: another tenant is answered with its own. What it says is looked
/// through for the first tenant's ids all the same. This list only shrinks.
const OWN_ANSWER: &[&str] = &[
    "account.create_key",
    "account.list_keys",
    "account.settings",
    "account.update_settings",
    "account.whoami",
    "activity.ingest",
    "activity.start",
    "activity.tenant_events",
    "jobs.create",
    "logs.get_checkpoint",
    "logs.list_system",
    "logs.prove_consistency",
    "overview.costs",
    "overview.costs_trend",
    "overview.highlights",
    "policies.create_limit",
    "policies.create_rule",
    "policies.freeze",
    "policies.list_facts",
    "policies.validate_rule",
];

fn governed() -> Vec<Operation> {
    let (public, governed): (Vec<_>, Vec<_>) =
        operations().into_iter().partition(|operation| operation.roles.is_empty());
    let mut public: Vec<&str> = public.iter().map(|operation| operation.id.as_str()).collect();
    public.sort_unstable();
    assert_eq!(public, PUBLIC, "an operation without x-roles is public");
    governed
}

#[tokio::test]
async fn without_a_credential_everything_is_401_before_anything_else() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let revoked = app.key(Role::Admin).await;
    let whoami = app.get("/api/v1/account/whoami").key(&revoked).send().await.expect(200);
    let revoke = format!("/api/v1/account/keys/{}/revoke", whoami["key"]["key_id"].as_str().expect("an id"));
    app.post(revoke).key(&scene.admin).send().await.expect(200);
    let stranger = format!("hoc_{}_{}", "0".repeat(32), "0".repeat(64));
    for operation in governed() {
        let calls = [
            ("none", operation.call(&app, &scene)),
            ("no bearer", operation.call(&app, &scene).header("authorization", "Basic YTpi")),
            ("an empty bearer", operation.call(&app, &scene).header("authorization", "Bearer ")),
            ("no key", operation.call(&app, &scene).key("nonsense")),
            ("an unknown key", operation.call(&app, &scene).key(&stranger)),
            ("another secret", operation.call(&app, &scene).key(&scene.admin.replace('a', "b"))),
            ("a revoked key", operation.call(&app, &scene).key(&revoked)),
            ("two keys", operation.call(&app, &scene).key(&scene.admin).key(&scene.admin)),
            ("a broken body", operation.bare(&app, &scene).text("{")),
            ("no JSON", operation.bare(&app, &scene).header("content-type", "text/plain").body("x".into())),
            (
                "an odd path",
                app.call(operation.method.clone(), operation.path.replace(['{', '}'], "") + "?zzz=1&zzz=2"),
            ),
        ];
        for (how, call) in calls {
            let answer = call.send().await;
            assert_eq!(answer.problem(401), "unauthenticated", "{} with {how}", operation.id);
            assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"hoc\"");
        }
    }
}

#[tokio::test]
async fn each_role_may_what_the_document_says_and_no_more() {
    for operation in governed() {
        // Anew for each operation: what one role does must not stand in the way of the next.
        let app = App::new().await;
        let scene = Scene::set(&app).await;
        for role in Role::ALL {
            let key = scene.key(&app, *role).await;
            let answer = operation.call(&app, &scene).key(&key).send().await;
            let may = operation.roles.iter().any(|allowed| allowed == role.as_str());
            if may {
                assert!(
                    ![401, 403].contains(&answer.status.as_u16()),
                    "{} as {role}: {}",
                    operation.id,
                    answer.text
                );
                assert!(!answer.status.is_server_error(), "{} as {role}: {}", operation.id, answer.text);
                // What the scene has of each kind is found by its id: a walk that asks for another's sees nothing.
                let is_read = operation.method.as_str() == "GET" && operation.path.ends_with("/{id}");
                assert!(!is_read || answer.status == 200, "{} as {role}: {}", operation.id, answer.text);
            } else {
                assert_eq!(answer.problem(403), "forbidden", "{} as {role}", operation.id);
                // And that is said before the body is looked at.
                if operation.has_body {
                    let answer = operation.bare(&app, &scene).key(&key).text("{").send().await;
                    assert_eq!(answer.problem(403), "forbidden", "{} as {role}, broken", operation.id);
                }
            }
        }
    }
}

#[tokio::test]
async fn another_tenant_finds_nothing() {
    let mut own_answer = Vec::new();
    for operation in governed() {
        let app = App::new().await;
        let scene = Scene::set(&app).await;
        let before = state(&app, &scene).await;
        for role in &operation.roles {
            let key = app.kit.token(OTHER, role.parse().expect("a role")).await;
            let answer = operation.call(&app, &scene).key(&key).send().await;
            let status = answer.status.as_u16();
            // Where each thing that is asked for has its answer, that names it.
            if operation.id == "incidents.acknowledge_many" {
                let items = answer.expect(200)["items"].clone();
                let items = items.as_array().expect("an answer for each");
                assert!(items.iter().all(|item| item["status"] == 404), "{items:?}");
                continue;
            }
            // Of a stream only the head is read here.
            let is_body = status == 200 && !answer.text.is_empty();
            let is_empty_list = is_body && answer.json()["items"].as_array().is_some_and(Vec::is_empty);
            if operation.path.contains("id}") || status == 404 {
                assert_eq!(answer.problem(404), "not_found", "{} as {role}", operation.id);
            } else if !is_empty_list {
                own_answer.push(operation.id.clone());
            }
            if status < 300 {
                for id in scene.ids() {
                    assert!(
                        !answer.text.contains(id),
                        "{} as {role} tells of {id}: {}",
                        operation.id,
                        answer.text
                    );
                }
            }
        }
        assert_eq!(state(&app, &scene).await, before, "{} by another tenant changed something", operation.id);
    }
    own_answer.sort();
    own_answer.dedup();
    assert_eq!(own_answer, OWN_ANSWER);
}

#[tokio::test]
async fn an_agent_finds_its_own_runs_only() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let stranger = app.key(Role::Agent).await;
    for operation in governed().iter().filter(|operation| operation.roles.iter().any(|role| role == "agent"))
    {
        let answer = operation.call(&app, &scene).key(&stranger).send().await;
        if operation.path.contains("{run_id}") {
            assert_eq!(answer.problem(404), "not_found", "{}", operation.id);
        } else {
            assert!(!answer.text.contains(&scene.run_id), "{}: {}", operation.id, answer.text);
        }
    }
}

/// What the scene's own tenant sees of what could have been changed.
async fn state(app: &App, scene: &Scene) -> Vec<String> {
    let mut seen = Vec::new();
    for path in [
        format!("/api/v1/runtime/activity/runs/{}", scene.run_id),
        format!("/api/v1/runtime/activity/runs/{}/steps", scene.run_id),
        format!("/api/v1/runtime/policies/rules/{}", scene.rule_id),
        format!("/api/v1/runtime/policies/limits/{}", scene.limit_id),
        format!("/api/v1/runtime/incidents/{}", scene.incident_id),
        format!("/api/v1/runtime/jobs/{}", scene.job_id),
        format!("/api/v1/runtime/jobs/{}", scene.cancelled_job_id),
        "/api/v1/runtime/logs/audit".to_owned(),
    ] {
        seen.push(app.get(path).key(&scene.admin).send().await.text);
    }
    seen
}
