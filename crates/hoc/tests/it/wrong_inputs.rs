//! What people get wrong on their first day, and that each answer says what is wrong and what to do.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
};

use serde_json::{Value, json};

use crate::{
    harness::{Place, Server},
    http::Http,
};

const POLICIES: &str = "/api/v1/runtime/policies";
const RUNS: &str = "/api/v1/runtime/activity/runs";

/// A command that is wrong, and what it must say.
fn refused(place: &Place, args: &[&str], told: &[&str]) {
    let ran = place.run(args);
    let said = ran.stdout + &ran.stderr;
    assert_ne!(ran.code, Some(0), "hoc {args:?}: {said}");
    for told in told {
        assert!(said.contains(told), "hoc {args:?} does not say `{told}`: {said}");
    }
    assert!(!said.contains("panicked"), "hoc {args:?}: {said}");
}

/// The same with a variable.
fn refused_with(name: &str, value: &str, args: &[&str], told: &[&str]) {
    let place = Place::sqlite().with(name, value);
    refused(&place, args, told);
    assert!(!place.data().join("hoc.db").exists(), "{name}={value}: nothing is made");
}

fn admin_key(server: &Server) -> String {
    let key = server.greeting.iter().find_map(|line| line.trim().strip_prefix("export KEY="));
    key.expect("the first start prints the admin key").to_owned()
}

/// An answer as it is, from what is written on a connection.
fn raw(server: &Server, sent: &[u8]) -> String {
    let mut stream = TcpStream::connect(&server.address).expect("it listens");
    stream.write_all(sent).expect("it is sent");
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said);
    String::from_utf8_lossy(&said).into_owned()
}

/// RFC 9112, 3.2: who reads these may take them for another server's than a proxy before it does.
#[test]
fn a_request_that_names_no_host_or_two() {
    let server = Place::sqlite().serve();
    for (line, hosts, status) in [
        ("GET /healthz HTTP/1.1", "host: a\r\n", "200"),
        ("GET /healthz HTTP/1.0", "", "200"),
        ("GET http://a/healthz HTTP/1.1", "host: a\r\n", "200"),
        ("GET /healthz HTTP/1.1", "", "400"),
        ("GET http://a/healthz HTTP/1.1", "", "400"),
        ("GET /healthz HTTP/1.1", "host: a\r\nhost: a\r\n", "400"),
        ("GET /healthz HTTP/1.0", "host: a\r\nhost: b\r\n", "400"),
        ("GET /healthz HTTP/1.1", "host: a, b\r\n", "400"),
        ("GET /nothing HTTP/1.1", "", "400"),
        ("POST /v1/traces HTTP/1.1", "content-length: 0\r\n", "400"),
    ] {
        let said = raw(&server, format!("{line}\r\nconnection: close\r\n{hosts}\r\n").as_bytes());
        assert!(said.get(9..12) == Some(status), "{line} {hosts:?}: {said}");
        if status == "400" {
            let told = said.contains("invalid_header") && said.contains("send one `host` header");
            assert!(told && said.contains("application/problem+json"), "{line} {hosts:?}: {said}");
        }
    }
}

#[test]
fn a_key_that_opens_nothing() {
    let place = Place::sqlite();
    let server = place.serve();
    let key = admin_key(&server);
    // Of the digits at its end one is changed, whichever it is.
    let other = format!("{}{}", &key[..key.len() - 1], if key.ends_with('0') { '1' } else { '0' });
    let whoami = |headers: &str| {
        let head =
            format!("GET /api/v1/account/whoami HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{headers}\r\n");
        raw(&server, head.as_bytes())
    };
    for (headers, told) in [
        (String::new(), "send an API key as a bearer token"),
        (format!("x-api-key: {key}\r\n"), "send an API key as a bearer token"),
        (format!("authorization: {key}\r\n"), "send an API key as a bearer token"),
        (format!("authorization: Bearer {other}\r\n"), "no such key in this installation"),
    ] {
        let said = whoami(&headers);
        assert!(said.starts_with("HTTP/1.1 401") && said.contains(told), "{headers}: {said}");
    }
    // A browser's address: the link that logs in serves once.
    let printed = place.succeed(&["login-link"]);
    let link = printed.lines().map(str::trim).find(|line| line.starts_with("http")).expect("a link");
    let path = link.strip_prefix(&format!("http://{}", server.address)).expect("of this server");
    let mut http = server.http();
    assert_eq!(http.get(path, "").status, 303);
    let again = http.get(path, "");
    assert_eq!(again.status, 401);
    assert!(String::from_utf8_lossy(&again.body).contains("used before"));
}

