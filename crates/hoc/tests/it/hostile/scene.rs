//! A tenant, and the means to have things in it that an operation can be tried on. What is dangerous is done to a thing
//! that was made for it: a run that is killed, a key that is revoked, an agent that is frozen is nobody else's.

use std::{
    fmt::Write as _,
    io,
    sync::atomic::{AtomicUsize, Ordering},
};

use serde_json::{Value, json};

use super::{
    bodies::body,
    document::{Operation, Spot},
    protobuf,
    values::{Hostile, TOKEN},
};
use crate::http::{Answer, Http};

const RUNS: &str = "/api/v1/runtime/activity/runs";
const POLICIES: &str = "/api/v1/runtime/policies";
const JOBS: &str = "/api/v1/runtime/jobs";
/// Stands in a body where the hostile value is to be put as it is written: a value cannot hold all of them.
const HERE: &str = "<here>";

pub(super) struct Scene<'a> {
    address: &'a str,
    http: Http,
    admin: &'a str,
    serial: &'a AtomicUsize,
    /// The last job that was made.
    job: Option<String>,
    /// What should not have been answered.
    pub(super) wrong: Vec<String>,
}

impl<'a> Scene<'a> {
    pub(super) fn new(address: &'a str, admin: &'a str, serial: &'a AtomicUsize) -> Self {
        Self { address, http: Http::connect(address), admin, serial, job: None, wrong: Vec::new() }
    }

    pub(super) fn next_serial(&self) -> usize {
        self.serial.fetch_add(1, Ordering::Relaxed)
    }

    /// Rules and a budget that have an eye on everything that is said.
    pub(super) fn govern(&mut self) {
        let conditions = [
            ("RUN_START", "principal.agent_id like \"*nobody*\" || principal.labels.contains(\"nobody\")"),
            ("STEP_PRE", "context.step.labels.contains(\"nobody\") && context.step.skill == \"nothing\""),
            ("STEP_POST", "context.step.cost_known && context.step.cost_microusd > 500000000"),
        ];
        for (bind_at, condition) in conditions {
            let rule = json!({
                "name": format!("looks at {bind_at}"), "enforcement_mode": "WARN", "bind_at": bind_at,
                "condition": condition,
            });
            self.make(&format!("{POLICIES}/rules"), &rule, 201);
        }
        let limit = json!({"name": "a budget", "limit_type": "TOKENS_TOTAL", "max_value": 1_000_000_000_u64, "reset_period": "NONE"});
        self.make(&format!("{POLICIES}/limits"), &limit, 201);
    }

    /// A call with nothing hostile in it: it must be taken.
    pub(super) fn call_well(&mut self, operation: &Operation) {
        match self.call(operation, None) {
            Ok((200..300, _)) => {}
            Ok((status, answer)) => {
                self.wrong.push(format!("{}, called well: {status} {answer}", operation.id));
            }
            Err(error) => self.wrong.push(format!("{}, called well: {error}", operation.id)),
        }
    }

    /// A call with a hostile value in one member. What is taken must let its run come to an end.
    pub(super) fn call_badly(&mut self, operation: &Operation, spot: &Spot, hostile: &Hostile, way: &str) {
        let told = format!("{} {spot:?}, {}", operation.id, hostile.name);
        match self.call(operation, Some((spot, hostile, way))) {
            Ok((status, answer)) if status >= 500 => self.wrong.push(format!("{told}: {status} {answer}")),
            Ok((200..300, answer)) if is_part_of_a_run(operation) => {
                let run = text(&answer["run_id"]);
                self.come_to_an_end(&run, &told);
            }
            Ok((200..300, answer)) if operation.id == "jobs.create" => self.cancel(&text(&answer["job_id"])),
            Ok(_) => {}
            // An address or a header of this length the server need not read to its end.
            Err(_) if !matches!(spot, Spot::Body(_) | Spot::Protobuf(_)) && hostile.raw.len() > 60_000 => {}
            Err(error) => self.wrong.push(format!("{told}: {error}")),
        }
    }

    /// The run takes its end and can be shown.
    fn come_to_an_end(&mut self, run: &str, told: &str) {
        let failed = json!({"status": "FAILED", "error": "it broke"}).to_string();
        let ways = [("POST", "complete", failed.as_str()), ("GET", "bundle", ""), ("GET", "steps", "")];
        for (method, what, body) in ways {
            match self.ask(method, &format!("{RUNS}/{run}/{what}"), "", body.as_bytes()) {
                Ok((200..300, _)) => {}
                other => self.wrong.push(format!("{told}: then {what}: {other:?}")),
            }
        }
    }

