//! A disk that has room for a row, and for no call. Of Postgres see the drivers' tests.

use serde_json::json;

use crate::{
    harness::Place,
    outage::{Agent, wait},
};

/// Words that pack badly, so many bytes of them.
fn words(bytes: usize) -> String {
    let mut state = 1_u32;
    let mut letters = String::with_capacity(bytes);
    while letters.len() < bytes {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        letters.push(if letters.len() % 8 == 7 {
            ' '
        } else {
            char::from(b'a' + state.to_be_bytes()[0] % 26)
        });
    }
    letters
}

#[test]
fn a_server_is_not_ready_from_the_first_write_that_finds_no_room() {
    let place = Place::sqlite();
    let key = place.key("agent");
    let server = place.serve_on_a_shaky_store();
    let agent = Agent { server: &server, key };
    let run = agent.start();
    let says_much = |prompt: &str| {
        let step = json!({ "kind": "LLM_CALL", "skill_name": "ask", "status": "SUCCESS",
            "llm": { "provider": "openai", "model": "gpt-4o", "prompt": prompt, "cost_usd": 0.001 } });
        let path = format!("/api/v1/runtime/activity/runs/{run}/steps");
        server.http().post(&path, &agent.key, &step).status
    };
    assert_eq!(says_much("little"), 200);
    server.http().get("/readyz", "").expect(200);

    let log = std::fs::metadata(place.data().join("hoc.db-wal")).expect("it is there").len();
    assert!(log < 900 << 10, "with {log} bytes in its log, what a call may write is no more than that has");
    // A page or two more find room.
    server.limit_files(&format!("{}:unlimited", log + (8 << 10)));
    let much = words(400 << 10);
    assert_eq!(says_much(&much), 503);
    for _ in 0..3 {
        server.http().get("/readyz", "").expect(503);
    }
    server.limit_files("unlimited:unlimited");
    wait("being ready", || (server.http().get("/readyz", "").status == 200).then_some(()));
    assert_eq!(says_much(&much), 200);
    assert!(!place.data().join("hoc.db-room").exists(), "nothing is left of what was tried");
}