#[test]
fn a_start_that_cannot_be() {
    let place = Place::sqlite();
    let server = place.serve();
    refused(&place, &["serve"], &["another server serves the data folder", &server.address, "HOC_DATA_DIR"]);
    // Its lock is no file that somebody may clear away.
    fs::remove_file(place.data().join("serve.lock")).expect("it is there");
    refused(&place, &["serve"], &["another server serves the data folder", "HOC_DATA_DIR"]);
    assert_eq!(server.http().get("/readyz", "").status, 200);
    // One store has one server, whichever folder its keys and its spool are in.
    let url = format!("sqlite://{}", place.data().join("hoc.db").display());
    let beside = Place::sqlite().with("HOC_DATABASE_URL", &url);
    let told = ["another server serves the store", "from another data folder", &server.address];
    refused(&beside, &["serve"], &told);
    assert_eq!(server.http().get("/readyz", "").status, 200);
    let other = Place::sqlite();
    refused(&other, &["serve", "--listen", &server.address], &[&server.address, "HOC_LISTEN"]);
    assert!(!other.data().exists(), "an address that cannot be had makes nothing");
    let blocked = Place::sqlite();
    fs::write(blocked.data(), "a file").expect("it is written");
    refused(&blocked, &["serve"], &["data folder", "is a file"]);
    for (name, value, told) in [
        ("HOC_DATABASE_URL", "mysql://a@b/c", "sqlite:// or postgres://"),
        ("HOC_DATABASE_URL", "/var/lib/hoc.db", "sqlite:// or postgres://"),
        ("HOC_MAX_CONNECTIONS", "many", "HOC_MAX_CONNECTIONS"),
        ("HOC_MAX_CONNECTIONS", "many", "a whole number, 1 to 100000"),
        ("HOC_MAX_CLIENTS", "18446744073709551615", "1 to 100000"),
        ("HOC_MAX_WAITING", "999", "a whole number, 1000 to 100000"),
        ("HOC_MAX_HELD_MIB", "much", "a whole number, 128 to"),
        ("HOC_LOG", "verbose", "off, error, warn, info, debug, trace"),
        ("HOC_PERMIT_TTL", "3000000d", "at most 3650d"),
        ("HOC_STOP_WITHIN", "106751991167d", "at most 3650d"),
        ("HOC_PERMIT_TTL", "soon", "such as 500ms, 60s"),
    ] {
        refused_with(name, value, &["serve"], &[told]);
    }
    let place = Place::sqlite().with("HOC_LISTEN", "http://127.0.0.1:8081");
    refused(&place, &["serve"], &["HOC_LISTEN", "without http://"]);
    assert!(!place.data().exists(), "nor does one that is none");
    refused(&Place::sqlite(), &["serve", "--port", "1"], &["--port", "--help"]);
}

