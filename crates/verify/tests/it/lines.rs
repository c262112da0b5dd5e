//! A bundle that tells records as they are stored is, byte for byte, the one that tells their values.

use proof::{
    bundle::{Parts, assemble},
    records::{Line, Record, RecordKind},
};
use proptest::prelude::*;

use crate::kit;

/// The line of a record, as a segment has it.
fn text(record: &Record) -> String {
    String::from_utf8(record.canonical_bytes()).expect("canonical JSON is UTF-8")
}

/// What is read of it.
fn line(text: &str) -> Line<'_> {
    Line::new(text, serde_json::from_str(text).expect("a record")).expect("a record of a run")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn records_are_told_alike_as_values_and_as_they_are_stored(kinds in any::<u16>()) {
        let is_line = |kind: RecordKind| (kinds >> (kind as u16)) & 1 == 1;
        for (name, mut scene) in kit::scenes() {
            let records = scene.records.clone();
            let parts = scene.parts(&records);
            let (stored, values): (Vec<Record>, Vec<Record>) =
                records.iter().cloned().partition(|record| is_line(record.kind()));
            let texts: Vec<String> = stored.iter().map(text).collect();
            let lines: Vec<Line<'_>> = texts.iter().map(|text| line(text)).collect();
            for (line, record) in lines.iter().zip(&stored) {
                prop_assert_eq!((line.kind(), Some(line.place())), (record.kind(), record.position()));
            }
            let key = kit::signing_key();
            let told = Parts { records: &values, lines: &lines, ..parts.clone() };
            let told = assemble(told, &key).expect("whole numbers").into_bytes();
            let due = assemble(parts, &key).expect("whole numbers").into_bytes();
            prop_assert!(told == due, "{}", name);
        }
    }
}
