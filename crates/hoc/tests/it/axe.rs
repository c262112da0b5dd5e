//! Every page, for every role, as axe-core judges it: who cannot see a page well, or at all, can use it.

use std::{fs, process::Command};

use serde_json::{Value, json};

use crate::{
    chrome::{Chrome, Look, variable},
    console::Scene,
    harness::Place,
};

/// The variable that names a Python with axe-core in a package of it; `cargo xtask test` sets it.
const VARIABLE: &str = "HOC_TEST_AXE_PYTHON";

/// What there is in that package.
const FIND: &str = "import importlib.util as u, pathlib; \
    print(pathlib.Path(u.find_spec('axe_playwright_python').origin).with_name('axe.min.js'))";

/// What axe finds on the page that is open. It looks at nothing that is folded away, so all is unfolded.
const LOOK: &str = "(() => {
    document.querySelectorAll('details').forEach(one => { one.open = true; });
    return axe.run(document, { resultTypes: ['violations'] }).then(found => found.violations.map(one => ({
        rule: one.id, help: one.help, where: one.nodes.slice(0, 5).map(node => node.html.slice(0, 200) + ' ' +
            node.failureSummary)
    })));
})()";

const ROLES: [&str; 6] = ["admin", "agent", "viewer", "operator", "policy", "auditor"];

#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn axe() -> Option<String> {
    let Some(python) = variable(VARIABLE) else {
        eprintln!("SKIPPED: {VARIABLE} names no Python with axe-core; `cargo xtask test` installs one");
        return None;
    };
    let told = Command::new(python).args(["-c", FIND]).output().expect("Python runs");
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let path = String::from_utf8(told.stdout).expect("a path");
    Some(fs::read_to_string(path.trim()).expect("axe-core"))
}

/// What is wrong with the page that is open.
fn faults(chrome: &mut Chrome, axe: &str) -> Vec<Value> {
    chrome.evaluate(&format!("void (() => {{ {axe} }})()"));
    chrome.evaluate(LOOK).as_array().expect("a list").clone()
}

#[test]
fn no_page_has_a_fault_that_axe_knows() {
    let Some(axe) = axe() else { return };
    let Some(mut chrome) = Chrome::start() else { return };
    let place = Place::sqlite();
    let scene = Scene::set(&place);
    let mut found = Vec::new();
    let mut pages = scene.pages.clone();
    pages.push(("login", "/console/login".to_owned()));
    for role in ROLES {
        chrome.look(Look { width: 1280, height: 800, dark: false });
        scene.log_in(&mut chrome, role);
        let looks: &[(u32, bool)] = match role {
            "admin" => &[(1280, false), (390, true)],
            _ => &[(1280, false)],
        };
        let mut was_refused = false;
        for (width, dark) in looks {
            chrome.look(Look { width: *width, height: 800, dark: *dark });
            for (name, path) in &pages {
                chrome.open(&format!("{}{path}", scene.origin));
                // Each page that is for others says so alike.
                let is_refused =
                    chrome.evaluate("document.querySelector('.alone .status')?.innerText === '403'");
                if is_refused == true && std::mem::replace(&mut was_refused, true) {
                    continue;
                }
                let faults = faults(&mut chrome, &axe);
                if !faults.is_empty() {
                    found.push(
                        json!({ "page": name, "role": role, "width": width, "dark": dark, "faults": faults }),
                    );
                }
            }
        }
    }
    assert!(found.is_empty(), "{}", serde_json::to_string_pretty(&found).expect("JSON"));
}

#[test]
fn axe_finds_what_is_wrong() {
    let Some(axe) = axe() else { return };
    let Some(mut chrome) = Chrome::start() else { return };
    chrome.open("data:text/html,<!doctype html><title>t</title><main><h1>h</h1><img src='data:,'><p style='color:%23ccc'>pale</p></main>");
    let told = format!("{:?}", faults(&mut chrome, &axe));
    for rule in ["image-alt", "color-contrast", "html-has-lang"] {
        assert!(told.contains(rule), "{rule}: {told}");
    }
}