#[test]
fn a_body_that_is_not_what_was_meant() {
    let place = Place::sqlite();
    let server = place.serve();
    let key = admin_key(&server);
    let mut http = server.http();
    let limit = |more: Value| {
        let mut limit =
            json!({"name": "l", "limit_type": "COST_USD", "max_value": 5, "reset_period": "DAILY"});
        limit.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        limit
    };
    let rule = |condition: &str| json!({"name": "r", "enforcement_mode": "BLOCK", "condition": condition});
    let says = |http: &mut Http, path: &str, body: &str, status: u16, told: &[&str]| {
        let head = "content-type: application/json\r\n";
        let answer = http.send("POST", path, &key, head, body).expect("an answer");
        let said = String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!(answer.status, status, "{path} {body}: {said}");
        for told in told {
            assert!(said.contains(told), "{path} {body} does not say `{told}`: {said}");
        }
    };
    let (limits, rules) = (format!("{POLICIES}/limits"), format!("{POLICIES}/rules"));
    for (path, body, status, told) in [
        (RUNS, "{\"agent_id\": \"a\",}".to_owned(), 400, &["line 1"][..]),
        (RUNS, json!({"agent": "a"}).to_string(), 422, &["/agent", "agent_id"]),
        (&limits, limit(json!({"max_value": 1e30})).to_string(), 422, &["/max_value", "at most"]),
        (&limits, limit(json!({"max_value": "lots"})).to_string(), 422, &["/max_value"]),
        (&limits, limit(json!({"reset_period": null})).to_string(), 422, &["/reset_period", "DAILY"]),
        (&limits, limit(json!({"limit_type": "COST"})).to_string(), 422, &["/limit_type", "COST_USD"]),
        (&rules, rule("context.step.skill_name == \"x\"").to_string(), 422, &["/condition", "skill"]),
        (&rules, rule("context.step.cost_usd > 1").to_string(), 422, &["/condition", "cost_microusd"]),
        (&rules, rule("context.step.cost_microusd > 0.5").to_string(), 422, &["/condition", "micro"]),
        (&rules, rule("context.step.skill = \"x\"").to_string(), 422, &["/condition", "=="]),
        (&rules, rule("context.step.skill == \"x\" and true").to_string(), 422, &["/condition", "&&"]),
        (&rules, rule("context.step.tokens > 99999999999999999999").to_string(), 422, &["/condition"]),
    ] {
        says(&mut http, path, &body, status, told);
    }
    let head = format!(
        "POST {RUNS} HTTP/1.1\r\nhost: a\r\nconnection: close\r\nauthorization: Bearer {key}\r\n\
         content-length: 2\r\n\r\n{{}}"
    );
    let plain = raw(&server, head.as_bytes());
    assert!(plain.starts_with("HTTP/1.1 415") && plain.contains("content-type: application/json"), "{plain}");
    for (query, told) in [
        ("started_after=yesterday", "started_after"),
        ("started_after=2026-13-01T00:00:00Z", "started_after"),
        ("started_after=2026-01-01T00:00:00+01:00", "%2B"),
        ("stauts=RUNNING", "status"),
        ("status=GOING", "RUNNING"),
    ] {
        let answer = http.get(&format!("{RUNS}?{query}"), &key);
        assert_eq!(answer.status, 400, "{query}");
        assert!(String::from_utf8_lossy(&answer.body).contains(told), "{query}");
    }
    // A budget in cents is a budget in dollars, and its answer says so.
    let cents = http.post(&limits, &key, &limit(json!({"name": "cents", "max_value": 500}))).expect(201);
    assert_eq!((&cents["max_value"], &cents["unit"]), (&json!(500), &json!("USD")));
    let settings = "/api/v1/account/settings";
    for (zone, status) in [("cet", 422), ("+01:00", 422), ("CET", 200)] {
        let version = http.get(settings, &key).expect(200)["settings_version"].clone();
        let head = format!("if-match: \"{version}\"\r\n");
        let body = json!({ "time_zone": zone }).to_string();
        let answer = http.send("PATCH", settings, &key, &head, &body).expect("an answer");
        let said = String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!(answer.status, status, "{zone}: {said}");
        let told = said.contains("/time_zone") && said.contains("IANA");
        assert!(status == 200 || told, "{zone}: {said}");
    }
}

#[test]
fn a_client_that_speaks_https() {
    let place = Place::sqlite();
    let server = place.serve();
    // How every TLS client begins.
    let said = raw(&server, &[0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0, 0x16, 3, 1, b'\r', b'\n', b'\r', b'\n']);
    assert!(!said.contains("HTTP/1.1 200"), "{said}");
    let (_, log) = server.stop();
    assert!(log.contains("speaks https") && log.contains("http://"), "{log}");
}

#[test]
fn a_file_that_is_no_bundle() {
    let place = Place::sqlite();
    place.succeed(&["migrate"]);
    let key = place.public_keys();
    let key = key.to_str().expect("UTF-8");
    let file = |name: &str, bytes: &[u8]| {
        fs::write(place.path(name), bytes).expect("it is written");
        place.path(name).to_str().expect("UTF-8").to_owned()
    };
    let signing = place.data().join("keys/signing.pem");
    let bundle = file("no.json", b"{}");
    for (args, told) in [
        (&["verify"][..], &["hoc verify FILE --key PUB", "--log"][..]),
        (&["verify", &bundle], &["public key"]),
        (&["verify", &bundle, "--key", signing.to_str().expect("UTF-8")], &["signing.pem"]),
        (&["verify", &bundle, "--key", place.folder.path().to_str().expect("UTF-8")], &["public key"]),
        (&["verify", &bundle, "--key", "/dev/zero"], &["/dev/zero", "longer than 1048576 bytes"]),
        (&["verify", &bundle, "--key", key], &["no run evidence bundle"]),
        (&["verify", &file("a.txt", b"hello"), "--key", key], &["no run evidence bundle"]),
        (&["verify", "nowhere.json", "--key", key], &["nowhere.json"]),
        (&["verify", &file("bom.json", b"\xef\xbb\xbf{}"), "--key", key], &["bom.json", "byte order mark"]),
        (&["verify", &file("16.json", b"\xff\xfe{\0}\0"), "--key", key], &["16.json", "byte order mark"]),
        (&["verify", &bundle, "--key", key, "--seen", &file("seen", b"\n \n")], &["--seen", "no step hash"]),
        (&["verify", &bundle, "--key", key, "--ledger", &file("rows", b"\n")], &["--ledger", "no row"]),
        (&["verify", &bundle, "--key", key, "--tenant", "default"], &["--tenant", "cannot be used with"]),
        (&["verify", &bundle, "--key", key, "--tenant", "default", "--since", key], &["cannot be used with"]),
    ] {
        refused(&place, args, told);
    }
}

