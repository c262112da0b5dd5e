//! The router, called without a socket.

use std::time::Duration;

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, Method, Request, Response, StatusCode},
};
use http_body_util::BodyExt as _;
use kit::Kit;
use models::account::Role;
use orchestrator::Settings;
use serde_json::Value;
use testkit::{Store, TestDatabase};
use tower::ServiceExt as _;

/// The tenant that most tests are in.
pub(crate) const ACME: &str = "acme";
/// A tenant that has nothing to do with it.
pub(crate) const OTHER: &str = "other";

/// The API over a control plane of the test's own.
pub(crate) struct App {
    pub(crate) kit: Kit,
    router: Router,
    pub(crate) database: TestDatabase,
}

impl App {
    pub(crate) async fn new() -> Self {
        Self::within(api::Bounds::default()).await
    }

    pub(crate) async fn within(bounds: api::Bounds) -> Self {
        Self::built(bounds, api::Reached::ByHttp).await
    }

    /// As a proxy that speaks https shows it.
    pub(crate) async fn behind_https() -> Self {
        Self::built(api::Bounds::default(), api::Reached::ByHttps).await
    }

    /// Which holds no more bytes at once.
    pub(crate) async fn holding(max_held_bytes: usize) -> Self {
        let settings = Settings { installation: "test".to_owned(), max_held_bytes, ..Settings::default() };
        Self::tuned(settings, api::Bounds::default(), api::Reached::ByHttp).await
    }

    async fn built(bounds: api::Bounds, reached: api::Reached) -> Self {
        let settings = Settings { installation: "test".to_owned(), ..Settings::default() };
        Self::tuned(settings, bounds, reached).await
    }

    async fn tuned(settings: Settings, bounds: api::Bounds, reached: api::Reached) -> Self {
        let database = TestDatabase::migrated(Store::Sqlite).await.expect("SQLite is always there");
        Self::over(database, settings, bounds, reached).await
    }

    /// Over this store.
    pub(crate) async fn on(database: TestDatabase) -> Self {
        let settings = Settings { installation: "test".to_owned(), ..Settings::default() };
        Self::over(database, settings, api::Bounds::default(), api::Reached::ByHttp).await
    }

    async fn over(
        database: TestDatabase,
        settings: Settings,
        bounds: api::Bounds,
        reached: api::Reached,
    ) -> Self {
        let kit = Kit::with(&database, settings).await;
        let router = api::router_within(kit.spine.clone(), bounds, reached);
        Self { kit, router, database }
    }

    /// A call as a new key of that role in [`ACME`].
    pub(crate) async fn key(&self, role: Role) -> String {
        self.kit.token(ACME, role).await
    }

    pub(crate) fn get(&self, path: impl Into<String>) -> Call<'_> {
        self.call(Method::GET, path)
    }

    pub(crate) fn post(&self, path: impl Into<String>) -> Call<'_> {
        self.call(Method::POST, path)
    }

    pub(crate) fn patch(&self, path: impl Into<String>) -> Call<'_> {
        self.call(Method::PATCH, path)
    }

    pub(crate) fn call(&self, method: Method, path: impl Into<String>) -> Call<'_> {
        let headers = vec![("x-request-id".to_owned(), "req-test".to_owned())];
        Call { app: self, method, path: path.into(), headers, body: Body::empty() }
    }
}

/// A request in the making.
pub(crate) struct Call<'a> {
    app: &'a App,
    method: Method,
    path: String,
    headers: Vec<(String, String)>,
    body: Body,
}

