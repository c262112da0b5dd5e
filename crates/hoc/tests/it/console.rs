//! The console in a real browser, over what the demo leaves: every page on a desk and in a hand, by day and by night.

use std::fs;

use serde_json::{Value, json};

use crate::{
    chrome::{Chrome, Look, pictures, variable},
    harness::{Place, Server},
    http::Http,
    marks,
};

pub(crate) const RUNS: &str = "/api/v1/runtime/activity/runs";
const KEYS: &str = "/api/v1/account/keys";
/// Words that are broken where nothing asks for it: into a column of letters, or within what could have a line of its
/// own. And badges that stand out of their card.
pub(crate) const BROKEN: &str = "(() => {
    document.querySelectorAll('details').forEach(one => { one.open = true; });
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), broken = [];
    for (let text; text = texts.nextNode();) {
        const within = text.parentElement;
        if (!within.checkVisibility() || within.closest('.unseen, .skip, svg, pre, textarea, select')) continue;
        for (const word of text.data.matchAll(/[\\p{L}\\p{N}_@.]{4,}/gu)) {
            // Code has few blanks to break at: what is long without one is broken somewhere.
            const [before] = text.data.slice(0, word.index).match(/\\S*$/), [after] = text.data.slice(word.index).match(/^\\S*/);
            if (within.closest('code') && before.length + after.length > 36) continue;
            const range = document.createRange();
            range.setStart(text, word.index);
            range.setEnd(text, word.index + word[0].length);
            const lines = new Set([...range.getClientRects()].map(box => Math.round(box.top))).size;
            const isMail = word[0].includes('@');
            if (lines > 1 && (isMail || word[0].length <= 24 || word[0].length < lines * 12)) {
                broken.push(`${lines} lines: ${word[0]} in ${within.closest('[class]').className}`);
            }
        }
    }
    for (const badge of document.querySelectorAll('.card .badge')) {
        if (!badge.checkVisibility() || badge.closest('.scroll')) continue;
        const [own, card] = [badge, badge.closest('.card')].map(one => one.getBoundingClientRect());
        if (own.right > card.right || own.left < card.left) broken.push(`out of its card: ${badge.textContent}`);
    }
    return { broken, wide: document.documentElement.scrollWidth, window: document.documentElement.clientWidth };
})()";
/// The pictures that the README shows: page, name, look.
const SHOWN: &[(&str, &str, bool)] =
    &[("overview", "overview", false), ("run", "run", false), ("incident", "incident-dark", true)];

