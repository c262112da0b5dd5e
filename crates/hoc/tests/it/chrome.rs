//! A browser without a window, driven by the DevTools protocol over a pipe: no port, and no library.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::DEADLINE;

/// The variable that names the browser; `cargo xtask test` sets it.
const VARIABLE: &str = "HOC_TEST_CHROMIUM";

/// A browser with one page.
pub(crate) struct Chrome {
    child: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    next_id: u64,
    session: String,
    events: Vec<Value>,
    _profile: TempDir,
}

/// What a page looks like on what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) dark: bool,
}

impl Chrome {
    /// Starts it; none where there is no browser, which `cargo xtask test` does not let happen.
    #[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
    pub(crate) fn start() -> Option<Self> {
        let Some(browser) = variable(VARIABLE) else {
            eprintln!("SKIPPED: {VARIABLE} names no browser; `cargo xtask test` finds or installs one");
            return None;
        };
        let profile = TempDir::new().expect("a folder");
        // The protocol is spoken on the descriptors 3 and 4.
        let mut child = Command::new("sh")
            .args(["-c", r#"exec "$0" "$@" 3<&0 4>&1 1>&2"#, &browser])
            .args(["--headless=new", "--remote-debugging-pipe", "--no-first-run", "--hide-scrollbars"])
            // It runs our own pages only, and often as root, where the sandbox does not start.
            .args(["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--force-color-profile=srgb"])
            .args(["--disable-background-networking", "--disable-extensions", "--disable-component-update"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("sh starts");
        let input = child.stdin.take().expect("piped");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, messages) = channel();
        thread::spawn(move || {
            for message in output.split(0).map_while(Result::ok) {
                let message = serde_json::from_slice(&message).expect("the protocol is JSON");
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        let session = String::new();
        let mut chrome =
            Self { child, input, messages, next_id: 0, session, events: Vec::new(), _profile: profile };
        let page = chrome.call("Target.createTarget", &json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": page["targetId"], "flatten": true });
        let attached = chrome.call("Target.attachToTarget", &attach);
        attached["sessionId"].as_str().expect("a session").clone_into(&mut chrome.session);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            chrome.call(&format!("{domain}.enable"), &json!({}));
        }
        Some(chrome)
    }

    /// How the next pages look.
    pub(crate) fn look(&mut self, look: Look) {
        let Look { width, height, dark } = look;
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.call("Emulation.setDeviceMetricsOverride", &metrics);
        let scheme = if dark { "dark" } else { "light" };
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.call("Emulation.setEmulatedMedia", &media);
    }

    /// Opens an address and waits until the page is there.
    pub(crate) fn open(&mut self, url: &str) {
        let opened = self.call("Page.navigate", &json!({ "url": url }));
        assert!(opened["errorText"].is_null(), "{url}: {opened}");
        self.wait_for_load();
    }

    /// Does something that leads to another page, and waits until that is there.
    pub(crate) fn follow(&mut self, script: &str) {
        self.evaluate(&format!("void ({script})"));
        self.wait_for_load();
    }

    /// The value of an expression in the page.
    pub(crate) fn evaluate(&mut self, expression: &str) -> Value {
        let asked = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.call("Runtime.evaluate", &asked);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// What went wrong in the pages since this was last asked: exceptions, errors on the console, what the content
    /// security policy refused, and what could not be loaded.
    pub(crate) fn complaints(&mut self) -> Vec<Value> {
        self.evaluate("0");
        let all = std::mem::take(&mut self.events);
        let complaint = |event: &Value| match event["method"].as_str() {
            Some("Runtime.exceptionThrown" | "Network.loadingFailed") => true,
            Some("Runtime.consoleAPICalled") => event["params"]["type"] == "error",
            Some("Log.entryAdded") => event["params"]["entry"]["level"] == "error",
            _ => false,
        };
        all.into_iter().filter(complaint).collect()
    }

    /// A picture of what is in the window, or of the whole page.
    pub(crate) fn picture(&mut self, whole: bool) -> Vec<u8> {
        let shot =
            self.call("Page.captureScreenshot", &json!({ "format": "png", "captureBeyondViewport": whole }));
        STANDARD.decode(shot["data"].as_str().expect("a picture")).expect("base64")
    }

    fn wait_for_load(&mut self) {
        loop {
            let is_load = |event: &Value| event["method"] == "Page.loadEventFired";
            if let Some(at) = self.events.iter().position(is_load) {
                self.events.remove(at);
                return;
            }
            let message = self.messages.recv_timeout(DEADLINE).expect("the page loads in time");
            self.events.push(message);
        }
    }

    fn call(&mut self, method: &str, params: &Value) -> Value {
        self.next_id += 1;
        let mut call = json!({ "id": self.next_id, "method": method, "params": params });
        if !self.session.is_empty() {
            call["sessionId"] = self.session.clone().into();
        }
        let mut bytes = serde_json::to_vec(&call).expect("JSON");
        bytes.push(0);
        self.input.write_all(&bytes).expect("the browser listens");
        self.input.flush().expect("the browser listens");
        loop {
            let message = self.messages.recv_timeout(DEADLINE).expect("the browser answers in time");
            if message["id"] == self.next_id {
                assert!(message["error"].is_null(), "{method}: {message}");
                return message["result"].clone();
            }
            self.events.push(message);
        }
    }
}

impl Drop for Chrome {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder of the workspace for pictures, made if it is not there.
pub(crate) fn pictures(folder: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder);
    fs::create_dir_all(&path).expect("a folder");
    path
}

/// A variable of the environment of the tests.
#[expect(clippy::disallowed_methods, reason = "where the browser is, the environment says")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
