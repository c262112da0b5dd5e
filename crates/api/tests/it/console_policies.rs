//! The console's forms of limits, rules and freezes: made, changed and ended there, with what is wrong at its field and
//! who changed what on the page.

use models::account::Role;
use serde_json::json;

use super::{
    app::{Answer, App},
    console::{SAME, form, is_a_page, is_refused_at, session},
    scene::{ACTIVITY, POLICIES, Scene, start, text},
};

const LIMITS: &str = "/console/policies/limits";
const FREEZES: &str = "/console/policies/freezes";

struct Person<'a> {
    app: &'a App,
    cookie: String,
}

impl<'a> Person<'a> {
    async fn of(app: &'a App, role: Role) -> Self {
        Self { app, cookie: session(app, &app.key(role).await).await }
    }

    async fn posts(&self, path: &str, body: &str) -> Answer {
        let call = self.app.post(path).header("cookie", &self.cookie).header(SAME.0, SAME.1);
        form(call, body).send().await
    }

    /// A form that is taken, and the page that it leads to.
    async fn does(&self, path: &str, body: &str) -> String {
        let done = self.posts(path, body).await;
        assert_eq!(done.status.as_u16(), 303, "{path} {body}: {}", done.text);
        done.header("location").to_owned()
    }

    async fn reads(&self, path: &str) -> String {
        let answer = self.app.get(path).header("cookie", &self.cookie).send().await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.text
    }
}

#[tokio::test]
async fn a_limit_is_made_changed_and_disabled_by_forms() {
    let app = App::new().await;
    let paula = Person::of(&app, Role::Policy).await;
    let made = "name=daily-dollars&limit_type=COST_USD&max_value=40&reset_period=DAILY&scope=TENANT\
        &enforcement=BLOCK&consequence=INCIDENT";
    let limit = paula.does(LIMITS, made).await;
    assert!(
        paula.reads(LIMITS).await.contains("$40.00 a day, all agents"),
        "the list says of what and per what"
    );
    let again = paula.posts(LIMITS, made).await;
    assert_eq!(again.status.as_u16(), 409, "{}", again.text);
    is_refused_at(&again, "new-limit", "name");
    assert!(again.text.contains("value=\"40\""), "what was typed is kept: {}", again.text);

    let edit = paula.reads(&format!("{limit}/edit")).await;
    for stands in
        ["value=\"daily-dollars\"", "value=\"40.00\"", "name=\"version\" value=\"1\"", "$40.00 a day"]
    {
        assert!(edit.contains(stands), "{stands}: {edit}");
    }
    let change = "version=1&name=daily-dollars&max_value=0.50&enforcement=WARN&consequence=ALERT";
    assert_eq!(paula.does(&limit, change).await, limit);
    let page = paula.reads(&limit).await;
    for says in [
        "$0.50 a day, all agents",
        "LimitUpdated",
        "by <b>policy of acme</b>",
        "version 2",
        "<del>$40.00</del>",
        "<ins>$0.50</ins>",
        "<del>BLOCK</del>",
        "<ins>WARN</ins>",
        "LimitCreated",
        "Changed</dt><dd>by policy of acme, ",
    ] {
        assert!(page.contains(says), "{says}: {page}");
    }
    // Who opened the form before that change is told of it, and what he typed is kept.
    let stale =
        paula.posts(&limit, "version=1&name=mine&max_value=7&enforcement=STOP&consequence=ALERT").await;
    assert_eq!(stale.status.as_u16(), 412, "{}", stale.text);
    for says in ["version 2 is in force", "value=\"mine\"", "name=\"version\" value=\"2\""] {
        assert!(stale.text.contains(says), "{says}: {}", stale.text);
    }
    let odd = paula
        .posts(&limit, "version=2&name=daily-dollars&max_value=much&enforcement=WARN&consequence=ALERT")
        .await;
    assert_eq!(odd.status.as_u16(), 422, "{}", odd.text);
    is_refused_at(&odd, "edit-limit", "max_value");

    assert_eq!(paula.does(&format!("{limit}/disable"), "").await, limit);
    let page = paula.reads(&limit).await;
    assert!(
        page.contains("DISABLED") && !page.contains("Disable it") && !page.contains("Change it"),
        "{page}"
    );
    assert!(page.contains("<del>ACTIVE</del>") && page.contains("<ins>DISABLED</ins>"), "{page}");
    let late = paula.posts(&limit, "version=2&name=x&max_value=1&enforcement=WARN&consequence=ALERT").await;
    assert_eq!(late.status.as_u16(), 409, "{}", late.text);
    assert!(late.text.contains("disabled") && late.text.contains("role=\"alert\""), "{}", late.text);
}

