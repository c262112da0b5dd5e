//! Whoever holds the signing key can sign any statement. What is sealed still shows it, because the receipt is in
//! the run log; what cannot be seen is told in `docs/bundle.md`, and shown here.

use proof::{
    bundle::{Parts, assemble},
    records::Record,
};
use serde_json::{Value, json};
use verify::Word;

use crate::{kit, words::verify};

/// The word for a bundle that the right key signed, made of these records or parts.
fn signed(scene: &mut kit::Scene, records: &[Record], change: impl FnOnce(&mut Parts<'_>)) -> Word {
    let mut parts = scene.parts(records);
    change(&mut parts);
    let bundle = assemble(parts, &kit::signing_key()).expect("whole numbers");
    verify(bundle.as_bytes()).word
}

/// The record with one of its fields changed, for each change that leaves it a record.
fn changed(record: &Record) -> Vec<Record> {
    let value = serde_json::to_value(record).expect("JSON");
    let members = value.as_object().expect("an object");
    let mut changed = Vec::new();
    for (name, member) in members {
        let others = match member {
            Value::String(text) => vec![json!(format!("{text}x")), json!(null)],
            Value::Number(number) => vec![json!(number.as_u64().expect("a count") + 1), json!(null)],
            Value::Bool(truth) => vec![json!(!truth)],
            _ => vec![json!("x"), json!(1)],
        };
        for other in others {
            let mut with = value.clone();
            with[name] = other;
            changed.extend(serde_json::from_value::<Record>(with).ok());
        }
    }
    assert!(changed.len() >= 4);
    changed
}

#[test]
fn no_field_of_a_sealed_record_changes_unseen() {
    let mut scene = kit::everything();
    let records = scene.records.clone();
    assert_eq!(signed(&mut scene, &records, |_| ()), Word::Complete);
    for at in 0..records.len() {
        for other in changed(&records[at]) {
            let mut with = records.clone();
            with[at] = other;
            assert_eq!(signed(&mut scene, &with, |_| ()), Word::Tampered, "{:?}", with[at]);
        }
    }
}

#[test]
fn no_sealed_record_is_dropped_doubled_or_moved_unseen() {
    let mut scene = kit::everything();
    let records = scene.records.clone();
    for at in 0..records.len() {
        let mut without = records.clone();
        without.remove(at);
        assert!(signed(&mut scene, &without, |_| ()) >= Word::Truncated, "without {:?}", records[at]);
        let mut twice = records.clone();
        twice.push(records[at].clone());
        assert_eq!(signed(&mut scene, &twice, |_| ()), Word::Tampered);
        for other in at + 1..records.len() {
            if records[at].kind() == records[other].kind() {
                let mut swapped = records.clone();
                swapped.swap(at, other);
                assert_eq!(signed(&mut scene, &swapped, |_| ()), Word::Tampered);
            }
        }
    }
}

#[test]
fn no_leaf_changes_unseen() {
    let mut scene = kit::everything();
    let records = scene.records.clone();
    let mut word = |change: &dyn Fn(&mut Parts<'_>)| signed(&mut scene, &records, change);
    let tampered = [
        word(&|parts| parts.opened.started_at = "2026-11-21T07:00:00.000000Z".to_owned()),
        word(&|parts| parts.opened.run_id.push('0')),
        word(&|parts| parts.opened_proof.leaf_index += 1),
        word(&|parts| parts.snapshot.rules[0].condition = "false".to_owned()),
        word(&|parts| parts.snapshot.limits.clear()),
        word(&|parts| parts.receipt.as_mut().expect("sealed").leaf.sealed_at.push('0')),
        word(&|parts| {
            parts.receipt.as_mut().expect("sealed").leaf.grade = proof::words::IntegrityGrade::Fail;
        }),
        word(&|parts| parts.receipt.as_mut().expect("sealed").proof.leaf_index += 1),
        word(&|parts| parts.audit[0].record.action_reason = None),
        word(&|parts| parts.audit[0].proof.leaf_index += 1),
        word(&|parts| parts.audit.swap(0, 1)),
        word(&|parts| parts.audit[0].record.run_id = None),
        word(&|parts| parts.checkpoints.runs = parts.checkpoints.audit.clone()),
        word(&|parts| parts.as_of.runs_size += 1),
        word(&|parts| parts.as_of.time = "today".to_owned()),
        word(&|parts| parts.run.run_id.push('0')),
        word(&|parts| parts.run.trace_id.push('0')),
        word(&|parts| parts.run.assurance = proof::words::Assurance::Enforced),
    ];
    assert_eq!(tampered, [Word::Tampered; 18]);
    // A row left out in the middle leaves a hole in the numbers.
    assert_eq!(word(&|parts| drop(parts.audit.remove(0))), Word::Truncated);
    // An older checkpoint does not cover what came after it.
    let older = scene.runs.checkpoint_at(4, &kit::signing_key());
    let word = signed(&mut scene, &records, |parts| {
        parts.checkpoints.runs = older;
        parts.as_of.runs_size = 4;
    });
    assert_eq!(word, Word::Tampered);
}

/// A sealed run cannot be passed off as open: its records say themselves that it is over.
#[test]
fn a_receipt_that_was_never_named_shows_by_the_records_of_the_seal() {
    let mut scene = kit::clean();
    let records = scene.records.clone();
    assert_eq!(signed(&mut scene, &records, |parts| parts.receipt = None), Word::Tampered);
}

/// What the holder of the key can do unseen, so that nobody believes otherwise: `records.after` is as the server
/// tells it, and the last audit rows can be left out, which `--ledger` or a later checkpoint shows.
#[test]
fn what_cannot_be_seen_in_the_bundle_alone() {
    let mut scene = kit::everything();
    let records = scene.records.clone();
    let mut word = |change: &dyn Fn(&mut Parts<'_>)| signed(&mut scene, &records, change);
    assert_eq!(word(&|parts| parts.run.risk_level = "VIOLATED".to_owned()), Word::Complete);
    assert_eq!(word(&|parts| parts.incidents[0].title.clear()), Word::Complete);
    assert_eq!(word(&|parts| drop(parts.audit.pop())), Word::Complete);
}
