//! Two server processes on one Postgres: budgets are exact, keys are one, the logs have one order.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use testkit::Store;

use crate::{
    events::event,
    harness::{DEADLINE, Place, Server},
    http::{Answer, Http},
};

const RUNS: &str = "/api/v1/runtime/activity/runs";

/// What a caller waits at most for what another holds.
const AT_MOST: Duration = Duration::from_secs(10);

fn permit() -> Value {
    json!({ "kind": "TOOL_CALL", "skill_name": "get_weather", "params": { "city": "Oslo" } })
}

#[tokio::test]
async fn a_thousand_permits_at_two_servers_admit_a_hundred() {
    let Some(place) = Place::on(Store::Postgres).await else { return };
    let (agent, admin) = (place.key("agent"), place.key("admin"));
    let servers = [place.serve(), place.serve()];
    let limit = json!({
        "name": "a hundred steps", "limit_category": "BUDGET", "limit_type": "STEPS", "max_value": 100,
        "reset_period": "NONE",
    });
    servers[0].http().post("/api/v1/runtime/policies/limits", &admin, &limit).expect(201);
    let granted = Arc::new(AtomicUsize::new(0));
    let asking: Vec<_> = (0..20)
        .map(|n| {
            let (address, agent) = (servers[n % 2].address.clone(), agent.clone());
            let granted = Arc::clone(&granted);
            thread::spawn(move || {
                let mut http = Http::connect(&address);
                let body = json!({ "agent_id": format!("agent-{n}") });
                let run =
                    http.post(RUNS, &agent, &body).expect(201)["run_id"].as_str().expect("an id").to_owned();
                for _ in 0..50 {
                    let answer = http.post(&format!("{RUNS}/{run}/permits"), &agent, &permit());
                    match answer.status {
                        201 => granted.fetch_add(1, Ordering::Relaxed),
                        _ => answer.expect(403)["status"].as_u64().map_or(0, |_| 0),
                    };
                }
            })
        })
        .collect();
    for thread in asking {
        thread.join().expect("it asks until it is done");
    }
    assert_eq!(granted.load(Ordering::Relaxed), 100);
    drop(servers);
    for log in ["audit", "runs"] {
        let verified = place.run(&["verify", "--log", log]);
        assert_eq!(verified.code, Some(0), "{log}: {}{}", verified.stdout, verified.stderr);
    }
}

/// Leave for a model call of so many tokens.
fn tokens(count: u64, key: Option<&str>) -> Value {
    json!({
        "kind": "LLM_CALL", "skill_name": "gpt-4o", "provider": "openai", "model": "gpt-4o",
        "estimate": { "input_tokens": count }, "idempotency_key": key,
    })
}

/// Asks a server while this test goes on.
fn asking(server: &Server, path: String, key: &str, body: Value) -> thread::JoinHandle<Answer> {
    let (address, key) = (server.address.clone(), key.to_owned());
    thread::spawn(move || Http::connect(&address).post(&path, &key, &body))
}