#[tokio::test]
async fn what_a_limit_degrades_to_is_not_taken_away_without_a_word() {
    let app = App::new().await;
    let paula = Person::of(&app, Role::Policy).await;
    let made = "name=cheaper&limit_type=STEPS&max_value=5&reset_period=DAILY&enforcement=DEGRADE&degrade_to=gpt-4o-mini";
    let limit = paula.does(LIMITS, made).await;
    let emptied = "version=1&name=cheaper&max_value=5&enforcement=DEGRADE&degrade_to=&consequence=ALERT";
    let refused = paula.posts(&limit, emptied).await;
    assert_eq!(refused.status.as_u16(), 422, "{}", refused.text);
    is_refused_at(&refused, "edit-limit", "degrade_to");
    paula.does(&limit, &emptied.replace("DEGRADE", "WARN")).await;
    assert!(paula.reads(&limit).await.contains("version 2"), "with DEGRADE it goes");
}

#[tokio::test]
async fn what_is_wrong_with_a_limit_stands_at_its_field() {
    let app = App::new().await;
    let paula = Person::of(&app, Role::Policy).await;
    for (body, field) in [
        ("limit_type=STEPS&max_value=5&reset_period=DAILY", "name"),
        ("name=a&max_value=5", "limit_type"),
        ("name=a&limit_type=COST_USD&reset_period=DAILY", "max_value"),
        ("name=a&limit_type=COST_USD&reset_period=DAILY&max_value=%2440", "max_value"),
        ("name=a&limit_type=COST_USD&reset_period=DAILY&max_value=1,000", "max_value"),
        ("name=a&limit_type=STEPS&reset_period=DAILY&max_value=0.5", "max_value"),
        ("name=a&limit_type=COST_USD&max_value=5", "reset_period"),
        ("name=a&limit_type=RUN_STEPS&max_value=5&reset_period=DAILY", "reset_period"),
        ("name=a&limit_type=ERROR_RATE_PCT&max_value=5", "window"),
        ("name=a&limit_type=RUN_STEPS&max_value=5&window=soon", "window"),
        ("name=a&limit_type=STEPS&max_value=5&reset_period=DAILY&window=60", "window"),
        ("name=a&limit_type=STEPS&max_value=5&reset_period=DAILY&scope=AGENT", "scope_id"),
        ("name=a&limit_type=STEPS&max_value=5&reset_period=DAILY&enforcement=REJECT", "enforcement"),
        ("name=a&limit_type=STEPS&max_value=5&reset_period=DAILY&degrade_to=gpt-4o-mini", "degrade_to"),
    ] {
        let refused = paula.posts(LIMITS, body).await;
        assert_eq!(refused.status.as_u16(), 422, "{body}: {}", refused.text);
        is_refused_at(&refused, "new-limit", field);
    }
    for (body, says) in [
        (
            "name=r&limit_type=REQUESTS_PER_MINUTE&max_value=60&enforcement=REJECT",
            "60 steps a minute, all agents",
        ),
        ("name=w&limit_type=REQUESTS_PER_MINUTE&max_value=60&window=90", "60 steps in 90 s, all agents"),
        ("name=e&limit_type=ERROR_RATE_PCT&max_value=5&window=600", "5 % in 600 s, all agents"),
        (
            "name=t&limit_type=RUN_TOKENS&max_value=9000&scope=AGENT&scope_id=bot",
            "9,000 tokens a run, agent bot",
        ),
        ("name=s&limit_type=STEP_COST_USD&max_value=0.05", "$0.05 a step, all agents"),
        (
            "name=l&limit_type=TOOL_CALLS&max_value=1&reset_period=NONE",
            "1 call in all, never filled again, all agents",
        ),
        (
            "name=m&limit_type=TOKENS_INPUT&max_value=10&reset_period=MONTHLY&scope=PROVIDER&scope_id=openai",
            "10 tokens a month, provider openai",
        ),
    ] {
        let limit = paula.does(LIMITS, body).await;
        assert!(paula.reads(&limit).await.contains(says), "{says}");
        assert!(paula.reads(LIMITS).await.contains(says), "{says}");
    }
}

