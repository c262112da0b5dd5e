//! Every route, with what no route takes: the answer is a problem, and says which.

use models::account::Role;
use serde_json::{Value, json};

use super::{
    app::App,
    examples::operations,
    scene::{ACTIVITY, Scene, llm_step, start},
};

#[tokio::test]
async fn every_body_is_read_strictly() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    for operation in operations().iter().filter(|operation| operation.takes_our_json()) {
        let id = &operation.id;
        let call = || operation.bare(&app, &scene).key(&scene.admin);
        for broken in ["{", "nonsense", "{\"a\":}", "{\"a\":1}}", "{\"a\":\"\u{1}\"}", "\u{feff}{}"] {
            assert_eq!(call().text(broken).send().await.problem(400), "malformed_json", "{id}: {broken}");
        }
        let latin =
            call().header("content-type", "application/json").body(vec![b'{', b'"', 0xe9, b'"'].into());
        assert_eq!(latin.send().await.problem(400), "malformed_json", "{id}");
        let null = if operation.body_is_required { "null" } else { "[null]" };
        for other in ["[]", null, "1", "\"a\"", "[{}]"] {
            assert_eq!(call().text(other).send().await.field(422, "invalid_request"), "", "{id}: {other}");
        }
        let mut more = operation.body().expect("a body");
        more["zzz"] = json!(1);
        assert_eq!(call().json(&more).send().await.field(422, "invalid_request"), "/zzz", "{id}");
        let mut nul = operation.body().expect("a body");
        nul["zzz"] = json!("\0");
        assert_eq!(call().json(&nul).send().await.problem(422), "invalid_request", "{id}");
        for other in
            ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", "multipart/form-data"]
        {
            let call = call().header("content-type", other).body("{}".into());
            assert_eq!(call.send().await.problem(415), "unsupported_media_type", "{id}: {other}");
        }
        let with_charset = call().header("content-type", "application/json; charset=utf-8").body("{".into());
        assert_eq!(with_charset.send().await.problem(400), "malformed_json", "{id}");
        let large = call().text(format!("{{\"a\":\"{}\"}}", "x".repeat(4 << 20)));
        assert_eq!(large.send().await.problem(413), "body_too_large", "{id}");
        let declared = call().header("content-length", "99999999").text("{}");
        assert_eq!(declared.send().await.problem(413), "body_too_large", "{id}");
        if operation.body_is_required {
            assert_eq!(call().text("").send().await.problem(400), "malformed_json", "{id}");
            assert_eq!(call().send().await.problem(415), "unsupported_media_type", "{id}");
        }
    }
}

#[tokio::test]
async fn every_id_that_does_not_parse_is_404() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    for operation in operations().iter().filter(|operation| operation.path.contains('{')) {
        for odd in ["x", "run_", "%00", "%ff", "inc_0190AAAA000070008000000000000000", &"9".repeat(300)] {
            let mut path = operation.path.clone();
            while let (Some(from), Some(to)) = (path.find('{'), path.find('}')) {
                path.replace_range(from..=to, odd);
            }
            let mut call =
                app.call(operation.method.clone(), path).key(&scene.admin).header("if-match", "\"1\"");
            if let Some(body) = operation.body() {
                call = call.json(&body);
            }
            assert_eq!(call.send().await.problem(404), "not_found", "{} of {odd}", operation.id);
        }
    }
}

#[tokio::test]
async fn every_list_reads_its_parameters_strictly() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let document = serde_json::to_value(api::openapi()).expect("a document");
    let mut lists = 0;
    for operation in operations() {
        let parameters =
            &document["paths"][&operation.path][operation.method.as_str().to_lowercase()]["parameters"];
        let of_query: Vec<String> = parameters
            .as_array()
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] == "query")
            .map(|parameter| parameter["name"].as_str().expect("a name").to_owned())
            .collect();
        if of_query.is_empty() {
            continue;
        }
        lists += 1;
        let path = operation.path_in(&scene);
        let and = if path.contains('?') { '&' } else { '?' };
        let get = |query: &str| app.get(format!("{path}{and}{query}")).key(&scene.admin);
        let id = &operation.id;
        assert_eq!(get("zzz=1").send().await.field(400, "invalid_parameter"), "/zzz", "{id}");
        assert_eq!(get("zzz=%00").send().await.field(422, "invalid_request"), "/zzz", "{id}");
        for name in &of_query {
            let twice = get(&format!("{name}=a&{name}=a")).send().await;
            assert_eq!(twice.field(400, "invalid_parameter"), format!("/{name}"), "{id}");
            if !path.contains(&format!("{name}=")) {
                let nul = get(&format!("{name}=%00")).send().await;
                assert_eq!(nul.field(422, "invalid_request"), format!("/{name}"), "{id}");
            }
        }
        if of_query.iter().any(|name| name == "limit") {
            for (query, field) in [
                ("limit=0", "/limit"),
                ("limit=201", "/limit"),
                ("cursor=x", "/cursor"),
                ("total=1", "/total"),
            ] {
                assert_eq!(get(query).send().await.field(400, "invalid_parameter"), field, "{id}: {query}");
            }
            let page = get("limit=200&total=true").send().await.expect(200);
            assert!(
                page["items"].is_array() && page["total"].is_u64() && page["has_more"].is_boolean(),
                "{id}: {page}"
            );
            assert!(page.as_object().is_some_and(|page| page.contains_key("next_cursor")), "{id}: {page}");
        }
    }
    assert!(lists >= 12, "the lists were not found");
}

