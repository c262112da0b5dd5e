//! The store goes away under a running server and comes back: what was refused meanwhile holds, is written once, and
//! the server goes on as if nothing had been.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::Store;

use crate::{
    harness::{DEADLINE, Place, Server, on_both},
    http::{Answer, Http},
};

const RUNS: &str = "/api/v1/runtime/activity/runs";

/// Asks until the answer is what is waited for.
pub(crate) fn wait<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(got) = ask() {
            return got;
        }
        assert!(begun.elapsed() < DEADLINE, "{what} does not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Rules that refuse a tool, and kill what is expensive.
fn govern(http: &mut Http, admin: &str) {
    for (name, mode, condition) in [
        ("no deleting", "BLOCK", "context.step.skill == \"delete\""),
        ("no expensive steps", "KILL", "context.step.cost_microusd > 500000"),
    ] {
        let rule = json!({ "name": name, "enforcement_mode": mode, "condition": condition });
        http.post("/api/v1/runtime/policies/rules", admin, &rule).expect(201);
    }
}

pub(crate) struct Agent<'s> {
    pub(crate) server: &'s Server,
    pub(crate) key: String,
}

impl Agent<'_> {
    pub(crate) fn start(&self) -> String {
        let started = self.server.http().post(RUNS, &self.key, &json!({ "agent_id": "a" })).expect(201);
        started["run_id"].as_str().expect("an id").to_owned()
    }

    pub(crate) fn report(&self, run: &str, tool: &str, cost: f64, key: Option<&str>) -> Answer {
        let mut step = json!({ "kind": "LLM_CALL", "skill_name": tool, "status": "SUCCESS",
            "llm": { "provider": "openai", "model": "gpt-4o", "input_tokens": 10, "output_tokens": 5, "cost_usd": cost } });
        if let Some(key) = key {
            step["idempotency_key"] = json!(key);
        }
        self.server.http().post(&format!("{RUNS}/{run}/steps"), &self.key, &step)
    }

    fn run(&self, run: &str) -> Value {
        self.server.http().get(&format!("{RUNS}/{run}"), &self.key).expect(200)
    }

    pub(crate) fn steps(&self, run: &str) -> Vec<String> {
        let steps = self.server.http().get(&format!("{RUNS}/{run}/steps"), &self.key).expect(200);
        let steps = steps["items"].as_array().expect("steps").iter();
        steps.map(|step| step["status"].as_str().expect("a status").to_owned()).collect()
    }
}

fn told(refusal: &Answer, recorded: bool) -> Value {
    let body = refusal.expect(403);
    assert_eq!(body["code"], "step_halted", "{body}");
    assert_eq!(body["recorded"], recorded, "{body}");
    body["verdict"].clone()
}

