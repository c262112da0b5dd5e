//! The console in a real browser, over what the demo leaves: every page on a desk and in a hand, by day and by night.

use std::fs;

use serde_json::{Value, json};

use crate::{
    chrome::{Chrome, Look, pictures, variable},
    harness::{Place, Server},
    http::Http,
};

const RUNS: &str = "/api/v1/runtime/activity/runs";
/// The pictures that the README shows: page, name, look.
const SHOWN: &[(&str, &str, bool)] =
    &[("overview", "overview", false), ("run", "run", false), ("incident", "incident-dark", true)];

/// The demo with its data, and a way in.
struct Scene {
    _demo: Server,
    origin: String,
    link: String,
    pages: Vec<(&'static str, String)>,
}

impl Scene {
    fn set(place: &Place) -> Self {
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
        for n in 0..30 {
            more(&mut http, &key, n);
        }
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
            ("evidence", format!("/console/activity/runs/{first}/evidence")),
            ("proof", format!("/console/activity/runs/{first}/proof?verify=true")),
            ("decisions", "/console/overview/decisions".to_owned()),
            ("incidents", "/console/incidents".to_owned()),
            ("incident", format!("/console/incidents/{}", id(&of_run, 0, "incident_id"))),
            ("rules", "/console/policies/rules".to_owned()),
            (
                "rule",
                format!("/console/policies/rules/{}", id("/api/v1/runtime/policies/rules", 0, "rule_id")),
            ),
            ("rule-new", "/console/policies/rules/new".to_owned()),
            ("limits", "/console/policies/limits".to_owned()),
            (
                "limit",
                format!("/console/policies/limits/{}", id("/api/v1/runtime/policies/limits", 0, "limit_id")),
            ),
            ("audit", "/console/logs/audit".to_owned()),
            ("audit-entry", format!("/console/logs/audit/{}", id("/api/v1/runtime/logs/audit", 0, "id"))),
            ("not-found", "/console/nothing-here".to_owned()),
        ];
        Self { _demo: demo, origin, link, pages }
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
            let expected = usize::from(*name == "not-found");
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
        }
    }
    handles_an_incident(&mut chrome, &scene);
    kills_a_run(&mut chrome, &scene);
    verifies_a_run(&mut chrome, &scene);
    makes_and_retires_a_rule(&mut chrome, &scene);
    assert_eq!(chrome.complaints(), Vec::<Value>::new());
    chrome.follow("document.querySelector('form[action=\"/console/logout\"] button').click()");
    assert_eq!(chrome.evaluate("location.pathname"), "/console/login");
    chrome.open(&format!("{}/console/overview", scene.origin));
    assert_eq!(chrome.evaluate("location.pathname"), "/console/login", "the session is over");
}

fn page(chrome: &mut Chrome, scene: &Scene, name: &str) {
    let (_, path) = scene.pages.iter().find(|(page, _)| *page == name).expect("a page");
    chrome.open(&format!("{}{path}", scene.origin));
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
    assert!(told.contains("/condition") && told.contains("line 1"), "a misspelt attribute is told: {told}");
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
