//! Reading JSON as strictly as a proof must: no member twice, none missing, none unknown, no fraction; and
//! knowing of each piece whether its bytes are canonical as they stand, so that they are hashed without a copy.

mod de;
mod parser;
mod piece;
mod tree;
mod wrong;

use std::borrow::Cow;

use proof::{
    canonical,
    hash::{self, Hash},
};

pub(crate) use parser::{MemberState, Parser};
pub(crate) use piece::Piece;
pub(crate) use tree::Tree;
pub(crate) use wrong::Wrong;

impl<'a> Piece<'a> {
    /// The leaf hash of the canonical bytes.
    pub(crate) fn hash(&self) -> Hash {
        hash::leaf(&self.canonical_bytes())
    }

    /// SHA-256 of the canonical bytes.
    pub(crate) fn digest(&self) -> Hash {
        hash::sha256(&self.canonical_bytes())
    }

    /// The same, of an object with one more member, which is null.
    pub(crate) fn digest_with_null(&self, name: &'a str) -> Hash {
        let mut tree = self.tree();
        if let Tree::Object(members) = &mut tree {
            members.push((Cow::Borrowed(name), Tree::Null));
        }
        hash::sha256(&canonical::to_bytes(&tree))
    }

    /// The canonical text: its own, or one that is made of it.
    pub(crate) fn canonical_bytes(&self) -> Cow<'a, [u8]> {
        if self.canonical {
            return Cow::Borrowed(self.text.as_bytes());
        }
        Cow::Owned(canonical::to_bytes(&self.tree()))
    }

    /// It was read before without a complaint, and is of the kinds that have canonical bytes.
    fn tree(&self) -> Tree<'a> {
        Tree::read(&mut Parser::new(self.text)).unwrap_or_else(|_| unreachable!("read before"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde::Deserialize;
    use serde_json::Value;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        a: u64,
        b: Option<String>,
        c: Vec<i64>,
    }

    fn read<'de, T: Deserialize<'de>>(text: &'de str) -> Result<(T, Piece<'de>), String> {
        let mut parser = Parser::new(text);
        let read = parser.piece(|parser| T::deserialize(parser)).map_err(|wrong| wrong.to_string())?;
        parser.end().map_err(|wrong| wrong.to_string())?;
        Ok(read)
    }

    fn refusal(text: &str) -> String {
        read::<Sample>(text).map(|_| ()).expect_err(text)
    }

    #[test]
    fn exactly_the_members_of_a_type_are_read() {
        let (sample, piece) = read::<Sample>(r#"{"a":1,"b":null,"c":[-2]}"#).expect("whole");
        assert_eq!(sample, Sample { a: 1, b: None, c: vec![-2] });
        assert!(piece.canonical);
        assert_eq!(refusal(r#"{"a":1,"c":[]}"#), "at the top: a member is missing: 2 of a, b, c are there");
        assert_eq!(refusal(r#"{"a":1,"a":1,"b":null,"c":[]}"#), "at the top: duplicate field `a`");
        assert_eq!(
            refusal(r#"{"a":1,"b":null,"c":[],"d":1}"#),
            "at the top: unknown field `d`, expected one of `a`, `b`, `c`"
        );
        assert_eq!(refusal(r#"{"a":"1","b":null,"c":[]}"#), "/a: invalid type: string \"1\", expected u64");
        assert_eq!(refusal(r#"{"a":1,"b":null,"c":[0,1.5]}"#), "/c/1: a number that is not an integer");
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for wrong in [
            "",
            "{",
            "}",
            "{]",
            "[1,]",
            "[1 2]",
            "{\"a\":1,}",
            "{\"a\" 1}",
            "{a:1}",
            "{\"a\":1} x",
            "[01]",
            "[-0]",
            "[-]",
            "[1e3]",
            "[1.0]",
            "[+1]",
            "[9007199254740993]",
            "[-9007199254740993]",
            "[99999999999999999999]",
            "[tru]",
            "[nul]",
            "\"",
            "\"\n\"",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\ud800\"",
            "\"\\ud800\\u0041\"",
            "\"\\udc00\"",
            "\"a",
            "nan",
            "'a'",
            "[1]]",
            "{\"a\":1,\"a\":2}",
            "{\"b\":1,\"a\":1,\"b\":2}",
        ] {
            assert!(read::<Value>(wrong).is_err(), "{wrong}");
        }
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        assert!(read::<Value>(&deep).is_err());
    }

    #[test]
    fn a_map_takes_no_key_twice() {
        assert!(read::<BTreeMap<String, u64>>(r#"{"b":1,"a":2}"#).is_ok());
        assert!(read::<BTreeMap<String, u64>>(r#"{"b":1,"a":2,"b":1}"#).is_err());
    }

    #[test]
    fn a_piece_knows_whether_its_text_is_canonical() {
        for canonical in
            ["{}", "[]", "[1,-2,0]", r#"{"a":1,"b":{"c":[]}}"#, r#""é\u0001\n\"\\ /""#, "null", "true"]
        {
            assert!(read::<Value>(canonical).expect(canonical).1.canonical, "{canonical}");
        }
        for other in [
            "{ }",
            "[1, 2]",
            r#"{"b":1,"a":2}"#,
            r#""\u00e9""#,
            r#""\u000A""#,
            r#""\/""#,
            r#""\u0008""#,
            "\"\\u001F\"",
        ] {
            let (value, piece) = read::<Value>(other).expect(other);
            assert!(!piece.canonical, "{other}");
            assert_eq!(piece.digest(), hash::sha256(&canonical::to_bytes(&value)));
        }
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            "[\u{0}-\u{7f}\u{fffe}\u{10000}]*".prop_map(Value::from),
            (-9_007_199_254_740_992_i64..=9_007_199_254_740_992).prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 48, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                prop::collection::vec((any::<String>(), inner), 0..8)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_value_is_read_from_any_of_its_texts(value in values()) {
            let canonical = String::from_utf8(canonical::to_bytes(&value)).expect("UTF-8");
            let pretty = serde_json::to_string_pretty(&value).expect("JSON");
            let (read_canonical, piece) = read::<Value>(&canonical).expect("canonical");
            prop_assert!(piece.canonical);
            prop_assert_eq!(&read_canonical, &value);
            let (read_pretty, piece) = read::<Value>(&pretty).expect("pretty");
            prop_assert_eq!(&read_pretty, &value);
            prop_assert_eq!(piece.digest(), hash::sha256(canonical.as_bytes()));
        }

        #[test]
        fn what_calls_itself_canonical_is(text in "[\\[\\]{}\",:0-9a-b\\\\u\\-tnrefalse ]{0,16}") {
            if let Ok((value, piece)) = read::<Value>(&text) && piece.canonical {
                prop_assert_eq!(piece.text.as_bytes(), canonical::to_bytes(&value));
            }
        }

        #[test]
        fn no_bytes_make_it_panic(text in any::<String>()) {
            let _ = read::<Value>(&text);
        }
    }
}
