//! What is read again for its decisions is what was read before, or nothing is said of it.

use proof::records::RecordKind;
use serde_json::Value;
use verify::{NotRead, Options, Report, Word};

use crate::{
    kit,
    words::{parse, write},
};

/// What is done to decisions between two readings.
type Change = fn(&mut Vec<Value>);

/// What is found where the first readings find one document, and those behind them another.
fn found(before: &[u8], after: &[u8], readings: usize) -> Result<Report, NotRead> {
    let mut read = 0;
    let read_again = || {
        read += 1;
        Ok(if read <= readings { before } else { after })
    };
    verify::stream(read_again, &kit::keys(), &Options { reexecute: true, ..Options::default() })
}

fn is_changed(before: &[u8], after: &[u8], readings: usize, what: &str) {
    match found(before, after, readings) {
        Err(NotRead::Io(err)) => assert_eq!(err.to_string(), "it has changed while it was read", "{what}"),
        other => panic!("{what}: {other:?}"),
    }
}

/// The decisions of the sealed part, or of an addendum.
fn decisions(document: &mut Value, addendum: Option<usize>) -> &mut Vec<Value> {
    let records = match addendum {
        None => &mut document["records"]["sealed"],
        Some(number) => &mut document["records"]["after"]["addenda"][number]["records"],
    };
    records[RecordKind::Decision.as_str()].as_array_mut().expect("a list")
}

#[test]
fn what_comes_out_otherwise_when_it_is_read_again_is_no_report() {
    let before = kit::late().json();
    assert_eq!(found(&before, &before, 1).expect("a bundle").word, Word::Complete);
    let document = parse(&before);
    assert_eq!(document["records"]["after"]["addenda"].as_array().map(Vec::len), Some(2));
    // The sealed decisions are read first, and then those of the addenda.
    for (addendum, readings) in [(None, 1..2), (Some(0), 1..3), (Some(1), 1..3)] {
        let changes: [(&str, Change); 5] = [
            ("another", |all| all[0]["decision_id"] = "dec_another".into()),
            ("one fewer", |all| drop(all.pop())),
            ("one more", |all| all.push(all[0].clone())),
            ("in another order", |all| all.reverse()),
            ("none", Vec::clear),
        ];
        for (what, change) in changes {
            let mut after = document.clone();
            assert!(decisions(&mut after, addendum).len() > 1, "of {addendum:?}");
            change(decisions(&mut after, addendum));
            for readings in readings.clone() {
                let what = format!("{what} of {addendum:?} behind {readings}");
                is_changed(&before, &write(&after), readings, &what);
            }
        }
    }
}

#[test]
fn decisions_of_which_none_is_left_are_missed() {
    let before = kit::late().json();
    let mut after = parse(&before);
    for addendum in [0, 1] {
        decisions(&mut after, Some(addendum)).clear();
    }
    is_changed(&before, &write(&after), 1, "no late ones");
    decisions(&mut after, None).clear();
    is_changed(&before, &write(&after), 1, "none at all");
    // Those of a run to which nothing came late are looked at in one reading.
    let before = kit::clean().json();
    let mut after = parse(&before);
    decisions(&mut after, None).clear();
    is_changed(&before, &write(&after), 1, "none");
}

#[test]
fn an_addendum_that_is_gone_or_came_is_missed() {
    let before = kit::late().json();
    let document = parse(&before);
    let changes: [(&str, Change); 3] = [
        ("the last one is gone", |all| drop(all.pop())),
        ("all are gone", Vec::clear),
        ("one came", |all| all.push(all[1].clone())),
    ];
    for (what, change) in changes {
        let mut after = document.clone();
        change(after["records"]["after"]["addenda"].as_array_mut().expect("a list"));
        is_changed(&before, &write(&after), 2, what);
    }
}

#[test]
fn what_no_longer_reads_has_changed() {
    let before = kit::late().json();
    for length in [0, 1, before.len() / 4, before.len() / 2] {
        for readings in [1, 2] {
            is_changed(&before, &before[..length], readings, &format!("{length} bytes behind {readings}"));
        }
    }
}