/// The demo with its data, and a way in.
pub(crate) struct Scene {
    _demo: Server,
    pub(crate) origin: String,
    link: String,
    /// The admin key.
    key: String,
    pub(crate) pages: Vec<(&'static str, String)>,
}

impl Scene {
    pub(crate) fn set(place: &Place) -> Self {
        let demo =
            Server::start_until(place.command(&["demo"]), |line| line.contains("/api/v1/openapi.json"));
        let said = |what: &str| {
            let line = demo.greeting.iter().find(|line| line.contains(what));
            line.unwrap_or_else(|| panic!("no {what} in {:?}", demo.greeting)).trim().to_owned()
        };
        let link = said("/console/login?token=");
        let origin = link.split("/console").next().expect("an origin").to_owned();
        let key = said("export KEY=").replace("export KEY=", "");
        let mut http = Http::connect(origin.trim_start_matches("http://"));
        let first =
            http.get(RUNS, &key).expect(200)["items"][0]["run_id"].as_str().expect("an id").to_owned();
        // The demo's budget is spent; what follows has one of its own.
        let limits = "/api/v1/runtime/policies/limits";
        let spent =
            http.get(limits, &key).expect(200)["items"][0]["limit_id"].as_str().expect("an id").to_owned();
        http.post(&format!("{limits}/{spent}/disable"), &key, &json!({})).expect(200);
        let budget = json!({ "name": "monthly-spend", "limit_type": "COST_USD", "max_value": 2,
            "reset_period": "MONTHLY" });
        http.post(limits, &key, &budget).expect(201);
        // With names that are long and have no blanks.
        let long = json!({ "name": "weekly-tokens-of-invoice-reconciliation", "limit_type": "TOKENS_TOTAL",
            "max_value": 90_000_000, "reset_period": "WEEKLY", "scope": "AGENT",
            "scope_id": "invoice-reconciliation-assistant" });
        http.post(limits, &key, &long).expect(201);
        let [reported, traced] = marks::report(&mut http, &key);
        for n in 0..30 {
            more(&mut http, &key, n);
        }
        let ana = json!({ "role": "policy", "owner": "ana.maria.lindqvist@analytics.example.com" });
        let ana = http.post(KEYS, &key, &ana).expect(201)["key"].as_str().expect("a key").to_owned();
        let rules = "/api/v1/runtime/policies/rules";
        let rule =
            http.get(rules, &key).expect(200)["items"][0]["rule_id"].as_str().expect("an id").to_owned();
        let change = json!({ "enforcement_mode": "STOP", "description": "Approved models, and no other." });
        let changed =
            http.send("PATCH", &format!("{rules}/{rule}"), &ana, "If-Match: \"1\"\r\n", &change.to_string());
        changed.expect("an answer").expect(200);
        let frozen = json!({ "agent_id": "invoice-reconciliation-assistant", "reason": "It booked the same invoice twice" });
        http.post("/api/v1/runtime/policies/freeze", &ana, &frozen).expect(201);
        let live = http.get(&format!("{RUNS}?state=LIVE"), &key).expect(200)["items"][0]["run_id"]
            .as_str()
            .expect("an id")
            .to_owned();
        let mut id = |path: &str, at: usize, name: &str| {
            let list = http.get(path, &key).expect(200);
            list["items"][at][name].as_str().unwrap_or_else(|| panic!("{path}: {list}")).to_owned()
        };
        let of_run = format!("/api/v1/runtime/incidents/by-run/{first}");
        let pages = vec![
            ("overview", "/console/overview".to_owned()),
            ("runs", "/console/activity/runs".to_owned()),
            ("runs-filtered", "/console/activity/runs?agent_id=nobody".to_owned()),
            ("run", format!("/console/activity/runs/{first}")),
            ("run-live", format!("/console/activity/runs/{live}")),
            ("run-marks", format!("/console/activity/runs/{reported}")),
            ("run-traced", format!("/console/activity/runs/{traced}")),
            ("evidence", format!("/console/activity/runs/{first}/evidence")),
            ("proof", format!("/console/activity/runs/{first}/proof?verify=true")),
            ("decisions", "/console/overview/decisions".to_owned()),
            ("incidents", "/console/incidents".to_owned()),
            ("incident", format!("/console/incidents/{}", id(&of_run, 0, "incident_id"))),
            ("rules", "/console/policies/rules".to_owned()),
            ("rule", format!("/console/policies/rules/{rule}")),
            ("rule-new", "/console/policies/rules/new".to_owned()),
            ("rule-edit", format!("/console/policies/rules/{rule}/edit")),
            ("limits", "/console/policies/limits".to_owned()),
            ("limit", format!("/console/policies/limits/{}", id(limits, 0, "limit_id"))),
            ("limit-new", "/console/policies/limits/new".to_owned()),
            ("limit-edit", format!("/console/policies/limits/{}/edit", id(limits, 0, "limit_id"))),
            ("freezes", "/console/policies/freezes".to_owned()),
            ("stopped", "/console/policies/stopped".to_owned()),
            ("audit", "/console/logs/audit".to_owned()),
            ("audit-entry", format!("/console/logs/audit/{}", id("/api/v1/runtime/logs/audit", 0, "id"))),
            ("system", "/console/logs/system".to_owned()),
            ("system-record", format!("/console/logs/system/{}", id("/api/v1/runtime/logs/system", 0, "id"))),
            ("jobs", "/console/jobs".to_owned()),
            ("no-such-run", format!("/console/activity/runs/run_{}", "0".repeat(32))),
            ("not-found", "/console/nothing-here".to_owned()),
        ];
        Self { _demo: demo, origin, link, key, pages }
    }

    /// Where a page is, by its name.
    fn page(&self, name: &str) -> String {
        let (_, path) = self.pages.iter().find(|(page, _)| *page == name).expect("a page");
        format!("{}{path}", self.origin)
    }

