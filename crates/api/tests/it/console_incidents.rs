//! What is wrong now, as people find it: the most urgent first, with whom it concerns, nothing dropped without a word,
//! and several taken in one move.

use models::account::Role;
use serde_json::json;

use super::{
    app::{Answer, App},
    console::{SAME, form, is_a_page, session},
    scene::{ACTIVITY, POLICIES, Scene, llm_step, start, text},
};

/// A run that fails for that reason.
async fn fails(app: &App, scene: &Scene, reason: &str) -> String {
    let run = start(app, &scene.agent).await;
    let end = app.post(format!("{ACTIVITY}/runs/{run}/complete")).key(&scene.agent);
    end.json(&json!({"status": "FAILED", "error": reason})).send().await.expect(200);
    let path = format!("/api/v1/runtime/incidents/by-run/{run}");
    text(&app.get(path).key(&scene.admin).send().await.expect(200)["items"][0]["incident_id"])
}

async fn page(app: &App, cookie: &str, path: &str) -> String {
    let answer = app.get(path).header("cookie", cookie).send().await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    answer.text
}

async fn take(app: &App, cookie: &str, body: String) -> Answer {
    let call = app.post("/console/incidents/acknowledge").header("cookie", cookie).header(SAME.0, SAME.1);
    form(call, body).send().await
}

#[tokio::test]
async fn several_incidents_are_taken_in_one_move() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let other = fails(&app, &scene, "timeout").await;
    let (ana, ben) = (app.key(Role::Operator).await, scene.admin.clone());
    let (ana, ben) = (session(&app, &ana).await, session(&app, &ben).await);
    let list = "/console/incidents?topic=ACTIVE";
    let both = [scene.incident_id.as_str(), other.as_str()];
    for path in [list, "/console/overview", "/console/overview/decisions"] {
        let shown = page(&app, &ana, path).await;
        for id in both {
            assert!(shown.contains(&format!("type=\"checkbox\" name=\"{id}\"")), "{path}: {shown}");
        }
    }
    let body = |of: &[&str]| {
        let chosen = of.iter().fold(String::new(), |all, id| all + "&" + id + "=take");
        format!("back=%2Fconsole%2Fincidents%3Ftopic%3DACTIVE&note=all+of+them{chosen}")
    };
    let first = take(&app, &ben, body(&both[1..])).await;
    assert_eq!((first.status.as_u16(), first.header("location")), (303, list));
    let second = take(&app, &ana, body(&both)).await;
    assert_eq!(second.status.as_u16(), 200, "{}", second.text);
    assert!(second.text.contains("1 acknowledged, 1 not"), "{}", second.text);
    assert!(second.text.contains(&other) && second.text.contains("was acknowledged by"), "{}", second.text);
    let shown = page(&app, &ana, list).await;
    assert!(!shown.contains("type=\"checkbox\""), "all of them are taken: {shown}");
    let told = page(&app, &ana, &format!("/console/incidents/{}", both[0])).await;
    assert!(told.contains("all of them") && told.contains("opened it"), "{told}");

    let nobody = take(&app, &ana, body(&[])).await;
    assert_eq!(nobody.status.as_u16(), 422, "{}", nobody.text);
    assert!(nobody.text.contains("No incident was chosen"), "{}", nobody.text);
    assert_eq!(take(&app, &ana, body(&["banana"])).await.status.as_u16(), 422);
    let away = take(&app, &ben, format!("back=https%3A%2F%2Fevil.example&{}=take", both[1])).await;
    assert_eq!(away.header("location"), "/console/overview", "a move leads to our own pages only");
    let viewer = session(&app, &app.key(Role::Viewer).await).await;
    assert_eq!(take(&app, &viewer, body(&both)).await.status.as_u16(), 403);
}

