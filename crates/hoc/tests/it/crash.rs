//! kill -9 under load: what a client was told is in the store, and every run is sealed or goes on.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Instant,
};

use serde_json::{Value, json};
use testkit::Store;

use crate::{
    harness::{DEADLINE, Place, Server},
    http::Http,
};

const RUNS: &str = "/api/v1/runtime/activity/runs";
const ROUNDS: usize = 20;
const AGENTS: usize = 6;

/// What clients were told: for each run, the hash of each step that was answered for.
type Told = Arc<Mutex<BTreeMap<String, BTreeMap<u64, String>>>>;

async fn nothing_that_was_told_is_lost(store: Store) {
    let Some(place) = Place::on(store).await else { return };
    let (agent, admin) = (place.key("agent"), place.key("admin"));
    let told: Told = Arc::default();
    for round in 0..ROUNDS {
        let mut server = place.serve();
        if round == 0 {
            govern(&server, &admin);
        }
        // The server dies when so many answers were given: another number each round, so at another place.
        let deadly = 20 + (round * 37) % 160;
        load_until(&mut server, &agent, &told, round, deadly);
        let restarted = Instant::now();
        let server = place.serve();
        assert!(restarted.elapsed() < DEADLINE);
        check(&server, &agent, &admin, &told.lock().expect("the clients ended"), round);
        let (code, log) = server.stop();
        assert_eq!(code, Some(0), "{log}");
    }
    for log in ["audit", "runs"] {
        let verified = place.run(&["verify", "--log", log]);
        assert_eq!(verified.code, Some(0), "{log}: {}{}", verified.stdout, verified.stderr);
    }
}

/// A rule that refuses now and then, and a budget that nobody spends: so that every kind of row is written.
fn govern(server: &Server, admin: &str) {
    let mut http = server.http();
    let rule = json!({
        "name": "no expensive steps", "enforcement_mode": "BLOCK",
        "condition": "context.step.cost_microusd > 500000",
    });
    http.post("/api/v1/runtime/policies/rules", admin, &rule).expect(201);
    let limit = json!({
        "name": "a budget", "limit_category": "BUDGET", "limit_type": "TOKENS_TOTAL", "max_value": 1_000_000_000_u64,
    });
    http.post("/api/v1/runtime/policies/limits", admin, &limit).expect(201);
}

/// Agents work against the server until it is killed, which is when `deadly` answers were given.
fn load_until(server: &mut Server, agent: &str, told: &Told, round: usize, deadly: usize) {
    let answered = Arc::new(AtomicUsize::new(0));
    let agents: Vec<_> = (0..AGENTS)
        .map(|n| {
            let (address, agent) = (server.address.clone(), agent.to_owned());
            let (told, answered) = (Arc::clone(told), Arc::clone(&answered));
            thread::spawn(move || {
                // Until the connection breaks, which it does: the server is killed.
                let _ = work(&address, &agent, &told, &answered, &format!("{round}-{n}"));
            })
        })
        .collect();
    let begun = Instant::now();
    while answered.load(Ordering::Relaxed) < deadly {
        assert!(begun.elapsed() < DEADLINE, "the agents are not answered");
        thread::yield_now();
    }
    server.kill();
    for agent in agents {
        agent.join().expect("an agent ends when its connection breaks");
    }
}

fn work(address: &str, agent: &str, told: &Told, answered: &AtomicUsize, name: &str) -> std::io::Result<()> {
    let mut http = Http::connect(address);
    for n in 0.. {
        let started =
            http.call("POST", RUNS, agent, Some(&json!({ "agent_id": format!("agent-{name}") })))?;
        let run = started.expect(201)["run_id"].as_str().expect("an id").to_owned();
        told.lock().expect("nobody panics").insert(run.clone(), BTreeMap::new());
        for step in 0..12 {
            let body = step_body(&format!("{name}-{n}-{step}"), step % 5 == 4);
            let answer = http.call("POST", &format!("{RUNS}/{run}/steps"), agent, Some(&body))?;
            if answer.status == 200 {
                let body = answer.expect(200);
                let (index, hash) = (body["step_index"].as_u64(), body["step_hash"].as_str());
                let mut told = told.lock().expect("nobody panics");
                let steps = told.get_mut(&run).expect("it was told of");
                steps.insert(index.expect("an index"), hash.expect("a hash").to_owned());
            } else {
                // A refusal is stored too, and was answered for.
                let refused = answer.expect(403);
                let index = refused["step_index"].as_u64().expect("an index");
                told.lock()
                    .expect("nobody panics")
                    .get_mut(&run)
                    .expect("told of")
                    .insert(index, String::new());
            }
            answered.fetch_add(1, Ordering::Relaxed);
        }
        if n % 2 == 0 {
            http.call(
                "POST",
                &format!("{RUNS}/{run}/complete"),
                agent,
                Some(&json!({ "status": "SUCCEEDED" })),
            )?;
        }
    }
    Ok(())
}

fn step_body(key: &str, expensive: bool) -> Value {
    let cost = if expensive { 0.6 } else { 0.000_021 };
    json!({
        "kind": "LLM_CALL", "skill_name": "gpt-4o", "status": "SUCCESS", "idempotency_key": key,
        "params": { "city": "Oslo" }, "duration_ms": 12,
        "llm": {
            "provider": "openai", "model": "gpt-4o", "input_tokens": 21, "output_tokens": 9, "cost_usd": cost,
            "prompt": "Weather in Oslo?", "response": "It is 4C in Oslo.",
        },
    })
}

/// Everything that was told is there; every run is sealed and verifies, or takes its next step.
fn check(
    server: &Server,
    agent: &str,
    admin: &str,
    told: &BTreeMap<String, BTreeMap<u64, String>>,
    round: usize,
) {
    let mut http = server.http();
    for (run, steps) in told {
        let page = http.get(&format!("{RUNS}/{run}/steps?limit=200"), admin).expect(200);
        let stored = page["items"].as_array().expect("steps");
        for (index, hash) in steps {
            let step = stored.get(usize::try_from(*index).expect("small"));
            let step =
                step.unwrap_or_else(|| panic!("step {index} of {run} was answered for and is not there"));
            assert!(hash.is_empty() || step["step_hash"] == hash.as_str(), "{run} {index}: {step}");
        }
        let state = http.get(&format!("{RUNS}/{run}"), admin).expect(200)["state"].clone();
        if state == "LIVE" {
            let next = step_body(&format!("after-{round}-{run}"), false);
            http.post(&format!("{RUNS}/{run}/steps"), agent, &next).expect(200);
            let end = json!({ "status": "SUCCEEDED" });
            http.post(&format!("{RUNS}/{run}/complete"), agent, &end).expect(200);
        }
        let proof = http.get(&format!("{RUNS}/{run}/proof"), admin).expect(200);
        assert_eq!(proof["integrity"]["verification_status"], "VERIFIED", "{run}: {}", proof["integrity"]);
    }
}

#[tokio::test]
async fn twenty_rounds_on_sqlite() {
    nothing_that_was_told_is_lost(Store::Sqlite).await;
}

#[tokio::test]
async fn twenty_rounds_on_postgres() {
    nothing_that_was_told_is_lost(Store::Postgres).await;
}