#[tokio::test]
async fn a_rule_is_changed_by_a_form_and_its_page_says_who_changed_what() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let paula = Person::of(&app, Role::Policy).await;
    let rule = format!("/console/policies/rules/{}", scene.rule_id);
    let edit = paula.reads(&format!("{rule}/edit")).await;
    assert!(
        edit.contains("context.step.cost_microusd &#62; 500000") && edit.contains("value=\"100\""),
        "{edit}"
    );
    let change = "version=1&name=no+costly+step&description=a+quarter+at+most&enforcement_mode=BLOCK&bind_at=STEP_PRE\
        &condition=context.step.cost_microusd+%3E+250000&scope=AGENT&scope_id=support-bot&precedence=10";
    assert_eq!(paula.does(&rule, change).await, rule);
    let page = paula.reads(&rule).await;
    for says in [
        "PolicyRuleModified",
        "by <b>policy of acme</b>",
        "version 2",
        "PolicyRuleCreated",
        "by <b>admin of acme</b>",
        "<del>context.<wbr>step.<wbr>cost_<wbr>microusd &#62; 500000</del>",
        "<ins>context.<wbr>step.<wbr>cost_<wbr>microusd &#62; 250000</ins>",
        "<del>STEP_POST</del>",
        "<ins>STEP_PRE</ins>",
        "<ins>support-bot</ins>",
        "<del>100</del>",
        "<ins>10</ins>",
        "agent support-bot",
        "Changed</dt><dd>by policy of acme, ",
    ] {
        assert!(page.contains(says), "{says}: {page}");
    }
    assert!(!page.contains("<dt>enforcement mode</dt>"), "what stayed is not told: {page}");
    // The row leads to the entry of the ledger, which marks the same.
    let entry = page.split("href=\"/console/logs/audit/").nth(1).and_then(|rest| rest.split('"').next());
    let entry = paula.reads(&format!("/console/logs/audit/{}", entry.expect("a link"))).await;
    assert!(entry.contains("What changed") && entry.contains("<ins>STEP_PRE</ins>"), "{entry}");

    let misspelt =
        paula.posts(&rule, &change.replace("version=1", "version=2").replace("cost_microusd", "cots")).await;
    assert_eq!(misspelt.status.as_u16(), 422, "{}", misspelt.text);
    is_refused_at(&misspelt, "edit-rule", "condition");
    let stale = paula.posts(&rule, change).await;
    assert_eq!(stale.status.as_u16(), 412, "{}", stale.text);
    assert!(stale.text.contains("version 2 is in force"), "{}", stale.text);
    // An empty field is one that was emptied.
    let emptied = "version=2&name=no+costly+step&description=&enforcement_mode=BLOCK&bind_at=STEP_PRE\
        &condition=context.step.cost_microusd+%3E+250000&scope=TENANT&scope_id=&precedence=10";
    paula.does(&rule, emptied).await;
    let shown =
        app.get(format!("{POLICIES}/rules/{}", scene.rule_id)).key(&scene.admin).send().await.expect(200);
    assert_eq!((&shown["description"], &shown["scope_id"]), (&json!(""), &json!(null)));
    assert_eq!(shown["precedence"], 10);
    let emptied = emptied.replace("version=2", "version=3").replace("precedence=10", "precedence=");
    paula.does(&rule, &emptied).await;
    let shown =
        app.get(format!("{POLICIES}/rules/{}", scene.rule_id)).key(&scene.admin).send().await.expect(200);
    assert_eq!(shown["precedence"], 100, "as the field says");
}

