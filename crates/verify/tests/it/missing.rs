//! A bundle whose maker could not read all of the run: what is missing is named, and the rest is held to everything all
//! the same.

use std::collections::BTreeMap;

use proof::{
    bundle::{Bundle, Lost, assemble},
    contents::MissingContents,
    hash::Hash,
    records::{Record, RecordKind},
    run_ranges::RunRanges,
    segment::MissingSegment,
    words::Action,
};
use serde_json::json;
use verify::Word;

use crate::{
    kit::{self, Scene},
    words::{parse, verify, write},
};

/// Whether a segment that holds this step holds the record.
fn is_of(record: &Record, step: u64) -> bool {
    match record {
        Record::Step(record) => record.step_index == step,
        Record::Decision(record) => record.step_index == Some(step),
        Record::Activity(record) => record.step_index == step,
        Record::Provider(record) => record.step_index == step,
        _ => false,
    }
}

/// What the trace of a run has made of its records.
struct Counted {
    ranges: RunRanges,
    head: Option<Hash>,
    verdicts: BTreeMap<Action, u64>,
}

impl Counted {
    fn of(all: &[Record]) -> Self {
        let mut counted = Self { ranges: RunRanges::default(), head: None, verdicts: BTreeMap::new() };
        for record in all {
            let hash = counted.ranges.push(record);
            match record {
                Record::Step(_) => counted.head = Some(hash),
                Record::Decision(decision) => *counted.verdicts.entry(decision.action).or_default() += 1,
                _ => {}
            }
        }
        counted
    }

    /// The segment of a step does not open, with so many records.
    fn without(&self, step: u64, records: usize, addenda: usize) -> Lost<'_> {
        Lost {
            missing: vec![MissingSegment {
                first_record: 7,
                first_step: step,
                record_count: records as u64,
                step_count: 1,
                why: "body: it does not open".to_owned(),
            }],
            ranges: &self.ranges,
            chain_head: self.head.expect("a step"),
            verdict_tally: self.verdicts.clone(),
            addenda: addenda as u64,
        }
    }
}

/// The bundle of a scene of which the segment of a step does not open.
fn without(scene: &mut Scene, step: u64) -> Vec<u8> {
    let all = scene.records.clone();
    let kept: Vec<Record> = all.iter().filter(|record| !is_of(record, step)).cloned().collect();
    let counted = Counted::of(&all);
    let mut parts = scene.parts(&kept);
    parts.lost = Some(counted.without(step, all.len() - kept.len(), parts.addenda.len()));
    assemble(parts, &kit::signing_key()).expect("whole numbers").into_bytes()
}

/// That of one of which the segment of a late step does not open.
fn without_late(scene: &mut Scene, step: u64) -> Bundle {
    let all = scene.records.clone();
    let counted = Counted::of(&all);
    let addenda = scene.addenda_without(|record| is_of(record, step));
    let mut parts = scene.parts(&all);
    parts.lost = Some(counted.without(step, 2, parts.addenda.len()));
    parts.addenda = addenda;
    assemble(parts, &kit::signing_key()).expect("whole numbers")
}

#[test]
fn what_its_maker_could_not_read_is_named_and_the_rest_holds() {
    for (name, mut scene) in kit::scenes() {
        let steps = scene.records.iter().filter(|record| record.kind() == RecordKind::Step).count();
        for step in 0..steps as u64 {
            is_truncated(&without(&mut scene, step), &format!("{name} without step {step}"));
        }
    }
}

/// The missing segment is named, and nothing else is wrong.
fn is_truncated(json: &[u8], what: &str) {
    let report = verify(json);
    assert_eq!(report.word, Word::Truncated, "{what}\n{report}");
    let segment = format!("run_segments row {}/7: body: it does not open", kit::RUN);
    assert!(report.checks.iter().any(|check| check.detail.contains(&segment)), "{what}\n{report}");
    let others = report.checks.iter().filter(|check| !check.passed && check.name != "manifest");
    assert_eq!(others.count(), 0, "{what}\n{report}");
}

#[test]
fn an_addendum_of_which_a_record_is_lost_has_its_place_and_no_hash() {
    for (name, mut scene) in [("late", kit::late()), ("traced_late", kit::traced_late())] {
        let whole = scene.bundle().manifest().after.addenda.len();
        let steps = scene.late_steps();
        assert!(!steps.is_empty());
        for (step, addendum) in steps {
            let bundle = without_late(&mut scene, step);
            let listed = &bundle.manifest().after.addenda;
            let lost: Vec<usize> = (0..listed.len()).filter(|at| listed[*at].is_none()).collect();
            assert_eq!((listed.len(), lost), (whole, vec![addendum]), "{name} without late step {step}");
            is_truncated(bundle.as_bytes(), &format!("{name} without late step {step}"));
        }
    }
}

#[test]
fn texts_that_its_maker_could_not_read_are_named_and_the_rest_holds() {
    for (name, mut scene) in kit::scenes().into_iter().filter(|(name, _)| !name.starts_with("erased")) {
        let records = scene.records.clone();
        let unread =
            |place| MissingContents { first_record: place, why: "body: it does not open".to_owned() };
        let (mut without_one, mut without_salt) = (scene.parts(&records), scene.parts(&records));
        // One that was frozen before its first step said nothing.
        let Some(said) = without_one.contents.texts.pop() else { continue };
        without_one.contents.texts.retain(|text| *text != said);
        without_one.contents.missing = vec![unread(Some(7))];
        without_salt.contents.salt = None;
        without_salt.contents.texts.clear();
        without_salt.contents.missing = vec![unread(None)];
        for (parts, told) in [
            (without_one, format!("run_contents row {}/7: body: it does not open", kit::RUN)),
            (without_salt, format!("run_salts row {}: body: it does not open", kit::RUN)),
        ] {
            let json = assemble(parts, &kit::signing_key()).expect("whole numbers").into_bytes();
            let report = verify(&json);
            assert_eq!(report.word, Word::Truncated, "{name}\n{report}");
            assert!(report.checks.iter().any(|check| check.detail.contains(&told)), "{name}\n{report}");
            let ours = ["manifest", "contents"];
            let others = report.checks.iter().filter(|check| !check.passed && !ours.contains(&check.name));
            assert_eq!(others.count(), 0, "{name}\n{report}");
        }
    }
}

#[test]
fn what_is_there_is_held_to_what_was_sealed() {
    let mut scene = kit::clean();
    let json = without(&mut scene, 1);
    for (pointer, change) in [
        ("/records/sealed/steps/0/skill_name", json!("another")),
        ("/records/sealed/run/0/cost_nanousd", json!(1)),
        ("/proofs/roots/root_hash", json!("0".repeat(64))),
    ] {
        let mut changed = parse(&json);
        *changed.pointer_mut(pointer).expect("it is there") = change;
        assert_eq!(verify(&write(&changed)).word, Word::Tampered, "{pointer}");
    }
}
