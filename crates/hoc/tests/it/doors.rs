//! Who comes in, and who keeps others out: crowds that say half of what they want, or nothing more.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    os::unix::fs::PermissionsExt as _,
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;

use crate::{
    events::event,
    harness::{DEADLINE, Place, Server, on_both},
    http::{Answer, Http},
};

const RUNS: &str = "/api/v1/runtime/activity/runs";
const EVENTS: &str = "/api/v1/runtime/activity/events";

/// Lets this process open so many files more than it may now, as far as it can.
fn open_files(more: u64) {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = current.map(|current| maximum.map_or(current + more, |most| most.min(current + more)));
    setrlimit(Resource::Nofile, Rlimit { current: wanted, maximum }).expect("no more than the maximum");
}

fn says(server: &Server, bytes: &str) -> TcpStream {
    let mut stream = TcpStream::connect(&server.address).expect("the server listens");
    stream.set_read_timeout(Some(DEADLINE)).expect("a socket");
    // It may have had to go already.
    let _ = stream.write_all(bytes.as_bytes());
    stream
}

/// Waits until the server has hung up.
fn is_hung_up(stream: &mut TcpStream) -> bool {
    !matches!(stream.read(&mut [0; 1_024]), Ok(1..))
}

/// The middle one of several times. A machine that does all its tests at once may hold up one answer, or two; a crowd
/// that keeps others out holds up most.
fn middle(took: &[Duration]) -> Duration {
    let mut took = took.to_vec();
    took.sort_unstable();
    took[took.len() / 2]
}

#[test]
fn a_crowd_of_half_heads_keeps_nobody_out() {
    open_files(1_100);
    let place = Place::sqlite().with("HOC_HEAD_WITHIN", "10m").with("HOC_STOP_WITHIN", "10m");
    let agent = place.key("agent");
    let server = place.serve_with_descriptors(300);
    let half = "GET /healthz HTTP/1.1\r\nhost: hoc\r\nx-half: ";
    let crowd: Vec<TcpStream> = (0..1_000).map(|_| says(&server, half)).collect();
    let took = [0; 5].map(|_| {
        let begun = Instant::now();
        server.http().get("/healthz", "").expect(200);
        begun.elapsed()
    });
    assert!(middle(&took) < Duration::from_secs(1), "{took:?}");
    // The store has the files that it needs.
    server.http().post(RUNS, &agent, &json!({ "agent_id": "researcher" })).expect(201);
    server.http().get("/readyz", "").expect(200);
    let begun = Instant::now();
    assert_eq!(server.stop().0, Some(0));
    assert!(begun.elapsed() < DEADLINE / 2, "a half head is no call under way");
    drop(crowd);
}

/// The same from another address of this machine: `127.0.0.` and that.
async fn says_from(last: u8, server: &Server, bytes: &str) -> TcpStream {
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.bind(SocketAddr::from(([127, 0, 0, last], 0))).expect("all of 127.0.0.0/8 is here");
    let stream = socket.connect(server.address.parse().expect("an address")).await.expect("it listens");
    let mut stream = stream.into_std().expect("a socket");
    stream.set_nonblocking(false).expect("a socket");
    stream.set_read_timeout(Some(DEADLINE)).expect("a socket");
    // It may have had to go already.
    let _ = stream.write_all(bytes.as_bytes());
    stream
}

#[tokio::test]
async fn who_keeps_its_call_waiting_and_shows_no_key_keeps_nobody_out() {
    open_files(400);
    let place = Place::sqlite().with("HOC_HEAD_WITHIN", "10m").with("HOC_IDLE_WITHIN", "10m");
    let agent = place.key("agent");
    let server = place.serve_with_descriptors(300);
    let form =
        "POST /console/login HTTP/1.1\r\nhost: hoc\r\ncontent-type: application/x-www-form-urlencoded\r\n";
    let half_a_body = format!("{form}content-length: 100\r\n\r\nk");
    let unread = "GET /api/v1/openapi.json HTTP/1.1\r\nhost: hoc\r\n\r\n".repeat(40);
    let mut crowd = Vec::new();
    for last in [1, 2] {
        for one in 0..130 {
            let said = if one < 80 { &half_a_body } else { &unread };
            crowd.push(says_from(last, &server, said).await);
        }
    }
    let mut took = Vec::new();
    for _ in 0..5 {
        let begun = Instant::now();
        let mut asks = says_from(9, &server, "GET /healthz HTTP/1.1\r\nhost: hoc\r\n\r\n").await;
        let mut answer = [0; 15];
        asks.read_exact(&mut answer).expect("an answer");
        assert_eq!(&answer, b"HTTP/1.1 200 OK");
        took.push(begun.elapsed());
    }
    assert!(middle(&took) < Duration::from_secs(1), "{took:?}");
    // One of the crowd's own address is not kept out either.
    server.http().post(RUNS, &agent, &json!({ "agent_id": "researcher" })).expect(201);
    server.http().get("/readyz", "").expect(200);
    drop(crowd);
}