/// What two servers give back at once is given back once: a budget is used to its end, and not past it.
#[tokio::test]
async fn a_permit_that_lapsed_is_given_back_by_one_server() {
    let Some(place) = Place::on(Store::Postgres).await else { return };
    let database = place.database().expect("a Postgres");
    let (agent, admin) = (place.key("agent"), place.key("admin"));
    // What one of them grants lapses soon, and what the other one grants does not.
    let mut short = place.command(&["serve"]);
    short.env("HOC_PERMIT_TTL", "1s");
    let (short, long) = (Server::start(short), place.serve());
    let mut http = long.http();
    let limit = json!({
        "name": "a hundred tokens", "limit_type": "TOKENS_TOTAL", "max_value": 100, "reset_period": "NONE",
    });
    http.post("/api/v1/runtime/policies/limits", &admin, &limit).expect(201);
    let [of_short, of_long] = ["one", "two"].map(|name| {
        let started = http.post(RUNS, &agent, &json!({ "agent_id": name })).expect(201);
        started["run_id"].as_str().expect("an id").to_owned()
    });
    let permits = |run: &str| format!("{RUNS}/{run}/permits");
    let second = http.post(&permits(&of_long), &agent, &tokens(50, None)).expect(201);
    let first = short.http().post(&permits(&of_short), &agent, &tokens(40, Some("first"))).expect(201);
    let lapsed = "SELECT count(*) FROM permits WHERE lapses_at <= now()";
    let granted = Instant::now();
    while database.number(lapsed).await == 0 {
        assert!(granted.elapsed() < DEADLINE, "the first permit does not lapse");
        tokio::task::yield_now().await;
    }

    // One has locked the lapsed permit and waits for the limit's row; the other has read it by its key, and waits
    // behind.
    let stranger = database.stranger("SELECT * FROM limit_usage FOR UPDATE").await;
    let step = json!({ "kind": "TOOL_CALL", "skill_name": "get_weather", "status": "SUCCESS" });
    let releasing = asking(&long, format!("{RUNS}/{of_long}/steps"), &agent, step);
    database.until_blocked(1).await;
    let behind = asking(&short, permits(&of_short), &agent, tokens(40, Some("first")));
    database.until_blocked(2).await;
    stranger.let_go().await;
    releasing.join().expect("it asks").expect(200);
    let again = behind.join().expect("it asks").expect(201);
    assert_eq!(again["permit_id"], first["permit_id"]);
    assert_eq!(database.number("SELECT reserved FROM limit_usage").await, 50, "the second still holds it");

    let use_up = |http: &mut Http, permit: &Value| {
        let step = json!({
            "kind": "LLM_CALL", "skill_name": "gpt-4o", "status": "SUCCESS", "permit_id": permit["permit_id"],
            "llm": { "provider": "openai", "model": "gpt-4o", "input_tokens": 50, "output_tokens": 0 },
        });
        http.post(&format!("{RUNS}/{of_long}/steps"), &agent, &step).expect(200);
    };
    short.http().post(&permits(&of_short), &agent, &tokens(60, None)).expect(403);
    use_up(&mut http, &second);
    let third = http.post(&permits(&of_long), &agent, &tokens(50, None)).expect(201);
    use_up(&mut http, &third);
    short.http().post(&permits(&of_short), &agent, &tokens(1, None)).expect(403);
    assert_eq!(database.number("SELECT used FROM limit_usage").await, 100);
    assert_eq!(database.number("SELECT reserved FROM limit_usage").await, 0);
}

/// What a server holds that stands still, as in a machine that is paused, is free again in seconds.
#[tokio::test]
async fn a_server_that_stands_still_holds_nobody_up_for_long() {
    let Some(place) = Place::on(Store::Postgres).await else { return };
    let database = place.database().expect("a Postgres");
    let (agent, admin) = (place.key("agent"), place.key("admin"));
    let (still, other) = (place.serve(), place.serve());
    let mut http = other.http();
    let limit = json!({
        "name": "many steps", "limit_type": "STEPS", "max_value": 1_000_000, "reset_period": "NONE",
    });
    http.post("/api/v1/runtime/policies/limits", &admin, &limit).expect(201);
    let step = json!({ "kind": "TOOL_CALL", "skill_name": "get_weather", "status": "SUCCESS" });
    let [of_still, of_other] = [&still, &other].map(|server| {
        let started = server.http().post(RUNS, &agent, &json!({ "agent_id": "researcher" })).expect(201);
        let steps = format!("{RUNS}/{}/steps", started["run_id"].as_str().expect("an id"));
        server.http().post(&steps, &agent, &step).expect(200);
        steps
    });

    let stranger = database.stranger("SELECT * FROM limit_usage FOR UPDATE").await;
    let held = asking(&still, of_still.clone(), &agent, step.clone());
    database.until_blocked(1).await;
    still.signal("STOP");
    // Its session gets the limit's row, and nobody goes on with it.
    stranger.let_go().await;
    let begun = Instant::now();
    loop {
        let answer = http.post(&of_other, &agent, &step);
        if answer.status == 200 {
            break;
        }
        answer.expect(503);
        assert!(begun.elapsed() < AT_MOST, "{:?}", begun.elapsed());
    }
    assert!(begun.elapsed() < AT_MOST, "{:?}", begun.elapsed());
    http.get("/readyz", "").expect(200);

    // It goes on, by itself: what it had begun was undone, and is done again or told to be unavailable.
    still.signal("CONT");
    let held = held.join().expect("it asks");
    assert!(matches!(held.status, 200 | 503), "{held:?}");
    let mut http = still.http();
    let begun = Instant::now();
    while http.post(&of_still, &agent, &step).status != 200 {
        assert!(begun.elapsed() < DEADLINE, "it does not go on");
    }
}

