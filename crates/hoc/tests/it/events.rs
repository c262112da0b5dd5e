//! Runs that are followed: what a stream tells, where it goes on, and when it ends.

use serde_json::{Value, json};

use crate::{
    harness::{Place, on_both},
    http::Http,
};

const RUNS: &str = "/api/v1/runtime/activity/runs";
const EVENTS: &str = "/api/v1/runtime/activity/events";

/// The next event of a stream: its name, id and data.
pub(crate) fn event(stream: &mut Http) -> (String, String, Value) {
    let (mut name, mut id, mut data) = (String::new(), String::new(), Value::Null);
    loop {
        let line = stream.event_line();
        match line.split_once(':') {
            Some(("event", text)) => text.trim().clone_into(&mut name),
            Some(("id", text)) => text.trim().clone_into(&mut id),
            Some(("data", text)) => data = serde_json::from_str(text).expect("JSON"),
            _ if line.is_empty() && !name.is_empty() => return (name, id, data),
            _ => {}
        }
    }
}

/// The name and id of the next event.
fn next(stream: &mut Http) -> (String, String) {
    let (name, id, _) = event(stream);
    (name, id)
}

fn named(name: &str, id: &str) -> (String, String) {
    (name.to_owned(), id.to_owned())
}

fn start(http: &mut Http, agent: &str) -> String {
    let started = http.post(RUNS, agent, &json!({ "agent_id": "researcher" })).expect(201);
    started["run_id"].as_str().expect("an id").to_owned()
}

async fn a_run_is_followed_to_its_end(place: Place) {
    let (agent, other, viewer) = (place.key("agent"), place.key("agent"), place.key("viewer"));
    let server = place.serve();
    let mut http = server.http();
    let (mut all, mut mine) = (server.http(), server.http());
    all.open(EVENTS, &viewer, "");
    mine.open(EVENTS, &agent, "");
    // Another agent's run is nothing to this one.
    let foreign = start(&mut http, &other);
    let run = start(&mut http, &agent);
    assert_eq!(event(&mut all).2["run_id"], json!(foreign));
    let (_, opened, told) = event(&mut all);
    assert_eq!(told["run_id"], json!(run));
    assert_eq!(event(&mut mine).2["run_id"], json!(run));

    let (events, steps) = (format!("{RUNS}/{run}/events"), format!("{RUNS}/{run}/steps"));
    let step = json!({ "kind": "TOOL_CALL", "skill_name": "search", "status": "SUCCESS" });
    let mut stream = server.http();
    stream.open(&events, &agent, "");
    for index in 0..3 {
        http.post(&steps, &agent, &step).expect(200);
        let (name, id, told) = event(&mut stream);
        assert_eq!((name, id), named("step", &index.to_string()));
        assert_eq!((&told["step_index"], &told["skill_name"]), (&json!(index), &json!("search")));
    }
    http.post(&format!("{RUNS}/{run}/complete"), &agent, &json!({ "status": "SUCCEEDED" })).expect(200);
    let (name, id, told) = event(&mut stream);
    assert_eq!(((name, id), &told["run"]["status"]), (named("ended", "end"), &json!("SUCCEEDED")));
    assert_eq!(stream.rest_of_stream(), "", "nothing follows the end");

    // Broken off, it goes on behind the last event that its reader has.
    let mut again = server.http();
    again.open(&events, &viewer, "last-event-id: 1\r\n");
    assert_eq!([next(&mut again), next(&mut again)], [named("step", "2"), named("ended", "end")]);
    let ask = |http: &mut Http, path: &str, key: &str, last: &str| {
        let last = format!("last-event-id: {last}\r\n");
        http.send("GET", path, key, &last, "").expect("an answer").status
    };
    assert_eq!(ask(&mut http, &events, &viewer, "end"), 204);
    assert_eq!(ask(&mut http, &events, &viewer, "soon"), 400);
    assert_eq!(ask(&mut http, EVENTS, &viewer, "end"), 400);
    assert_eq!(ask(&mut http, &events, &other, "end"), 404, "an agent follows its own");
    let mut all_again = server.http();
    all_again.open(EVENTS, &viewer, &format!("last-event-id: {opened}\r\n"));
    for stream in [&mut all, &mut all_again, &mut mine] {
        let (name, _, told) = event(stream);
        assert_eq!(
            (name.as_str(), &told["run_id"], &told["status"]),
            ("sealed", &json!(run), &json!("SUCCEEDED"))
        );
    }

    // Another tenant has a log of its own, which begins with its own first run.
    let made = place.succeed(&[
        "keys",
        "create",
        "--role",
        "agent",
        "--any-agent",
        "--tenant",
        "stranger",
        "--json",
    ]);
    let made: Value = serde_json::from_str(made.lines().last().expect("a line")).expect("JSON");
    let stranger = made["key"].as_str().expect("a key");
    assert_eq!(ask(&mut http, &events, stranger, "end"), 404);
    let mut theirs = server.http();
    theirs.open(EVENTS, stranger, "");
    let first = start(&mut http, stranger);
    let (name, id, told) = event(&mut theirs);
    assert_eq!(((name, id), &told["run_id"]), (named("opened", "0"), &json!(first)));

    // A key that is revoked opens nothing, and what it opened ends.
    let key_id = http.get("/api/v1/account/whoami", &viewer).expect(200)["key"]["key_id"].clone();
    place.succeed(&["keys", "revoke", key_id.as_str().expect("an id")]);
    assert_eq!(all.rest_of_stream(), "");
    assert_eq!(server.stop().0, Some(0), "an open stream does not keep a server from stopping");
}

on_both!(a_run_is_followed_to_its_end);

#[test]
fn who_names_an_event_that_never_was_is_told_of_those_that_come() {
    let place = Place::sqlite();
    let agent = place.key("agent");
    let server = place.serve();
    let mut http = server.http();
    let run = start(&mut http, &agent);
    let steps = format!("{RUNS}/{run}/steps");
    let step = json!({ "kind": "TOOL_CALL", "skill_name": "search", "status": "SUCCESS" });
    http.post(&steps, &agent, &step).expect(200);
    let mut stream = server.http();
    stream.open(&format!("{RUNS}/{run}/events"), &agent, "last-event-id: 999999999\r\n");
    http.post(&steps, &agent, &step).expect(200);
    assert_eq!(next(&mut stream), named("step", "1"));
}

#[tokio::test]
async fn who_names_the_last_event_has_it() {
    let place = Place::sqlite();
    let (agent, admin) = (place.key("agent"), place.key("admin"));
    let server = place.serve();
    let mut http = server.http();
    let run = start(&mut http, &agent);
    http.post(&format!("{RUNS}/{run}/kill"), &admin, &json!({ "reason": "enough" })).expect(200);
    let outcome = |http: &mut Http| {
        let known = http.get(&format!("{RUNS}/{run}/interventions"), &admin).expect(200);
        known["items"][0]["outcome"].as_str().expect("one").to_owned()
    };
    let end = |http: &mut Http, key: &str| {
        let path = format!("{RUNS}/{run}/events");
        http.send("GET", &path, key, "last-event-id: end\r\n", "").expect("an answer").status
    };
    assert_eq!(
        (end(&mut http, &admin), outcome(&mut http)),
        (204, "UNACKED".to_owned()),
        "it is not the agent"
    );
    assert_eq!((end(&mut http, &agent), outcome(&mut http)), (204, "ACKED".to_owned()));
}
