//! What people stopped, and who let it go on: by the API, and as a page.

use models::account::Role;
use serde_json::{Value, json};

use super::{
    app::App,
    console::session,
    scene::{ACTIVITY, start},
};

const FREEZE: &str = "/api/v1/runtime/policies/freeze";
const PAGE: &str = "/console/policies/stopped";

#[tokio::test]
async fn a_lifted_freeze_and_a_kill_are_listed_with_who_and_why() {
    let app = App::new().await;
    let agent = app.key(Role::Agent).await;
    let (paula, olga) = (app.key(Role::Policy).await, app.key(Role::Operator).await);
    let vera = app.key(Role::Viewer).await;
    let run = start(&app, &agent).await;
    let frozen = json!({"agent_id": "support-bot", "reason": "it <loops>"});
    app.post(FREEZE).key(&paula).json(&frozen).send().await.expect(201);
    let step = json!({"kind": "TOOL_CALL", "skill_name": "look", "status": "SUCCESS", "params": {"a": 1}});
    app.post(format!("{ACTIVITY}/runs/{run}/steps")).key(&agent).json(&step).send().await;
    let of_bot = format!("{FREEZE}?agent_id=support-bot&reason=mended");
    app.call(axum::http::Method::DELETE, of_bot).key(&paula).send().await.expect(200);
    app.kit.clock.advance(chrono::Duration::seconds(60));
    app.post(FREEZE).key(&paula).json(&frozen).send().await.expect(201);
    let kill = app.post(format!("{ACTIVITY}/runs/{run}/kill")).key(&olga);
    kill.json(&json!({"reason": "enough"})).send().await.expect(200);

    let list = async |query: &str| -> Vec<Value> {
        let found = app.get(format!("{ACTIVITY}/interventions{query}")).key(&vera).send().await.expect(200);
        found["items"].as_array().expect("a list").clone()
    };
    let all = list("").await;
    let lifted: Vec<_> = all.iter().filter(|one| !one["lifted"].is_null()).collect();
    let [ended] = lifted.as_slice() else { panic!("{all:?}") };
    assert_eq!(
        (&ended["state"], &ended["target_id"], &ended["actor_id"], &ended["reason"], &ended["runs_met"]),
        (&json!("LIFTED"), &json!("support-bot"), &json!("policy of acme"), &json!("it <loops>"), &json!(1))
    );
    assert_eq!(
        (&ended["lifted"]["actor_id"], &ended["lifted"]["reason"]),
        (&json!("policy of acme"), &json!("mended"))
    );
    // The end of a freeze is told in the same members as the freeze, and a kill as the run's own list tells it.
    assert_eq!(
        (&ended["lifted"]["kind"], &ended["lifted"]["target_id"], &ended["lifted"]["requested_at"]),
        (&json!("UNFREEZE"), &ended["target_id"], &ended["requested_at"])
    );
    let of_run = app.get(format!("{ACTIVITY}/runs/{run}/interventions")).key(&vera).send().await.expect(200);
    let is_kill = |one: &&Value| one["kind"] == "KILL";
    let told = of_run["items"].as_array().and_then(|items| items.iter().find(is_kill)).expect("the kill");
    let of_all = all.iter().find(is_kill).expect("the kill");
    for member in ["intervention_id", "target_type", "target_id", "actor_id", "requested_at", "effective_at"]
    {
        assert!(told[member].is_string() && told[member] == of_all[member], "{member}: {told}, {of_all}");
    }
    let kinds = |items: &[Value]| {
        let mut kinds: Vec<_> = items.iter().map(|one| one["kind"].to_string()).collect();
        kinds.sort_unstable();
        kinds.join(" ")
    };
    assert_eq!(kinds(&all), r#""FREEZE" "FREEZE" "KILL""#);
    assert_eq!(kinds(&list("?state=IN_FORCE").await), r#""FREEZE" "KILL""#);
    assert_eq!(kinds(&list("?state=LIFTED").await), r#""FREEZE""#);
    assert_eq!(kinds(&list(&format!("?target_id={run}")).await), r#""KILL""#);
    let odd = app.get(format!("{ACTIVITY}/interventions?state=OVER")).key(&vera).send().await;
    assert_eq!(odd.status.as_u16(), 400, "{}", odd.text);
    let own = app.get(format!("{ACTIVITY}/interventions")).key(&agent).send().await;
    assert_eq!(own.problem(403), "forbidden");

    let cookie = session(&app, &vera).await;
    let page = async |query: &str| {
        let page = app.get(format!("{PAGE}{query}")).header("cookie", &cookie).send().await;
        assert_eq!(page.status, 200, "{}", page.text);
        page.text
    };
    let shown = page("").await;
    for says in
        ["it &#60;loops&#62;", "mended", "policy of acme", "operator of acme", "enough", "ended the run"]
    {
        assert!(shown.contains(says), "{says}: {shown}");
    }
    assert!(shown.contains("refused something to 1 run<") && shown.contains("in force"), "{shown}");
    let over = page("?state=LIFTED").await;
    assert!(over.contains("mended") && !over.contains("enough"), "{over}");
}