#[tokio::test]
async fn a_frozen_agent_is_shown_wherever_its_runs_are() {
    let app = App::new().await;
    let agent = app.key(Role::Agent).await;
    let run = start(&app, &agent).await;
    let other = json!({"agent_id": "another-bot"});
    let other = app.post(format!("{ACTIVITY}/runs")).key(&agent).json(&other).send().await.expect(201);
    let (run, other) = (
        format!("/console/activity/runs/{run}"),
        format!("/console/activity/runs/{}", text(&other["run_id"])),
    );
    let (paula, olga) = (Person::of(&app, Role::Policy).await, Person::of(&app, Role::Operator).await);
    let own = Person { app: &app, cookie: session(&app, &agent).await };
    assert!(
        paula.reads(&run).await.contains("id=\"freeze\"")
            && !olga.reads(&run).await.contains("id=\"freeze\"")
    );
    for (body, field) in
        [("reason=x", "agent_id"), ("agent_id=support-bot", "reason"), ("agent_id=+bot&reason=x", "agent_id")]
    {
        let refused = paula.posts(FREEZES, body).await;
        assert_eq!(refused.status.as_u16(), 422, "{body}: {}", refused.text);
        is_refused_at(&refused, "freeze", field);
    }
    assert_eq!(paula.does(FREEZES, "agent_id=support-bot&reason=it+%3Cloops%3E").await, FREEZES);
    let listed = olga.reads(FREEZES).await;
    for says in ["<b>support-bot</b>", "UNACKED", "it &#60;loops&#62;", "policy of acme", "1 live run;"] {
        assert!(listed.contains(says), "{says}: {listed}");
    }
    assert!(!listed.contains("<form method=\"post\" action=\"/console/policies"), "{listed}");
    let again = paula.posts(FREEZES, "agent_id=support-bot&reason=again").await;
    assert_eq!(again.status.as_u16(), 409, "{}", again.text);
    assert!(again.text.contains("It has been frozen since"), "{}", again.text);

    let frozen = "This agent is frozen since";
    for person in [&olga, &own] {
        assert!(person.reads(&run).await.contains(frozen));
        assert!(!person.reads(&other).await.contains(frozen));
        assert_eq!(person.reads("/console/activity/runs").await.matches(">FROZEN<").count(), 1);
    }
    for page in ["/console/activity/runs", "/console/overview"] {
        assert!(olga.reads(page).await.contains("1 agent is frozen: support-bot."), "{page}");
    }
    assert!(
        !own.reads("/console/activity/runs").await.contains("1 agent is frozen"),
        "that is not an agent's to know"
    );

    assert_eq!(paula.does(&format!("{FREEZES}/lift"), "agent_id=support-bot&reason=").await, FREEZES);
    assert!(!olga.reads(&run).await.contains(frozen));
    assert_eq!(paula.does(FREEZES, "all=true&reason=an+audit").await, FREEZES);
    let listed = paula.reads(FREEZES).await;
    assert!(listed.contains("<b>All agents</b>") && !listed.contains("id=\"freeze-all\""), "{listed}");
    assert_eq!(olga.reads("/console/activity/runs").await.matches(">FROZEN<").count(), 2);
    assert!(olga.reads(&other).await.contains("All agents are frozen since"));
    paula.does(&format!("{FREEZES}/lift"), "").await;
    assert!(paula.reads(FREEZES).await.contains("Nothing is frozen."));
}

