//! Whatever is changed, dropped, added or swapped in a bundle: it is never COMPLETE again, and never OPEN.
//!
//! Nothing here is random. Every value of every bundle is visited, and everything done to it that its type allows.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use verify::{Options, Word};

use crate::{
    kit,
    words::{parse, verify, write},
};

/// A step from a value to one of its own.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    Member(String),
    Element(usize),
}

type Path = Vec<Step>;

fn at<'v>(value: &'v mut Value, path: &[Step]) -> &'v mut Value {
    path.iter().fold(value, |value, step| match step {
        Step::Member(name) => value.get_mut(name).expect("a member"),
        Step::Element(index) => value.get_mut(index).expect("an element"),
    })
}

fn shown(path: &[Step]) -> String {
    let step = |step: &Step| match step {
        Step::Member(name) => format!("/{name}"),
        Step::Element(index) => format!("/{index}"),
    };
    path.iter().map(step).collect()
}

/// Visits every value, containers included, the whole document first.
fn visit(value: &Value, path: &mut Path, seen: &mut impl FnMut(&[Step], &Value)) {
    seen(path, value);
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                path.push(Step::Member(name.clone()));
                visit(member, path, seen);
                path.pop();
            }
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                path.push(Step::Element(index));
                visit(element, path, seen);
                path.pop();
            }
        }
        _ => {}
    }
}

/// Other values that might stand in a value's place: near ones of its type, and one of each other type.
fn others(value: &Value) -> Vec<Value> {
    let mut others =
        vec![json!(null), json!(true), json!(7), json!(7.5), json!("text"), json!([]), json!({})];
    match value {
        Value::String(text) => {
            let mut changed = text.clone();
            let last = changed.pop().unwrap_or('a');
            others.push(json!(changed));
            others.push(json!(format!("{changed}{}", if last == '0' { '1' } else { '0' })));
            others.push(json!(format!("{text} ")));
            others.push(json!(text.to_uppercase()));
            others.push(json!(""));
        }
        Value::Number(number) => {
            let number = number.as_i64().expect("an integer");
            others.extend([json!(number + 1), json!(number - 1), json!(0), json!(1), json!(1u64 << 54)]);
        }
        Value::Bool(truth) => others.push(json!(!truth)),
        _ => {}
    }
    others.retain(|other| other != value);
    others
}

/// What a mutated document is found to be; TAMPERED for one that is no bundle any more.
fn found(json: &[u8]) -> Word {
    verify::bundle(json, &kit::keys(), &Options::default()).map_or(Word::Tampered, |report| report.word)
}

fn each_value_is_changed(document: &Value) -> usize {
    let mut count = 0;
    visit(document, &mut Vec::new(), &mut |path, value| {
        for other in others(value) {
            let mut mutated = document.clone();
            *at(&mut mutated, path) = other.clone();
            let word = found(&write(&mutated));
            // To take the receipt away is to truncate; so is to empty a list of records.
            let container = matches!(value, Value::Array(_) | Value::Object(_));
            assert!(
                word == Word::Tampered || (container && word == Word::Truncated),
                "{} := {other}",
                shown(path)
            );
            count += 1;
        }
    });
    count
}

fn each_member_and_element_is_dropped(document: &Value) -> usize {
    let mut count = 0;
    visit(document, &mut Vec::new(), &mut |path, value| {
        let mut dropped = |mutated: Value, what: &str| {
            let word = found(&write(&mutated));
            assert!(word >= Word::Truncated, "{}/{what} dropped: {word}", shown(path));
            count += 1;
        };
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    // No receipt is no receipt, said or not.
                    if name == "receipt" && member.is_null() {
                        continue;
                    }
                    let mut mutated = document.clone();
                    at(&mut mutated, path).as_object_mut().expect("an object").remove(name);
                    dropped(mutated, name);
                }
            }
            Value::Array(elements) => {
                for index in 0..elements.len() {
                    let mut mutated = document.clone();
                    at(&mut mutated, path).as_array_mut().expect("an array").remove(index);
                    dropped(mutated, &index.to_string());
                    let mut mutated = document.clone();
                    at(&mut mutated, path).as_array_mut().expect("an array").truncate(index);
                    dropped(mutated, &format!("{index}.."));
                }
            }
            _ => {}
        }
    });
    count
}

