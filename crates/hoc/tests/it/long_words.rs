//! Words as long as the API takes them, without a blank, on every page where one can stand: none is wider than its
//! window.

use serde_json::{Value, json};

use crate::{
    chrome::{Chrome, Look},
    harness::Place,
    http::Http,
};

const RUNS: &str = "/api/v1/runtime/activity/runs";
const POLICIES: &str = "/api/v1/runtime/policies";
const INCIDENTS: &str = "/api/v1/runtime/incidents";
const AUDIT: &str = "/api/v1/runtime/logs/audit";

const SHAPE: &str = "(() => {
    document.querySelectorAll('details').forEach(one => { one.open = true; });
    return { wide: document.documentElement.scrollWidth, window: document.documentElement.clientWidth };
})()";

#[test]
fn a_word_of_any_length_makes_no_page_wider_than_its_window() {
    let Some(mut chrome) = Chrome::start() else { return };
    let place = Place::sqlite();
    let admin = place.key("admin");
    let server = place.serve();
    let pages = pages_of_long_words(&mut server.http(), &admin);
    let origin = format!("http://{}", server.address);
    chrome.look(Look { width: 1280, height: 800, dark: false });
    chrome.open(&format!("{origin}/console/login"));
    chrome.evaluate(&format!("document.querySelector('[name=key]').value = '{admin}'"));
    chrome.follow("document.querySelector('main form button').click()");
    assert_eq!(chrome.evaluate("location.pathname"), "/console/overview");
    let mut wider = Vec::new();
    for width in [1280, 390] {
        chrome.look(Look { width, height: 800, dark: false });
        for path in &pages {
            chrome.open(&format!("{origin}{path}"));
            assert_eq!(chrome.evaluate("location.pathname"), *path, "the page is there");
            let shape = chrome.evaluate(SHAPE);
            if shape["wide"].as_u64() > shape["window"].as_u64() {
                wider.push(format!("{path} at {width}: {shape}"));
            }
        }
    }
    assert!(wider.is_empty(), "{wider:#?}");
}

/// The pages that show an agent, a goal, an error, a rule, a limit, a tool and a reason of one long word each.
fn pages_of_long_words(http: &mut Http, admin: &str) -> Vec<String> {
    let word = |letter: &str, times: usize| letter.repeat(times);
    let skill = word("t", 250);
    let rule = json!({
        "name": word("N", 256), "description": word("d", 2_000), "enforcement_mode": "BLOCK", "bind_at": "STEP_PRE",
        "condition": format!("context.step.skill == \"{skill}\""),
    });
    let rule = text(&http.post(&format!("{POLICIES}/rules"), admin, &rule).expect(201)["rule_id"]);
    let limit = json!({
        "name": word("L", 256), "limit_type": "TOKENS_TOTAL", "max_value": 9_007_199_254_740_991_u64,
        "reset_period": "NONE", "scope": "AGENT", "scope_id": word("漢", 256),
    });
    let limit = text(&http.post(&format!("{POLICIES}/limits"), admin, &limit).expect(201)["limit_id"]);
    let begun = |letter: &str| json!({ "agent_id": word(letter, 256), "goal": word("g", 5_000), "project_id": word("P", 256) });
    let failed = text(&http.post(RUNS, admin, &begun("A")).expect(201)["run_id"]);
    let live = text(&http.post(RUNS, admin, &begun("B")).expect(201)["run_id"]);
    let asked = json!({ "kind": "TOOL_CALL", "skill_name": skill });
    http.post(&format!("{RUNS}/{failed}/permits"), admin, &asked).expect(403);
    let step = json!({
        "kind": "TOOL_CALL", "skill_name": word("漢", 256), "status": "FAILURE", "outcome": { "code": word("E", 256) },
        "params": { (word("k", 300)): word("v", 3_000) },
    });
    http.post(&format!("{RUNS}/{failed}/steps"), admin, &step).expect(200);
    let error = json!({ "status": "FAILED", "error": word("Z", 3_000) });
    http.post(&format!("{RUNS}/{failed}/complete"), admin, &error).expect(200);
    let freeze = json!({ "agent_id": word("F", 256), "reason": word("R", 4_000) });
    http.post(&format!("{POLICIES}/freeze"), admin, &freeze).expect(201);
    let mut pages: Vec<String> = [
        "overview",
        "overview/decisions",
        "activity/runs",
        "incidents",
        "policies/rules",
        "policies/limits",
        "policies/freezes",
        "policies/stopped",
        "logs/audit",
        "logs/system",
    ]
    .map(|page| format!("/console/{page}"))
    .into();
    for run in [&failed, &live] {
        let run = format!("/console/activity/runs/{run}");
        pages.extend([format!("{run}/evidence"), format!("{run}/proof"), run]);
    }
    pages.extend(["", "/edit"].map(|page| format!("/console/policies/rules/{rule}{page}")));
    pages.extend(["", "/edit"].map(|page| format!("/console/policies/limits/{limit}{page}")));
    pages.extend(ids(http, admin, INCIDENTS, "incident_id").map(|id| format!("/console/incidents/{id}")));
    pages.extend(ids(http, admin, AUDIT, "id").map(|id| format!("/console/logs/audit/{id}")));
    pages
}

fn ids(http: &mut Http, admin: &str, list: &str, name: &'static str) -> impl Iterator<Item = String> + use<> {
    let list = http.get(list, admin).expect(200);
    let items = list["items"].as_array().expect("items").clone();
    assert!(!items.is_empty(), "{list}");
    items.into_iter().map(move |item| text(&item[name]))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}
