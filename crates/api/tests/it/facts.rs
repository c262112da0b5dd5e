//! The facts of rules: listed, named rightly wherever a page names them, and told where a rule fired.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use models::account::Role;
use serde_json::{Value, json};

use super::{
    app::App,
    console::session,
    scene::{ACTIVITY, INCIDENTS, POLICIES, Scene, llm_step, text},
};

async fn facts(app: &App, key: &str) -> Value {
    app.get(format!("{POLICIES}/facts")).key(key).send().await.expect(200)
}

#[tokio::test]
async fn every_fact_is_listed_with_a_condition_that_is_taken() {
    let app = App::new().await;
    let viewer = app.key(Role::Viewer).await;
    let listed = facts(&app, &viewer).await;
    assert_eq!(listed["schema_version"], "hoc-facts/4");
    let items = listed["items"].as_array().expect("a list");
    let cost = items.iter().find(|fact| fact["name"] == "step.cost_microusd").expect("is listed");
    insta::assert_json_snapshot!(cost, @r#"
    {
      "name": "step.cost_microusd",
      "path": "context.step.cost_microusd",
      "type": "number",
      "unit": "micro-USD",
      "moments": [
        "STEP_PRE",
        "STEP_POST"
      ],
      "meaning": "Cost in whole micro-dollars: 500000 is $0.50. An estimate at STEP_PRE. A rule that reads it while it is unknown refuses.",
      "example": "context.step.cost_microusd > 500000"
    }
    "#);
    let policy = app.key(Role::Policy).await;
    for fact in items {
        for moment in fact["moments"].as_array().expect("a list") {
            let check = json!({"bind_at": moment, "condition": fact["example"]});
            let found = app.post(format!("{POLICIES}/rules/validate")).key(&policy).json(&check).send().await;
            assert_eq!(found.expect(200)["valid"], true, "{fact}");
        }
    }
    let agent = app.key(Role::Agent).await;
    assert_eq!(app.get(format!("{POLICIES}/facts")).key(&agent).send().await.problem(403), "forbidden");
}

/// What people copy from a page must be a fact. (The form of a rule once named one that never was.)
#[tokio::test]
async fn every_fact_that_a_page_names_is_one() {
    let app = App::new().await;
    let listed = facts(&app, &app.key(Role::Viewer).await).await;
    let items = listed["items"].as_array().expect("a list");
    let mut known: BTreeSet<String> = items.iter().map(|fact| text(&fact["path"])).collect();
    let records: Vec<String> =
        known.iter().filter_map(|path| Some(path.rsplit_once('.')?.0.to_owned())).collect();
    known.extend(records);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut pages = vec![root.join("README.md")];
    for folder in ["docs", "docs/domains", "docs/adr", "crates/api/templates"] {
        pages.extend(files(&root.join(folder)));
    }
    let mut named = 0;
    for page in pages {
        let text = fs::read_to_string(&page).expect("a page");
        for path in paths(&text) {
            named += 1;
            assert!(known.contains(&path), "{} names `{path}`, which is no fact", page.display());
        }
    }
    assert!(named > items.len(), "the pages name facts: {named}");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let all = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    all.filter(|path| path.extension().is_some_and(|kind| kind == "md" || kind == "html")).collect()
}

/// The paths of facts that a text names: `context.step.kind`, `principal.agent_id`.
fn paths(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'));
    let roots = ["context.", "principal.", "resource."];
    let methods = [".contains", ".containsAny", ".containsAll", ".isEmpty"];
    words
        .map(|word| word.trim_end_matches('.'))
        .map(|word| methods.iter().fold(word, |word, method| word.strip_suffix(method).unwrap_or(word)))
        .filter(|word| roots.iter().any(|root| word.len() > root.len() && word.starts_with(root)))
        .filter(|word| !word.starts_with("resource.attributes"))
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn what_a_rule_fired_on_is_told_wherever_it_is() {
    const ON: &str = "step.cost_microusd is $0.75 (750000 micro-USD)";
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let (run, rule, incident) = (&scene.run_id, &scene.rule_id, &scene.incident_id);
    let steps = format!("{ACTIVITY}/runs/{run}/steps");
    let again = app.post(&steps).key(&scene.agent).json(&llm_step("0.75")).send().await;
    let halted = again.expect(403);
    let fact = json!({"name": "step.cost_microusd", "value": 750_000, "unit": "micro-USD", "usd": 0.75});
    assert_eq!(halted["verdict"]["fired"][0]["facts"], json!([fact]));
    assert!(text(&halted["detail"]).contains(ON), "{halted}");
    let listed = app.get(&steps).key(&scene.admin).send().await.expect(200);
    assert_eq!(listed["items"][1]["verdict"]["fired"][0]["facts"], json!([fact]));
    assert_eq!(listed["items"][0]["verdict"]["fired"], json!([]));
    let opened = app.get(format!("{INCIDENTS}/{incident}")).key(&scene.admin).send().await.expect(200);
    assert!(text(&opened["description"]).contains(ON), "{opened}");

    let cookie = session(&app, &scene.admin).await;
    for page in [
        format!("/console/activity/runs/{run}"),
        format!("/console/activity/runs/{run}/evidence"),
        format!("/console/incidents/{incident}"),
        format!("/console/policies/rules/{rule}"),
    ] {
        let shown = app.get(&page).header("cookie", &cookie).send().await;
        assert!(shown.status == 200 && shown.text.contains(ON), "{page}: {}", shown.text);
        let link = format!("href=\"/console/activity/runs/{run}#step-1\"");
        let leads = shown.text.contains(&link) || page.ends_with(run);
        assert!(leads, "{page} leads to the step: {}", shown.text);
    }
}

/// Who writes as another language does is told what to write, by every way in.
#[tokio::test]
async fn a_condition_that_is_refused_says_what_to_write() {
    let app = App::new().await;
    let policy = app.key(Role::Policy).await;
    let cases = [
        (
            "context.step.skill_name == \"x\"",
            "did you mean `context.step.skill`? `context.step` has: kind, skill,",
        ),
        ("context.step.cost_microusd > 0.5", "write 500000"),
        ("true and false", "write `&&`"),
    ];
    for (condition, told) in cases {
        let check = json!({"condition": condition});
        let found = app.post(format!("{POLICIES}/rules/validate")).key(&policy).json(&check).send().await;
        let found = found.expect(200);
        assert!(text(&found["errors"][0]["message"]).contains(told), "{found}");
        let rule = json!({"name": "n", "enforcement_mode": "WARN", "condition": condition});
        let made = app.post(format!("{POLICIES}/rules")).key(&policy).json(&rule).send().await;
        assert!(made.text.contains("/condition") && made.status == 422, "{}", made.text);
        assert!(text(&made.json()["errors"][0]["message"]).contains(told), "{}", made.text);
    }
    let dollars = json!({"all": [{"fact": "step.cost_usd", "op": ">", "value": 0.5}]});
    let rule = json!({"name": "dollars", "enforcement_mode": "WARN", "conditions": dollars});
    let made = app.post(format!("{POLICIES}/rules")).key(&policy).json(&rule).send().await.expect(201);
    assert_eq!(made["condition"], "context.step.cost_microusd > 500000");
}
