//! `hoc serve`: first start, later starts, and the starts that are refused.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Instant,
};

use serde_json::json;
use testkit::Store;

use crate::harness::{DEADLINE, Place, on_both};

const RUNS: &str = "/api/v1/runtime/activity/runs";
const WHOAMI: &str = "/api/v1/account/whoami";

/// The key in what a first start prints.
fn admin_key(greeting: &[String]) -> String {
    let key = greeting.iter().find_map(|line| line.trim().strip_prefix("export KEY="));
    key.unwrap_or_else(|| panic!("no key in {greeting:?}")).to_owned()
}

/// The link in what a first start prints.
fn console_link(greeting: &[String]) -> &str {
    let link = greeting.iter().map(|line| line.trim()).find(|line| line.contains("/console/login?token="));
    link.unwrap_or_else(|| panic!("no link in {greeting:?}"))
}

async fn first_and_second_start(place: Place) {
    let first = place.serve();
    let key = admin_key(&first.greeting);
    first.http().get("/readyz", "").expect(200);
    let who = first.http().get(WHOAMI, &key).expect(200);
    assert_eq!(who["role"].as_str().or_else(|| who["key"]["role"].as_str()), Some("admin"), "{who}");
    let link = console_link(&first.greeting).to_owned();
    let path =
        link.strip_prefix(&format!("http://{}", first.address)).expect("the address that it serves on");
    let login = first.http().call("GET", path, "", None).expect("an answer");
    assert_eq!(login.status, 303, "{login:?}");
    let again = first.http().call("GET", path, "", None).expect("an answer");
    assert_eq!(again.status, 401, "the link logs in once");
    let (code, log) = first.stop();
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains(&key), "the key is printed, never logged");
    assert!(!log.contains(path.rsplit('_').next().expect("a secret")), "nor is the link");

    let second = place.serve();
    let greeting = second.greeting.join("\n");
    assert!(
        !greeting.contains(&key) && !greeting.contains("token=") && greeting.contains("hoc login-link"),
        "the key is shown once: {greeting}"
    );
    second.http().get(WHOAMI, &key).expect(200);
}

on_both!(first_and_second_start);

#[test]
fn one_line_says_that_it_is_ready_and_nothing_follows() {
    let place = Place::sqlite();
    let mut server = place.serve();
    server.http().get("/healthz", "").expect(200);
    server.kill();
    assert_eq!(server.said_since(), Vec::<String>::new());
}

#[test]
fn a_second_server_on_the_same_folder_is_refused_and_told_who_has_it() {
    let place = Place::sqlite();
    let first = place.serve();
    let second = place.run(&["serve"]);
    assert_eq!(second.code, Some(1));
    let told = format!("listening on http://{}", first.address);
    assert!(second.stderr.contains(&told) && second.stderr.contains("HOC_DATA_DIR"), "{}", second.stderr);
}

#[test]
fn a_taken_port_is_refused_with_what_to_do() {
    let (one, two) = (Place::sqlite(), Place::sqlite());
    let first = one.serve();
    let second = two.run(&["serve", "--listen", &first.address]);
    assert_eq!(second.code, Some(1));
    assert!(
        second.stderr.contains(&first.address) && second.stderr.contains("HOC_LISTEN"),
        "{}",
        second.stderr
    );
}

#[test]
fn after_kill_9_the_same_port_serves_again_within_two_seconds() {
    let place = Place::sqlite();
    let mut server = place.serve();
    let key = admin_key(&server.greeting);
    // The best of three: how long a start takes is not how busy the machine is.
    let best = (0..3).map(|_| {
        let address = server.address.clone();
        server.http().get("/readyz", "").expect(200);
        server.kill();
        let begun = Instant::now();
        server = place.serve_with(&["--listen", &address]);
        server.http().get(WHOAMI, &key).expect(200);
        begun.elapsed()
    });
    let best = best.min().expect("three");
    assert!(best.as_secs_f64() < 2.0, "{best:?}");
}