fn something_is_added_everywhere(document: &Value) -> usize {
    let mut count = 0;
    visit(document, &mut Vec::new(), &mut |path, value| {
        let mut added = |mutated: Value, what: &str| {
            assert_eq!(found(&write(&mutated)), Word::Tampered, "{} with {what}", shown(path));
            count += 1;
        };
        match value {
            Value::Object(_) => {
                let mut mutated = document.clone();
                at(&mut mutated, path)
                    .as_object_mut()
                    .expect("an object")
                    .insert("extra".to_owned(), json!(null));
                added(mutated, "an unknown member");
            }
            Value::Array(elements) => {
                let mut insert = |index: usize, element: Value, what: &str| {
                    let mut mutated = document.clone();
                    at(&mut mutated, path).as_array_mut().expect("an array").insert(index, element);
                    added(mutated, what);
                };
                insert(elements.len(), json!(null), "null at its end");
                insert(0, json!({}), "an object at its start");
                for (index, element) in elements.iter().enumerate() {
                    insert(index, element.clone(), "an element twice");
                    insert(elements.len(), element.clone(), "an element again at its end");
                }
            }
            _ => {}
        }
    });
    count
}

fn elements_are_swapped(document: &Value) -> usize {
    let mut count = 0;
    visit(document, &mut Vec::new(), &mut |path, value| {
        let Value::Array(elements) = value else { return };
        for left in 0..elements.len() {
            for right in left + 1..elements.len() {
                if elements[left] != elements[right] {
                    let mut mutated = document.clone();
                    at(&mut mutated, path).as_array_mut().expect("an array").swap(left, right);
                    assert_eq!(
                        found(&write(&mutated)),
                        Word::Tampered,
                        "{}: {left} and {right}",
                        shown(path)
                    );
                    count += 1;
                }
            }
        }
    });
    count
}

/// The document's text with the first member of the object at `path` written twice: as it is, and as `again`.
fn with_member_twice(document: &Value, path: &[Step], again: &Value) -> String {
    fn text(value: &Value, here: &mut Path, path: &[Step], again: &Value, out: &mut String) {
        match value {
            Value::Object(members) => {
                out.push('{');
                let twice = (here == path).then(|| members.iter().next()).flatten();
                if let Some((name, _)) = twice {
                    out.extend([json!(name).to_string(), format!(":{again},")]);
                }
                for (at, (name, member)) in members.iter().enumerate() {
                    out.push_str(if at == 0 { "" } else { "," });
                    out.extend([json!(name).to_string(), ":".to_owned()]);
                    here.push(Step::Member(name.clone()));
                    text(member, here, path, again, out);
                    here.pop();
                }
                out.push('}');
            }
            Value::Array(elements) => {
                out.push('[');
                for (index, element) in elements.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { "," });
                    here.push(Step::Element(index));
                    text(element, here, path, again, out);
                    here.pop();
                }
                out.push(']');
            }
            other => out.push_str(&other.to_string()),
        }
    }
    let mut out = String::new();
    text(document, &mut Vec::new(), path, again, &mut out);
    out
}

fn each_object_has_a_member_twice(document: &Value) -> usize {
    let mut count = 0;
    visit(document, &mut Vec::new(), &mut |path, value| {
        let Some(first) = value.as_object().and_then(|members| members.values().next()) else { return };
        for again in [first.clone(), json!(null)] {
            let text = with_member_twice(document, path, &again);
            assert_eq!(found(text.as_bytes()), Word::Tampered, "{} has a member twice", shown(path));
            count += 1;
        }
    });
    count
}

