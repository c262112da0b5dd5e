//! JSON bodies, read strictly: each refusal says where (a JSON pointer) and what.

use std::{fmt, marker::PhantomData};

use serde::de::{
    Deserialize, DeserializeOwned, Deserializer, IgnoredAny, MapAccess, Visitor, value::MapAccessDeserializer,
};
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};

use super::nul;
use crate::{Problem, problem::Code};

/// Reads a body, or one item of a batch: 400 if it is no JSON, 422 with the place if it is not what is asked for.
pub(crate) fn parse<T: DeserializeOwned>(json: &[u8]) -> Result<T, Problem> {
    let mut from = serde_json::Deserializer::from_slice(json);
    let read = serde_path_to_error::deserialize::<_, Object<T>>(&mut from);
    let Object(body) = read.map_err(|err| {
        // What comes after the place where reading stopped may be no JSON: that goes first.
        let whole = serde_json::from_slice::<IgnoredAny>(json);
        whole.map_or_else(|err| malformed(&err), |_| refusal(err.path(), err.inner()))
    })?;
    from.end().map_err(|err| malformed(&err))?;
    match nul::find(json) {
        Some(pointer) => Err(Problem::field(Code::InvalidRequest, pointer, nul::MESSAGE)),
        None => Ok(body),
    }
}

/// A JSON object, and not the array that serde would take for one as well.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(members)).map(Object)
            }
        }

        from.deserialize_map(Members(PhantomData))
    }
}

fn malformed(err: &serde_json::Error) -> Problem {
    Problem::new(Code::MalformedJson, err.to_string())
}

fn refusal(path: &Path, err: &serde_json::Error) -> Problem {
    if matches!(err.classify(), Category::Syntax | Category::Eof | Category::Io) {
        return malformed(err);
    }
    let text = err.to_string();
    let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    let message = &plain(message);
    let mut pointer = pointer(path);
    let member = |kind: &str| message.strip_prefix(kind)?.split('`').nth(1);
    if let Some(name) = member("missing field ") {
        return Problem::field(
            Code::InvalidRequest,
            format!("{pointer}/{}", nul::escaped(name)),
            "is required",
        );
    }
    if let Some(name) = member("unknown field ") {
        let last = format!("/{}", nul::escaped(name));
        if !pointer.ends_with(&last) {
            pointer.push_str(&last);
        }
        let message = message.replacen("unknown field", "unknown member", 1);
        return Problem::field(Code::InvalidRequest, pointer, message);
    }
    Problem::field(Code::InvalidRequest, pointer, message)
}

/// A refusal without the names that Rust alone has for numbers.
fn plain(message: &str) -> String {
    let (said, expected) = message.rsplit_once(", expected ").unwrap_or((message, ""));
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => format!("{said}, expected a whole number, 0 or more"),
        "i8" | "i16" | "i32" | "i64" | "isize" => format!("{said}, expected a whole number"),
        "f32" | "f64" => format!("{said}, expected a number"),
        _ => message.to_owned(),
    }
}

/// The way through the body as a JSON pointer (RFC 6901).
fn pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        let segment = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } => nul::escaped(key),
            Segment::Enum { .. } | Segment::Unknown => continue,
        };
        pointer.push('/');
        pointer.push_str(&segment);
    }
    pointer
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::value::RawValue;

    use super::{Object, parse};
    use crate::problem::Code;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        name: String,
        count: Option<u64>,
        inner: Option<Object<Inner>>,
        any: Option<Box<RawValue>>,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Inner {
        list: Vec<u64>,
    }

    #[test]
    fn what_is_asked_for_is_read_and_numbers_stay_exact() {
        let body =
            parse::<Body>(br#" {"name":"a","any":{"n": 1.10, "big":12345678901234567890},"inner":{}} "#);
        let body = body.expect("a body");
        assert_eq!(body.any.expect("kept").get(), r#"{"n": 1.10, "big":12345678901234567890}"#);
        assert_eq!((body.name.as_str(), body.count, body.inner.is_some()), ("a", None, true));
        let body = parse::<Body>(br#"{"name":"a","any":null,"inner":{"list":[1]}}"#).expect("a body");
        assert!(body.any.is_none(), "null is nothing");
        assert_eq!(body.inner.expect("there").0.list, [1]);
    }

    #[test]
    fn each_refusal_says_where_and_what() {
        let cases = [
            ("", Code::MalformedJson, "", "EOF while parsing a value at line 1 column 0"),
            ("{", Code::MalformedJson, "", "EOF while parsing an object at line 1 column 1"),
            ("{}", Code::InvalidRequest, "/name", "is required"),
            ("{}x", Code::MalformedJson, "", "trailing characters at line 1 column 3"),
            (r#"{"more":1}}"#, Code::MalformedJson, "", "trailing characters at line 1 column 11"),
            (r#"{"name":"a"}x"#, Code::MalformedJson, "", "trailing characters at line 1 column 13"),
            ("[]", Code::InvalidRequest, "", "invalid type: sequence, expected an object"),
            (r#"["a"]"#, Code::InvalidRequest, "", "invalid type: sequence, expected an object"),
            ("null", Code::InvalidRequest, "", "invalid type: null, expected an object"),
            (r#"{"name":1}"#, Code::InvalidRequest, "/name", "invalid type: integer `1`, expected a string"),
            (
                r#"{"name":"a","count":-1}"#,
                Code::InvalidRequest,
                "/count",
                "invalid value: integer `-1`, expected a whole number, 0 or more",
            ),
            (
                r#"{"name":"a","x/y":1}"#,
                Code::InvalidRequest,
                "/x~1y",
                "unknown member `x/y`, expected one of `name`, `count`, `inner`, `any`",
            ),
            (
                r#"{"name":"a","inner":{"list":[1,"2"]}}"#,
                Code::InvalidRequest,
                "/inner/list/1",
                "invalid type: string \"2\", expected a whole number, 0 or more",
            ),
            (
                r#"{"name":"a","inner":{"more":1}}"#,
                Code::InvalidRequest,
                "/inner/more",
                "unknown member `more`, expected `list`",
            ),
            (
                r#"{"name":"a","inner":[]}"#,
                Code::InvalidRequest,
                "/inner",
                "invalid type: sequence, expected an object",
            ),
            (r#"{"name":"a","name":"b"}"#, Code::InvalidRequest, "", "duplicate field `name`"),
            (
                r#"{"name":"a","any":{"b":["\u0000"]}}"#,
                Code::InvalidRequest,
                "/any/b/0",
                "must not contain U+0000",
            ),
            ("{\"name\":\"\u{0}\"}", Code::MalformedJson, "", "control character"),
        ];
        for (json, code, pointer, message) in cases {
            let problem = parse::<Body>(json.as_bytes()).expect_err(json);
            let told = serde_json::to_value(problem.view("", "")).expect("a problem");
            assert_eq!(told["code"], code.as_str(), "{json}: {told}");
            if code == Code::InvalidRequest {
                assert_eq!(told["errors"][0]["pointer"], pointer, "{json}: {told}");
                assert_eq!(told["errors"][0]["message"], message, "{json}: {told}");
            } else {
                assert!(told["detail"].as_str().is_some_and(|d| d.starts_with(message)), "{json}: {told}");
            }
        }
    }
}