impl Call<'_> {
    pub(crate) fn key(self, key: &str) -> Self {
        self.header("authorization", &format!("Bearer {key}"))
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(other, _)| other != name);
        self
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.text(body.to_string())
    }

    /// A body of content type JSON, whatever it holds.
    pub(crate) fn text(self, body: impl Into<String>) -> Self {
        self.header("content-type", "application/json").body(Body::from(body.into()))
    }

    pub(crate) fn body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    pub(crate) async fn send(self) -> Answer {
        let (status, headers, body) = self.raw().await;
        Answer { status, headers, text: String::from_utf8(body.to_vec()).expect("text") }
    }

    /// The same, whatever the body is.
    pub(crate) async fn raw(self) -> (StatusCode, HeaderMap, Bytes) {
        let (parts, body) = self.begun().await.into_parts();
        // A stream of events has no end to wait for; `events` reads some.
        let is_stream = parts.headers.get("content-type").is_some_and(|it| it == "text/event-stream");
        let body = if is_stream { Bytes::new() } else { body.collect().await.expect("a body").to_bytes() };
        (parts.status, parts.headers, body)
    }

    /// The answer before any of its body was taken.
    pub(crate) async fn begun(self) -> Response<Body> {
        let mut request = Request::builder().method(self.method).uri(self.path);
        if !self.headers.iter().any(|(name, _)| name == "host") {
            request = request.header("host", "hoc.test");
        }
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let request = request.body(self.body).expect("a request");
        // Nothing here waits for ever: a test that hangs has failed.
        let answer = tokio::time::timeout(Duration::from_mins(1), self.app.router.clone().oneshot(request));
        answer.await.expect("an answer in time").expect("infallible")
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a text"))
    }

    /// The body, as JSON. Snapshots show the text itself: numbers are as they were written.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|err| panic!("{err}: {}", self.text))
    }

    /// Status and body, for a snapshot: ids and hashes are numbered in their order, a cursor is only said to be one.
    /// Which id is drawn depends on how many were drawn before, and hashes and cursors are made of ids.
    pub(crate) fn shown(&self) -> String {
        format!("{}\n{}", self.status.as_u16(), numbered(&pretty(&self.text)))
    }

    /// The body of an answer that must have this status.
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        if self.text.is_empty() { Value::Null } else { self.json() }
    }

    /// The code of the problem that it must be.
    pub(crate) fn problem(&self, status: u16) -> String {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text);
        let problem = self.json();
        assert_eq!(problem["status"], status, "{problem}");
        assert_eq!(problem["request_id"], self.header("x-request-id"), "{problem}");
        for member in ["type", "title", "detail", "instance"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {problem}");
        }
        assert!(problem["errors"].is_array(), "{problem}");
        problem["code"].as_str().expect("a code").to_owned()
    }

    /// The same, where it must name one field.
    pub(crate) fn field(&self, status: u16, code: &str) -> String {
        assert_eq!(self.problem(status), code, "{}", self.text);
        self.json()["errors"][0]["pointer"]
            .as_str()
            .unwrap_or_else(|| panic!("no field: {}", self.text))
            .to_owned()
    }
}

/// The text with `run_1` where it says the first id, if that is a run's, `(hash 1)` for the first hash, and no cursor;
/// the same id or hash has the same number again.
fn numbered(text: &str) -> String {
    const CURSOR: &str = "\"next_cursor\": \"";
    let (mut ids, mut hashes) = (Vec::new(), Vec::new());
    let (mut out, mut rest) = (String::new(), text);
    while let Some(first) = rest.chars().next() {
        let hex = rest.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(rest.len());
        let (token, after) = rest.split_at(hex.max(first.len_utf8()));
        rest = after;
        match hex {
            32 => out.push_str(&number(&mut ids, token).to_string()),
            64 => {
                out.push_str("(hash ");
                out.push_str(&number(&mut hashes, token).to_string());
                out.push(')');
            }
            _ => out.push_str(token),
        }
        if out.ends_with(CURSOR) {
            out.push_str("(a cursor)");
            rest = &rest[rest.find('"').unwrap_or_default()..];
        }
    }
    out
}

fn number<'a>(seen: &mut Vec<&'a str>, token: &'a str) -> usize {
    let known = seen.iter().position(|known| *known == token);
    known.unwrap_or_else(|| {
        seen.push(token);
        seen.len() - 1
    }) + 1
}

/// JSON text with line breaks, its numbers and the order of its members untouched.
fn pretty(json: &str) -> String {
    let (mut out, mut depth, mut in_string, mut escaped) = (String::new(), 0_usize, false, false);
    let mut chars = json.chars().peekable();
    while let Some(c) = chars.next() {
        if in_string {
            out.push(c);
            in_string = escaped || c != '"';
            escaped = c == '\\' && !escaped;
            continue;
        }
        match c {
            '"' => {
                in_string = true;
                out.push(c);
            }
            '{' | '[' if matches!(chars.peek(), Some('}' | ']')) => {
                out.push(c);
                out.extend(chars.next());
            }
            '{' | '[' => {
                depth += 1;
                out.push(c);
                newline(&mut out, depth);
            }
            '}' | ']' => {
                depth -= 1;
                newline(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                newline(&mut out, depth);
            }
            ':' => out.push_str(": "),
            _ => out.push(c),
        }
    }
    out
}

fn newline(out: &mut String, depth: usize) {
    out.push('\n');
    out.push_str(&"  ".repeat(depth));
}
