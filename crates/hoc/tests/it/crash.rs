//! kill -9 under load: what a client was told is in the store, once, and every run is sealed or goes on.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Stdio,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use testkit::Store;

use crate::{
    harness::{DEADLINE, Place, Server},
    http::Http,
};

const RUNS: &str = "/api/v1/runtime/activity/runs";
const AGENTS: usize = 6;

/// How many servers are killed where nobody says how many (`cargo xtask drill kill` does).
const ROUNDS: usize = 20;

/// What clients were told.
#[derive(Default)]
struct Told {
    /// For each run, the hash of each step that was answered for; none of a refusal.
    runs: BTreeMap<String, BTreeMap<u64, Option<String>>>,
    /// Steps that no answer came for: run, key, and whether they cost too much.
    unanswered: Vec<(String, String, bool)>,
}

type Shared = Arc<Mutex<Told>>;

async fn nothing_that_was_told_is_lost(store: Store) {
    let Some(place) = Place::on(store).await else { return };
    let (agent, admin) = (place.key("agent"), place.key("admin"));
    let mut all = BTreeMap::new();
    for round in 0..rounds() {
        let mut server = place.serve();
        if round == 0 {
            govern(&server, &admin);
        }
        // The server dies when so many answers were given: another number each round, so at another place.
        let deadly = 20 + (round * 37) % 160;
        let mut told = load_until(&mut server, &agent, round, deadly);
        if round % 3 == 2 {
            // And once more while it starts, which may be before, amid or after it takes up what is there.
            die_early(&place, Duration::from_millis((round as u64 * 29) % 400));
        }
        let restarted = Instant::now();
        let server = place.serve();
        assert!(restarted.elapsed() < DEADLINE);
        repeat(&server, &agent, &mut told);
        end_all(&server, &agent, &told, round);
        check(&server, &admin, &told.runs);
        all.append(&mut told.runs);
        let (code, log) = server.stop();
        assert_eq!(code, Some(0), "{log}");
    }
    let server = place.serve();
    check(&server, &admin, &all);
    server.stop();
    for log in ["audit", "runs"] {
        let verified = place.run(&["verify", "--log", log]);
        assert_eq!(verified.code, Some(0), "{log}: {}{}", verified.stdout, verified.stderr);
    }
    let steps: usize = all.values().map(BTreeMap::len).sum();
    #[expect(clippy::print_stderr, reason = "who runs a drill wants to know what it came to")]
    {
        let (rounds, runs) = (rounds(), all.len());
        eprintln!(
            "kill: {rounds} servers killed on {store:?}; {steps} steps of {runs} runs, none lost or doubled"
        );
    }
}

#[expect(clippy::disallowed_methods, reason = "a drill says by a variable how long it is")]
fn rounds() -> usize {
    let asked = std::env::var("HOC_DRILL_ROUNDS").ok().filter(|value| !value.is_empty());
    asked.map_or(ROUNDS, |rounds| rounds.parse().expect("HOC_DRILL_ROUNDS is a number"))
}

/// Starts a server and kills it after so long, ready or not.
fn die_early(place: &Place, after: Duration) {
    let begun = Instant::now();
    let mut command = place.command(&["serve"]);
    let mut server = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts");
    // The one thing here that is about a moment and not a state: it may die at any.
    thread::sleep(after.saturating_sub(begun.elapsed()));
    server.kill().expect("it was started");
    server.wait().expect("it ends");
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
        "reset_period": "NONE",
    });
    http.post("/api/v1/runtime/policies/limits", admin, &limit).expect(201);
}