    /// Logs in with a new key of that role, as a person does.
    pub(crate) fn log_in(&self, chrome: &mut Chrome, role: &str) {
        let mut http = Http::connect(self.origin.trim_start_matches("http://"));
        let new = json!({ "role": role, "owner": format!("{role}@analytics.example.com"), "any_agent": role == "agent" });
        let new = if role == "agent" { new } else { json!({ "role": role, "owner": new["owner"] }) };
        let key = http.post(KEYS, &self.key, &new).expect(201)["key"].as_str().expect("a key").to_owned();
        chrome.open(&format!("{}/console/login", self.origin));
        chrome.evaluate(&format!("document.querySelector('[name=key]').value = '{key}'"));
        chrome.follow("document.querySelector('main form button').click()");
        let at = chrome.evaluate("location.pathname");
        assert_ne!(at, "/console/login", "{role} logs in");
    }
}

/// A run of another agent: model calls, tools, nested calls, now and then a model that the rule does not approve of, or
/// a call of which nobody knows the cost.
fn more(http: &mut Http, key: &str, n: u64) {
    let agents = [
        ("billing-bot", "Settle the open invoices of March"),
        ("support-bot", "Answer the new tickets"),
        ("research-agent", "Compare the three offers"),
    ];
    let (agent, goal) = agents[usize::try_from(n).expect("small") % agents.len()];
    let run = http.post(RUNS, key, &json!({ "agent_id": agent, "goal": goal })).expect(201);
    let run = run["run_id"].as_str().expect("an id").to_owned();
    let steps = format!("{RUNS}/{run}/steps");
    for index in 0..2 + n * 7 % 9 {
        let tool =
            ["search_orders", "fetch_invoice", "send_mail"][usize::try_from(index).expect("small") % 3];
        let mut step = json!({ "kind": "TOOL_CALL", "skill_name": tool, "params": { "page": index },
            "status": "SUCCESS", "duration_ms": 20 + index * 13 });
        if index % 2 == 0 {
            let provider = if n == 29 { "in-house" } else { "openai" };
            step = json!({ "kind": "LLM_CALL", "skill_name": "openai.chat", "status": "SUCCESS",
                "duration_ms": 400 + n * 31 % 170 + index * 40,
                "llm": { "provider": provider, "model": "gpt-4o", "prompt": goal, "response": "Next: look at the orders.",
                    "input_tokens": 900 + n * 137 % 800, "output_tokens": 120 + index * 35, "finish_reason": "stop" } });
        }
        if index > 0 {
            step["parent_step_index"] = (index / 2).into();
        }
        http.post(&steps, key, &step).expect(200);
    }
    if n % 11 == 4 {
        let step = json!({ "kind": "LLM_CALL", "skill_name": "openai.chat", "status": "SUCCESS",
            "llm": { "provider": "openai", "model": "gpt-3.5-turbo", "input_tokens": 0, "output_tokens": 0, "cost_usd": 0 } });
        http.post(&steps, key, &step).expect(403);
    }
    if n != 29 {
        let status = if n % 13 == 6 {
            json!({ "status": "FAILED", "error": "the mail server did not answer" })
        } else {
            json!({ "status": "SUCCEEDED" })
        };
        http.post(&format!("{RUNS}/{run}/complete"), key, &status).expect(200);
    }
}

#[test]
fn every_page_holds_in_a_browser() {
    let Some(mut chrome) = Chrome::start() else { return };
    let place = Place::sqlite();
    let scene = Scene::set(&place);
    chrome.look(Look { width: 1280, height: 800, dark: false });
    chrome.open(&scene.link);
    assert_eq!(chrome.evaluate("location.pathname"), "/console/overview", "the link logs in");
    assert_eq!(chrome.evaluate("document.cookie"), "", "no script reads the session");
    let (target, shown) = (pictures("target/screenshots"), variable("HOC_SCREENSHOTS"));
    let mut broken = Vec::new();
    for (width, dark) in [(1280, false), (1280, true), (390, false), (390, true)] {
        chrome.look(Look { width, height: 800, dark });
        for (name, path) in &scene.pages {
            chrome.open(&format!("{}{path}", scene.origin));
            let shape = chrome.evaluate(
                "({ wide: document.documentElement.scrollWidth, window: innerWidth, title: document.title,
                    ground: getComputedStyle(document.body).backgroundColor, text: document.body.innerText.length,
                    unlabelled: [...document.querySelectorAll('input:not([type=hidden]), select, textarea')]
                        .filter(field => !field.labels.length).length,
                    nameless: [...document.querySelectorAll('a, button')]
                        .filter(one => !(one.textContent.trim() || one.getAttribute('aria-label'))).length })",
            );
            assert!(
                shape["wide"].as_u64() <= shape["window"].as_u64(),
                "{path} at {width} is wider than the window: {shape}"
            );
            assert_eq!((&shape["unlabelled"], &shape["nameless"]), (&json!(0), &json!(0)), "{path}: {shape}");
            assert!(shape["title"].as_str().is_some_and(|title| title.ends_with("HOC")), "{path}: {shape}");
            let ground = if dark { "rgb(15, 20, 24)" } else { "rgb(245, 246, 247)" };
            assert_eq!(shape["ground"], ground, "{path}: the style sheet is there and follows the scheme");
            // That the page is not there is told by the status, which the browser tells on its console.
            let expected = usize::from(["not-found", "no-such-run"].contains(name));
            let complaints = chrome.complaints();
            assert_eq!(complaints.len(), expected, "{path} at {width}: {complaints:#?}");
            let night = if dark { "dark" } else { "light" };
            fs::write(target.join(format!("{name}-{width}-{night}.png")), chrome.picture(true))
                .expect("written");
            for (page, file, by_night) in SHOWN {
                if let Some(folder) =
                    shown.as_deref().filter(|_| page == name && width == 1280 && dark == *by_night)
                {
                    fs::write(pictures(folder).join(format!("{file}.png")), chrome.picture(false))
                        .expect("written");
                }
            }
            let unfolded = chrome.evaluate(BROKEN);
            if unfolded["broken"] != json!([]) || unfolded["wide"].as_u64() > unfolded["window"].as_u64() {
                broken.push(json!({ "page": path, "at": width, "unfolded": unfolded }));
            }
        }
    }
    assert!(broken.is_empty(), "{}", serde_json::to_string_pretty(&broken).expect("JSON"));
    let [reported, traced] = ["run-marks", "run-traced"].map(|name| scene.page(name));
    marks::are_shown(&mut chrome, &reported, &traced);
    handles_an_incident(&mut chrome, &scene);
    kills_a_run(&mut chrome, &scene);
    verifies_a_run(&mut chrome, &scene);
    makes_and_retires_a_rule(&mut chrome, &scene);
    makes_and_disables_a_limit(&mut chrome, &scene);
    assert_eq!(chrome.complaints(), Vec::<Value>::new());
    chrome.follow("document.querySelector('form[action=\"/console/logout\"] button').click()");
    assert_eq!(chrome.evaluate("location.pathname"), "/console/login");
    chrome.open(&format!("{}/console/overview", scene.origin));
    assert_eq!(chrome.evaluate("location.pathname"), "/console/login", "the session is over");
}

