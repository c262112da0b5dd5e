//! Jobs over HTTP: put in the queue, looked at, followed, cancelled, put back.

use std::{sync::Arc, time::Duration};

use models::{account::Role, jobs::JobKind};
use orchestrator::{
    background::log_check::LogCheck,
    jobs::{Pace, Skill, Worker},
};
use serde_json::json;

use super::{
    app::App,
    scene::{JOBS, text},
};

/// Takes what is due, and works until it is through.
async fn work(app: &App) {
    let handler = Arc::new(LogCheck { rest: Duration::ZERO });
    let skill = Skill { kind: JobKind::LogCheck, handler, stands: false };
    let worker = Worker::new(&app.kit.spine, vec![skill], Pace::default());
    worker.tick(&app.kit.spine).await.expect("it takes what is due");
    worker.through().await;
}

#[tokio::test]
async fn a_job_is_put_in_the_queue_and_done_and_told_of() {
    let app = App::new().await;
    let (operator, viewer) = (app.key(Role::Operator).await, app.key(Role::Viewer).await);
    let made = app.post(JOBS).key(&operator).json(&json!({"kind": "log_check"})).send().await;
    let path = made.header("location").to_owned();
    let job = made.expect(201);
    assert_eq!(path, format!("{JOBS}/{}", text(&job["job_id"])));
    let progress = json!({"stage": "queued", "percentage": 0, "eta": null});
    assert_eq!((&job["state"], &job["progress"], &job["payload"]), (&json!("QUEUED"), &progress, &json!({})));
    assert_eq!((&job["run_at"], &job["standing"]), (&json!("2026-03-02T09:00:00.000000Z"), &json!(null)));
    work(&app).await;
    let done = app.get(&path).key(&viewer).send().await.expect(200);
    let progress = json!({"stage": "completed", "percentage": 100, "eta": null});
    assert_eq!(
        (&done["state"], &done["progress"], &done["attempts"]),
        (&json!("SUCCEEDED"), &progress, &json!(1))
    );
    assert_eq!(
        (&done["run_at"], &done["lease_owner"], &done["lease_until"]),
        (&json!(null), &json!(null), &json!(null))
    );
    let events = done["events"].as_array().expect("events");
    let types: Vec<_> = events.iter().map(|event| text(&event["event_type"])).collect();
    assert_eq!((types.first(), types.last()), (Some(&"created".to_owned()), Some(&"completed".to_owned())));
    assert!(events.windows(2).all(|two| two[0]["hash"] == two[1]["previous"]), "{events:?}");
    assert_eq!(done["attempts_failed"], json!([]));
    for (filter, count) in [("state=SUCCEEDED", 1), ("state=QUEUED", 0), ("kind=log_check", 1)] {
        let list = app.get(format!("{JOBS}?{filter}")).key(&viewer).send().await.expect(200);
        assert_eq!(list["items"].as_array().map(Vec::len), Some(count), "{filter}");
    }
    assert_eq!(
        app.get(format!("{JOBS}?state=DONE")).key(&viewer).send().await.field(400, "invalid_parameter"),
        "/state"
    );
}

#[tokio::test]
async fn a_job_is_cancelled_once_and_put_back() {
    let app = App::new().await;
    let operator = app.key(Role::Operator).await;
    let later = json!({"kind": "log_check", "run_at": "2026-12-01T00:00:00Z"});
    let job = text(&app.post(JOBS).key(&operator).json(&later).send().await.expect(201)["job_id"]);
    let post = |what: &str| {
        let body = json!({"reason": "mail ana@example.com first"});
        app.post(format!("{JOBS}/{job}/{what}")).key(&operator).json(&body).send()
    };
    assert_eq!(post("requeue").await.problem(409), "job_in_queue");
    assert_eq!(post("cancel").await.expect(200)["state"], "CANCELLED");
    assert_eq!(post("cancel").await.problem(409), "job_over");
    let back = post("requeue").await.expect(200);
    assert_eq!((&back["state"], &back["run_at"]), (&json!("QUEUED"), &json!("2026-03-02T09:00:00.000000Z")));
    work(&app).await;
    assert_eq!(post("requeue").await.problem(409), "job_over");
    let told = app.get(format!("{JOBS}/{job}")).key(&operator).send().await;
    assert!(told.text.contains("first") && !told.text.contains("ana@example.com"), "{}", told.text);
}

#[tokio::test]
async fn whoever_follows_a_job_from_its_end_has_it() {
    let app = App::new().await;
    let operator = app.key(Role::Operator).await;
    let made = app.post(JOBS).key(&operator).json(&json!({"kind": "log_check"})).send().await.expect(201);
    let events = format!("{JOBS}/{}/events", text(&made["job_id"]));
    let follow = |last: &str| app.get(&events).key(&operator).header("last-event-id", last).send();
    assert_eq!(follow("end").await.status, 204);
    assert_eq!(follow("soon").await.problem(400), "invalid_header");
}