#[tokio::test]
async fn crossing_groups_and_equal_keys_execute_once() {
    let Some(place) = Place::on(Store::Postgres).await else { return };
    let (agent, admin) = (place.key("agent"), place.key("admin"));
    let servers = [place.serve(), place.serve()];
    let mut http = servers[0].http();
    let start = |http: &mut Http, n: usize| {
        let body = json!({ "agent_id": format!("agent-{n}") });
        http.post(RUNS, &agent, &body).expect(201)["run_id"].as_str().expect("an id").to_owned()
    };
    let runs: Arc<Vec<String>> = Arc::new((0..4).map(|n| start(&mut http, n)).collect());
    let asking: Vec<_> = (0..8)
        .map(|n| {
            let (address, agent) = (servers[n % 2].address.clone(), agent.clone());
            let runs = Arc::clone(&runs);
            thread::spawn(move || {
                let mut http = Http::connect(&address);
                let mut hashes = Vec::new();
                for key in 0..20 {
                    // Half go through the runs forward, half backward: their groups cross.
                    for at in 0..runs.len() {
                        let run = &runs[if n % 4 < 2 { at } else { runs.len() - 1 - at }];
                        let body = json!({
                            "kind": "TOOL_CALL", "skill_name": "get_weather", "status": "SUCCESS",
                            "idempotency_key": format!("key-{key}"), "params": { "city": "Oslo" },
                        });
                        let answer = http.post(&format!("{RUNS}/{run}/steps"), &agent, &body).expect(200);
                        hashes.push((
                            run.clone(),
                            key,
                            answer["step_hash"].as_str().expect("a hash").to_owned(),
                        ));
                    }
                }
                hashes.sort();
                hashes
            })
        })
        .collect();
    let mut answers: Vec<_> = asking.into_iter().map(|thread| thread.join().expect("it asks")).collect();
    let first = answers.pop().expect("eight of them");
    assert!(answers.iter().all(|other| *other == first), "everybody was told the same");
    for run in runs.iter() {
        assert_eq!(http.get(&format!("{RUNS}/{run}"), &admin).expect(200)["step_count"], 20);
    }
}

#[tokio::test]
async fn people_stop_runs_at_every_server() {
    let Some(place) = Place::on(Store::Postgres).await else { return };
    let (agent, admin) = (place.key("agent"), place.key("admin"));
    let servers = [place.serve(), place.serve()];
    let (mut here, mut there) = (servers[0].http(), servers[1].http());
    let start = |http: &mut Http| {
        let body = json!({ "agent_id": "researcher" });
        http.post(RUNS, &agent, &body).expect(201)["run_id"].as_str().expect("an id").to_owned()
    };
    let (run, other) = (start(&mut here), start(&mut here));
    here.post(&format!("{RUNS}/{run}/permits"), &agent, &permit()).expect(201);
    here.post(&format!("{RUNS}/{other}/permits"), &agent, &permit()).expect(201);

    let freeze = "/api/v1/runtime/policies/freeze";
    let body = json!({ "agent_id": "researcher", "reason": "under review" });
    there.post(freeze, &admin, &body).expect(201);
    let refused = here.post(&format!("{RUNS}/{run}/permits"), &agent, &permit()).expect(403);
    assert_eq!(refused["verdict"]["intervention"]["reason"], "under review");
    let none = here.post(RUNS, &agent, &json!({ "agent_id": "researcher" })).expect(409);
    assert_eq!(none["code"], "agent_frozen");
    let lifted = there.call("DELETE", &format!("{freeze}?agent_id=researcher"), &admin, None);
    lifted.expect("an answer").expect(200);
    here.post(&format!("{RUNS}/{run}/permits"), &agent, &permit()).expect(201);

    let killed =
        there.post(&format!("{RUNS}/{run}/kill"), &admin, &json!({ "reason": "enough" })).expect(200);
    assert_eq!((&killed["outcome"], &killed["run"]["status"]), (&json!("UNACKED"), &json!("HALTED")));
    let late = here.post(&format!("{RUNS}/{run}/permits"), &agent, &permit()).expect(409);
    assert_eq!(late["code"], "run_killed");
    let known = there.get(&format!("{RUNS}/{run}/interventions"), &admin).expect(200);
    let said = |at: usize| (known["items"][at]["kind"].clone(), known["items"][at]["outcome"].clone());
    assert_eq!(said(0), (json!("KILL"), json!("ACKED")));
    assert_eq!(said(1), (json!("FREEZE"), json!("ACKED")));
    assert!(known["items"][0]["time_to_effect_ms"].is_u64(), "{known}");
    here.post(&format!("{RUNS}/{other}/permits"), &agent, &permit()).expect(201);

    let bundle = place.path("killed.json");
    std::fs::write(&bundle, here.get(&format!("{RUNS}/{run}/bundle"), &admin).body).expect("written");
    let keys = place.public_keys();
    let (bundle, keys) = (bundle.to_str().expect("a path"), keys.to_str().expect("a path"));
    let verified = place.succeed(&["verify", bundle, "--key", keys, "--reexecute"]);
    assert!(verified.contains("COMPLETE"), "{verified}");
}

