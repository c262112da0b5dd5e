//! Secrets and content that must not be kept, planted through every way in, and looked for in everything that a running
//! server leaves behind: database files, write-ahead log, log lines, answers, errors, bundles.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::{
    harness::{Place, on_both},
    http::Http,
};

const RUNS: &str = "/api/v1/runtime/activity/runs";
const POLICIES: &str = "/api/v1/runtime/policies";

/// The redactor's own labelled samples: a text a line, `{{CLASS value}}` in it.
const CORPUS: &str = include_str!("../../../engines/src/logs/redact/corpus.txt");

/// The classes of the corpus that are no secrets, but a person's.
const PERSONAL: [&str; 4] = ["CARD_NUMBER", "EMAIL", "IBAN", "SSN"];

/// A text with secrets in it, and how each would be recognised wherever it came out.
struct Planted {
    text: String,
    needles: Vec<String>,
    /// All of them are secrets, and none is only personal.
    is_secret: bool,
}

/// The texts of the corpus whose secrets are all found, up to the first that is JSON.
fn planted() -> Vec<Planted> {
    let lines = CORPUS.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .take_while(|line| !line.starts_with("json "))
        .filter(|line| line.contains("{{"))
        .map(|line| {
            let (mut text, mut needles, mut rest, mut is_secret) = (String::new(), Vec::new(), line, true);
            while let Some((before, after)) = rest.split_once("{{") {
                let end = after.find("}}").expect("a label is closed");
                let (class, value) = after[..end].split_once(' ').expect("a label has class and value");
                let value = value.replace('|', "");
                is_secret &= !PERSONAL.contains(&class);
                text.push_str(before);
                text.push_str(&value);
                needles.push(value);
                rest = &after[end + 2..];
            }
            text.push_str(rest);
            Planted { text, needles, is_secret }
        })
        .collect()
}

/// Everything that the server answered, one after another.
struct Asking {
    http: Http,
    said: Vec<(String, Vec<u8>)>,
}

impl Asking {
    fn send(&mut self, method: &str, path: &str, key: &str, headers: &str, body: &str) -> (u16, Value) {
        let answer = self.http.send(method, path, key, headers, body).expect("an answer");
        let said = [answer.head.as_slice(), &answer.body].concat();
        self.said.push((format!("the answer {} to {method} {path}", answer.status), said));
        (answer.status, serde_json::from_slice(&answer.body).unwrap_or(Value::Null))
    }

    fn post(&mut self, path: &str, key: &str, body: &Value) -> (u16, Value) {
        self.send("POST", path, key, "", &body.to_string())
    }
}

/// Plants `texts` in everything that an agent sends, and `in_path` where an address or an id belongs; returns the run.
fn plant(asking: &mut Asking, agent: &str, admin: &str, texts: &[String], in_path: &str) -> String {
    let all = texts.join("\n");
    let note = json!({ "note": all, "deep": [{ "er": all }] });
    let start = json!({ "agent_id": "researcher", "goal": all, "environment": note, "metadata": note });
    let (status, started) = asking.post(RUNS, agent, &start);
    assert_eq!(status, 201, "{started}");
    let run = started["run_id"].as_str().expect("an id").to_owned();
    let of_run = |what: &str| format!("{RUNS}/{run}/{what}");

    for text in texts {
        let asked = json!({ "kind": "TOOL_CALL", "skill_name": "search", "params": { "q": text } });
        assert_eq!(asking.post(&of_run("permits"), agent, &asked).0, 201);
        let step = json!({
            "kind": "LLM_CALL", "skill_name": "gpt-4o", "status": "SUCCESS", "params": { "q": text, text: 1 },
            "outcome": { "data": { "found": [text] } },
            "llm": { "provider": "openai", "model": "gpt-4o", "prompt": text, "response": text, "cost_usd": 0.01 },
        });
        let (status, answer) = asking.post(&of_run("steps"), agent, &step);
        assert_eq!(status, 200, "{answer}");
    }
    let batch = json!({ "steps": [{
        "kind": "TOOL_CALL", "skill_name": "search", "status": "FAILURE", "params": { "command": all },
        "outcome": { "category": "PERMANENT", "code": "failed", "data": all },
    }] });
    assert_eq!(asking.post(&of_run("steps/batch"), agent, &batch).0, 200);
    let span = json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": [{
        "traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba902b7", "name": "chat gpt-4o",
        "startTimeUnixNano": "1767225600000000000", "endTimeUnixNano": "1767225601000000000",
        "attributes": [
            { "key": "gen_ai.operation.name", "value": { "stringValue": "chat" } },
            { "key": "gen_ai.request.model", "value": { "stringValue": "gpt-4o" } },
            { "key": "gen_ai.input.messages", "value": { "stringValue": all } },
            { "key": "gen_ai.output.messages", "value": { "stringValue": all } },
        ],
    }] }] }] });
    assert_eq!(asking.post("/v1/traces", agent, &span).0, 200);

    // What is wrong with a request may be told, but not in its own words.
    let first = &texts[0];
    for body in [
        format!("{{\"agent_id\": \"{first}"),
        json!({ "agent_id": "a", "what": all }).to_string(),
        json!({ "agent_id": ["a"], all.clone(): 1 }).to_string(),
        json!({ "agent_id": "a", "source": all }).to_string(),
    ] {
        let (status, _) = asking.send("POST", RUNS, agent, "", &body);
        assert!((400..500).contains(&status), "{status}: {body}");
    }
    asking.send("GET", &format!("{RUNS}/{in_path}"), agent, "", "");
    asking.send("GET", &format!("{RUNS}?status={in_path}"), agent, "", "");
    asking.send("GET", RUNS, agent, &format!("x-request-id: {in_path}\r\n"), "");

    let failed = json!({ "status": "FAILED", "error": all });
    assert_eq!(asking.post(&of_run("complete"), agent, &failed).0, 200);
    let (_, other) = asking.post(RUNS, agent, &json!({ "agent_id": "researcher" }));
    let other = other["run_id"].as_str().expect("an id");
    let abort = json!({ "reason": all });
    assert_eq!(asking.post(&format!("{RUNS}/{other}/abort"), agent, &abort).0, 200);
    for path in ["", "/steps", "/evidence", "/proof?include_payloads=true", "/bundle", "/interventions"] {
        let (status, answer) = asking.send("GET", &format!("{RUNS}/{run}{path}"), admin, "", "");
        assert_eq!(status, 200, "{path}: {answer}");
    }
    for list in
        ["/api/v1/runtime/incidents", "/api/v1/runtime/logs/audit", "/api/v1/runtime/logs/system", RUNS]
    {
        assert_eq!(asking.send("GET", list, admin, "", "").0, 200, "{list}");
    }
    run
}

