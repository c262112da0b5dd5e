//! Requests of exporters: whatever they hold, each span is taken or said to be rejected.

use std::path::Path;

use adapters::inbound::Otlp;
use orchestrator::ports::{SpanCodec as _, SpanEncoding};

/// Requests that instrumentations really sent.
const CAPTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/adapters/tests/data/otlp");

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let folders =
        std::fs::read_dir(CAPTURES).expect("the captures").map(|entry| entry.expect("an entry").path());
    let mut seeds: Vec<Vec<u8>> =
        folders.filter(|path| path.is_dir()).flat_map(|folder| captured(&folder)).collect();
    seeds.push(deep());
    seeds.sort();
    seeds
}

/// Parts of a message within parts.
fn deep() -> Vec<u8> {
    let parts = [r#"{"type":"text","content":["#, r#"{"type":"tool_result","content":["#].concat().repeat(20);
    let message = format!(r#"[{{"role":"user","content":[{parts}{}]}}]"#, "]}".repeat(40));
    let request = serde_json::json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": [{
        "traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "chat",
        "attributes": { "gen_ai.operation.name": "chat", "gen_ai.input.messages": message } }] }] }] });
    [vec![1], request.to_string().into_bytes()].concat()
}

fn captured(folder: &Path) -> Vec<Vec<u8>> {
    let files = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    files
        .map(|file| {
            let json = file.extension().is_some_and(|extension| extension == "json");
            let mut seed = vec![u8::from(json)];
            seed.extend(std::fs::read(&file).expect("a capture"));
            seed
        })
        .collect()
}

pub(crate) fn run(bytes: &[u8]) {
    let Some((first, body)) = bytes.split_first() else { return };
    let encoding = if first.is_multiple_of(2) { SpanEncoding::Protobuf } else { SpanEncoding::Json };
    match Otlp.decode(encoding, body) {
        Ok(read) => {
            assert!(
                read.spans.iter().all(|span| span.source < read.sources.len()),
                "every span has its source"
            );
            assert!(read.sources.iter().all(|source| !source.agent_id.is_empty()), "every source has a name");
            let answer = Otlp.answer(encoding, &read.rejected);
            assert_eq!(
                read.rejected.count == 0,
                answer.is_empty() || answer == b"{}",
                "what is rejected is said"
            );
        }
        Err(unreadable) => assert!(!Otlp.refusal(encoding, &unreadable.to_string()).is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seeds_are_spans() {
        let read = |seed: &Vec<u8>| {
            let encoding = if seed[0] == 0 { SpanEncoding::Protobuf } else { SpanEncoding::Json };
            Otlp.decode(encoding, &seed[1..])
                .is_ok_and(|read| !read.spans.is_empty() && read.rejected.count == 0)
        };
        assert!(seeds().len() > 10 && seeds().iter().all(read));
    }
}