#[tokio::test]
async fn an_open_stream_carries_and_confirms_a_kill_across_servers() {
    let Some(place) = Place::on(Store::Postgres).await else { return };
    let (agent, admin) = (place.key("agent"), place.key("admin"));
    let servers = [place.serve(), place.serve()];
    let (mut here, mut there) = (servers[0].http(), servers[1].http());
    let mut runs = servers[1].http();
    runs.open("/api/v1/runtime/activity/events", &admin, "");
    let started = here.post(RUNS, &agent, &json!({ "agent_id": "researcher" })).expect(201);
    let run = started["run_id"].as_str().expect("an id").to_owned();
    let opened = event(&mut runs);
    assert_eq!((opened.0.as_str(), &opened.2["run_id"]), ("opened", &json!(run)));

    let step = json!({ "kind": "TOOL_CALL", "skill_name": "get_weather", "status": "SUCCESS" });
    let record = |http: &mut Http| http.post(&format!("{RUNS}/{run}/steps"), &agent, &step).expect(200);
    record(&mut here);
    let mut stream = servers[0].http();
    stream.open(&format!("{RUNS}/{run}/events"), &agent, "");
    assert_eq!(event(&mut stream).1, "0");
    record(&mut there);
    let second = event(&mut stream);
    assert_eq!((second.0.as_str(), second.1.as_str()), ("step", "1"));
    assert_eq!(second.2["step_index"], 1);
    // One that broke goes on where it was, at the other server.
    let mut again = servers[1].http();
    again.open(&format!("{RUNS}/{run}/events"), &admin, "last-event-id: 0\r\n");
    assert_eq!(event(&mut again).1, "1");

    let reason = json!({ "reason": "enough" });
    let killed = there.post(&format!("{RUNS}/{run}/kill"), &admin, &reason).expect(200);
    let told = event(&mut stream);
    assert_eq!((told.0.as_str(), told.1.as_str()), ("killed", "end"));
    assert_eq!(told.2["kill"]["intervention_id"], killed["intervention_id"]);
    assert_eq!(told.2["kill"]["reason"], "enough");
    assert_eq!(stream.rest_of_stream(), "", "it is over");
    let known = there.get(&format!("{RUNS}/{run}/interventions"), &admin).expect(200);
    let kill = &known["items"][0];
    assert_eq!((&kill["outcome"], &kill["acked_via"]), (&json!("ACKED"), &json!("STREAM")), "{kill}");
    assert_eq!(event(&mut again).0, "killed", "people who watch are told too, which confirms nothing");
    let sealed = event(&mut runs);
    assert_eq!((sealed.0.as_str(), &sealed.2["status"]), ("sealed", &json!("HALTED")));
    let end = here.send("GET", &format!("{RUNS}/{run}/events"), &agent, "last-event-id: end\r\n", "");
    assert_eq!(end.expect("an answer").status, 204);
    // An open stream does not keep a server from stopping.
    let [first, second] = servers;
    for server in [first, second] {
        assert_eq!(server.stop().0, Some(0));
    }
}