/// What people write: reasons, notes, names.
fn plant_by_people(asking: &mut Asking, agent: &str, admin: &str, texts: &[String]) {
    let (name, text) = (&texts[0], texts.join("\n"));
    let (_, run) = asking.post(RUNS, agent, &json!({ "agent_id": "killed" }));
    let run = run["run_id"].as_str().expect("an id");
    let reason = json!({ "reason": text });
    assert_eq!(asking.post(&format!("{RUNS}/{run}/kill"), admin, &reason).0, 200);
    let freeze = json!({ "agent_id": "frozen", "reason": text });
    assert_eq!(asking.post(&format!("{POLICIES}/freeze"), admin, &freeze).0, 201);
    assert_eq!(asking.post(RUNS, agent, &json!({ "agent_id": "frozen" })).0, 409);
    let rule = json!({
        "name": name, "description": text, "enforcement_mode": "WARN",
        "condition": "context.step.retry_count > 3",
    });
    let (status, rule) = asking.post(&format!("{POLICIES}/rules"), admin, &rule);
    assert_eq!(status, 201, "{rule}");
    let retire = format!("{POLICIES}/rules/{}/retire", rule["rule_id"].as_str().expect("an id"));
    assert_eq!(asking.post(&retire, admin, &reason).0, 200);
    let limit = json!({
        "name": name, "limit_category": "BUDGET", "limit_type": "STEPS", "max_value": 1000, "reset_period": "NONE",
    });
    assert_eq!(asking.post(&format!("{POLICIES}/limits"), admin, &limit).0, 201);
    let (_, incidents) = asking.send("GET", "/api/v1/runtime/incidents", admin, "", "");
    let incident = incidents["items"][0]["incident_id"].as_str().expect("the failed run's").to_owned();
    let note = json!({ "note": text });
    for act in ["acknowledge", "resolve"] {
        assert_eq!(asking.post(&format!("/api/v1/runtime/incidents/{incident}/{act}"), admin, &note).0, 200);
    }
}

/// Every file below a folder, with what is in it.
pub(crate) fn files(folder: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, found);
        } else if path.is_file() {
            found.push((path.display().to_string(), fs::read(&path).expect("a file")));
        }
    }
}

fn holds(text: &str, needle: &str) -> bool {
    // As it is, and as it stands in JSON.
    let escaped = Value::from(needle).to_string();
    text.contains(needle) || text.contains(escaped.trim_matches('"'))
}