#[tokio::test]
async fn what_is_no_route_is_a_problem_too() {
    let app = App::new().await;
    let viewer = app.key(Role::Viewer).await;
    for path in ["/", "/api/v1", "/api/v1/runtime/nothing", "/api/v1/runtime/activity/runs/", "/favicon.ico"]
    {
        assert_eq!(app.get(path).send().await.problem(401), "unauthenticated", "{path}");
        assert_eq!(app.get(path).key(&viewer).send().await.problem(404), "route_not_found", "{path}");
    }
    for path in ["/v1/logs", "/v1/metrics", "/v1/trace", "/v1/traces/v1/traces"] {
        let told = app.get(path).key(&viewer).send().await;
        assert_eq!(told.problem(404), "route_not_found", "{path}");
        assert!(told.text.contains("POST /v1/traces"), "{path}: {}", told.text);
    }
    // Who types the address alone into a browser is led to the console.
    let browser = app.get("/").header("accept", "text/html,application/xhtml+xml,*/*;q=0.8").send().await;
    assert_eq!((browser.status.as_u16(), browser.header("location")), (303, "/console/overview"));
    // A word that the specification keeps for a route is not taken for the id that its place has for others.
    for word in ["patterns", "metrics", "by-run"] {
        let path = format!("/api/v1/runtime/incidents/{word}");
        assert_eq!(app.get(path).key(&viewer).send().await.problem(404), "route_not_found", "{word}");
    }
    for operation in operations() {
        let other = "PUT";
        let path = operation.path.replace(['{', '}'], "");
        let call = || app.call(other.parse().expect("a method"), path.as_str());
        assert_eq!(call().send().await.problem(401), "unauthenticated", "{other} {path}");
        let answer = call().key(&viewer).send().await;
        assert_eq!(answer.problem(405), "method_not_allowed", "{other} {path}");
        assert!(answer.header("allow").contains(operation.method.as_str()), "{other} {path}");
    }
}

/// What no member of a body is ready for, whatever its type.
pub(crate) fn odd_values() -> Vec<Value> {
    let text = |text: &str| json!(text);
    vec![
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(1_u64 << 53),
        json!((1_u64 << 53) + 1),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(f64::MAX),
        text(""),
        text(" "),
        text("\u{feff}\u{202e}\u{10ffff}\u{1}"),
        text("'; DROP TABLE runs; --"),
        text("9999-12-31T23:59:59.999999Z"),
        text("0001-01-01T00:00:00Z"),
        text("run_00000000000000000000000000000000"),
        text(&"x".repeat(100_000)),
        json!([]),
        json!({}),
        json!([[[[]]]]),
        json!({"type": "HUMAN", "all": [], "a/b~c": {"": null}}),
    ]
}

#[tokio::test]
async fn no_value_of_any_member_makes_the_server_fail() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let document = serde_json::to_value(api::openapi()).expect("a document");
    for operation in operations().iter().filter(|operation| operation.takes_our_json()) {
        let told =
            &document["paths"][&operation.path][operation.method.as_str().to_lowercase()]["requestBody"];
        let schema = resolved(&document, &told["content"]["application/json"]["schema"]);
        for member in schema["properties"].as_object().expect("members").keys() {
            for value in odd_values() {
                let mut body = operation.body().expect("a body");
                body[member] = value;
                let answer = operation.bare(&app, &scene).key(&scene.admin).json(&body).send().await;
                let shown = body.to_string().chars().take(200).collect::<String>();
                assert!(!answer.status.is_server_error(), "{} {shown}: {}", operation.id, answer.text);
                if answer.status.is_client_error() {
                    answer.problem(answer.status.as_u16());
                }
            }
        }
    }
}

/// A schema, where need be through its reference; an optional body's is one of two, and what
/// holds of members together comes after the members.
fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    if let Some(reference) = schema["$ref"].as_str() {
        return resolved(document, document.pointer(&reference[1..]).expect("a schema"));
    }
    if let Some(members) = schema["allOf"].get(0) {
        return members;
    }
    match schema["oneOf"].as_array() {
        Some(all) => resolved(document, all.iter().find(|one| one["type"] != "null").expect("a schema")),
        None => schema,
    }
}

#[tokio::test]
async fn totals_stop_where_a_record_can_hold_no_more() {
    let app = App::new().await;
    let agent = app.key(Role::Agent).await;
    let run = start(&app, &agent).await;
    for n in 0..2 {
        let mut step = llm_step("9007199.254740992");
        step["llm"]["input_tokens"] = json!(1_u64 << 53);
        app.post(format!("{ACTIVITY}/runs/{run}/steps")).key(&agent).json(&step).send().await.expect(200);
        let run = app.get(format!("{ACTIVITY}/runs/{run}")).key(&agent).send().await.expect(200);
        assert_eq!(run["cost_known"], n == 0, "a sum that was cut is not known: {run}");
    }
    let run = app.get(format!("{ACTIVITY}/runs/{run}")).key(&agent).send().await.expect(200);
    assert_eq!((&run["input_tokens"], &run["step_count"]), (&json!(1_u64 << 53), &json!(2)), "{run}");
}
