//! `hoc facts`: the list, for people and for machines.

use serde_json::Value;

use crate::harness::Place;

#[test]
fn the_list_is_the_servers_and_needs_none() {
    let place = Place::sqlite();
    let told = place.succeed(&["facts"]);
    assert!(told.contains("context.step.cost_microusd") && told.contains("number of micro-USD"), "{told}");
    assert!(told.contains("context.step.cost_microusd > 500000"), "an example: {told}");
    assert!(told.lines().all(|line| line.chars().count() <= 120), "{told}");
    let few = place.succeed(&["facts", "tools"]);
    assert!(few.contains("context.run.tools") && !few.contains("context.time.hour"), "{few}");
    assert_ne!(place.run(&["facts", "xyzzy"]).code, Some(0));

    let printed: Value = serde_json::from_str(&place.succeed(&["facts", "--json"])).expect("JSON");
    let server = place.serve();
    let key = place.key("viewer");
    let answered = server.http().get("/api/v1/runtime/policies/facts", &key).expect(200);
    assert_eq!(printed, answered);
}