/// Looks everywhere, while the server runs and after it has stopped; gives its log.
pub(crate) async fn nowhere(
    place: &Place,
    server: crate::harness::Server,
    said: Vec<(String, Vec<u8>)>,
    needles: &[String],
) -> String {
    let mut seen = said;
    files(&place.data(), &mut seen);
    let stored = place.stored().await;
    let is_looked_at =
        seen.iter().any(|(name, _)| name.ends_with("-wal")) || stored.contains_key("run_segments");
    assert!(is_looked_at, "the store, and its log, was looked at");
    seen.extend(stored.into_iter().map(|(table, rows)| (table, rows.into_bytes())));
    let (code, log) = server.stop();
    assert_eq!(code, Some(0), "{log}");
    seen.push(("the server's log".to_owned(), log.clone().into_bytes()));
    files(&place.data(), &mut seen);
    let mut wrong = Vec::new();
    for (name, bytes) in &seen {
        let text = String::from_utf8_lossy(bytes);
        let found: Vec<_> = needles.iter().filter(|needle| holds(&text, needle)).collect();
        if !found.is_empty() {
            wrong.push(format!("{name} holds {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    log
}

on_both!(no_planted_secret_is_anywhere);

async fn no_planted_secret_is_anywhere(place: Place) {
    let (agent, admin) = (place.key("agent"), place.key("admin"));
    let server = place.serve();
    let planted = planted();
    let needles: Vec<String> = planted.iter().flat_map(|planted| planted.needles.clone()).collect();
    assert!(needles.len() >= 50, "{}", needles.len());
    let mut asking = Asking { http: server.http(), said: Vec::new() };
    let secrets = planted.iter().filter(|planted| planted.is_secret);
    let secrets: Vec<String> = secrets.map(|planted| planted.text.clone()).collect();
    let texts: Vec<String> = planted.into_iter().map(|planted| planted.text).collect();
    let in_path: String = texts[0].chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    plant(&mut asking, &agent, &admin, &texts, &in_path);
    // Names are kept as they come: none may be a secret.
    assert!(secrets.len() >= 10, "{}", secrets.len());
    for text in &secrets {
        for name in ["agent_id", "project_id", "idempotency_key"] {
            let mut named = json!({ "agent_id": "a" });
            named[name] = json!(text);
            let (status, refused) = asking.post(RUNS, &agent, &named);
            assert_eq!(
                (status, &refused["errors"][0]["pointer"]),
                (422, &json!(format!("/{name}"))),
                "{refused}"
            );
        }
    }
    plant_by_people(&mut asking, &agent, &admin, &texts);
    // Short ones stand in many places for other reasons.
    let needles: Vec<String> = needles.into_iter().filter(|needle| needle.len() >= 7).collect();
    nowhere(&place, server, asking.said, &needles).await;
}

on_both!(where_no_content_is_kept_none_is_anywhere);

async fn where_no_content_is_kept_none_is_anywhere(place: Place) {
    let (agent, admin) = (place.key("agent"), place.key("admin"));
    let server = place.serve();
    let mut asking = Asking { http: server.http(), said: Vec::new() };
    let settings = "/api/v1/account/settings";
    let (_, before) = asking.send("GET", settings, &admin, "", "");
    let tag = format!("if-match: \"{}\"\r\n", before["settings_version"]);
    let change = json!({ "capture_mode": "metadata" }).to_string();
    let (status, after) = asking.send("PATCH", settings, &admin, &tag, &change);
    assert_eq!((status, &after["capture_mode"]), (200, &json!("metadata")), "{after}");
    let (status, stale) = asking.send("PATCH", settings, &admin, &tag, &change);
    assert_eq!((status, &stale["code"]), (412, &json!("precondition_failed")));
    let rule = json!({
        "name": "no mail out", "enforcement_mode": "WARN", "bind_at": "STEP_PRE",
        "condition": "context.content.pii.contains(\"EMAIL\") || context.step.url_host == \"marmalade.example\"",
    });
    let (status, made) = asking.post(&format!("{POLICIES}/rules"), &admin, &rule);
    assert_eq!(status, 201, "{made}");

    // A plain word: nothing that a redactor would see.
    let marker = "quincemarmalade7261";
    let texts = [format!("the recipe: {marker}"), format!("{marker} again, to bob@example.com")];
    let run = plant(&mut asking, &agent, &admin, &texts, "no_such_run");
    let (_, steps) = asking.send("GET", &format!("{RUNS}/{run}/steps"), &admin, "", "");
    let actions: Vec<_> = (0..2).map(|at| steps["items"][at]["verdict"]["action"].clone()).collect();
    assert_eq!(actions, [json!("ALLOW"), json!("WARN")], "rules still see what was in it: {steps}");
    let params = &steps["items"][0]["params"];
    assert!(params["fingerprint"].is_string() && params["length"].is_u64(), "{params}");
    let records = asking.send("GET", "/api/v1/runtime/logs/system", &admin, "", "").1;
    let changed =
        records["items"].as_array().expect("a list").iter().any(|it| it["event_type"] == "CONFIG_CHANGE");
    assert!(changed, "{records}");
    // Who sent what cannot be read is told why, in answer to it.
    asking.said.retain(|(answer, _)| !answer.contains("answer 4"));
    nowhere(&place, server, asking.said, &[marker.to_owned()]).await;
}