#[tokio::test]
async fn overview_shows_the_most_urgent_first_and_leads_to_all() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let kill =
        json!({"name": "no loops", "enforcement_mode": "KILL", "condition": "context.step.retry_count > 3"});
    app.post(format!("{POLICIES}/rules")).key(&scene.admin).json(&kill).send().await.expect(201);
    let run = start(&app, &scene.agent).await;
    let mut step = llm_step("0.01");
    step["retry_count"] = json!(4);
    let record = app.post(format!("{ACTIVITY}/runs/{run}/steps")).key(&scene.agent);
    assert_eq!(record.json(&step).send().await.problem(403), "step_halted");
    // Newer, and less urgent than both; more of them than the card has room for.
    for n in 0..12_u8 {
        fails(&app, &scene, &format!("timeout {}", char::from(b'a' + n))).await;
        app.kit.clock.advance(chrono::Duration::seconds(1));
    }
    let cookie = session(&app, &scene.admin).await;
    let shown = page(&app, &cookie, "/console/overview").await;
    let card = &shown[shown.find("id=\"decisions\"").expect("the card")..];
    let place = |what: &str| card.find(what).unwrap_or_else(|| panic!("{what}: {card}"));
    assert!(place("no loops") < place("no costly step") && place("no costly step") < place("The run failed"));
    assert!(card.contains("1 run of support-bot"), "{card}");
    assert!(card.contains("All 14") && card.contains("4 more"), "{card}");
    assert!(shown.contains("1 critical, 1 high to decide"), "{shown}");
    let all = page(&app, &cookie, "/console/overview/decisions").await;
    assert_eq!(all.matches("type=\"checkbox\"").count(), 14);
}

#[tokio::test]
async fn every_agent_of_the_month_is_shown_or_said_to_be_there() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    for n in 0..7 {
        let body = json!({"agent_id": format!("agent-{n}")});
        let run = app.post(format!("{ACTIVITY}/runs")).key(&scene.agent).json(&body).send().await.expect(201);
        let steps = format!("{ACTIVITY}/runs/{}/steps", text(&run["run_id"]));
        app.post(steps).key(&scene.agent).json(&llm_step("0.01")).send().await.expect(200);
    }
    let cookie = session(&app, &scene.admin).await;
    let shown = page(&app, &cookie, "/console/overview").await;
    let card = &shown[shown.find("id=\"costs\"").expect("the card")..];
    for n in 0..7 {
        assert!(card.contains(&format!("agent-{n}<")), "agent-{n}: {card}");
    }
    assert!(card.contains("3 more agents"), "{card}");
    assert!(card.contains("in March 2026 (UTC)") && card.contains("1 Mar"), "{card}");
    assert!(!card.contains("Feb"), "another span: {card}");
}

#[tokio::test]
async fn an_incident_is_handled_by_forms() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let cookie = session(&app, &scene.admin).await;
    let incident = format!("/console/incidents/{}", scene.incident_id);
    let post = |what: &str, body: &'static str| {
        let call = app.post(format!("{incident}/{what}")).header("cookie", &cookie).header(SAME.0, SAME.1);
        form(call, body).send()
    };
    let page = || app.get(&incident).header("cookie", &cookie).send();
    assert!(page().await.text.contains("id=\"acknowledge\""));
    let done = post("acknowledge", "note=on+%3Cit%3E").await;
    assert_eq!((done.status.as_u16(), done.header("location")), (303, incident.as_str()));
    let told = page().await.text;
    assert!(told.contains("ACKED") && told.contains("on &#60;it&#62;"), "{told}");
    assert!(!told.contains("id=\"acknowledge\""), "{told}");
    let odd = post("resolve", "resolution_type=nonsense").await;
    assert_eq!(odd.status.as_u16(), 400, "{}", odd.text);
    is_a_page(&incident, &odd);
    assert_eq!(post("resolve", "resolution_type=fixed&note=").await.status.as_u16(), 303);
    let told = page().await.text;
    assert!(told.contains("RESOLVED") && told.contains("fixed") && !told.contains("Handle it"), "{told}");
    let late = post("acknowledge", "").await;
    assert_eq!(late.status.as_u16(), 409, "{}", late.text);
    is_a_page(&incident, &late);
    assert!(late.text.contains("incident_resolved"), "{}", late.text);
}
