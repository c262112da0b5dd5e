//! A bundle that is written as a stream, of records as they are stored, is byte for byte the one that is made in one
//! piece of their values.

use proof::{
    bundle::{Parts, RecordsWriter, Rest, Sink, assemble, kinds_in_order},
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

/// A sink that is emptied whenever it holds so much.
struct Pieces {
    held: Vec<u8>,
    taken: Vec<u8>,
    at_once: usize,
}

impl Sink for Pieces {
    fn put(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
        if self.held.len() > self.at_once {
            self.taken.append(&mut self.held);
        }
    }
}

/// The bundle of these parts as a stream, records of some kinds as lines.
fn streamed(parts: Parts<'_>, is_line: impl Fn(RecordKind) -> bool, at_once: usize) -> Vec<u8> {
    let sink = Pieces { held: Vec::new(), taken: Vec::new(), at_once };
    let mut writer = RecordsWriter::begin(parts.opened, parts.snapshot, sink).expect("whole numbers");
    for kind in kinds_in_order() {
        for record in parts.records.iter().filter(|record| record.kind() == kind) {
            if is_line(kind) {
                let text = text(record);
                let line = line(&text);
                assert_eq!((line.kind(), Some(line.place())), (record.kind(), record.position()));
                writer.line(&line).expect("whole numbers");
            } else {
                writer.record(record).expect("whole numbers");
            }
        }
    }
    let contents = parts.contents;
    let mut writer = writer
        .prove(Rest {
            opened_proof: parts.opened_proof,
            receipt: parts.receipt,
            addenda: parts.addenda,
            run: parts.run,
            incidents: parts.incidents,
            salt: contents.salt.clone(),
            erased: contents.erased,
            audit: parts.audit,
            lost: parts.lost,
            checkpoints: parts.checkpoints,
            as_of: parts.as_of,
        })
        .expect("whole numbers");
    // Twice: one that is there already is left out.
    for text in contents.texts.iter().chain(&contents.texts) {
        let name = contents.salt.as_ref().expect("there are texts").name(text).hash;
        writer.text(name, text).expect("a text");
    }
    let mut writer = writer.sign(contents.missing, &kit::signing_key()).expect("whole numbers");
    while writer.more() {}
    let (Pieces { held, taken, .. }, _) = writer.end();
    [taken, held].concat()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_stream_of_lines_is_the_bundle_of_values(kinds in any::<u16>(), at_once in 0..20_000_usize) {
        let is_line = |kind: RecordKind| (kinds >> (kind as u16)) & 1 == 1;
        for (name, mut scene) in kit::scenes() {
            let records = scene.records.clone();
            let parts = scene.parts(&records);
            let due = assemble(parts.clone(), &kit::signing_key()).expect("whole numbers").into_bytes();
            prop_assert!(streamed(parts, is_line, at_once) == due, "{}", name);
        }
    }
}