/// Agents work against the server until it is killed, which is when `deadly` answers were given.
fn load_until(server: &mut Server, agent: &str, round: usize, deadly: usize) -> Told {
    let (answered, told) = (Arc::new(AtomicUsize::new(0)), Shared::default());
    let agents: Vec<_> = (0..AGENTS)
        .map(|n| {
            let (address, agent) = (server.address.clone(), agent.to_owned());
            let (told, answered) = (Arc::clone(&told), Arc::clone(&answered));
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
    let told = Arc::into_inner(told).expect("the agents ended");
    told.into_inner().expect("none of them panicked")
}

fn work(
    address: &str,
    agent: &str,
    told: &Shared,
    answered: &AtomicUsize,
    name: &str,
) -> std::io::Result<()> {
    let told = || told.lock().expect("nobody panics");
    let mut http = Http::connect(address);
    for n in 0.. {
        let started =
            http.call("POST", RUNS, agent, Some(&json!({ "agent_id": format!("agent-{name}") })))?;
        let run = started.expect(201)["run_id"].as_str().expect("an id").to_owned();
        told().runs.insert(run.clone(), BTreeMap::new());
        for step in 0..12 {
            let (key, expensive) = (format!("{name}-{n}-{step}"), step % 5 == 4);
            told().unanswered.push((run.clone(), key.clone(), expensive));
            let (index, hash) = record(&mut http, agent, &run, &key, expensive)?;
            let mut told = told();
            told.unanswered.retain(|(_, unanswered, _)| *unanswered != key);
            told.runs.entry(run.clone()).or_default().insert(index, hash);
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

/// Records a step; gives its place, and its hash where it was not refused. A refusal is stored too.
fn record(
    http: &mut Http,
    agent: &str,
    run: &str,
    key: &str,
    expensive: bool,
) -> std::io::Result<(u64, Option<String>)> {
    let body = step_body(key, expensive);
    let answer = http.call("POST", &format!("{RUNS}/{run}/steps"), agent, Some(&body))?;
    let body = answer.expect(if expensive { 403 } else { 200 });
    let hash = body["step_hash"].as_str().map(str::to_owned);
    assert_eq!(hash.is_none(), expensive, "{body}");
    Ok((body["step_index"].as_u64().expect("an index"), hash))
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

/// What no answer came for is asked again: it happened or it did not, and now it has, once.
fn repeat(server: &Server, agent: &str, told: &mut Told) {
    let mut http = server.http();
    for (run, key, expensive) in std::mem::take(&mut told.unanswered) {
        let (index, hash) = record(&mut http, agent, &run, &key, expensive).expect("an answer");
        let steps = told.runs.entry(run.clone()).or_default();
        assert!(steps.insert(index, hash).is_none(), "{run} {index}: another step was told to be there");
    }
}

/// Every run takes its next step, unless it is sealed, and ends.
fn end_all(server: &Server, agent: &str, told: &Told, round: usize) {
    let mut http = server.http();
    for run in told.runs.keys() {
        if http.get(&format!("{RUNS}/{run}"), agent).expect(200)["state"] == "LIVE" {
            record(&mut http, agent, run, &format!("after-{round}-{run}"), false).expect("an answer");
            let end = json!({ "status": "SUCCEEDED" });
            http.post(&format!("{RUNS}/{run}/complete"), agent, &end).expect(200);
        }
    }
}

/// Everything that was told is there, and nothing twice; every run is sealed and verifies.
fn check(server: &Server, admin: &str, told: &BTreeMap<String, BTreeMap<u64, Option<String>>>) {
    let mut http = server.http();
    for (run, steps) in told {
        let page = http.get(&format!("{RUNS}/{run}/steps?limit=200"), admin).expect(200);
        let stored = page["items"].as_array().expect("steps");
        for (index, hash) in steps {
            let step = stored.get(usize::try_from(*index).expect("small"));
            let step =
                step.unwrap_or_else(|| panic!("step {index} of {run} was answered for and is not there"));
            let same =
                hash.as_ref().map_or(step["status"] == "REFUSED", |hash| step["step_hash"] == hash.as_str());
            assert!(same, "{run} {index} was answered as {hash:?}: {step}");
        }
        let keys: BTreeSet<_> = stored.iter().map(|step| step["idempotency_key"].as_str()).collect();
        assert_eq!(keys.len(), stored.len(), "{run}: a step is there twice: {page}");
        let proof = http.get(&format!("{RUNS}/{run}/proof"), admin).expect(200);
        assert_eq!(proof["integrity"]["verification_status"], "VERIFIED", "{run}: {}", proof["integrity"]);
    }
}

#[tokio::test]
async fn kill_9_on_sqlite() {
    nothing_that_was_told_is_lost(Store::Sqlite).await;
}

#[tokio::test]
async fn kill_9_on_postgres() {
    nothing_that_was_told_is_lost(Store::Postgres).await;
}
