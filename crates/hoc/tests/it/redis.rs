//! With Redis: a repeat is answered without the store; and killed, frozen or emptied, it costs no double record. What
//! the store has lost is not answered out of it.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use drivers::{ConnectConfig, Db};
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::Store;

use crate::{
    chrome::variable,
    harness::{DEADLINE, Place, Server},
    http::{Answer, Http},
};

/// The variable that names the program; `cargo xtask test` sets it.
const VARIABLE: &str = "HOC_TEST_REDIS";

const RUNS: &str = "/api/v1/runtime/activity/runs";

/// A Redis of a test's own, on a socket in a folder of its own.
struct Redis {
    program: PathBuf,
    folder: TempDir,
    child: Child,
}

impl Redis {
    /// None where there is none to start.
    #[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
    fn start() -> Option<Self> {
        let Some(program) = variable(VARIABLE) else {
            eprintln!("SKIPPED: {VARIABLE} names no Redis; `cargo xtask test` finds or installs one");
            return None;
        };
        let program = PathBuf::from(program);
        let folder = TempDir::new().expect("a folder");
        let child = spawn(&program, folder.path());
        Some(Self { program, folder, child })
    }

    fn url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }

    fn kill(&mut self) {
        self.child.kill().expect("it was started");
        self.child.wait().expect("it ends");
    }

    /// Starts it again, empty: it keeps nothing on a disk.
    fn restart(&mut self) {
        self.child = spawn(&self.program, self.folder.path());
    }

    /// Lets it hang, or go on: SIGSTOP or SIGCONT.
    fn signal(&self, signal: &str) {
        let sent = Command::new("sh").args(["-c", &format!("kill -{signal} {}", self.child.id())]).status();
        assert!(sent.expect("sh starts").success());
    }

    fn ask(&self, command: &str) -> std::io::Result<String> {
        let mut stream = UnixStream::connect(self.socket())?;
        stream.write_all(format!("{command}\r\n").as_bytes())?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }

    /// Waits until it keeps so many answers.
    fn keeps(&self, answers: usize) {
        let wanted = format!(":{answers}");
        let begun = Instant::now();
        while self.ask("DBSIZE").expect("it answers") != wanted {
            assert!(begun.elapsed() < DEADLINE, "{:?}", self.ask("DBSIZE"));
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(program: &Path, folder: &Path) -> Child {
    let socket = folder.join("redis.sock");
    let _ = fs::remove_file(&socket);
    let mut command = Command::new(program);
    command.args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"]).arg(&socket);
    command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().expect("redis-server starts");
    let begun = Instant::now();
    while UnixStream::connect(&socket).is_err() {
        assert!(begun.elapsed() < DEADLINE, "Redis does not listen");
        thread::sleep(Duration::from_millis(5));
    }
    child
}

fn start(http: &mut Http, key: &str) -> String {
    let started = http.post(RUNS, key, &json!({ "agent_id": "a" })).expect(201);
    started["run_id"].as_str().expect("an id").to_owned()
}

fn step(name: &str, cost: f64) -> Value {
    json!({ "kind": "LLM_CALL", "skill_name": "ask", "status": "SUCCESS", "idempotency_key": name,
        "llm": { "provider": "openai", "model": "gpt-4o", "input_tokens": 10, "output_tokens": 5, "cost_usd": cost } })
}

fn leave(name: &str) -> Value {
    json!({ "kind": "TOOL_CALL", "skill_name": "search", "params": { "q": "x" }, "idempotency_key": name })
}

fn report(http: &mut Http, key: &str, run: &str, step: &Value) -> Answer {
    http.post(&format!("{RUNS}/{run}/steps"), key, step)
}

#[tokio::test]
async fn a_repeat_is_answered_without_the_store() {
    let (Some(redis), Some(place)) = (Redis::start(), Place::on(Store::Postgres).await) else { return };
    let place = place.with("HOC_REDIS_URL", &redis.url());
    let (key, other) = (place.key("agent"), place.key("admin"));
    let (server, replica) = (place.serve(), place.serve());
    let mut http = server.http();
    let run = start(&mut http, &key);
    let first = report(&mut http, &key, &run, &step("once", 0.001)).expect(200);
    let ask = leave("may I");
    let granted = http.post(&format!("{RUNS}/{run}/permits"), &key, &ask).expect(201);
    redis.keeps(2);
    for server in [&server, &replica] {
        server.http().get("/readyz", &other).expect(200);
        // Both keys are known here: who asks is not the question.
        for key in [&key, &other] {
            server.http().get(&format!("{RUNS}/{run}"), key).expect(200);
        }
    }

    place.take_store_from(&server).await;
    let begun = Instant::now();
    while server.http().get("/readyz", "").status != 503 {
        assert!(begun.elapsed() < DEADLINE, "the store does not go");
        thread::sleep(Duration::from_millis(5));
    }
    for http in [&mut http, &mut replica.http()] {
        assert_eq!(report(http, &key, &run, &step("once", 0.001)).expect(200), first);
        assert_eq!(http.post(&format!("{RUNS}/{run}/permits"), &key, &ask).expect(201), granted);
    }
    for (who, what) in
        [(&key, step("once", 0.002)), (&key, step("another", 0.001)), (&other, step("once", 0.001))]
    {
        let answer = report(&mut http, who, &run, &what);
        assert_eq!(answer.expect(503)["code"], "store_unavailable", "the store has the final word on {what}");
    }

    place.bring_store_back_to(&server).await;
    let begun = Instant::now();
    while server.http().get("/readyz", "").status != 200 {
        assert!(begun.elapsed() < DEADLINE, "the store does not come back");
        thread::sleep(Duration::from_millis(5));
    }
    let conflict = report(&mut http, &key, &run, &step("once", 0.002));
    assert_eq!(conflict.expect(409)["code"], "idempotency_conflict");
    // What is there is not believed because it is there.
    let name = redis.ask("RANDOMKEY").expect("it answers");
    assert!(name.starts_with('$'), "{name}");
    redis.ask("EVAL \"for _,k in ipairs(redis.call('KEYS','*')) do redis.call('HSET',k,'answer',string.rep('0',64)..'{}') end return 1\" 0").expect("it answers");
    assert_eq!(
        report(&mut http, &key, &run, &step("once", 0.001)).expect(200),
        first,
        "the store answers the same"
    );
    let doctor = place.succeed(&["doctor"]);
    assert!(doctor.contains("redis+unix://"), "{doctor}");
}

/// Where somebody else writes for a while.
#[tokio::test]
async fn a_repeat_does_not_wait_for_an_embedded_store() {
    let Some(redis) = Redis::start() else { return };
    let place = Place::sqlite().with("HOC_REDIS_URL", &redis.url());
    let key = place.key("agent");
    let server = place.serve();
    let mut http = server.http();
    let run = start(&mut http, &key);
    let first = report(&mut http, &key, &run, &step("once", 0.001)).expect(200);
    redis.keeps(1);
    let url = format!("sqlite://{}", place.data().join("hoc.db").display());
    let other =
        Db::connect(&ConnectConfig { test: true, ..ConnectConfig::new(&url) }).await.expect("a store");
    let held = other.begin().await.expect("nobody writes for long");
    assert_eq!(report(&mut http, &key, &run, &step("once", 0.001)).expect(200), first);
    held.rollback().await.expect("undone");
    other.close().await;
}

async fn what_a_restore_took_away_is_done_anew(store: Store) {
    let (Some(redis), Some(place)) = (Redis::start(), Place::on(store).await) else { return };
    let place = place.with("HOC_REDIS_URL", &redis.url());
    let key = place.key("agent");
    let run = place.back_up_after(|server| start(&mut server.http(), &key)).await;

    let (permits, ask) = (format!("{RUNS}/{run}/permits"), leave("may I"));
    let does = |server: &Server| {
        let mut http = server.http();
        http.get("/readyz", "").expect(200);
        let recorded = report(&mut http, &key, &run, &step("once", 0.001)).expect(200);
        (recorded, http.post(&permits, &key, &ask).expect(201))
    };
    let kept = |server: &Server| {
        let done = does(server);
        redis.keeps(2);
        done
    };
    let (lost, lost_leave) = place.lose(kept).await;

    let server = place.serve();
    let (anew, leave_anew) = does(&server);
    assert_ne!(anew["step_hash"], lost["step_hash"], "the store has no such step");
    assert_ne!(leave_anew["permit_id"], lost_leave["permit_id"], "nor such leave");
    redis.keeps(4);
    assert_eq!(does(&server), (anew.clone(), leave_anew));
    let steps = server.http().get(&format!("{RUNS}/{run}/steps"), &key).expect(200);
    assert_eq!(steps["items"].as_array().map(Vec::len), Some(1), "{steps}");
    assert_eq!(steps["items"][0]["step_hash"], anew["step_hash"]);
}

#[tokio::test]
async fn what_a_restore_took_away_is_done_anew_on_sqlite() {
    what_a_restore_took_away_is_done_anew(Store::Sqlite).await;
}

#[tokio::test]
async fn what_a_restore_took_away_is_done_anew_on_postgres() {
    what_a_restore_took_away_is_done_anew(Store::Postgres).await;
}

/// A store that fell back under its server, too, has lost what Redis may still have.
#[test]
fn a_store_that_is_only_read_is_not_answered_for() {
    let Some(redis) = Redis::start() else { return };
    let place = Place::sqlite().with("HOC_REDIS_URL", &redis.url());
    let key = place.key("agent");
    let server = place.serve();
    let mut http = server.http();
    let run = start(&mut http, &key);
    report(&mut http, &key, &run, &step("once", 0.001)).expect(200);
    redis.keeps(1);
    fs::rename(place.data().join("hoc.db"), place.data().join("gone.db")).expect("it moves");
    let refused = report(&mut http, &key, &run, &step("once", 0.001)).expect(503);
    assert_eq!(refused["code"], "store_behind", "{refused}");
}

const AGENTS: usize = 6;
const STEPS: usize = 40;

/// Every step twice, by two callers at a time.
fn load(address: &str, key: &str, runs: &[String], answers: &Answers, answered: &AtomicUsize) {
    thread::scope(|scope| {
        for n in 0..AGENTS {
            scope.spawn(move || {
                let mut http = Http::connect(address);
                let run = &runs[n / 2];
                for at in 0..STEPS {
                    let name = format!("step-{at}");
                    let answer = report(&mut http, key, run, &step(&name, 0.001)).expect(200);
                    let mut answers = answers.lock().expect("no caller fails");
                    let first = answers.entry((run.clone(), name)).or_insert_with(|| answer.clone());
                    assert_eq!(first, &answer, "one key, one answer");
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
}

type Answers = Mutex<BTreeMap<(String, String), Value>>;

async fn redis_dies_in_the_middle_of_a_load(store: Store) {
    let (Some(mut redis), Some(place)) = (Redis::start(), Place::on(store).await) else { return };
    let place = place.with("HOC_REDIS_URL", &redis.url());
    let key = place.key("agent");
    let server = place.serve();
    let runs: Vec<String> = (0..AGENTS / 2).map(|_| start(&mut server.http(), &key)).collect();
    let (answers, answered) = (Answers::default(), AtomicUsize::new(0));
    let reach = |count: usize| {
        let begun = Instant::now();
        while answered.load(Ordering::Relaxed) < count {
            assert!(begun.elapsed() < DEADLINE, "the load hangs");
            thread::sleep(Duration::from_millis(1));
        }
    };
    thread::scope(|scope| {
        let loading = scope.spawn(|| load(&server.address, &key, &runs, &answers, &answered));
        reach(AGENTS * STEPS / 6);
        redis.signal("STOP");
        reach(AGENTS * STEPS / 3);
        redis.signal("CONT");
        reach(AGENTS * STEPS / 2);
        redis.kill();
        loading.join().expect("every call is answered");
    });
    redis.restart();
    load(&server.address, &key, &runs, &answers, &answered);
    for run in &runs {
        let stored = server.http().get(&format!("{RUNS}/{run}"), &key).expect(200);
        assert_eq!(stored["step_count"], STEPS, "nothing is doubled: {stored}");
    }
    assert_eq!(answers.lock().expect("no caller failed").len(), AGENTS / 2 * STEPS);
    let (code, log) = server.stop();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("Redis does not answer"), "{log}");
}

#[tokio::test]
async fn redis_dies_in_the_middle_of_a_load_on_sqlite() {
    redis_dies_in_the_middle_of_a_load(Store::Sqlite).await;
}

#[tokio::test]
async fn redis_dies_in_the_middle_of_a_load_on_postgres() {
    redis_dies_in_the_middle_of_a_load(Store::Postgres).await;
}