async fn what_was_refused_meanwhile_is_written_once(place: Place) {
    let (key, admin) = (place.key("agent"), place.key("admin"));
    let public = place.public_keys();
    let server = place.serve_on_a_shaky_store();
    govern(&mut server.http(), &admin);
    let agent = Agent { server: &server, key };
    let [calm, stubborn, doomed] = [agent.start(), agent.start(), agent.start()];
    for run in [&calm, &stubborn, &doomed] {
        agent.report(run, "ask", 0.001, None).expect(200);
    }

    server.http().get("/readyz", "").expect(200);
    place.take_store_from(&server).await;
    wait("not being ready", || (server.http().get("/readyz", "").status == 503).then_some(()));
    let passing = agent.report(&calm, "ask", 0.001, Some("once"));
    assert_eq!(passing.expect(503)["code"], "store_unavailable");
    let refused = told(&agent.report(&stubborn, "delete", 0.001, Some("again")), false);
    let repeated = told(&agent.report(&stubborn, "delete", 0.001, Some("again")), false);
    assert_eq!(refused, repeated, "a repeat is told the same");
    told(&agent.report(&stubborn, "delete", 0.002, None), false);
    let killed = told(&agent.report(&doomed, "ask", 0.6, None), false);
    assert_eq!(killed["action"], "KILL");
    assert_eq!(agent.report(&doomed, "ask", 0.001, None).expect(409)["code"], "run_killed");

    place.bring_store_back_to(&server).await;
    wait("being ready", || (server.http().get("/readyz", "").status == 200).then_some(()));
    wait("the killed run's seal", || {
        let answer = server.http().get(&format!("{RUNS}/{doomed}"), &agent.key);
        (answer.status == 200 && answer.expect(200)["state"] == "COMPLETED").then_some(())
    });
    let run = agent.run(&doomed);
    assert_eq!(
        (&run["status"], &run["refused_count"], &run["step_count"]),
        (&json!("HALTED"), &json!(1), &json!(1))
    );
    assert_eq!(run["cost_usd"], json!(0.601), "what was spent is counted");
    wait("the refusals", || (agent.run(&stubborn)["refused_count"] == 2).then_some(()));
    let stored = told(&agent.report(&stubborn, "delete", 0.001, Some("again")), true);
    assert_eq!(stored, refused, "the decision that was told is the one that is stored");
    assert_eq!(agent.steps(&stubborn), ["SUCCESS", "REFUSED", "REFUSED"], "nothing is doubled");
    assert_eq!(agent.steps(&calm), ["SUCCESS"], "what was not recorded has not happened");
    agent.report(&calm, "ask", 0.001, Some("once")).expect(200);
    assert_eq!(agent.run(&calm)["step_count"], 2);

    for run in [&calm, &stubborn] {
        let body = json!({ "status": "SUCCEEDED" });
        server.http().post(&format!("{RUNS}/{run}/complete"), &agent.key, &body).expect(200);
    }
    for (run, decision) in [(&calm, None), (&stubborn, Some(&refused)), (&doomed, Some(&killed))] {
        let file = place.path(&format!("{run}.json"));
        let file = file.to_str().expect("UTF-8");
        place.succeed(&["bundle", run, "-o", file]);
        place.succeed(&["verify", file, "--key", public.to_str().expect("UTF-8"), "--reexecute"]);
        let bundle = std::fs::read_to_string(file).expect("it is written");
        let id = decision.map_or("hoc/", |verdict| verdict["decision_id"].as_str().expect("an id"));
        assert!(bundle.contains(id), "{id} is in the bundle");
    }
    for log in ["audit", "runs"] {
        place.succeed(&["verify", "--log", log]);
    }
    let (code, log) = server.stop();
    assert_eq!(code, Some(0), "{log}");
}

on_both!(what_was_refused_meanwhile_is_written_once);

/// Lets the tenant go on without its store.
pub(crate) fn go_on(http: &mut Http, admin: &str) {
    let settings = http.get("/api/v1/account/settings", admin);
    let head = String::from_utf8(settings.head).expect("UTF-8").to_lowercase();
    let version = head.lines().find_map(|line| line.strip_prefix("etag: ")).expect("a version");
    let (headers, change) = (format!("if-match: {version}\r\n"), json!({ "failure_mode": "degrade" }));
    let changed = http.send("PATCH", "/api/v1/account/settings", admin, &headers, &change.to_string());
    changed.expect("an answer").expect(200);
}

/// As a bad disk does it: all but the first page is none of SQLite's.
fn damage(place: &Place) {
    let file = place.data().join("hoc.db");
    let mut sqlite3 = std::process::Command::new("sqlite3");
    let ran = sqlite3.arg(&file).arg("PRAGMA wal_checkpoint(TRUNCATE)").output().expect("sqlite3 starts");
    assert!(ran.status.success(), "{ran:?}");
    let mut bytes = std::fs::read(&file).expect("it is read");
    bytes[4_096..].fill(0xa5);
    // In place: another file at this path is another fault.
    std::fs::write(&file, bytes).expect("it is written");
}

#[test]
fn a_damaged_file_is_a_store_that_is_down() {
    for goes_on in [false, true] {
        let place = Place::sqlite();
        let (key, admin) = (place.key("agent"), place.key("admin"));
        let server = place.serve();
        govern(&mut server.http(), &admin);
        if goes_on {
            go_on(&mut server.http(), &admin);
        }
        let agent = Agent { server: &server, key };
        let run = agent.start();
        agent.report(&run, "ask", 0.001, None).expect(200);
        damage(&place);
        let passes = agent.report(&run, "ask", 0.002, None);
        if goes_on {
            assert_eq!(passes.expect(200)["recorded"], false);
        } else {
            assert_eq!(passes.expect(503)["code"], "store_unavailable");
        }
        told(&agent.report(&run, "delete", 0.001, None), false);
        let start = server.http().post(RUNS, &agent.key, &json!({ "agent_id": "a" })).expect(503);
        assert_eq!(start["code"], "store_unavailable", "{start}");
        let read = server.http().get(&format!("{RUNS}/{run}"), &agent.key).expect(503);
        assert_eq!(read["code"], "store_unavailable", "{read}");
        let ready = server.http().get("/readyz", "").expect(503);
        let why = ready["detail"].as_str().expect("why");
        assert!(why.contains("damaged") && why.contains("restore a backup"), "{why}");
        let (_, log) = server.stop();
        assert!(log.contains("the file of the store is damaged"), "{log}");
    }
}

