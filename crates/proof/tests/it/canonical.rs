//! RFC 8785: the RFC's own examples, the reference test data, and another implementation as an oracle.

use proof::canonical::{Canonicalizer, MAX_INTEGER, NotCanonical, cmp_member_names, to_bytes, try_to_bytes};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Input and output of the reference test data (cyberphone/json-canonicalization, `testdata`), and of sections
/// 3.2.2 and 3.2.3 of the RFC. Where the input has fractions, see the test below.
const VECTORS: &[(&str, &str)] = &[
    (r#"[56,{"d":true,"10":null,"1":[ ]}]"#, r#"[56,{"1":[],"10":null,"d":true}]"#),
    (
        r#"{"peach": "This sorting order", "péché": "is wrong according to French",
            "pêche": "but canonicalization MUST", "sin":   "ignore locale"}"#,
        "{\"peach\":\"This sorting order\",\"péché\":\"is wrong according to French\",\
         \"pêche\":\"but canonicalization MUST\",\"sin\":\"ignore locale\"}",
    ),
    (
        r#"{"1": {"f": {"f": "hi","F": 5} ,"\n": 56}, "10": { }, "": "empty", "a": { },
            "111": [ {"e": "yes","E": "no" } ], "A": { }}"#,
        r#"{"":"empty","1":{"\n":56,"f":{"F":5,"f":"hi"}},"10":{},"111":[{"E":"no","e":"yes"}],"A":{},"a":{}}"#,
    ),
    (r#"{"Unnormalized Unicode":"A\u030a"}"#, "{\"Unnormalized Unicode\":\"A\u{30a}\"}"),
    (
        r#"{"\u20ac": "Euro Sign", "\r": "Carriage Return", "\u000a": "Newline", "1": "One",
            "\u0080": "Control\u007f", "\ud83d\ude02": "Smiley",
            "\u00f6": "Latin Small Letter O With Diaeresis",
            "\ufb33": "Hebrew Letter Dalet With Dagesh", "</script>": "Browser Challenge"}"#,
        "{\"\\n\":\"Newline\",\"\\r\":\"Carriage Return\",\"1\":\"One\",\"</script>\":\"Browser Challenge\",\
         \"\u{80}\":\"Control\u{7f}\",\"\u{f6}\":\"Latin Small Letter O With Diaeresis\",\
         \"\u{20ac}\":\"Euro Sign\",\"\u{1f602}\":\"Smiley\",\"\u{fb33}\":\"Hebrew Letter Dalet With Dagesh\"}",
    ),
    (
        r#"{"\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh",
            "1": "One", "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control",
            "\u00f6": "Latin Small Letter O With Diaeresis"}"#,
        "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u{80}\":\"Control\",\
         \"\u{f6}\":\"Latin Small Letter O With Diaeresis\",\"\u{20ac}\":\"Euro Sign\",\
         \"\u{1f600}\":\"Emoji: Grinning Face\",\"\u{fb33}\":\"Hebrew Letter Dalet With Dagesh\"}",
    ),
    (
        r#"{"string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}"#,
        r#"{"literals":[null,true,false],"string":"€$\u000f\nA'B\"\\\\\"/"}"#,
    ),
    // Appendix B, what is whole.
    ("[0,-0,9007199254740992,-9007199254740992]", "[0,0,9007199254740992,-9007199254740992]"),
];

#[test]
fn the_published_vectors_hold() {
    for (input, expected) in VECTORS {
        let value: Value = serde_json::from_str(&input.replace("-0,", "0,")).expect("JSON");
        assert_eq!(String::from_utf8(to_bytes(&value)).expect("UTF-8"), *expected);
        assert_eq!(to_bytes(&value), serde_json_canonicalizer::to_vec(&value).expect("canonical"));
    }
}

#[test]
fn fractions_and_integers_that_readers_round_are_refused() {
    // The numbers of section 3.2.2 and of the reference test data.
    for number in ["333333333.33333329", "1E30", "4.50", "2e-3", "0.000000000000000000000000001", "56.0"] {
        let value: Value = serde_json::from_str(number).expect("JSON");
        assert_eq!(try_to_bytes(&value), Err(NotCanonical::Float), "{number}");
    }
    assert_eq!(try_to_bytes(&MAX_INTEGER).expect("allowed"), b"9007199254740992");
    assert_eq!(try_to_bytes(&[MAX_INTEGER + 1]), Err(NotCanonical::TooLarge("9007199254740993".to_owned())));
    let low = -9_007_199_254_740_993_i64;
    assert_eq!(try_to_bytes(&low), Err(NotCanonical::TooLarge("-9007199254740993".to_owned())));
    assert_eq!(try_to_bytes(&f64::NAN), Err(NotCanonical::Float));
    assert_eq!(try_to_bytes(&std::collections::BTreeMap::from([(1, 2)])), Err(NotCanonical::Name));
}

#[test]
fn a_name_twice_is_refused_and_leaves_the_buffer_as_it_was() {
    struct Twice;
    impl serde::Serialize for Twice {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map([("a", 1), ("b", 2), ("a", 3)])
        }
    }
    let mut out = b"before".to_vec();
    let refused = Canonicalizer::default().append(&(json!({"c": 1}), Twice), &mut out);
    assert_eq!(refused, Err(NotCanonical::Duplicate("a".to_owned())));
    assert_eq!(out, b"before");
}

/// Values of the kinds that records hold, with names and texts from all of Unicode.
fn values() -> impl Strategy<Value = Value> {
    let names = prop_oneof![
        any::<String>(),
        "[a-z_]{0,12}",
        "[\u{0}-\u{ff}\u{e000}-\u{ffff}\u{10000}\u{10ffff}]{0,3}"
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[\u{0}-\u{7f}]*".prop_map(Value::from),
        (-9_007_199_254_740_992_i64..=9_007_199_254_740_992).prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 12, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..12).prop_map(Value::from),
            prop::collection::vec((names.clone(), inner), 0..24)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn our_bytes_are_those_of_another_implementation(value in values()) {
        let ours = to_bytes(&value);
        prop_assert_eq!(&ours, &serde_json_canonicalizer::to_vec(&value).expect("canonical"));
        prop_assert_eq!(&serde_json::from_slice::<Value>(&ours).expect("JSON"), &value);
    }

    #[test]
    fn one_canonicalizer_serves_many_values(values in prop::collection::vec(values(), 1..5)) {
        let mut canonicalizer = Canonicalizer::default();
        let mut out = Vec::new();
        for value in &values {
            let start = out.len();
            canonicalizer.append(value, &mut out).expect("canonical");
            prop_assert_eq!(&out[start..], to_bytes(value));
        }
    }

    #[test]
    fn names_are_in_the_order_of_their_utf_16(
        left in "[a\u{e9}\u{d7ff}\u{e000}\u{f000}\u{ffff}\u{10000}\u{10ffff}]{0,3}",
        right in "[a\u{e9}\u{d7ff}\u{e000}\u{f000}\u{ffff}\u{10000}\u{10ffff}]{0,3}",
    ) {
        let units = |text: &str| text.encode_utf16().collect::<Vec<_>>();
        prop_assert_eq!(cmp_member_names(&left, &right), units(&left).cmp(&units(&right)));
    }
}
