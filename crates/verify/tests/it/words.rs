//! The words: what gives each.

use serde_json::{Value, json};
use verify::{Options, Report, Word};

use crate::kit;

pub(crate) fn verify(json: &[u8]) -> Report {
    verify::bundle(json, &kit::keys(), &Options::default()).expect("a bundle")
}

pub(crate) fn parse(json: &[u8]) -> Value {
    serde_json::from_slice(json).expect("JSON")
}

pub(crate) fn write(value: &Value) -> Vec<u8> {
    serde_json::to_vec(value).expect("JSON")
}

#[test]
fn a_whole_bundle_is_complete_and_an_unsealed_one_open() {
    for (name, mut scene) in kit::scenes() {
        let report = verify(&scene.json());
        let expected = if name == "open" { Word::Open } else { Word::Complete };
        assert_eq!(report.word, expected, "{name}\n{report}");
        assert!(report.checks.iter().all(|check| check.passed), "{name}\n{report}");
        assert_eq!(report.run_id.as_deref(), Some(kit::RUN));
        assert_eq!(report.grade.is_some(), name != "open");
    }
}

#[test]
fn the_exit_codes_are_those_of_the_contract() {
    let codes: Vec<_> = Word::ALL.iter().map(|word| (word.as_str(), word.exit_code())).collect();
    assert_eq!(
        codes,
        [
            ("COMPLETE", 0),
            ("OPEN", 3),
            ("NOT_REEXECUTED", 7),
            ("TRUNCATED", 4),
            ("TAMPERED", 5),
            ("WRONG_KEY", 6)
        ]
    );
}

#[test]
fn the_same_bundle_in_other_clothes_is_as_complete() {
    for (name, mut scene) in kit::scenes() {
        let json = scene.json();
        let expected = verify(&json).word;
        let value = parse(&json);
        let pretty = serde_json::to_vec_pretty(&value).expect("JSON");
        assert_eq!(verify(&pretty).word, expected, "{name}\n{}", verify(&pretty));
        let backward = backward(&value);
        assert_eq!(verify(backward.as_bytes()).word, expected, "{name}\n{}", verify(backward.as_bytes()));
    }
}

/// The value with members in the opposite order, spaces, and every character that may be escaped, escaped.
fn backward(value: &Value) -> String {
    let text = |text: &str| {
        let units = text.encode_utf16().map(|unit| format!("\\u{unit:04X}"));
        format!("\"{}\"", units.collect::<String>())
    };
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|a, b| b.cmp_keys(a));
            let members =
                members.into_iter().map(|(name, value)| format!("{} : {}", text(name), backward(value)));
            format!("{{\n{}\t}}", members.collect::<Vec<_>>().join(" , "))
        }
        Value::Array(elements) => {
            format!("[ {} ]", elements.iter().map(backward).collect::<Vec<_>>().join(" ,\r\n"))
        }
        Value::String(string) => text(string),
        other => other.to_string(),
    }
}

trait CmpKeys {
    fn cmp_keys(&self, other: &Self) -> std::cmp::Ordering;
}

impl CmpKeys for (&String, &Value) {
    fn cmp_keys(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(other.0)
    }
}

#[test]
fn a_sealed_bundle_without_its_receipt_is_truncated_however_it_was_taken() {
    for (name, mut scene) in kit::scenes().into_iter().filter(|(name, _)| *name != "open") {
        let mut value = parse(&scene.json());
        value["proofs"]["receipt"] = Value::Null;
        assert_eq!(verify(&write(&value)).word, Word::Truncated, "{name}");
        value["proofs"].as_object_mut().expect("an object").remove("receipt");
        assert_eq!(verify(&write(&value)).word, Word::Truncated, "{name}");
    }
}

#[test]
fn an_open_bundle_may_leave_out_the_receipt_that_it_has_not() {
    let mut value = parse(&kit::open().json());
    value["proofs"].as_object_mut().expect("an object").remove("receipt");
    assert_eq!(verify(&write(&value)).word, Word::Open, "{}", verify(&write(&value)));
    value["proofs"]["opened"]["leaf_index"] = json!(0);
    assert_eq!(verify(&write(&value)).word, Word::Tampered);
}

#[test]
fn both_assurances_are_told_where_a_gap_came_late() {
    let report = verify(&kit::late().json());
    assert!(
        report.to_string().contains("grade PASS, RECORDED as sealed, REPORTED with its addenda"),
        "{report}"
    );
    assert!(verify(&kit::everything().json()).to_string().contains("grade WARN, REPORTED\n"));
}

#[test]
fn records_that_are_gone_truncate_and_what_is_changed_beside_them_tampers() {
    let value = parse(&kit::everything().json());
    for list in [
        "/records/sealed/steps",
        "/records/sealed/policy_decisions",
        "/records/sealed/environment_evidence",
        "/records/sealed/run",
        "/records/sealed/integrity_evidence",
        "/records/after/audit",
        "/records/after/incidents",
        "/proofs/audit",
    ] {
        let mut shorter = value.clone();
        shorter.pointer_mut(list).and_then(Value::as_array_mut).expect(list).remove(0);
        let report = verify(&write(&shorter));
        assert_eq!(report.word, Word::Truncated, "{list}\n{report}");

        shorter["records"]["after"]["run"]["cost_nanousd"] = json!(0);
        assert_eq!(verify(&write(&shorter)).word, Word::Tampered, "{list}");
    }
    let mut empty = value.clone();
    for list in empty["records"]["sealed"].as_object_mut().expect("an object").values_mut() {
        if let Value::Array(elements) = list {
            elements.clear();
        }
    }
    assert_eq!(verify(&write(&empty)).word, Word::Truncated);
}

