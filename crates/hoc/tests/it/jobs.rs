//! `hoc jobs`, beside a server that does them.

use serde_json::{Value, json};
use testkit::Store;

use crate::{
    events::event,
    harness::{Place, in_a_month},
    http::Http,
};

const JOBS: &str = "/api/v1/runtime/jobs";

/// The next event of a stream: its name, its id, and what happened or how the job stands.
fn next(stream: &mut Http) -> (String, String, String) {
    let (name, id, data) = event(stream);
    let what = if name == "event" { &data["event_type"] } else { &data["state"] };
    let what = what.as_str().expect("a word").to_owned();
    (name, id, what)
}

fn told(name: &str, id: &str, what: &str) -> (String, String, String) {
    (name.to_owned(), id.to_owned(), what.to_owned())
}

async fn a_job_is_cancelled_put_back_waited_for_and_told_of(store: Store) {
    let Some(place) = Place::on(store).await else { return };
    let server = place.serve();
    let admin = place.key("admin");
    let later = json!({ "kind": "log_check", "run_at": in_a_month() });
    let job = server.http().post(JOBS, &admin, &later).expect(201);
    let job = job["job_id"].as_str().expect("an id");
    let events = format!("{JOBS}/{job}/events");
    let mut listening = server.http();
    listening.open(&events, &admin, "");
    assert_eq!(next(&mut listening), told("event", "0", "created"));
    assert_eq!(next(&mut listening), told("progress", "0", "QUEUED"));
    let cancel = ["jobs", "cancel", job, "--by", "ann", "--reason", "not now", "--json"];
    let cancelled: Value = serde_json::from_str(&place.succeed(&cancel)).expect("JSON");
    assert_eq!(cancelled["state"], "CANCELLED", "{cancelled}");
    let again = place.run(&cancel);
    assert!(again.code == Some(1) && again.stderr.contains("nothing to cancel"), "{}", again.stderr);
    assert_eq!(next(&mut listening), told("event", "1", "cancelled"));
    assert_eq!(next(&mut listening), told("ended", "end", "CANCELLED"));
    assert_eq!(listening.rest_of_stream(), "");
    let over = place.run(&["jobs", "follow", job]);
    assert!(over.code == Some(1) && over.stdout.contains("CANCELLED"), "{}", over.stdout);

    place.succeed(&["jobs", "requeue", job, "--by", "ann"]);
    let followed = place.succeed(&["jobs", "follow", job]);
    assert!(followed.contains(job) && followed.contains("SUCCEEDED 100%"), "{followed}");
    let shown = place.succeed(&["jobs", "show", job]);
    for word in ["created", "cancelled", "scheduled", "started", "completed", "ann"] {
        assert!(shown.contains(word), "{word} in {shown}");
    }
    let shown: Value = serde_json::from_str(&place.succeed(&["jobs", "show", job, "--json"])).expect("JSON");
    assert_eq!(shown, server.http().get(&format!("{JOBS}/{job}"), &admin).expect(200), "one job, one form");
    let mut again = server.http();
    again.open(&events, &admin, "last-event-id: 1\r\n");
    let mut heard = vec![next(&mut again)];
    while heard.last().is_some_and(|(name, ..)| name != "ended") {
        heard.push(next(&mut again));
    }
    assert_eq!(heard.first(), Some(&told("event", "2", "scheduled")), "{heard:?}");
    assert_eq!(heard.last(), Some(&told("ended", "end", "SUCCEEDED")), "{heard:?}");
    let done = place.succeed(&["jobs", "list", "--state", "SUCCEEDED", "--json"]);
    let done: Vec<Value> = done.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(done.iter().map(|one| &one["job_id"]).collect::<Vec<_>>(), [&json!(job)], "{done:?}");
    let none = place.run(&["jobs", "show", "job_00000000000000000000000000000000"]);
    assert!(none.code == Some(1) && none.stderr.contains("there is no job"), "{}", none.stderr);
    let doctor = place.succeed(&["doctor"]);
    assert!(doctor.contains("jobs of `default`, each as it was hashed"), "{doctor}");
    assert_eq!(server.stop().0, Some(0));
}

#[tokio::test]
async fn a_job_is_cancelled_put_back_waited_for_and_told_of_on_sqlite() {
    a_job_is_cancelled_put_back_waited_for_and_told_of(Store::Sqlite).await;
}

#[tokio::test]
async fn a_job_is_cancelled_put_back_waited_for_and_told_of_on_postgres() {
    a_job_is_cancelled_put_back_waited_for_and_told_of(Store::Postgres).await;
}