fn page(chrome: &mut Chrome, scene: &Scene, name: &str) {
    chrome.open(&scene.page(name));
}

fn text(chrome: &mut Chrome) -> String {
    chrome.evaluate("document.querySelector('main').innerText").as_str().expect("a text").to_owned()
}

fn handles_an_incident(chrome: &mut Chrome, scene: &Scene) {
    page(chrome, scene, "incident");
    assert!(text(chrome).contains("ACTIVE"));
    chrome.evaluate("document.querySelector('#acknowledge [name=note]').value = 'I am on it'");
    chrome.follow("document.querySelector('#acknowledge button').click()");
    let told = text(chrome);
    assert!(
        told.contains("ACKED") && told.contains("acknowledged by you") && told.contains("I am on it"),
        "{told}"
    );
    chrome.evaluate("document.querySelector('#resolve select').value = 'fixed'");
    chrome.evaluate("document.querySelector('#resolve [name=note]').value = 'The model is pinned now'");
    chrome.follow("document.querySelector('#resolve button').click()");
    let told = text(chrome);
    assert!(told.contains("RESOLVED") && told.contains("The model is pinned now"), "{told}");
    assert_eq!(chrome.evaluate("document.querySelectorAll('main form').length"), 0, "what is over is over");
}

fn kills_a_run(chrome: &mut Chrome, scene: &Scene) {
    page(chrome, scene, "run-live");
    let cost =
        "[...document.querySelectorAll('dt')].find(dt => dt.textContent == 'Cost').nextSibling.textContent";
    assert_eq!(chrome.evaluate(cost), "unknown", "nobody knows what the calls of this run cost");
    let form = "document.querySelector('#kill form')";
    assert_eq!(chrome.evaluate(&format!("{form}.checkVisibility()")), false, "one click does not kill");
    chrome.evaluate("document.querySelector('#kill summary').click()");
    assert_eq!(chrome.evaluate(&format!("{form}.checkVisibility()")), true);
    chrome.evaluate("document.querySelector('#kill input').value = 'It loops'");
    chrome.follow("document.querySelector('#kill button').click()");
    let told = text(chrome);
    for says in ["HALTED", "UNACKED", "It loops", "Nobody knows yet whether the agent stopped"] {
        assert!(told.contains(says), "{says}: {told}");
    }
    assert_eq!(chrome.evaluate("document.querySelector('#kill')"), Value::Null, "what is over is over");
}

