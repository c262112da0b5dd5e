//! What holds for every input: no panic, once is twice, what stays is as it was.

use proof::hmac::TenantKey;
use proptest::prelude::*;
use rules::facts::{PiiClass, SecretKind};
use serde_json::{Value, json};

use super::*;

fn key() -> TenantKey {
    TenantKey::new("key_1", [7; 32])
}

fn clean(json: &str) -> String {
    redact_json(json).expect("is JSON").value
}

#[test]
fn what_is_not_removed_stays_byte_for_byte() {
    let text = "{ \"n\" : 12345678901234567890 ,\t\"d\": 0.1000000000000000055511151231257827, \"e\":1E400,\r\n \
                \"s\":\"\\u00e4\\/\\n\",\"a\":[ ],\"a\":[1 , 2],\"password\" : \"x\" , \"z\":-0}";
    assert_eq!(clean(text), text.replace("\"x\"", "\"<REDACTED:PASSWORD>\""));
    assert_eq!(clean(" [ ] "), " [ ] ");
    assert_eq!(clean("\"\\ud83d\\ude00\""), "\"\\ud83d\\ude00\"");
}

#[test]
fn findings_say_what_was_removed_and_never_what_it_was() {
    let redacted = redact_json(r#"{"to": "bob@example.com", "cc": "eve@example.com", "token": "abc"}"#)
        .expect("is JSON");
    assert_eq!(redacted.findings.labels(), "EMAIL,TOKEN");
    assert_eq!(redacted.findings.count, 3);
    assert_eq!(redacted.findings.classes, [PiiClass::Email].into());
    let mut all = redact_text("ssn 123-45-6789").findings;
    all.merge(redacted.findings);
    assert_eq!((all.labels().as_str(), all.count), ("EMAIL,SSN,TOKEN", 4));
    assert_eq!(redact_text("nothing here").findings, Findings::default());
}

#[test]
fn json_in_strings_is_redacted_as_json_as_deep_as_it_goes() {
    let mut carried = json!({"password": "hunter2", "n": 1}).to_string();
    for _ in 0..6 {
        carried = json!({ "arguments": carried }).to_string();
    }
    let cleaned = clean(&carried);
    assert!(!cleaned.contains("hunter2") && cleaned.contains("<REDACTED:PASSWORD>"), "{cleaned}");
    assert_eq!(
        redact_text(" {\"secret\": \"a\", \"n\": 1.0} ").value,
        " {\"secret\": \"<REDACTED:SECRET>\", \"n\": 1.0} "
    );
    // What only begins like JSON is text.
    assert_eq!(redact_text("{\"password\": \"hunter2\"").value, "{\"password\": \"<REDACTED:PASSWORD>\"");
}

#[test]
fn member_names_are_content_too() {
    assert_eq!(clean(r#"{"bob@example.com": 1}"#), r#"{"<REDACTED:EMAIL>": 1}"#);
}

#[test]
fn what_cannot_be_read_is_refused_and_not_passed_on() {
    let deep = "[".repeat(200) + &"]".repeat(200);
    for text in ["", "{", "{\"a\":}", "nope", "\"\\ud800\"", "{\"\\udc00\":1}", deep.as_str(), "[1] 2"] {
        assert!(redact_json(text).is_err(), "{text}");
        assert!(check_json(text).is_err(), "{text}");
        assert!(canonical_text(text).is_err(), "{text}");
    }
    let deepest = "[".repeat(json::MAX_DEPTH) + &"]".repeat(json::MAX_DEPTH);
    assert_eq!(clean(&deepest), deepest);
    assert_eq!(check_json(&deepest), Ok(()));
    assert!(check_json(&format!("[{deepest}]")).is_err());
}

#[test]
fn a_value_is_redacted_like_its_text() {
    let redacted = redact_value(&json!({"email": "bob@example.com", "n": 5}));
    assert_eq!(redacted.value, json!({"email": "<REDACTED:EMAIL>", "n": 5}));
    assert_eq!(redacted.findings.count, 1);
    let deep = (0..300).fold(json!("bob@example.com"), |inner, _| json!([inner]));
    assert_eq!(redact_value(&deep).value, json!("<REDACTED:SECRET>"));
}

#[test]
fn what_the_door_refuses_is_told_with_its_pointer() {
    let found = |text: &str| check_json(text).err().map(|fault| fault.pointer);
    for (text, pointer) in [
        (r#"{"a": ["x", {"b/c~d": "x\u0000y"}]}"#, "/a/1/b~1c~0d"),
        (r#"{"a\u0000": 1}"#, "/a\u{fffd}"),
        (r#""\u0000""#, ""),
        (r#"{"a": [1, 1e309]}"#, "/a/1"),
        (r#"{"a": -1E+400}"#, "/a"),
        (r#"{"a": {"b": 1, "\u0062": 2}}"#, "/a/b"),
        (r#"{"a": {"b": "\ud800"}}"#, "/a/b"),
        ("nope", ""),
    ] {
        assert_eq!(found(text).as_deref(), Some(pointer), "{text}");
    }
    assert_eq!(found(&format!(r#"{{"n": {}}}"#, "9".repeat(400))).as_deref(), Some("/n"));
    let digits = "9".repeat(308);
    for sound in [r#"{"a": "\\u0000"}"#, "[1, true, false, null]", "1e308", "-0.0e-9999", "1.5E+3", &digits] {
        assert_eq!(found(sound), None, "{sound}");
    }
}

#[test]
fn spellings_of_one_value_have_one_canonical_text_and_two_numbers_have_two() {
    let canonical = |text: &str| canonical_text(text).expect("is JSON");
    assert_eq!(canonical("{ \"b\" : [1, 2.50] ,\"a\":\"\\u0061\\/\" }"), r#"{"a":"a/","b":[1,2.50]}"#);
    assert_ne!(canonical("9007199254740993"), canonical("9007199254740992"));
    assert!(canonical_text(r#"{"a":1,"\u0061":2}"#).expect_err("twice").contains("`a` is there twice"));
}

#[test]
fn facts_are_derived_before_the_content_is_dropped() {
    let params = json!({
        "url": "https://user:pw@API.Example.com:8443/v1/users?token=abc#x",
        "message": {"to": ["Bob <bob@example.com>", "eve@Other.Example"], "body": "see http://evil.example/a"},
        "nested": "{\"callback\": \"ftp://files.example.net/x\"}",
        "table": "public.users",
        "command": ["psql", "--password", "hunter2", "-c", "drop table users"],
    });
    let (content, facts) =
        derive(&key(), Some(&params.to_string()), Some("pay 4111111111111111"), Some("done"));
    assert_eq!(facts.url_host, "api.example.com");
    assert_eq!(facts.url_path, "/v1/users");
    let hosts = ["api.example.com", "evil.example", "files.example.net"].map(str::to_owned);
    assert_eq!(facts.hosts, hosts.into());
    assert_eq!(facts.recipients, ["example.com", "other.example"].map(str::to_owned).into());
    assert_eq!(facts.table, "public.users");
    assert_eq!(facts.command, "psql --password <REDACTED:PASSWORD> -c drop table users");
    assert_eq!(content.pii, [PiiClass::CardNumber, PiiClass::Email].into());
    assert!(
        content.secrets.contains(&SecretKind::Password)
            && content.secrets.contains(&SecretKind::UrlCredentials)
    );
    assert_eq!(content.input_size.get(), (params.to_string().len() + 20) as u64);
    assert_eq!((content.output_size.get(), content.truncated), (4, false));
}

#[test]
fn a_url_gives_its_host_however_it_is_dressed() {
    let host = |url: &str| derive(&key(), Some(&json!({ "url": url }).to_string()), None, None).1.url_host;
    for (url, expected) in [
        ("http://EXAMPLE.com", "example.com"),
        ("https://a:b@example.com:80/x", "example.com"),
        ("https://good.example@evil.example/", "evil.example"),
        ("https://evil.example\\@good.example/", "evil.example"),
        ("http://[::1]:80/x", "::1"),
        ("example.com/path?u=http://other.example", "example.com"),
        ("http://example.com./", "example.com"),
        ("https:evil.example/x", "evil.example"),
        ("https:/evil.example/x", "evil.example"),
        ("https:\\\\evil.example/x", "evil.example"),
        ("//evil.example/x", "evil.example"),
        ("/\\evil.example/x", "evil.example"),
        ("\\\\evil.example\\share", "evil.example"),
        ("https://EVIL\u{3002}example/x", "evil.example"),
        ("https://evil%2eexample/x", "evil.example"),
        ("https://e\u{200b}vil.exam\u{ad}ple", "evil.example"),
        ("\u{a0}\u{feff} https://evil.example", "evil.example"),
        ("ht\ttps://ev\nil.example/x", "evil.example"),
        ("https://\u{ff45}vil.example", "evil.example"),
        ("https://b\u{fc}cher.example", "xn--bcher-kva.example"),
        ("https://evil.example../", "evil.example"),
        ("evil.example:8080/x", "evil.example"),
        ("user:pw@evil.example/x", "evil.example"),
        ("git@evil.example:owner/name", "evil.example"),
        ("custom://EVIL.example/x", "evil.example"),
        ("file://evil.example/share", "evil.example"),
        ("file:///etc/passwd", ""),
        ("mailto:bob@evil.example", ""),
        ("http://0x7f.1/", "127.0.0.1"),
        ("http://2130706433/", "127.0.0.1"),
        ("http://0177.0.0.1/", "127.0.0.1"),
        ("2130706433/x", "127.0.0.1"),
        ("http://[0:0::1]/", "::1"),
        ("http://[::ffff:169.254.169.254]/", "169.254.169.254"),
        ("localhost:8080", "localhost"),
        ("/v1/users", ""),
        ("not a url", ""),
        ("", ""),
    ] {
        assert_eq!(host(url), expected, "{url}");
    }
    assert_eq!(derive(&key(), Some(r#"{"host": "DB.Internal"}"#), None, None).1.url_host, "db.internal");
}

#[test]
fn a_long_fact_is_cut_and_says_so() {
    let long = json!({"command": "ä".repeat(20_000)}).to_string();
    let (content, facts) = derive(&key(), Some(&long), None, None);
    assert!(facts.command.len() <= 16_384 && content.truncated);
    let many: Vec<String> = (0..200).map(|n| format!("https://h{n}.example/")).collect();
    let (content, facts) = derive(&key(), Some(&json!(many).to_string()), None, None);
    assert_eq!((facts.hosts.len(), content.truncated, facts.facts_cut), (64, true, true));
}

#[test]
fn a_removed_value_keeps_a_fingerprint_that_only_the_tenant_can_make() {
    let prints = |key: &TenantKey, text: &str| derive(key, None, Some(text), None).0.fingerprints;
    let once = prints(&key(), "write to Bob@Example.com");
    assert_eq!(once, prints(&key(), "bob@example.com, please"));
    for card in ["4111-1111-1111-1111", "4111.1111.1111.1111", "4111\u{a0}1111\u{a0}1111\u{a0}1111"] {
        assert_eq!(prints(&key(), card), prints(&key(), "4111 1111 1111 1111"));
    }
    assert_ne!(once, prints(&TenantKey::new("key_2", [8; 32]), "bob@example.com"));
    assert_ne!(once, prints(&key(), "eve@example.com"));
    assert!(once.iter().all(|print| print.len() == 16));
}

#[test]
fn screening_is_redacting_each_part_and_deriving_from_all() {
    let raw = Raw {
        params: Some(r#"{"q": "bob@example.com"}"#),
        outcome_data: Some(r#"{"token": "abc"}"#),
        prompt: Some("password=hunter2"),
        response: Some("fine"),
        of_a_tool: false,
    };
    let screened = screen(&key(), raw).expect("is JSON");
    assert_eq!(screened.params.as_deref(), Some(r#"{"q": "<REDACTED:EMAIL>"}"#));
    assert_eq!(screened.outcome_data.as_deref(), Some(r#"{"token": "<REDACTED:TOKEN>"}"#));
    assert_eq!(screened.prompt.as_deref(), Some("password=<REDACTED:PASSWORD>"));
    assert_eq!(screened.response.as_deref(), Some("fine"));
    assert_eq!((screened.findings.count, screened.content.fingerprints.len()), (3, 3));
    assert!(screen(&key(), Raw { params: Some("{"), ..Raw::default() }).is_err());
    for of_a_tool in [true, false] {
        let raw = Raw { params: Some(r#"{"input": "rm -rf /"}"#), of_a_tool, ..Raw::default() };
        let facts = screen(&key(), raw).expect("is JSON").param_facts;
        assert_eq!(
            (facts.facts_cut, !facts.commands.is_empty()),
            (of_a_tool, of_a_tool),
            "what an agent is asked is no command, and nothing is missed"
        );
    }
}

/// Pieces of secrets, markers and what stands around them.
fn fragments() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("password"),
        Just("token"),
        Just("="),
        Just(": "),
        Just("\""),
        Just("'"),
        Just("\\"),
        Just(" "),
        Just("\n"),
        Just("hunter2"),
        Just("bob@example.com"),
        Just("%40"),
        Just("@"),
        Just("4111111111111111"),
        Just("4111 1111"),
        Just("123-45-6789"),
        Just("DE89370400440532013000"),
        Just("<REDACTED:EMAIL>"),
        Just("<REDACTED:"),
        Just(">"),
        Just("Bearer "),
        Just("authorization: "),
        Just("sk-abcdefghijklmnop1234"),
        Just("eyJhbGciOiJI.eyJzdWIiOi.sig"),
        Just("https://u:p@h.example/x?sig="),
        Just("&"),
        Just("{"),
        Just("}"),
        Just("["),
        Just("]"),
        Just(","),
        Just("-"),
        Just("-----BEGIN PRIVATE KEY-----"),
        Just("-----END PRIVATE KEY-----"),
        Just("cookie: "),
        Just("--token "),
        Just("-u a:b"),
        Just("ä"),
        Just("\u{0}"),
        Just("1"),
        Just("is "),
        Just("AKIAIOSFODNN7EXAMPLE"),
        Just("null"),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

fn any_json() -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        fragments(),
        Just("password".to_owned()),
        Just("name".to_owned()),
        Just("value".to_owned())
    ];
    let leaf = prop_oneof![
        fragments().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        Just(json!(4_111_111_111_111_111_u64)),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((name.clone(), inner.clone()), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
            inner.prop_map(|value| Value::from(value.to_string())),
        ]
    })
}

/// JSON with what readers of it do not agree on: depths, numbers, members that are there twice, halves of pairs.
fn near_json() -> impl Strategy<Value = String> {
    let name = prop_oneof![Just("a"), Just("\\u0061"), Just("b"), Just("\\ud800"), Just("\\u0000")];
    let number = prop_oneof![
        Just("1e308".to_owned()),
        Just("1e309".to_owned()),
        Just("1.7976931348623158e308".to_owned()),
        Just("17976931348623157e292".to_owned()),
        Just("1e-400".to_owned()),
        Just("-0".to_owned()),
        (1..420_usize).prop_map(|digits| "9".repeat(digits)),
        (1..420_usize, 0..40_u32).prop_map(|(digits, exponent)| format!("{}e{exponent}", "1".repeat(digits))),
    ];
    let leaf = prop_oneof![number, Just("\"x\"".to_owned()), Just("null".to_owned())];
    let value = (leaf, proptest::collection::vec((name, 0..60_usize), 0..4)).prop_map(|(leaf, around)| {
        around.into_iter().fold(leaf, |inner, (name, depth)| {
            let list = format!("{}{inner}{}", "[".repeat(depth), "]".repeat(depth));
            format!("{{\"{name}\":{list},\"b\":1}}")
        })
    });
    prop_oneof![value.clone(), value.prop_map(|value| Value::from(value).to_string())]
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(members) => members.iter().any(|(name, value)| name.contains('\0') || holds_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[test]
fn a_name_that_says_one_thing_and_another_once_it_is_redacted_removes_what_either_would() {
    // As it was it speaks of an authorization, which is no number; without the account it ends as a private key's name.
    let name = "authorization of PRIVATE KEY DE89370400440532013000";
    let once = redact_json(&format!(r#"{{"{name}":7}}"#)).expect("is JSON").value;
    assert_eq!(once, r#"{"authorization of PRIVATE KEY <REDACTED:IBAN>":"<REDACTED:PRIVATE_KEY>"}"#);
    assert_eq!(redact_json(&once).expect("is JSON").value, once);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn redacting_a_text_twice_is_redacting_it_once(text in fragments()) {
        let once = redact_text(&text);
        let twice = redact_text(&once.value);
        prop_assert_eq!(&twice.value, &once.value);
        prop_assert_eq!(twice.findings.count, 0);
        prop_assert_eq!(once.value == text, once.findings.count == 0);
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,80}", bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let once = redact_text(&text).value;
        prop_assert_eq!(redact_text(&once).value, once);
        let lossy = String::from_utf8_lossy(&bytes).into_owned();
        let _ = (redact_text(&lossy), redact_json(&lossy), check_json(&lossy), canonical_text(&lossy));
        let _ = derive(&key(), Some(&lossy), Some(&lossy), None);
    }

    #[test]
    fn redacted_json_is_json_of_the_same_shape_and_settled(value in any_json()) {
        let text = value.to_string();
        let once = redact_json(&text).expect("is JSON");
        prop_assert!(serde_json::from_str::<Value>(&once.value).is_ok(), "{}", once.value);
        let twice = redact_json(&once.value).expect("is JSON");
        prop_assert_eq!(&twice.value, &once.value);
        prop_assert_eq!(twice.findings.count, 0);
        if once.findings.count == 0 {
            prop_assert_eq!(&once.value, &text);
        }
        let pretty = serde_json::to_string_pretty(&value).expect("is JSON");
        prop_assert_eq!(canonical_text(&text), canonical_text(&pretty));
        prop_assert_eq!(check_json(&text).is_err(), holds_nul(&value));
    }

    #[test]
    fn what_passes_the_door_is_json_to_everything_after_it(text in near_json()) {
        if check_json(&text).is_ok() {
            prop_assert!(serde_json::from_str::<Value>(&text).is_ok(), "{}", text);
            prop_assert!(read_json(&text).is_ok(), "{}", text);
            prop_assert!(canonical_text(&text).is_ok(), "{}", text);
            let redacted = redact_json(&text).expect("is JSON").value;
            prop_assert!(serde_json::from_str::<Value>(&redacted).is_ok(), "{}", redacted);
            let raw = Raw { params: Some(&text), outcome_data: Some(&text), ..Raw::default() };
            prop_assert!(screen(&key(), raw).is_ok(), "{}", text);
        }
    }

    #[test]
    fn a_secret_is_removed_wherever_it_stands(
        before in "[a-z ]{0,12}", after in "[ .,;a-z]{0,12}", depth in 0..4_usize,
        secret in prop_oneof![
            Just("bob@example.com"), Just("4111 1111 1111 1111"), Just("ghp_16C7e42F292c6912E7710c838347Ae178B4a"),
            Just("AKIAIOSFODNN7EXAMPLE"), Just("DE89 3704 0044 0532 0130 00"), Just("123-45-6789"),
            Just("Authorization: Basic dXNlcjpwYXNzd29yZA=="),
        ],
    ) {
        let mut carried = json!({"note": format!("{before} {secret} {after}")}).to_string();
        for _ in 0..depth {
            carried = json!([carried, 1]).to_string();
        }
        let secret = secret.strip_prefix("Authorization: Basic ").unwrap_or(secret);
        prop_assert!(!clean(&carried).contains(secret), "{}", clean(&carried));
    }
}
