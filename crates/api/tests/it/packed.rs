//! Long answers are packed as their readers ask, and everything else is as it was.

use std::io::Read as _;

use axum::http::{HeaderMap, Method};
use flate2::read::MultiGzDecoder;
use models::account::Role;
use serde_json::json;

use super::{
    app::App,
    scene::{ACTIVITY, POLICIES, Scene, text},
    told::sealed,
};

fn header<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers.get(name).map_or("", |value| value.to_str().expect("a text"))
}

/// What a reader makes of a body that was packed so.
fn unpacked(coding: &str, body: &[u8]) -> String {
    let plain = match coding {
        "zstd" => zstd::decode_all(body).expect("zstd"),
        "gzip" => {
            let mut plain = Vec::new();
            MultiGzDecoder::new(body).read_to_end(&mut plain).expect("gzip");
            plain
        }
        _ => body.to_vec(),
    };
    String::from_utf8(plain).expect("text")
}

#[tokio::test]
async fn a_long_answer_is_packed_as_its_reader_asks() {
    let app = App::new().await;
    let path = "/api/v1/openapi.json";
    for (asked, coding) in [
        ("zstd", "zstd"),
        ("gzip", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("zstd;q=0.1, gzip", "gzip"),
        ("br", ""),
        ("identity;q=0", ""),
    ] {
        let (status, headers, body) = app.get(path).header("accept-encoding", asked).raw().await;
        assert_eq!((status.as_u16(), header(&headers, "content-encoding")), (200, coding), "{asked}");
        assert!(unpacked(coding, &body) == api::openapi_json(), "{asked}: it is the same text");
        assert_eq!(header(&headers, "content-length"), body.len().to_string(), "{asked}");
        assert_eq!(header(&headers, "content-type"), "application/json", "{asked}");
        // A cache asks for it, and so keeps one form from the readers of another.
        assert_eq!(header(&headers, "vary"), "accept-encoding", "{asked}");
        assert_eq!(header(&headers, "x-content-type-options"), "nosniff", "{asked}");
        assert_eq!(header(&headers, "cache-control"), "no-store", "{asked}");
        let (status, of_head, nothing) =
            app.call(Method::HEAD, path).header("accept-encoding", asked).raw().await;
        assert_eq!((status.as_u16(), nothing.len()), (200, 0), "{asked}");
        assert_eq!(of_head, headers, "{asked}: HEAD tells what GET does");
    }
}

#[tokio::test]
async fn a_bundle_that_was_packed_is_the_bundle() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let complete = app.post(format!("{ACTIVITY}/runs/{}/complete", scene.run_id)).key(&scene.agent);
    complete.json(&json!({"status": "SUCCEEDED"})).send().await.expect(200);
    let get = || app.get(format!("{ACTIVITY}/runs/{}/bundle", scene.run_id)).key(&scene.admin);
    let plain = get().send().await.text;
    for coding in ["zstd", "gzip"] {
        let (_, headers, body) = get().header("accept-encoding", coding).raw().await;
        assert_eq!(header(&headers, "content-encoding"), coding);
        assert!(header(&headers, "content-disposition").contains(&scene.run_id), "{coding}");
        assert!(body.len() * 2 < plain.len(), "{coding}: {} of {} bytes", body.len(), plain.len());
        assert_eq!(unpacked(coding, &body), plain, "{coding}: nothing happened in between");
    }
}

/// It is packed in the place that its run was read in, and what is held while nobody takes it is what is counted.
#[tokio::test]
async fn a_proof_that_is_too_long_to_be_held_may_be_held_packed() {
    let proof = async |app: &App, coding: &str| {
        let (run, auditor) = (sealed(app).await, app.key(Role::Auditor).await);
        let get = app.get(format!("{ACTIVITY}/runs/{run}/proof")).key(&auditor);
        get.header("accept-encoding", coding).raw().await
    };
    let (_, _, whole) = proof(&App::new().await, "identity").await;
    // A tenant may hold half of what one has.
    let app = App::holding(whole.len()).await;
    let (status, headers, body) = proof(&app, "identity").await;
    let problem: serde_json::Value = serde_json::from_slice(&body).expect("a problem");
    assert_eq!((status.as_u16(), text(&problem["code"]).as_str()), (503, "overloaded"));
    let what_to_do = text(&problem["detail"]);
    assert!(
        what_to_do.contains("Accept-Encoding") && what_to_do.contains("the bundle of a run"),
        "{what_to_do}"
    );
    assert_eq!(header(&headers, "retry-after"), "", "to come again is no help");
    for coding in ["zstd", "gzip"] {
        let (status, headers, body) = proof(&app, coding).await;
        assert_eq!((status.as_u16(), header(&headers, "content-encoding")), (200, coding));
        assert!(unpacked(coding, &body).len() > body.len(), "{coding}");
    }
    assert_eq!(app.kit.spine.answers().held(), 0);
}

#[tokio::test]
async fn an_answer_that_is_short_or_tagged_or_written_or_a_stream_stays_plain() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let rule = json!({
        "name": "told at length",
        "description": (["why"; 400].join(" ")),
        "enforcement_mode": "WARN",
        "condition": "true",
    });
    let made = app.post(format!("{POLICIES}/rules")).key(&scene.admin).header("accept-encoding", "gzip");
    let (status, headers, body) = made.json(&rule).raw().await;
    assert_eq!((status.as_u16(), header(&headers, "content-encoding")), (201, ""), "what was written");
    assert!(body.len() > 1_024, "{}", body.len());
    let made: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
    let rule = format!("{POLICIES}/rules/{}", text(&made["rule_id"]));
    let events = format!("{ACTIVITY}/runs/{}/events", scene.run_id);
    let nothing = format!("{ACTIVITY}/runs/run_{}", "0".repeat(1_100));
    for (path, status) in
        [("/healthz", 200), (rule.as_str(), 200), (events.as_str(), 200), (nothing.as_str(), 404)]
    {
        let (answered, headers, _) =
            app.get(path).key(&scene.admin).header("accept-encoding", "zstd, gzip").raw().await;
        assert_eq!((answered.as_u16(), header(&headers, "content-encoding")), (status, ""), "{path}");
        assert_eq!(header(&headers, "vary"), "", "{path}");
    }
    // The page of a login link has its token in it, and what the link says beside it.
    let link = format!("/console/login?token=hoc_login_nobodys&next=/console/runs?{}", "a".repeat(1_100));
    let fetched = app.get(link).header("accept-encoding", "gzip").header("sec-purpose", "prefetch");
    let (status, headers, page) = fetched.raw().await;
    let page = String::from_utf8(page.to_vec()).expect("it is no packed text");
    assert!(status == 200 && page.len() > 1_024 && page.contains("hoc_login_nobodys"), "{status}: {page}");
    assert_eq!((header(&headers, "content-encoding"), header(&headers, "vary")), ("", ""));
    // Which site asks is what a browser says by itself.
    for (site, coding) in [("cross-site", ""), ("same-site", ""), ("same-origin", "gzip"), ("none", "gzip")] {
        let asked = app.get("/api/v1/openapi.json").header("accept-encoding", "gzip");
        let (_, headers, _) = asked.header("sec-fetch-site", site).raw().await;
        assert_eq!(header(&headers, "content-encoding"), coding, "{site}");
    }
}
