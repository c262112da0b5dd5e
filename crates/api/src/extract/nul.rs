//! U+0000: the two stores do not keep it alike, so nobody gets to send it.

use serde_json::Value;

/// What is said of it.
pub(super) const MESSAGE: &str = "must not contain U+0000";

/// Where U+0000 stands in JSON text that parses, if it does: the pointer to its string, or to the object that has
/// it in a member's name.
pub(super) fn find(json: &[u8]) -> Option<String> {
    // Raw, it is no JSON; so it stands there escaped, and that has one form.
    if !json.windows(6).any(|bytes| bytes == br"\u0000") {
        return None;
    }
    match serde_json::from_slice(json) {
        Ok(value) => within(&value),
        // It is JSON, but nested deeper than anything here is read: refused as a whole.
        Err(_) => Some(String::new()),
    }
}

fn within(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => text.contains('\0').then(String::new),
        Value::Array(items) => {
            let mut all = items.iter().enumerate();
            all.find_map(|(index, item)| within(item).map(|rest| format!("/{index}{rest}")))
        }
        Value::Object(members) => members.iter().find_map(|(name, member)| {
            if name.contains('\0') {
                return Some(String::new());
            }
            within(member).map(|rest| format!("/{}{rest}", escaped(name)))
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// A member's name as a segment of a JSON pointer (RFC 6901).
pub(super) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn it_is_found_wherever_it_stands() {
        let cases = [
            (r#"{"a":"b"}"#, None),
            (r#"{"a":"b\\u0000"}"#, None),
            (r#"{"a":"b\u0000"}"#, Some("/a")),
            (r#"{"a":[1,{"b/c":"\u0000"}]}"#, Some("/a/1/b~1c")),
            (r#"{"a":{"\u0000":1}}"#, Some("/a")),
            (r#""\u0000""#, Some("")),
        ];
        for (json, pointer) in cases {
            assert_eq!(find(json.as_bytes()).as_deref(), pointer, "{json}");
        }
    }
}