#[tokio::test]
async fn what_happened_to_keys_and_settings_is_a_page_that_says_where_kills_are() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let settings = json!({"failure_mode": "degrade"});
    let at = "/api/v1/account/settings";
    let stands = app.get(at).key(&scene.admin).send().await;
    let change = app.patch(at).key(&scene.admin).header("if-match", stands.header("etag"));
    change.json(&settings).send().await.expect(200);
    let vera = Person::of(&app, Role::Viewer).await;
    let page = vera.reads("/console/logs/system").await;
    for says in ["AUTH_CHANGE", "CONFIG_CHANGE", "/console/policies/stopped"] {
        assert!(page.contains(says), "{says}: {page}");
    }
    let only = vera.reads("/console/logs/system?event_type=CONFIG_CHANGE").await;
    let rows = |page: &str| page.matches("<td><a href=\"/console/logs/system/").count();
    assert!((1..rows(&page)).contains(&rows(&only)), "{only}");
    let id = only.split("href=\"/console/logs/system/").nth(1).and_then(|rest| rest.split('"').next());
    let record = vera.reads(&format!("/console/logs/system/{}", id.expect("a link"))).await;
    assert!(record.contains("failure_mode") && record.contains("admin of acme"), "{record}");
    let ledger = vera.reads("/console/logs/audit").await;
    assert!(ledger.contains("Kills and freezes are entries of neither log"), "{ledger}");
}

#[tokio::test]
async fn a_rule_is_made_and_retired_by_forms() {
    let app = App::new().await;
    let cookie = session(&app, &app.key(Role::Policy).await).await;
    let post = |path: String, body: &'static str| {
        form(app.post(path).header("cookie", &cookie).header(SAME.0, SAME.1), body).send()
    };
    let rules = || "/console/policies/rules".to_owned();
    for (body, field) in [
        ("name=a&enforcement_mode=BLOCK&condition=context.step.cots+%3E+1", "condition"),
        ("name=a&enforcement_mode=BLOCK", "condition"),
        ("enforcement_mode=BLOCK&condition=context.step.cost_microusd+%3E+1", "name"),
        ("name=a&condition=context.step.cost_microusd+%3E+1", "enforcement_mode"),
        ("name=a&enforcement_mode=BLOCK&scope=AGENT&condition=context.step.cost_microusd+%3E+1", "scope_id"),
        (
            "name=a&enforcement_mode=BLOCK&precedence=low&condition=context.step.cost_microusd+%3E+1",
            "precedence",
        ),
    ] {
        let refused = post(rules(), body).await;
        assert_eq!(refused.status.as_u16(), 422, "{}", refused.text);
        is_a_page("/console/policies/rules", &refused);
        is_refused_at(&refused, "new-rule", field);
    }
    let good = "name=costly&description=too+dear&enforcement_mode=BLOCK&bind_at=STEP_PRE\
        &condition=context.step.cost_microusd+%3E+1";
    let made = post(rules(), good).await;
    assert_eq!(made.status.as_u16(), 303, "{}", made.text);
    let rule = made.header("location").to_owned();
    let page = app.get(&rule).header("cookie", &cookie).send().await;
    assert!(page.text.contains("context.step.cost_microusd &#62; 1"), "{}", page.text);
    assert!(page.text.contains("STEP_PRE"), "{}", page.text);
    let again = post(rules(), good).await;
    assert_eq!(again.status.as_u16(), 409, "{}", again.text);
    assert!(again.text.contains("value=\"costly\""), "what was typed is kept: {}", again.text);
    let silent = post(format!("{rule}/retire"), "reason=").await;
    assert_eq!(silent.status.as_u16(), 422, "{}", silent.text);
    assert_eq!(post(format!("{rule}/retire"), "reason=no+longer+needed").await.status.as_u16(), 303);
    let page = app.get(&rule).header("cookie", &cookie).send().await;
    assert!(page.text.contains("RETIRED") && page.text.contains("no longer needed"), "{}", page.text);
    assert!(!page.text.contains("Retire it"), "{}", page.text);
}