#[test]
fn what_is_asked_for_and_is_not_there() {
    let place = Place::sqlite();
    let told = "no fact has `nonsense` in its path or its meaning: `hoc facts` lists them all";
    refused(&place, &["facts", "nonsense"], &[told]);
    let create = |agent: &str| {
        let args = ["keys", "create", "--role", "agent", "--agent", agent];
        let ran = place.run(&args);
        assert_ne!(ran.code, Some(0), "{agent:?}: {}", ran.stdout);
        ran.stderr
    };
    for (agent, told) in [("", "--agent: must not be empty"), ("*", "say --any-agent in place of --agent")] {
        let said = create(agent);
        assert!(said.contains(told) && !said.contains("--owner"), "{agent:?}: {said}");
    }
}

/// What is told to be typed leads to the store that was asked for, and not to one in ./hoc-data.
#[test]
fn a_store_that_is_none() {
    let place = Place::sqlite();
    let folder = place.path("elsewhere");
    let folder = folder.to_str().expect("UTF-8");
    let serve = format!("hoc serve --data-dir {folder}");
    for command in [&["keys", "list"][..], &["login-link"], &["import", "otlp", "spans.json"]] {
        let args = [command, &["--data-dir", folder]].concat();
        refused(&place, &args, &["there is no store at ", &serve]);
    }
    fs::create_dir(folder).expect("a folder");
    fs::File::create(place.path("elsewhere/hoc.db")).expect("an empty file");
    refused(&place, &["keys", "list", "--data-dir", folder], &["is empty", folder, &serve]);
}

#[test]
fn a_tenant_that_is_none() {
    let place = Place::sqlite();
    place.succeed(&["migrate"]);
    let create = ["keys", "create", "--role", "admin", "--tenant", "Bad_Slug!"];
    refused(&place, &create, &["--tenant: 1 to", "lower-case letters"]);
    assert!(!place.run(&create).stderr.contains("/slug"), "there is no such flag");
    for args in [&["login-link", "--tenant", "nope"][..], &["keys", "list", "--tenant", "nope"]] {
        let told = ["there is no tenant `nope` in ", "hoc.db", "keys create --tenant nope --role admin"];
        refused(&place, args, &told);
    }
}

#[test]
fn what_is_odd_and_right() {
    // A folder with a blank and an é, another locale, no colours, a reader that hangs up.
    let place = Place::sqlite();
    let folder = place.path("mes données é");
    let place =
        place.with("HOC_DATA_DIR", folder.to_str().expect("UTF-8")).with("LC_ALL", "C").with("NO_COLOR", "1");
    let server = place.serve();
    assert!(!server.greeting.join("\n").contains('\u{1b}'), "{:?}", server.greeting);
    let (code, log) = server.stop();
    assert!(code == Some(0) && !log.contains('\u{1b}'), "{log}");
    let piped = std::process::Command::new("sh")
        .args(["-c", "\"$0\" keys list | head -1"])
        .arg(place.command(&[]).get_program())
        .envs(place.command(&[]).get_envs().filter_map(|(name, value)| Some((name, value?))))
        .current_dir(place.folder.path())
        .output()
        .expect("a shell");
    assert!(String::from_utf8_lossy(&piped.stdout).contains("tenant `default`"));
    assert!(piped.stderr.is_empty(), "{}", String::from_utf8_lossy(&piped.stderr));
}