fn all_mutations(name: &str, document: &Value) {
    let untouched = with_member_twice(document, &[Step::Member("nowhere".to_owned())], &json!(null));
    let whole = if name == "open" { Word::Open } else { Word::Complete };
    assert_eq!(found(untouched.as_bytes()), whole, "the document as it is");
    let counts = [
        each_value_is_changed(document),
        each_member_and_element_is_dropped(document),
        something_is_added_everywhere(document),
        elements_are_swapped(document),
        each_object_has_a_member_twice(document),
    ];
    assert!(counts.iter().all(|count| *count > 30) && counts[0] > 1_000, "{name}: {counts:?}");
}

/// Each scene in a thread of its own, so that they share the work between cores.
#[test]
fn a_mutated_scene_is_never_complete() {
    std::thread::scope(|scope| {
        for (name, mut scene) in kit::scenes() {
            let document = parse(&scene.json());
            let thread = std::thread::Builder::new().name(name.to_owned());
            thread.spawn_scoped(scope, move || all_mutations(name, &document)).expect("a thread");
        }
    });
}

/// Parts of two bundles that are both whole, exchanged.
#[test]
fn no_part_of_one_bundle_passes_in_another() {
    let documents: Vec<Value> =
        kit::scenes().into_iter().map(|(_, mut scene)| parse(&scene.json())).collect();
    for (left, host) in documents.iter().enumerate() {
        for guest in documents.iter().enumerate().filter(|(right, _)| *right != left).map(|(_, guest)| guest)
        {
            for part in [
                "/records",
                "/records/sealed",
                "/records/after",
                "/proofs",
                "/statement",
                "/proofs/receipt",
                "/proofs/checkpoints",
                "/records/sealed/opened",
                "/records/sealed/snapshot",
                "/records/sealed/steps",
            ] {
                let (Some(own), Some(other)) = (host.pointer(part), guest.pointer(part)) else { continue };
                if own == other {
                    continue;
                }
                let mut mixed = host.clone();
                *mixed.pointer_mut(part).expect("a part") = other.clone();
                assert!(verify(&write(&mixed)).word >= Word::Truncated, "{part}");
            }
        }
    }
}

/// Records moved from one list to another.
#[test]
fn a_record_in_another_list_is_tampered() {
    let document = parse(&kit::everything().json());
    let sealed: &Map<String, Value> = document["records"]["sealed"].as_object().expect("an object");
    let lists: Vec<&String> =
        sealed.iter().filter(|(_, value)| value.is_array()).map(|(name, _)| name).collect();
    assert_eq!(lists.len(), 14);
    for from in &lists {
        for to in lists.iter().filter(|to| *to != from) {
            let mut mutated = document.clone();
            let sealed = &mut mutated["records"]["sealed"];
            let moved = sealed[*from].as_array_mut().expect("an array").remove(0);
            sealed[*to].as_array_mut().expect("an array").push(moved);
            assert_eq!(verify(&write(&mutated)).word, Word::Tampered, "{from} to {to}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Below the level of values: any byte, any cut, whatever it makes of the text.
    #[test]
    fn no_byte_is_changed_cut_or_added_unseen(at: prop::sample::Index, byte: u8, kind in 0..3u8) {
        let json = KILLED.with(Clone::clone);
        // The newline at the end is no part of the document.
        let at = at.index(json.len() - 1);
        let mut mutated = json.clone();
        match kind {
            0 => mutated[at] = byte,
            1 => mutated.truncate(at),
            _ => mutated.insert(at, byte),
        }
        let white = kind == 2 && byte.is_ascii_whitespace();
        prop_assume!(mutated != json && !white);
        prop_assert_eq!(found(&mutated), Word::Tampered);
    }
}

thread_local! {
    static KILLED: Vec<u8> = kit::killed().json();
}