#[test]
fn heads_and_rests_have_their_time_and_what_is_followed_goes_on() {
    let place = Place::sqlite().with("HOC_HEAD_WITHIN", "200ms").with("HOC_IDLE_WITHIN", "300ms");
    let agent = place.key("agent");
    let server = place.serve();
    let mut stream = server.http();
    stream.open(EVENTS, &agent, "");
    let mut half = says(&server, "GET /healthz HTTP/1.1\r\nhost: ");
    let mut silent = says(&server, "");
    let mut rests = says(&server, "GET /healthz HTTP/1.1\r\nhost: hoc\r\n\r\n");
    let mut answer = [0; 15];
    rests.read_exact(&mut answer).expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
    let mut rest = Vec::new();
    rests.read_to_end(&mut rest).expect("it ends");
    assert!(is_hung_up(&mut half) && is_hung_up(&mut silent));
    let run = server.http().post(RUNS, &agent, &json!({ "agent_id": "researcher" })).expect(201);
    assert_eq!(event(&mut stream).2["run_id"], run["run_id"], "a stream is a call, however long it is quiet");
}

/// A run's start of which the head is said, and its body of 27 bytes is waited for.
fn half_a_start(server: &Server, key: &str) -> TcpStream {
    let head = format!(
        "POST {RUNS} HTTP/1.1\r\nhost: hoc\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\n\
         content-length: 27\r\nexpect: 100-continue\r\n\r\n"
    );
    let mut stream = says(server, &head);
    let mut goes_on = [0; 25];
    stream.read_exact(&mut goes_on).expect("the body is wanted");
    assert_eq!(&goes_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

#[test]
fn one_key_with_half_bodies_keeps_no_other_key_out_that_comes_from_the_same_address() {
    let place = Place::sqlite()
        .with("HOC_MAX_CLIENTS", "16")
        .with("HOC_MAX_CLIENTS_PER_PEER", "16")
        .with("HOC_HEAD_WITHIN", "10m");
    let (greedy, beside) = (place.key("agent"), place.key("agent"));
    let stranger = place.key_in("stranger", "agent");
    let server = place.serve();
    let mut crowd: Vec<TcpStream> = (0..16).map(|_| half_a_start(&server, &greedy)).collect();
    // Those that come now stay, as calls do that are under way.
    let mut came: Vec<TcpStream> =
        [&beside, &stranger].iter().cycle().take(8).map(|key| half_a_start(&server, key)).collect();
    for key in [&beside, &stranger] {
        server.http().post(RUNS, key, &json!({ "agent_id": "researcher" })).expect(201);
    }
    // Whoever was within its part goes on, and so do the last of the greedy one.
    for stream in came.iter_mut().chain(&mut crowd[12..]) {
        stream.write_all(br#"{ "agent_id": "researcher"}"#).expect("it is still there");
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).expect("an answer");
        assert_eq!(&answer, b"HTTP/1.1 201");
    }
}

#[test]
fn where_all_places_are_taken_by_calls_the_next_is_told_so() {
    let place = Place::sqlite().with("HOC_MAX_CLIENTS", "2").with("HOC_MAX_CLIENTS_PER_PEER", "2");
    let (agent, other) = (place.key("agent"), place.key_in("other", "agent"));
    let server = place.serve();
    // One of each: a key that had both would have more than its part.
    let mut calling = [&agent, &other].map(|key| half_a_start(&server, key));
    let told = server.http().get(RUNS, &agent);
    assert_eq!(told.expect(503)["code"], "overloaded");
    assert!(String::from_utf8_lossy(&told.head).contains("retry-after: 1"));
    // It is busy, and neither dead nor unfit.
    for question in ["/healthz", "/readyz"] {
        let answer = server.http().get(question, "");
        answer.expect(200);
        assert!(answer.is_last, "a place that is kept for this is for one question");
    }
    // Once one of them has its answer it only rests, and makes room.
    calling[0].write_all(br#"{ "agent_id": "researcher"}"#).expect("it is still there");
    let mut answer = [0; 12];
    calling[0].read_exact(&mut answer).expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 201");
    let begun = Instant::now();
    while server.http().get(RUNS, &agent).status != 200 {
        assert!(begun.elapsed() < DEADLINE, "there is room");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn no_crowd_holds_the_places_that_are_kept_for_probes() {
    let place = Place::sqlite()
        .with("HOC_MAX_CLIENTS", "2")
        .with("HOC_MAX_CLIENTS_PER_PEER", "2")
        .with("HOC_HEAD_WITHIN", "10m");
    let (agent, other) = (place.key("agent"), place.key_in("other", "agent"));
    let server = place.serve();
    let calling = [&agent, &other].map(|key| half_a_start(&server, key));
    // Some say nothing, some ask and do not end what they say, some begin like a probe and go on with a body.
    let half_a_body = "GET /healthz HTTP/1.1\r\nhost: hoc\r\ncontent-length: 100\r\n\r\n{";
    for said in ["", "GET /healthz HTTP/1.1\r\nhost: ", half_a_body] {
        let crowd: Vec<TcpStream> = (0..40).map(|_| says(&server, said)).collect();
        let took = [0; 3].map(|_| {
            let begun = Instant::now();
            server.http().get("/readyz", "").expect(200);
            begun.elapsed()
        });
        assert!(middle(&took) < Duration::from_secs(1), "{said}: {took:?}");
        drop(crowd);
    }
    // Who wants anything else is told that there is no place, key or no key.
    server.http().get(RUNS, &agent).expect(503);
    server.http().get(RUNS, "").expect(503);
    drop(calling);
}

#[test]
fn who_is_answered_before_its_body_is_read_hears_it_and_whether_the_connection_goes_on() {
    const SHORT: usize = 200_000;
    const LONG: usize = 5_000_000;
    let place = Place::sqlite();
    let agent = place.key("agent");
    let agent = agent.as_str();
    let server = place.serve();
    for (key, path, bytes, status) in [
        (agent, RUNS, LONG, 413),
        (agent, "/nowhere", LONG, 404),
        (agent, "/nowhere", SHORT, 404),
        ("nobody's", RUNS, LONG, 401),
        ("nobody's", RUNS, SHORT, 401),
    ] {
        // All of it is sent before the answer is looked for.
        let mut http = server.http();
        let answer = http.send("POST", path, key, "", &"x".repeat(bytes));
        let answer = answer.unwrap_or_else(|err| panic!("{status} of {bytes} bytes: {err}"));
        answer.expect(status);
        assert_eq!(answer.is_last, bytes == LONG, "{status} of {bytes} bytes");
        if !answer.is_last {
            http.get("/healthz", "").expect(200);
        }
    }
}

#[test]
fn half_bodies_do_not_hold_a_stop() {
    let place = Place::sqlite().with("HOC_STOP_WITHIN", "10m");
    let agent = place.key("agent");
    let server = place.serve();
    let mut half = half_a_start(&server, &agent);
    half.write_all(b"{ \"agent_id\":").expect("it is there");
    let begun = Instant::now();
    assert_eq!(server.stop().0, Some(0));
    assert!(begun.elapsed() < DEADLINE / 4, "half a minute is what a body may take");
    let mut answer = String::new();
    half.read_to_string(&mut answer).expect("it was told, and not cut off");
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("not_ready"), "{answer}");
}

#[test]
fn nobody_else_may_read_a_store_whatever_the_folder_was_like() {
    let place = Place::sqlite();
    let data = place.data();
    std::fs::create_dir(&data).expect("a folder");
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o755)).expect("ours");
    let agent = place.key("agent");
    let server = place.serve();
    server.http().post(RUNS, &agent, &json!({ "agent_id": "researcher" })).expect(201);
    let mut looked_at = 0;
    for entry in std::fs::read_dir(&data).expect("a folder") {
        let entry = entry.expect("an entry");
        let metadata = entry.metadata().expect("it is there");
        if metadata.is_file() {
            looked_at += 1;
            assert_eq!(metadata.permissions().mode() & 0o077, 0, "{}", entry.path().display());
        }
    }
    assert!(looked_at >= 5, "hoc.db with what is beside it, the spool and the locks");
}

/// The status of a stream's first answer.
fn follows(server: &Server, key: &str) -> (u16, TcpStream) {
    let head = format!("GET {EVENTS} HTTP/1.1\r\nhost: hoc\r\nauthorization: Bearer {key}\r\n\r\n");
    let mut stream = says(server, &head);
    let mut status = [0; 12];
    stream.read_exact(&mut status).expect("an answer");
    (String::from_utf8_lossy(&status[9..]).parse().expect("a status"), stream)
}

#[test]
fn one_key_takes_no_stream_of_another_key_or_tenant() {
    let place = Place::sqlite().with("HOC_MAX_STREAMS", "16");
    let (greedy, beside) = (place.key("agent"), place.key("agent"));
    let stranger = place.key_in("stranger", "agent");
    let server = place.serve();
    let streams: Vec<_> = (0..40).map(|_| follows(&server, &greedy)).collect();
    let open = streams.iter().filter(|(status, _)| *status == 200).count();
    assert_eq!(open, 4, "a key has a quarter of all");
    assert!(streams.iter().all(|(status, _)| matches!(status, 200 | 503)));
    let others = [&beside, &beside, &stranger, &stranger].map(|key| follows(&server, key));
    assert!(others.iter().all(|(status, _)| *status == 200));
}

/// The time that a process has taken of a processor so far; none where this system does not say.
fn processor_time(id: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let ticks: u64 = fields.get(11..13)?.iter().map(|field| field.parse::<u64>().ok()).sum::<Option<_>>()?;
    // Linux tells these in hundredths of a second, whatever it counts in.
    Some(Duration::from_millis(ticks * 10))
}

#[test]
#[expect(clippy::print_stderr, reason = "whoever wants the number finds it with --nocapture")]
fn five_hundred_streams_that_are_quiet_take_a_twentieth_of_a_core() {
    open_files(700);
    let place = Place::sqlite();
    let agents = ["one", "one", "other", "other"].map(|tenant| place.key_in(tenant, "agent"));
    let server = place.serve();
    let mut streams = Vec::new();
    for key in agents.iter().cycle().take(512) {
        let (status, stream) = follows(&server, key);
        assert_eq!(status, 200);
        streams.push(stream);
    }
    // A window may have something else in it: what a start leaves to do, a check of the records. Most must not.
    let mut shares = Vec::new();
    for _ in 0..5 {
        let (Some(before), window) = (processor_time(server.id()), Instant::now()) else { return };
        thread::sleep(Duration::from_secs(5));
        let spent = processor_time(server.id()).expect("it runs").saturating_sub(before);
        shares.push(spent.div_duration_f64(window.elapsed()));
    }
    shares.sort_by(f64::total_cmp);
    eprintln!("{:.3} of a core", shares[2]);
    assert!(shares[2] < 0.05, "{shares:.3?} of a core");
}

/// More readers than a store has connections for, each of whole runs.
async fn a_crowd_of_readers_is_told_of_no_outage(place: Place) {
    let place = place.with("HOC_MAX_CONNECTIONS", "4");
    let (agent, auditor) = (place.key("agent"), place.key("auditor"));
    let server = place.serve();
    let mut http = server.http();
    let run = http.post(RUNS, &agent, &json!({ "agent_id": "researcher" })).expect(201);
    let run = format!("{RUNS}/{}", run["run_id"].as_str().expect("an id"));
    let step = json!({
        "kind": "TOOL_CALL", "skill_name": "get_weather", "status": "SUCCESS", "params": { "city": "x".repeat(2_000) },
    });
    for _ in 0..80 {
        http.post(&format!("{run}/steps"), &agent, &step).expect(200);
    }
    let readers: Vec<_> = (0..32)
        .map(|_| {
            let (address, auditor, run) = (server.address.clone(), auditor.clone(), run.clone());
            thread::spawn(move || {
                let mut http = Http::connect(&address);
                ["bundle", "proof", "steps?limit=200", "evidence"]
                    .map(|what| told(&http.get(&format!("{run}/{what}"), &auditor)))
            })
        })
        .collect();
    // Beside them, steps are recorded; and nobody is told that the store is down.
    let mut recorded = 0;
    while !readers.iter().all(thread::JoinHandle::is_finished) {
        let answer = http.post(&format!("{run}/steps"), &agent, &step);
        assert!(matches!(told(&answer).as_str(), "200" | "overloaded"), "{answer:?}");
        recorded += u32::from(answer.status == 200);
    }
    assert!(recorded > 0);
    let all: Vec<String> = readers.into_iter().flat_map(|reader| reader.join().expect("it reads")).collect();
    assert!(all.iter().all(|told| told == "200" || told == "overloaded"), "{all:?}");
    assert!(all.iter().any(|told| told == "200"), "{all:?}");
}

/// The code of a problem; the status of anything else.
fn told(answer: &Answer) -> String {
    let problem = (answer.status >= 400).then(|| answer.expect(answer.status));
    let code = problem.as_ref().and_then(|problem| problem["code"].as_str());
    code.map_or_else(|| answer.status.to_string(), str::to_owned)
}

on_both!(a_crowd_of_readers_is_told_of_no_outage);
