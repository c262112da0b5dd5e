//! A bundle whose maker could not read all of the run: what is missing is named, and the rest is held to everything all
//! the same.

use std::collections::BTreeMap;

use proof::{
    bundle::{Lost, assemble},
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

/// The bundle of a scene of which the segment of a step does not open.
fn without(scene: &mut Scene, step: u64) -> Vec<u8> {
    let all = scene.records.clone();
    let kept: Vec<Record> = all.iter().filter(|record| !is_of(record, step)).cloned().collect();
    let (mut ranges, mut head) = (RunRanges::default(), None);
    let mut verdict_tally: BTreeMap<Action, u64> = BTreeMap::new();
    for record in &all {
        let hash = ranges.push(record);
        match record {
            Record::Step(_) => head = Some(hash),
            Record::Decision(decision) => *verdict_tally.entry(decision.action).or_default() += 1,
            _ => {}
        }
    }
    let mut parts = scene.parts(&kept);
    parts.lost = Some(Lost {
        missing: vec![MissingSegment {
            first_record: 7,
            first_step: step,
            record_count: (all.len() - kept.len()) as u64,
            step_count: 1,
            why: "body: it does not open".to_owned(),
        }],
        ranges: &ranges,
        chain_head: head.expect("a step"),
        verdict_tally,
        addenda: parts.addenda.len() as u64,
    });
    assemble(parts, &kit::signing_key()).expect("whole numbers").into_bytes()
}

#[test]
fn what_its_maker_could_not_read_is_named_and_the_rest_holds() {
    for (name, mut scene) in kit::scenes() {
        let steps = scene.records.iter().filter(|record| record.kind() == RecordKind::Step).count();
        for step in 0..steps as u64 {
            let json = without(&mut scene, step);
            let report = verify(&json);
            assert_eq!(report.word, Word::Truncated, "{name} without step {step}\n{report}");
            let segment = format!("run_segments row {}/7: body: it does not open", kit::RUN);
            let told = report.checks.iter().any(|check| check.detail.contains(&segment));
            assert!(told, "{name} without step {step}\n{report}");
            let others = report.checks.iter().filter(|check| !check.passed && check.name != "manifest");
            assert_eq!(others.count(), 0, "{name} without step {step}\n{report}");
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