    /// Sends it; an error where the server hung up.
    fn ask(&mut self, method: &str, path: &str, headers: &str, body: &[u8]) -> io::Result<(u16, Value)> {
        self.ask_for(method, path, headers.as_bytes(), body)
            .map(|answer| (answer.status, serde_json::from_slice(&answer.body).unwrap_or(Value::Null)))
    }

    fn ask_for(&mut self, method: &str, path: &str, headers: &[u8], body: &[u8]) -> io::Result<Answer> {
        let answer = self.http.send_bytes(method, path, self.admin, headers, body);
        let goes_on = answer.as_ref().is_ok_and(|answer| !answer.is_stream && !answer.is_last);
        if !goes_on {
            self.http = Http::connect(self.address);
        }
        if let Ok(answer) = &answer {
            let all = [answer.head.as_slice(), &answer.body].concat();
            if String::from_utf8_lossy(&all).contains(TOKEN) {
                let shown: String = path.chars().take(80).collect();
                self.wrong
                    .push(format!("the answer {} to {method} {shown} has the token in it", answer.status));
            }
        }
        answer
    }

    fn make(&mut self, path: &str, body: &Value, status: u16) -> Value {
        let (code, answer) = self.ask("POST", path, "", body.to_string().as_bytes()).expect("an answer");
        assert_eq!(code, status, "{path} {body}: {answer}");
        answer
    }

    fn run(&mut self) -> String {
        text(&self.make(RUNS, &json!({"agent_id": "support-bot"}), 201)["run_id"])
    }

    fn incident(&mut self) -> String {
        let run = self.run();
        // Numbers are no part of a cause: in letters, each is one of its own, which nobody else resolves.
        let letters =
            |serial: usize| serial.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect();
        let cause: String = letters(self.next_serial());
        let failed = json!({"status": "FAILED", "error": format!("broken {cause}")});
        self.make(&format!("{RUNS}/{run}/complete"), &failed, 200);
        let path = format!("/api/v1/runtime/incidents/by-run/{run}");
        let (_, list) = self.ask("GET", &path, "", b"").expect("an answer");
        text(&list["items"][0]["incident_id"])
    }

    /// Whether or not it is over already.
    fn cancel(&mut self, job: &str) {
        let cancelled = self.ask("POST", &format!("{JOBS}/{job}/cancel"), "", b"{}");
        assert!(matches!(cancelled, Ok((200 | 409, _))), "{job}: {cancelled:?}");
    }

    fn newest(&mut self, list: &str) -> String {
        let (_, list) = self.ask("GET", list, "", b"").expect("an answer");
        text(&list["items"][0]["id"])
    }

    /// Something that the operation can be called on.
    fn subject(&mut self, operation: &Operation, serial: usize) -> String {
        let path = &operation.path;
        let of = |part: &str| path.contains(part);
        let named = |id: &str| {
            let mut body = body(id, serial);
            body["name"] = json!(format!("subject {serial}"));
            body
        };
        if !of("{") {
            String::new()
        } else if of("/keys/{") {
            text(&self.make("/api/v1/account/keys", &json!({"role": "viewer"}), 201)["key_id"])
        } else if of("/rules/{") {
            text(&self.make(&format!("{POLICIES}/rules"), &named("policies.create_rule"), 201)["rule_id"])
        } else if of("/limits/{") {
            text(&self.make(&format!("{POLICIES}/limits"), &named("policies.create_limit"), 201)["limit_id"])
        } else if of("/audit/{") {
            self.newest("/api/v1/runtime/logs/audit")
        } else if of("/system/{") {
            self.newest("/api/v1/runtime/logs/system")
        } else if of("/llm-runs/{") {
            let run = self.run();
            self.make(&format!("{RUNS}/{run}/steps"), &body("activity.record", serial), 200);
            self.newest(&format!("/api/v1/runtime/logs/llm-runs?run_id={run}"))
        } else if of("/checkpoints/{") {
            "audit".to_owned()
        } else if of("/incidents/{") {
            self.incident()
        } else if of("/jobs/{") {
            // A tenant has so many that are not over.
            if let Some(before) = self.job.take() {
                self.cancel(&before);
            }
            let job = text(&self.make(JOBS, &body("jobs.create", serial), 201)["job_id"]);
            self.job = Some(job.clone());
            if operation.id == "jobs.requeue" {
                self.cancel(&job);
            }
            job
        } else {
            self.run()
        }
    }

