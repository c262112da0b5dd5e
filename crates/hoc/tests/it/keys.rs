//! `hoc keys`: on the store itself, with and without a server.

use std::time::Instant;

use serde_json::{Value, json};

use crate::harness::{DEADLINE, Place, on_both};

const WHOAMI: &str = "/api/v1/account/whoami";

fn last_line(printed: &str) -> Value {
    let last = printed.lines().last().expect("a line");
    serde_json::from_str(last).unwrap_or_else(|err| panic!("{err}: {printed}"))
}

async fn a_key_on_an_empty_store_and_beside_a_server(place: Place) {
    let printed =
        place.succeed(&["keys", "create", "--role", "agent", "--tenant", "acme", "--agent", "bot", "--json"]);
    let made = last_line(&printed);
    let mut members: Vec<&String> = made.as_object().expect("an object").keys().collect();
    members.sort();
    assert_eq!(members, ["key", "key_id", "role", "tenant"]);
    assert_eq!((made["role"].as_str(), made["tenant"].as_str()), (Some("agent"), Some("acme")));

    let server = place.serve();
    let mut http = server.http();
    http.get(WHOAMI, made["key"].as_str().expect("a key")).expect(200);

    let beside = last_line(&place.succeed(&["keys", "create", "--role", "viewer", "--json"]));
    assert_eq!(beside["tenant"], "default", "the tenant that there is without asking");
    let key = beside["key"].as_str().expect("a key");
    http.get(WHOAMI, key).expect(200);

    place.succeed(&["keys", "revoke", beside["key_id"].as_str().expect("an id")]);
    let begun = Instant::now();
    while http.get(WHOAMI, key).status == 200 {
        assert!(begun.elapsed() < DEADLINE, "a revoked key still serves");
    }
    http.get(WHOAMI, key).expect(401);
    assert!(place.succeed(&["keys", "list"]).contains("revoked"));
    assert!(!place.succeed(&["keys", "list", "--json"]).contains(key), "a secret is shown once");
}

on_both!(a_key_on_an_empty_store_and_beside_a_server);

#[test]
fn the_public_keys_are_pem_and_nothing_else() {
    let place = Place::sqlite();
    place.succeed(&["migrate"]);
    let printed = place.succeed(&["keys", "public"]);
    assert!(printed.starts_with("-----BEGIN PUBLIC KEY-----\n"), "{printed}");
    assert!(printed.ends_with("-----END PUBLIC KEY-----\n"), "{printed}");
    assert_eq!(printed.matches("-----BEGIN").count(), 1);
}

#[test]
fn what_is_not_there_is_not_made_by_looking() {
    let place = Place::sqlite();
    for args in [["keys", "list"], ["keys", "public"]] {
        let refused = place.run(&args);
        assert_eq!(refused.code, Some(1));
        assert!(refused.stderr.contains("hoc serve"), "{}", refused.stderr);
    }
    assert!(!place.data().exists());
}

#[test]
fn a_wrong_role_is_refused_with_those_that_are() {
    let refused = Place::sqlite().run(&["keys", "create", "--role", "root"]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("agent, viewer, operator, policy, auditor, admin"), "{}", refused.stderr);
}

async fn an_agents_key_begins_runs_as_its_agents_alone(place: Place) {
    let make = |args: &[&str]| place.run(&[&["keys", "create", "--role"], args, &["--json"]].concat());
    for (args, told) in [
        (&["agent"][..], &["--agent NAME", "--any-agent"][..]),
        (&["agent", "--agent", "*"], &["--agent", "--any-agent"]),
        (&["agent", "--agent", "a", "--any-agent"], &["--any-agent"]),
        (&["viewer", "--agent", "a"], &["keys of role agent, not viewer"]),
    ] {
        let refused = make(args);
        assert_ne!(refused.code, Some(0), "{args:?}");
        for told in told {
            assert!(refused.stderr.contains(told), "{args:?}: {}", refused.stderr);
        }
    }
    let bound = last_line(&make(&["agent", "--agent", "sql-analyst", "--agent", "billing-*"]).stdout);
    let any = last_line(&make(&["agent", "--any-agent"]).stdout);
    let listed = place.succeed(&["keys", "list"]);
    assert!(listed.contains("sql-analyst, billing-*") && listed.contains("any "), "{listed}");

    let server = place.serve();
    let mut http = server.http();
    let mut start = |key: &Value, agent: &str, status: u16| {
        let key = key["key"].as_str().expect("a key");
        http.post("/api/v1/runtime/activity/runs", key, &json!({ "agent_id": agent })).expect(status)
    };
    for agent in ["sql-analyst", "billing-", "billing-bot"] {
        start(&bound, agent, 201);
    }
    for agent in ["sql-analyst2", "SQL-analyst", "my-billing-bot"] {
        let refused = start(&bound, agent, 403);
        assert_eq!(refused["code"], "agent_not_bound");
        let detail = refused["detail"].as_str().expect("why");
        assert!(detail.contains("sql-analyst, billing-*") && detail.contains(agent), "{detail}");
    }
    start(&any, "sql-analyst2", 201);
}

