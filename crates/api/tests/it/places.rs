//! Places that are few: what is told where all are taken, and that nobody waits for them who needs none.

use models::{account::Role, ids::TenantId};
use orchestrator::background::crowded::Crowded;
use serde_json::json;
use uuid::Uuid;

use crate::app::App;

const RUNS: &str = "/api/v1/runtime/activity/runs";

#[tokio::test]
async fn where_the_places_of_proofs_are_taken_steps_and_reads_go_on() {
    let app = App::new().await;
    let (agent, auditor) = (app.key(Role::Agent).await, app.key(Role::Auditor).await);
    let run = app.post(RUNS).key(&agent).json(&json!({ "agent_id": "researcher" })).send().await.expect(201);
    let run = format!("{RUNS}/{}", run["run_id"].as_str().expect("an id"));
    let step = || {
        let step = json!({ "kind": "TOOL_CALL", "skill_name": "get_weather", "status": "SUCCESS" });
        app.post(format!("{run}/steps")).key(&agent).json(&step).send()
    };
    let whole = |what: &str| app.get(format!("{run}/{what}")).key(&auditor).send();
    let mut taken = Vec::new();
    for _ in 0..3 {
        taken.push(app.kit.spine.whole_run(TenantId(Uuid::nil())).await.expect("a place"));
    }
    // While those wait, whoever needs none of these places has an answer.
    let others = async {
        assert_eq!(step().await.expect(200)["step_index"], 0);
        assert_eq!(app.get(&run).key(&auditor).send().await.status, 200);
        assert_eq!(app.get(format!("{run}/steps")).key(&auditor).send().await.status, 200);
    };
    // Of a run that is told little is held: those have places of their own.
    let (proof, bundle, evidence, ()) =
        futures::join!(whole("proof"), whole("bundle"), whole("evidence"), others);
    for answer in [proof, evidence] {
        assert_eq!(answer.problem(503), "overloaded");
        assert_eq!(answer.header("retry-after"), "1");
    }
    assert_eq!(bundle.status, 200);
    let place = |n| app.kit.spine.told_run(TenantId(Uuid::from_u128(n))).expect("a place");
    let mut places: Vec<_> = (0..8).map(|n| place(n % 2)).collect();
    let refused = whole("bundle").await;
    assert_eq!((refused.problem(503).as_str(), refused.header("retry-after")), ("overloaded", "1"));
    places.pop();
    assert_eq!(whole("bundle").await.status, 200);
    Crowded::default().tick(&app.kit.spine).await.expect("it is told");
    let admin = app.key(Role::Admin).await;
    let told = app.get("/api/v1/runtime/logs/system?event_type=ERROR").key(&admin).send().await.text;
    let summary = "3 call(s) were answered 503 overloaded, for there was no room for more runs that are told, \
        whole runs that are read";
    assert!(told.contains(summary), "{told}");
    // One that waits has the place that becomes free.
    let mut next = Box::pin(whole("proof"));
    assert!(futures::poll!(&mut next).is_pending());
    taken.pop();
    assert_eq!(next.await.status, 200);
    assert_eq!(step().await.expect(200)["step_index"], 1);
}
