//! Calls to a model as an exporter sends them: an OTLP request in protobuf.

/// A request of these spans.
pub(super) fn request(out: &mut Vec<u8>, spans: impl Iterator<Item = Vec<u8>>) {
    let mut of_scope = Vec::new();
    for span in spans {
        message(&mut of_scope, 2, &span);
    }
    let mut of_resource = Vec::new();
    let mut resource = Vec::new();
    attribute(&mut resource, 1, "service.name", &Value::Text("bench-agent"));
    message(&mut of_resource, 1, &resource);
    message(&mut of_resource, 2, &of_scope);
    out.clear();
    message(out, 1, &of_resource);
}

/// The span of a call, number `at` of its trace and under the trace's first.
pub(super) fn call(trace: u128, at: usize, prompt: &str, response: &str) -> Vec<u8> {
    let at = at as u64 + 1;
    let begin = 1_790_000_000_000_000_000 + at * 1_000_000_000;
    let mut span = Vec::with_capacity(prompt.len() + response.len() + 800);
    message(&mut span, 1, &trace.to_be_bytes());
    message(&mut span, 2, &at.to_be_bytes());
    if at > 1 {
        message(&mut span, 4, &1_u64.to_be_bytes());
    }
    message(&mut span, 5, b"chat gpt-4o-mini");
    tag(&mut span, 6, 0);
    varint(&mut span, 3);
    fixed(&mut span, 7, begin);
    fixed(&mut span, 8, begin + 700_000_000);
    let attributes = [
        ("gen_ai.operation.name", Value::Text("chat")),
        ("gen_ai.provider.name", Value::Text("openai")),
        ("gen_ai.request.model", Value::Text("gpt-4o-mini")),
        ("gen_ai.response.finish_reasons", Value::Text("stop")),
        ("gen_ai.usage.input_tokens", Value::Count(420)),
        ("gen_ai.usage.output_tokens", Value::Count(380)),
        ("gen_ai.usage.cost", Value::Text("0.000291")),
        ("gen_ai.input.messages", Value::Text(prompt)),
        ("gen_ai.output.messages", Value::Text(response)),
    ];
    for (key, value) in &attributes {
        attribute(&mut span, 9, key, value);
    }
    span
}

enum Value<'a> {
    Text(&'a str),
    Count(u64),
}

/// A `KeyValue` in field `number`.
fn attribute(out: &mut Vec<u8>, number: u32, key: &str, value: &Value<'_>) {
    let mut any = Vec::new();
    match value {
        Value::Text(text) => message(&mut any, 1, text.as_bytes()),
        Value::Count(count) => {
            tag(&mut any, 3, 0);
            varint(&mut any, *count);
        }
    }
    let mut pair = Vec::with_capacity(key.len() + any.len() + 8);
    message(&mut pair, 1, key.as_bytes());
    message(&mut pair, 2, &any);
    message(out, number, &pair);
}

/// A field of bytes: a message, a text, an id.
fn message(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    tag(out, number, 2);
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn fixed(out: &mut Vec<u8>, number: u32, value: u64) {
    tag(out, number, 1);
    out.extend_from_slice(&value.to_le_bytes());
}

fn tag(out: &mut Vec<u8>, number: u32, wire: u64) {
    varint(out, u64::from(number) << 3 | wire);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_protobuf_writes_them() {
        let mut out = Vec::new();
        tag(&mut out, 9, 2);
        varint(&mut out, 300);
        fixed(&mut out, 7, 1);
        assert_eq!(out, [0x4a, 0xac, 0x02, 0x39, 1, 0, 0, 0, 0, 0, 0, 0]);
    }
}