on_both!(an_agents_key_begins_runs_as_its_agents_alone);

async fn another_key_signs_and_the_old_one_stays_published(place: Place) {
    let admin = place.key("admin");
    let bundle_of = |server: &crate::harness::Server| {
        let mut http = server.http();
        let runs = "/api/v1/runtime/activity/runs";
        let run = http.post(runs, &admin, &serde_json::json!({ "agent_id": "a" })).expect(201);
        let run = run["run_id"].as_str().expect("an id").to_owned();
        let done = serde_json::json!({ "status": "SUCCEEDED" });
        http.post(&format!("{runs}/{run}/complete"), &admin, &done).expect(200);
        let file = place.path(&format!("{run}.json"));
        place.succeed(&["bundle", &run, "-o", file.to_str().expect("UTF-8")]);
        file
    };
    let server = place.serve();
    let before = bundle_of(&server);
    let refused = place.run(&["keys", "rotate"]);
    assert_eq!(refused.code, Some(1), "a server runs");
    assert!(refused.stderr.to_lowercase().contains("stop "), "it says what to stop: {}", refused.stderr);
    server.stop();
    let old = place.path("old.pub");
    std::fs::write(&old, place.succeed(&["keys", "public"])).expect("it is written");
    let rotated = last_line(&place.succeed(&["keys", "rotate", "--json"]));

    let server = place.serve();
    let after = bundle_of(&server);
    let both = place.public_keys();
    let verify = |file: &std::path::Path, key: &std::path::Path| {
        place.run(&["verify", file.to_str().expect("UTF-8"), "--key", key.to_str().expect("UTF-8")]).code
    };
    assert_eq!((verify(&before, &both), verify(&after, &both)), (Some(0), Some(0)));
    assert_eq!(
        (verify(&before, &old), verify(&after, &old)),
        (Some(0), Some(6)),
        "the old key signs no more"
    );
    let published = server.http().get("/.well-known/hoc/keys", "").expect(200);
    let published = published["keys"].as_array().expect("keys");
    assert_eq!(published.len(), 2);
    assert!(!published[0]["retired_at"].is_null() && published[1]["retired_at"].is_null());
    assert_eq!(published[1]["key_id"], rotated["new_key_id"]);
    for log in ["audit", "runs"] {
        let told = place.succeed(&["verify", "--log", log]);
        assert!(told.contains("the signing key changed 1 times"), "{told}");
    }
    server.stop();

    // Cut off after the store was told and before the files were moved.
    let keys = place.data().join("keys");
    let aside = keys.join(format!("signing.pem.{}", rotated["old_key_id"].as_str().expect("an id")));
    std::fs::rename(keys.join("signing.pem"), keys.join("signing.pem.next")).expect("it moves");
    std::fs::rename(aside, keys.join("signing.pem")).expect("it moves");
    place.serve().http().get("/readyz", "").expect(200);
}

on_both!(another_key_signs_and_the_old_one_stays_published);

#[test]
fn what_is_no_key_id_is_told_what_one_is() {
    let place = Place::sqlite();
    for odd in ["key_nope", "nope", "hoc_0190"] {
        let ran = place.run(&["keys", "revoke", odd]);
        assert_eq!(ran.code, Some(1), "{odd}");
        assert!(ran.stderr.contains("key_ and 32 hex digits"), "{odd}: {}", ran.stderr);
    }
}

#[test]
fn no_second_store_is_made_where_nobody_said_one() {
    let place = Place::sqlite();
    let create = |more: &[&str]| {
        place.run_without("HOC_DATA_DIR", &[&["keys", "create", "--role", "viewer"], more].concat())
    };
    let refused = create(&[]);
    assert_eq!(refused.code, Some(1));
    for told in ["hoc-data", "--data-dir", "HOC_DATABASE_URL", "hoc serve", "--new-store"] {
        assert!(refused.stderr.contains(told), "{told}: {}", refused.stderr);
    }
    assert!(!place.path("hoc-data").exists(), "nothing was made");
    let made = create(&["--new-store"]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    assert!(
        made.stderr.contains("made a new store") && made.stderr.contains("made tenant `default`"),
        "{}",
        made.stderr
    );
    assert!(made.stdout.contains("hoc-data"), "each answer says in which store: {}", made.stdout);
    let again = create(&["--tenant", "defualt"]);
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    assert!(again.stderr.contains("made tenant `defualt`; there were default"), "{}", again.stderr);
    assert!(!again.stderr.contains("new store"), "{}", again.stderr);
}