    /// What must be in the query of a call that is taken.
    fn query(&mut self, operation: &Operation, serial: usize) -> Vec<String> {
        match operation.id.as_str() {
            "logs.prove_consistency" => vec!["from=1".to_owned()],
            "policies.unfreeze" => {
                self.make(&format!("{POLICIES}/freeze"), &body("policies.freeze", serial), 201);
                vec![format!("agent_id=frozen-{serial}"), "reason=enough".to_owned()]
            }
            _ => Vec::new(),
        }
    }

    /// The version of what is changed.
    fn tag(&mut self, path: &str) -> String {
        let answer = self.ask_for("GET", path, b"", b"").expect("an answer");
        let head = String::from_utf8(answer.head).expect("UTF-8");
        let tag = head.lines().find_map(|line| line.strip_prefix("etag: ")).map(str::to_owned);
        tag.unwrap_or_else(|| panic!("{path} has no tag: {head}"))
    }

    /// One call, with a hostile value in one spot or with none.
    fn call(
        &mut self,
        operation: &Operation,
        put: Option<(&Spot, &Hostile, &str)>,
    ) -> io::Result<(u16, Value)> {
        let serial = self.next_serial();
        let subject = self.subject(operation, serial);
        let mut path = String::new();
        for part in operation.path.split('/').skip(1) {
            let name = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
            let part = match (name, put) {
                (Some(name), Some((Spot::Path(of), _, way))) if name == of => way,
                (Some(_), _) => subject.as_str(),
                (None, _) => part,
            };
            let _ = write!(path, "/{part}");
        }
        let mut headers = b"accept: application/json\r\n".to_vec();
        if operation.method == "PATCH" && !matches!(put, Some((Spot::Header(_), ..))) {
            // Where the address is hostile, there is nothing that has a version.
            let tag =
                if matches!(put, Some((Spot::Path(_), ..))) { "\"1\"".to_owned() } else { self.tag(&path) };
            headers.extend(format!("if-match: {tag}\r\n").into_bytes());
        }
        if let Some((Spot::Header(name), hostile, _)) = put {
            let quote: &[u8] = if operation.method == "PATCH" { b"\"" } else { b"" };
            headers.extend([name.as_bytes(), b": ", quote, &hostile.raw, quote, b"\r\n"].concat());
        }
        let mut query = self.query(operation, serial);
        if let Some((Spot::Query(name), _, way)) = put {
            query.retain(|member| !member.starts_with(&format!("{name}=")));
            query.push(format!("{name}={way}"));
        }
        if !query.is_empty() {
            let _ = write!(path, "?{}", query.join("&"));
        }
        let mut sent = Vec::new();
        if operation.has_body {
            let mut body = body(&operation.id, serial);
            sent = match put {
                Some((Spot::Body(pointer), _, way)) => {
                    set(&mut body, pointer);
                    body.to_string().replacen(&format!("\"{HERE}\""), way, 1).into_bytes()
                }
                Some((Spot::Protobuf(pointer), hostile, _)) => {
                    set(&mut body, pointer);
                    headers.extend(b"content-type: application/x-protobuf\r\n");
                    protobuf::report(&body, HERE, &hostile.raw)
                }
                _ => body.to_string().into_bytes(),
            };
        }
        let answer = self.ask_for(&operation.method, &path, &headers, &sent)?;
        let mut read = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
        if is_part_of_a_run(operation) && read["run_id"].is_null() {
            read["run_id"] = json!(subject);
        }
        Ok((answer.status, read))
    }
}

/// Whether what is said becomes part of a run that goes on.
fn is_part_of_a_run(operation: &Operation) -> bool {
    ["activity.start", "activity.permit", "activity.record", "activity.record_batch"]
        .contains(&operation.id.as_str())
}

/// Puts the mark at that place, and takes away what does not go with it.
fn set(value: &mut Value, pointer: &str) {
    if pointer == "/conditions" {
        value.as_object_mut().expect("an object").remove("condition");
    }
    let mut at = value;
    for part in pointer.split('/').skip(1) {
        at = if let Ok(index) = part.parse::<usize>() {
            if !at.is_array() {
                *at = json!([null]);
            }
            &mut at[index]
        } else {
            if !at.is_object() {
                *at = json!({});
            }
            &mut at[part]
        };
    }
    *at = json!(HERE);
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}
