//! Reports of steps, through the whole server: what it cannot take it refuses, and it never fails.

use std::sync::{Mutex, OnceLock};

use super::store::Server;

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    [
        r#"{"kind":"LLM_CALL","skill_name":"ask","status":"SUCCESS","duration_ms":12,"llm":{"provider":"openai","model":"gpt-4o","prompt":"Oslo?","response":"4C","input_tokens":10,"output_tokens":5,"cost_usd":0.001}}"#,
        r#"{"kind":"TOOL_CALL","skill_name":"get_weather","status":"FAILURE","params":{"city":"Oslo","n":[1,2.5,-3]},"outcome":{"code":"timeout","data":{"a":null}},"retry_count":1,"labels":["eu"]}"#,
        r#"{"kind":"OTHER","skill_name":"x","status":"SKIPPED","idempotency_key":"k","started_at":"2026-01-01T00:00:00Z"}"#,
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}

pub(crate) fn run(bytes: &[u8]) {
    static SERVER: OnceLock<Mutex<(Server, String)>> = OnceLock::new();
    let server = SERVER.get_or_init(|| {
        let server = Server::new();
        let run = server.start();
        Mutex::new((server, run))
    });
    let (server, run) = &*server.lock().expect("one at a time");
    let (status, answer) = server.post(&format!("/api/v1/runtime/activity/runs/{run}/steps"), bytes.to_vec());
    assert!(status < 500, "{status}: {answer}");
    assert!(
        serde_json::from_str::<serde_json::Value>(&answer).is_ok_and(|answer| answer.is_object()),
        "{answer}"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seeds_are_taken() {
        let server = Server::new();
        let steps = format!("/api/v1/runtime/activity/runs/{}/steps", server.start());
        for seed in seeds() {
            let (status, answer) = server.post(&steps, seed);
            assert_eq!(status, 200, "{answer}");
        }
    }
}
