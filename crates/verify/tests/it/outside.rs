//! What a caller asks beyond the bundle.

use verify::{Options, Row, Seen, Word};

use crate::{kit, words::parse};

fn word(json: &[u8], options: &Options) -> (Word, String) {
    let report = verify::bundle(json, &kit::keys(), options).expect("a bundle");
    (report.word, report.to_string())
}

#[test]
fn a_bundle_that_is_too_old_is_refused() {
    let json = kit::clean().json();
    let made = parse(&json)["records"]["after"]["as_of"]["time"].as_str().expect("a time").to_owned();
    let asked =
        |time: &str| word(&json, &Options { not_before: Some(time.to_owned()), ..Options::default() }).0;
    assert_eq!(asked(&made), Word::Complete);
    assert_eq!(asked("2026-11-21T09:00:00.000000Z"), Word::Truncated);
}

#[test]
fn a_bundle_has_the_steps_that_the_agent_was_told_of() {
    let mut scene = kit::clean();
    let json = scene.json();
    let hashes = scene.bundle().manifest().sealed.records[&proof::records::RecordKind::Step].clone();
    let asked = |seen: Vec<Seen>| word(&json, &Options { seen, ..Options::default() }).0;
    let kept = |index, at: usize| Seen { step_index: index, step_hash: hashes[at].expect("it was read") };
    assert_eq!(asked(vec![kept(Some(0), 0), kept(None, 1), kept(Some(2), 2)]), Word::Complete);
    assert_eq!(asked(vec![kept(Some(0), 1)]), Word::Tampered);
    assert_eq!(asked(vec![kept(Some(3), 0)]), Word::Truncated);
    assert_eq!(
        asked(vec![Seen { step_index: None, step_hash: proof::hash::sha256(b"other") }]),
        Word::Tampered
    );
}

#[test]
fn an_export_of_the_ledger_shows_what_was_left_out() {
    let mut scene = kit::blocked();
    let whole = scene.json();
    let records = scene.records.clone();
    let mut parts = scene.parts(&records);
    parts.audit.clear();
    let without = proof::bundle::assemble(parts, &kit::signing_key()).expect("whole numbers").into_bytes();
    assert_eq!(word(&without, &Options::default()).0, Word::Complete);

    let with = |json: &[u8], rows: &[Row<_>]| {
        word(json, &Options { ledger: Some(rows.to_vec()), ..Options::default() })
    };
    let rows = scene.ledger.rows.clone();
    assert_eq!(with(&whole, &rows).0, Word::Complete, "{}", with(&whole, &rows).1);
    assert_eq!(with(&without, &rows).0, Word::Truncated);
    // A part of the export will do, if the row is in it; one that was changed does not pass.
    assert_eq!(with(&without, &rows[rows.len() - 1..]).0, Word::Truncated);
    let mut changed = rows.clone();
    changed[0].leaf_hash = proof::hash::sha256(b"other");
    assert_eq!(with(&whole, &changed).0, Word::Tampered);
    let lines: String = rows.iter().map(|row| serde_json::to_string(row).expect("JSON") + "\n").collect();
    assert_eq!(verify::rows(&lines), Ok(rows.clone()));

    // Governance after the bundle was made is newer, not left out.
    scene.acknowledge_incident();
    let rows = scene.ledger.rows.clone();
    assert_eq!(with(&whole, &rows).0, Word::Complete, "{}", with(&whole, &rows).1);
}

#[test]
fn every_decision_is_decided_again() {
    for (name, mut scene) in kit::scenes() {
        let expected = word(&scene.json(), &Options::default()).0;
        let (again, report) = word(&scene.json(), &Options { reexecute: true, ..Options::default() });
        assert_eq!(again, expected, "{name}\n{report}");
    }
}
