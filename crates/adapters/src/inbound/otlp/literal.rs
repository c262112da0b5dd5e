//! JSON in an attribute, and what Python prints of a dict in its place: many make a text of an object by `str`.

use orchestrator::ports::json_of;
use serde_json::Value;

/// What a text says as JSON, or as an object by Python's quotes and words.
pub(super) fn object(text: &str) -> Option<Value> {
    json_of(text).or_else(|| json_of(&of_python(text.trim())?))
}

/// The JSON of a dict as Python prints it; none of anything else.
fn of_python(text: &str) -> Option<String> {
    let mut rest = text.strip_prefix('{')?;
    let mut out = String::with_capacity(text.len() + 16);
    out.push('{');
    while let Some(next) = rest.chars().next() {
        let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-' | '_');
        if matches!(next, '\'' | '"') {
            rest = quoted(&rest[1..], next, &mut out)?;
        } else if is_word(next) {
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            out.push_str(match &rest[..end] {
                "None" => "null",
                "True" => "true",
                "False" => "false",
                // JSON finds whether it is a number.
                other => other,
            });
            rest = &rest[end..];
        } else {
            out.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    Some(out)
}

/// Writes what stands in quotes in those of JSON; what is behind it.
fn quoted<'t>(text: &'t str, quote: char, out: &mut String) -> Option<&'t str> {
    let mut letters = text.chars();
    out.push('"');
    loop {
        match letters.next()? {
            end if end == quote => break,
            '"' => out.push_str("\\\""),
            '\\' => match letters.next()? {
                '\'' => out.push('\''),
                escaped @ ('"' | '\\' | 'n' | 'r' | 't' | 'u') => out.extend(['\\', escaped]),
                _ => return None,
            },
            other => out.push(other),
        }
    }
    out.push('"');
    Some(letters.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_dict_is_read_as_the_object_that_it_is() {
        for (text, value) in [
            (r#"{"a": 1}"#, json!({ "a": 1 })),
            (
                "{'a': 0, 'b': None, 'c': {'d': True, 'e': -1.5e-05}}",
                json!({ "a": 0, "b": null, "c": { "d": true, "e": -1.5e-5 } }),
            ),
            (
                r#" {'it': "it's", 'q': 'say "x"', 'n': 'a\'b\n\u00e9'} "#,
                json!({ "it": "it's", "q": "say \"x\"", "n": "a'b\n\u{e9}" }),
            ),
            ("{}", json!({})),
        ] {
            assert_eq!(object(text), Some(value), "{text}");
        }
        for none in [
            "",
            "{",
            "{'a': 1",
            "{'a",
            "{'a': b}",
            "{'a': 1, 'a': 2}",
            "Usage(a=1)",
            "{'a': '\\x41'}",
            "['a']",
        ] {
            assert_eq!(object(none), None, "{none}");
        }
    }
}