fn verifies_a_run(chrome: &mut Chrome, scene: &Scene) {
    page(chrome, scene, "run");
    chrome.follow("document.querySelector('a[href$=\"/proof\"]').click()");
    assert_eq!(
        chrome.evaluate("document.querySelector('#verification')"),
        Value::Null,
        "nothing is claimed before"
    );
    chrome.follow("document.querySelector('main form button').click()");
    assert_eq!(chrome.evaluate("document.querySelector('#verification').textContent"), "VERIFIED");
    let href = chrome.evaluate("document.querySelector('a[download]').getAttribute('href')");
    assert!(href.as_str().is_some_and(|href| href.ends_with("/bundle")), "{href}");
}

fn makes_and_retires_a_rule(chrome: &mut Chrome, scene: &Scene) {
    page(chrome, scene, "rule-new");
    chrome.evaluate("document.querySelector('[name=name]').value = 'no-expensive-steps'");
    chrome.evaluate("document.querySelector('[name=condition]').value = 'context.step.cots > 1'");
    chrome.follow("document.querySelector('#new-rule button').click()");
    let told = text(chrome);
    assert!(
        told.contains("Condition, in Cedar: ") && told.contains("Line 1"),
        "a misspelt fact is told: {told}"
    );
    let marked = "document.querySelector('[name=condition]').getAttribute('aria-invalid')";
    assert_eq!(chrome.evaluate(marked), "true");
    let kept = chrome.evaluate("document.querySelector('[name=condition]').value");
    assert_eq!(kept, "context.step.cots > 1", "what was typed is kept");
    // That answer was a 422, which the browser tells on its console.
    assert_eq!(chrome.complaints().len(), 1);
    chrome
        .evaluate("document.querySelector('[name=condition]').value = 'context.step.cost_microusd > 500000'");
    chrome.follow("document.querySelector('#new-rule button').click()");
    assert!(text(chrome).contains("no-expensive-steps"));
    chrome.evaluate("document.querySelector('#retire input').value = 'only a try'");
    chrome.follow("document.querySelector('#retire button').click()");
    let told = text(chrome);
    assert!(told.contains("RETIRED") && told.contains("only a try"), "{told}");
}

fn makes_and_disables_a_limit(chrome: &mut Chrome, scene: &Scene) {
    page(chrome, scene, "limit-new");
    let mut set = |name: &str, value: &str| {
        chrome.evaluate(&format!("document.querySelector('#new-limit [name={name}]').value = '{value}'"));
    };
    for (name, value) in [
        ("name", "dollars-a-day"),
        ("limit_type", "COST_USD"),
        ("max_value", "$40"),
        ("reset_period", "DAILY"),
    ] {
        set(name, value);
    }
    chrome.follow("document.querySelector('#new-limit button').click()");
    let told = text(chrome);
    assert!(told.contains("Value: ") && told.contains("without commas, blanks or signs"), "{told}");
    assert_eq!(chrome.complaints().len(), 1, "that answer was a 422");
    assert_eq!(
        chrome.evaluate("document.querySelector('[name=limit_type]').value"),
        "COST_USD",
        "it is kept"
    );
    chrome.evaluate("document.querySelector('[name=max_value]').value = '40'");
    chrome.follow("document.querySelector('#new-limit button').click()");
    assert!(text(chrome).contains("$40.00 a day, all agents"));
    chrome.follow("document.querySelector('.badges a.button').click()");
    chrome.evaluate("document.querySelector('[name=max_value]').value = '50.5'");
    chrome.follow("document.querySelector('#edit-limit button').click()");
    let told = text(chrome);
    assert!(told.contains("$50.50 a day") && told.contains("LimitUpdated by you"), "{told}");
    chrome.follow("document.querySelector('#disable button').click()");
    assert!(text(chrome).contains("DISABLED"));
}