#[test]
fn a_key_inside_a_bundle_is_never_trusted() {
    let records = kit::clean().records.clone();
    let other = proof::keys::SigningKey::from_seed(&[1; 32]);
    let bundle = proof::bundle::assemble(kit::clean().parts(&records), &other).expect("whole numbers");
    let report = verify(bundle.as_bytes());
    assert_eq!(report.word, Word::WrongKey);
    assert_eq!(report.run_id, None);
    let last = report.checks.last().expect("a check");
    assert_eq!((last.name, last.passed), ("signature", false));
    for key in [other.public().id(), kit::keys()[0].id()] {
        assert!(last.detail.contains(&key), "both keys are named: {}", last.detail);
    }
    // A signature that only claims to be by the key that was given is no question of the key.
    let claimed = std::str::from_utf8(bundle.as_bytes())
        .expect("UTF-8")
        .replace(&other.public().id(), &kit::keys()[0].id());
    assert_eq!(verify(claimed.as_bytes()).word, Word::Tampered);
    // With that key the statement holds, and the checkpoints, which the first one signed, do not.
    let report = verify::bundle(bundle.as_bytes(), &[other.public()], &Options::default()).expect("a bundle");
    assert_eq!(report.word, Word::Tampered);
    // Whoever trusts both, as after a rotation, sees a whole bundle.
    let both = [other.public(), kit::keys()[0]];
    let report = verify::bundle(bundle.as_bytes(), &both, &Options::default()).expect("a bundle");
    assert_eq!(report.word, Word::Complete, "{report}");
    // Without keys nothing is believed.
    assert_eq!(
        verify::bundle(bundle.as_bytes(), &[], &Options::default()).expect("a bundle").word,
        Word::WrongKey
    );
}

#[test]
fn what_is_no_bundle_at_all_is_an_error_and_a_broken_one_is_tampered() {
    for nothing in
        [&b""[..], b"not json", b"[]", b"{}", b"null", b"7", b"{\"format\":1}", b"\xff\xfe", b"{\"a\":{}}"]
    {
        assert!(verify::bundle(nothing, &kit::keys(), &Options::default()).is_err());
    }
    let json = kit::clean().json();
    let text = String::from_utf8(json.clone()).expect("UTF-8");
    for broken in [
        text[..text.len() / 2].to_owned(),
        text.replace("hoc/run-evidence-bundle/v1", "hoc/run-evidence-bundle/v2"),
        text.replace("hoc/run-evidence-bundle/v1", "x"),
        text.replacen("\"steps\"", "\"Steps\"", 1),
        format!("{text}{{}}"),
        text.replacen('{', "{\"extra\":1,", 1),
        text.replacen('{', "{\"format\":\"hoc/run-evidence-bundle/v1\",", 1),
        text.replacen("\"cost_nanousd\":1200000", "\"cost_nanousd\":1200000.0", 1),
    ] {
        assert_eq!(verify(broken.as_bytes()).word, Word::Tampered);
    }
    let mut bytes = json;
    let at = bytes.len() / 2;
    bytes[at] = 0xff;
    assert_eq!(verify(&bytes).word, Word::Tampered);
}

/// Long enough to be hashed on two threads.
#[test]
fn a_long_run_is_checked_like_a_short_one() {
    let mut scene =
        kit::Scene::new(kit::snapshot(vec![kit::cost_rule(proof::words::EnforcementMode::Block)], vec![]));
    for at in 0..300 {
        scene.call(&if at % 3 == 0 { kit::Call::tool("search") } else { kit::Call::model(10) });
    }
    scene.seal(proof::words::RunStatus::Succeeded);
    let json = scene.json();
    assert!(json.len() > 1_000_000);
    assert_eq!(verify(&json).word, Word::Complete, "{}", verify(&json));
    let value = parse(&json);
    assert_eq!(verify(&serde_json::to_vec_pretty(&value).expect("JSON")).word, Word::Complete);

    for at in [0, 150, 299] {
        let mut changed = value.clone();
        changed["records"]["sealed"]["steps"][at]["cost_nanousd"] = json!(11);
        assert_eq!(verify(&write(&changed)).word, Word::Tampered);
        let mut shorter = value.clone();
        shorter["records"]["sealed"]["steps"].as_array_mut().expect("an array").remove(at);
        assert_eq!(verify(&write(&shorter)).word, Word::Truncated);
        let mut broken = value.clone();
        broken["records"]["sealed"]["steps"][at]["cost_nanousd"] = json!("11");
        assert_eq!(verify(&write(&broken)).word, Word::Tampered);
    }
}