#[tokio::test]
async fn a_tenant_that_goes_on_loses_nothing_by_a_crash_in_the_outage() {
    let Some(place) = Place::on(Store::Postgres).await else { return };
    let (key, admin) = (place.key("agent"), place.key("admin"));
    let public = place.public_keys();
    let mut server = place.serve();
    govern(&mut server.http(), &admin);
    go_on(&mut server.http(), &admin);
    let agent = Agent { server: &server, key };
    let [run, doomed] = [agent.start(), agent.start()];
    for run in [&run, &doomed] {
        agent.report(run, "ask", 0.001, None).expect(200);
    }

    place.take_store_from(&server).await;
    wait("not being ready", || (server.http().get("/readyz", "").status == 503).then_some(()));
    let passed = agent.report(&run, "ask", 0.002, Some("once"));
    let passed = passed.expect(200);
    assert_eq!((&passed["recorded"], &passed["step_hash"]), (&json!(false), &Value::Null), "{passed}");
    assert_eq!((&passed["step_index"], &passed["verdict"]["action"]), (&json!(1), &json!("ALLOW")));
    assert_eq!(
        &agent.report(&run, "ask", 0.002, Some("once")).expect(200),
        &passed,
        "a repeat is told the same"
    );
    told(&agent.report(&run, "delete", 0.001, None), false);
    assert_eq!(told(&agent.report(&doomed, "ask", 0.6, None), false)["action"], "KILL");
    let key = agent.key;
    server.kill();
    place.bring_store_back_to(&server).await;

    let server = place.serve();
    let agent = Agent { server: &server, key };
    wait("what was answered", || (agent.run(&run)["refused_count"] == 1).then_some(()));
    assert_eq!(agent.steps(&run), ["SUCCESS", "SUCCESS", "REFUSED"]);
    wait("the killed run's seal", || (agent.run(&doomed)["state"] == "COMPLETED").then_some(()));
    let again = agent.report(&run, "ask", 0.002, Some("once"));
    let again = again.expect(200);
    assert_eq!(
        (&again["recorded"], &again["verdict"]),
        (&json!(true), &passed["verdict"]),
        "it is stored as it was told"
    );
    assert!(again["step_hash"].is_string(), "{again}");
    let doctor = place.succeed(&["doctor"]);
    assert!(doctor.contains("nothing waits to be written"), "{doctor}");

    let ended =
        server.http().post(&format!("{RUNS}/{run}/complete"), &agent.key, &json!({ "status": "SUCCEEDED" }));
    let ended = ended.expect(200);
    assert_eq!(ended["integrity_status"], "DEGRADED", "a gap is a warning: {ended}");
    for run in [&run, &doomed] {
        let file = place.path(&format!("{run}.json"));
        let file = file.to_str().expect("UTF-8");
        place.succeed(&["bundle", run, "-o", file]);
        place.succeed(&["verify", file, "--key", public.to_str().expect("UTF-8"), "--reexecute"]);
    }
}

#[tokio::test]
async fn a_tenant_that_goes_on_does_not_on_a_full_disk() {
    let place = Place::sqlite();
    let (key, admin) = (place.key("agent"), place.key("admin"));
    let server = place.serve_on_a_shaky_store();
    govern(&mut server.http(), &admin);
    go_on(&mut server.http(), &admin);
    let agent = Agent { server: &server, key };
    let run = agent.start();
    agent.report(&run, "ask", 0.001, None).expect(200);
    place.take_store_from(&server).await;
    wait("not being ready", || (server.http().get("/readyz", "").status == 503).then_some(()));
    let passing = agent.report(&run, "ask", 0.001, Some("once"));
    assert_eq!(passing.expect(503)["code"], "store_unavailable", "what cannot be kept does not pass");
    told(&agent.report(&run, "delete", 0.001, None), false);
    place.bring_store_back_to(&server).await;
    wait("being ready", || (server.http().get("/readyz", "").status == 200).then_some(()));
    agent.report(&run, "ask", 0.001, Some("once")).expect(200);
    assert_eq!(agent.steps(&run), ["SUCCESS", "REFUSED", "SUCCESS"]);
}