#[test]
fn a_stop_answers_every_call_that_it_carries_out() {
    let place = Place::sqlite();
    let (server, key) = (place.serve(), place.key("agent"));
    let answered = AtomicUsize::new(0);
    let told = thread::scope(|scope| {
        let agents: Vec<_> = (0..4)
            .map(|_| {
                let (mut http, key, answered) = (server.http(), &key, &answered);
                scope.spawn(move || {
                    let run = http.post(RUNS, key, &json!({ "agent_id": "a" })).expect(201);
                    let run = run["run_id"].as_str().expect("an id").to_owned();
                    let step = json!({ "kind": "TOOL_CALL", "skill_name": "s", "status": "SUCCESS" });
                    let (path, mut steps) = (format!("{RUNS}/{run}/steps"), 0u64);
                    while let Ok(answer) = http.call("POST", &path, key, Some(&step)) {
                        answer.expect(200);
                        steps += 1;
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                    (run, steps)
                })
            })
            .collect();
        let begun = Instant::now();
        while answered.load(Ordering::Relaxed) < 50 {
            assert!(begun.elapsed() < DEADLINE, "no answers");
            thread::yield_now();
        }
        let (code, log) = server.stop();
        assert_eq!(code, Some(0), "{log}");
        agents.into_iter().map(|agent| agent.join().expect("it ends")).collect::<Vec<_>>()
    });
    let server = place.serve();
    for (run, steps) in told {
        let stored = server.http().get(&format!("{RUNS}/{run}"), &key).expect(200);
        assert_eq!(stored["step_count"], steps, "what was carried out was answered");
        assert_eq!(stored["status"], "RUNNING");
    }
}

async fn another_key_is_refused(place: Place) {
    place.succeed(&["migrate"]);
    let keys = place.data().join("keys");
    let (mine, away) = (keys.join("signing.pem"), keys.join("away.pem"));
    fs::rename(&mine, &away).expect("the key moves");

    let missing = place.run(&["serve"]);
    assert_eq!(missing.code, Some(1));
    assert!(missing.stderr.contains("HOC_SIGNING_KEY_FILE"), "{}", missing.stderr);
    assert!(!mine.exists(), "no key is made for a store that has one");

    let other = Place::sqlite();
    other.succeed(&["migrate"]);
    fs::copy(other.data().join("keys/signing.pem"), &mine).expect("another key");
    let refused = place.run(&["serve"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("HOC_SIGNING_KEY_FILE"), "{}", refused.stderr);

    fs::copy(keys.join("wrapping.key"), keys.join("away.pem.wrap")).expect("the other key is beside it");
    let place = place.with("HOC_SIGNING_KEY_FILE", away.to_str().expect("UTF-8"));
    place.serve().http().get("/readyz", "").expect(200);
}

on_both!(another_key_is_refused);

#[test]
fn another_wrapping_key_is_refused() {
    let place = Place::sqlite();
    place.key("agent");
    let wrapping = place.data().join("keys/wrapping.key");
    fs::write(&wrapping, "00".repeat(32)).expect("it is written");
    let refused = place.run(&["serve"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("wrapping key"), "{}", refused.stderr);
}

#[test]
fn a_key_that_others_may_read_is_refused() {
    let place = Place::sqlite();
    place.succeed(&["migrate"]);
    let signing = place.data().join("keys/signing.pem");
    fs::set_permissions(signing, fs::Permissions::from_mode(0o644)).expect("the mode changes");
    let refused = place.run(&["serve"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("chmod 600"), "{}", refused.stderr);
}

#[test]
fn production_refuses_sqlite_and_makes_nothing() {
    let place = Place::sqlite().with("HOC_ENV", "production");
    let refused = place.run(&["serve"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("HOC_DATABASE_URL"), "{}", refused.stderr);
    assert!(!place.data().exists());
}

#[test]
fn the_configuration_is_shown_with_its_origins() {
    let place = Place::sqlite().with("HOC_PERMIT_TTL", "90s");
    fs::write(place.path("hoc.toml"), "[governance]\npermit_ttl = \"5s\"\nstop_grace = \"10s\"\n")
        .expect("a file");
    let shown = place.succeed(&["serve", "--print-config", "--listen", "127.0.0.1:9"]);
    let origin = |key: &str| {
        let line = shown.lines().find(|line| line.starts_with(key)).expect(key);
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(origin("listen"), "listen = \"127.0.0.1:9\" # flag --listen");
    assert_eq!(origin("permit_ttl"), "permit_ttl = \"90s\" # environment HOC_PERMIT_TTL");
    assert_eq!(origin("stop_grace"), "stop_grace = \"10s\" # file hoc.toml");
    assert_eq!(origin("outage_memory"), "outage_memory = \"10m\" # default");
    assert!(!place.data().exists(), "showing makes nothing");

    fs::write(place.path("hoc.toml"), "[governance]\npermit_tll = \"5s\"\n").expect("a file");
    let refused = place.run(&["serve"]);
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains("permit_tll") && refused.stderr.contains("permit_ttl"),
        "{}",
        refused.stderr
    );
}

#[tokio::test]
async fn two_servers_on_an_empty_postgres_start_at_once() {
    let Some(place) = Place::on(Store::Postgres).await else { return };
    let place = &place;
    let servers = std::thread::scope(|scope| {
        let starting: Vec<_> = (0..2).map(|_| scope.spawn(move || place.serve())).collect();
        starting.into_iter().map(|server| server.join().expect("it starts")).collect::<Vec<_>>()
    });
    for server in &servers {
        server.http().get("/readyz", "").expect(200);
    }
}

#[test]
fn a_start_on_a_full_disk_says_so() {
    let place = Place::sqlite();
    place.serve().stop();
    // No file may grow, as on a full disk.
    let plain = place.command(&["serve"]);
    let mut command = std::process::Command::new("sh");
    command.args(["-c", r#"trap "" XFSZ; ulimit -f 0; exec "$0" "$@""#]);
    command.arg(plain.get_program()).args(plain.get_args()).env_clear();
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let ended = command.current_dir(place.folder.path()).output().expect("sh starts");
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.contains("the disk is full") && said.contains("make room"), "{said}");
    place.serve().http().get("/readyz", "").expect(200);
}

/// Whoever has the store gets into the console: by the first start, whatever keys were made before, and at any time.
#[test]
fn there_is_a_link_to_the_console_whenever_it_is_asked_for() {
    let place = Place::sqlite();
    place.key("agent");
    let server = place.serve();
    let opens = |printed: &str| {
        let lines: Vec<String> = printed.lines().map(str::to_owned).collect();
        let link = console_link(&lines).to_owned();
        let path = link.strip_prefix(&format!("http://{}", server.address)).expect("where it is served");
        server.http().call("GET", path, "", None).expect("an answer").status
    };
    assert_eq!(opens(&server.greeting.join("\n")), 303, "nobody had an admin key");
    assert_eq!(opens(&place.succeed(&["login-link"])), 303);
    let keys = place.succeed(&["keys", "list", "--json"]);
    let agent = keys.lines().find(|key| key.contains("\"agent\"")).expect("the agent's key");
    let agent: serde_json::Value = serde_json::from_str(agent).expect("JSON");
    assert_eq!(
        opens(&place.succeed(&["login-link", "--key", agent["key_id"].as_str().expect("an id")])),
        303
    );
    let (code, _) = server.stop();
    assert_eq!(code, Some(0));
    let ran = place.run(&["login-link", "--json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("no server runs") && ran.stderr.contains("hoc serve --data-dir"),
        "{}",
        ran.stderr
    );
    for (args, told) in [
        (&["login-link", "--tenant", "nobody"][..], "no tenant `nobody`"),
        (&["login-link", "--key", "key_nope"], "hoc keys list"),
    ] {
        let refused = place.run(args);
        assert_eq!(refused.code, Some(1), "{args:?}");
        assert!(refused.stderr.contains(told), "{args:?}: {}", refused.stderr);
    }
}

#[test]
fn what_is_printed_to_be_typed_leads_to_the_same_store() {
    let place = Place::sqlite();
    let elsewhere = place.path("with a blank");
    let server = place.serve_with(&["--data-dir", elsewhere.to_str().expect("UTF-8")]);
    let greeting = server.greeting.join("\n");
    let typed: Vec<&str> = greeting.lines().filter(|line| line.trim().starts_with("hoc ")).collect();
    assert_eq!(typed.len(), 3, "{greeting}");
    for line in typed {
        assert!(line.contains(&format!("--data-dir '{}'", elsewhere.display())), "{line}");
    }
}
