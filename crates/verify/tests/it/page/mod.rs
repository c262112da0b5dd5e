//! `docs/bundle.md` lists every type of a bundle. Here the list is made of the types themselves, and real bundles are
//! held against it: so page, program and documents cannot part. `docs/bundle.schema.json` says the same to programs.

mod schema;
mod trace;
mod types;

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use proof::{forms::Form, words::CallClass};
use serde_json::Value;

use self::{trace::Kind, types::Types};
use crate::{kit, words::parse};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/bundle.md");
const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/bundle.schema.json");
const BEGIN: &str = "<!-- The types: crates/verify/tests/it/page writes what follows. -->\n";
const END: &str = "<!-- The end of the types. -->\n";

#[test]
fn the_page_lists_the_types() {
    let page = fs::read_to_string(PAGE).expect("docs/bundle.md");
    let (before, rest) = page.split_once(BEGIN).expect("where the types begin");
    let (_, after) = rest.split_once(END).expect("where they end");
    let now = format!("{before}{BEGIN}\n{}\n{END}{after}", tables(&types::all()));
    if page != now {
        let taken = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bundle.md");
        fs::write(&taken, now).expect("the page is written");
        panic!(
            "a type changed: see what that means for readers, then `cp {} docs/bundle.md`",
            taken.display()
        );
    }
}

#[test]
fn the_schema_says_the_same() {
    let there: Value = parse(&fs::read(SCHEMA).expect("docs/bundle.schema.json"));
    let now = schema::of(&types::all());
    if there != now {
        let taken = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bundle.schema.json");
        fs::write(&taken, format!("{now:#}\n")).expect("the schema is written");
        panic!(
            "a type changed: see what that means for readers, then `cp {} docs/bundle.schema.json`",
            taken.display()
        );
    }
}

/// What the page calls the classes of calls is what counts by them.
#[test]
fn the_page_names_the_classes_of_calls() {
    let page = fs::read_to_string(PAGE).expect("docs/bundle.md");
    let others = CallClass::ALL.iter().filter(|class| **class != CallClass::Text);
    let named: Vec<String> = others.map(|class| format!("`{class}`")).collect();
    let sentence = format!("{}, or any other, which is *{}*.", named.join(", "), CallClass::Text);
    let words: Vec<&str> = page.split_whitespace().collect();
    assert!(words.join(" ").contains(&sentence), "{sentence}");
}

#[test]
fn every_bundle_has_exactly_what_the_page_lists() {
    let types = types::all();
    let mut seen = BTreeMap::new();
    for (name, mut scene) in kit::scenes() {
        let document = parse(&scene.json());
        fits(&document, &Kind::Of("Bundle"), &types, &mut seen).unwrap_or_else(|why| panic!("{name}{why}"));
        let payload = document["statement"]["payload"].as_str().expect("a payload");
        assert!(!payload.is_empty());
        let statement = serde_json::to_value(scene.bundle().manifest()).expect("JSON");
        fits(&statement, &Kind::Of("Manifest"), &types, &mut seen)
            .unwrap_or_else(|why| panic!("{name}{why}"));
    }
    // What is never seen here was never compared.
    let unseen: Vec<_> =
        types.structs.iter().map(|it| it.name).filter(|name| !seen.contains_key(name)).collect();
    assert_eq!(unseen, types::UNSEEN);
}

/// Whether a value is of a kind; if not, where and why.
fn fits(
    value: &Value,
    kind: &Kind,
    types: &Types,
    seen: &mut BTreeMap<&'static str, usize>,
) -> Result<(), String> {
    let wrong = || Err(format!(": {value} is not {}", kind.text()));
    match (kind, value) {
        (Kind::OrNull(_), Value::Null) | (Kind::Bool, Value::Bool(_)) => Ok(()),
        (Kind::OrNull(kind), _) => fits(value, kind, types, seen),
        (Kind::Text(form), Value::String(text)) if form.admits(text) => Ok(()),
        (Kind::Count, _) if value.is_u64() => Ok(()),
        (Kind::Integer, _) if value.is_i64() => Ok(()),
        (Kind::Word(words), Value::String(text)) if types.words[words].contains(&text.as_str()) => Ok(()),
        (Kind::List(kind), Value::Array(elements)) => elements
            .iter()
            .enumerate()
            .try_for_each(|(at, one)| fits(one, kind, types, seen).map_err(|why| format!("/{at}{why}"))),
        (Kind::Map(key, of), Value::Object(members)) => members.iter().try_for_each(|(name, one)| {
            fits(&Value::from(name.as_str()), key, types, seen)?;
            fits(one, of, types, seen).map_err(|why| format!("/{name}{why}"))
        }),
        (Kind::Of(name), Value::Object(members)) => {
            let of = types.structs.iter().find(|it| it.name == *name).expect("a type that is known");
            *seen.entry(name).or_default() += 1;
            let mut left: Vec<&str> = members.keys().map(String::as_str).collect();
            for (member, kind) in &of.members {
                let Some(one) = members.get(*member) else {
                    return Err(format!(": no {member} in a {name}"));
                };
                left.retain(|name| name != member);
                fits(one, kind, types, seen).map_err(|why| format!("/{member}{why}"))?;
            }
            if let Some(tag) = of.tag {
                left.retain(|name| *name != "type");
                if members["type"] != tag {
                    return wrong();
                }
            }
            if left.is_empty() { Ok(()) } else { Err(format!(": a {name} with {left:?}")) }
        }
        _ => wrong(),
    }
}

/// The types as the page shows them: of each, the members by what they hold; and the vocabularies.
fn tables(types: &Types) -> String {
    let mut out = String::new();
    for of in &types.structs {
        let tag = of.tag.map_or_else(String::new, |tag| format!(", `type` `{tag}`"));
        let _ = writeln!(out, "#### {}{tag}\n\n| members | hold |\n| --- | --- |", of.name);
        let mut kinds: Vec<(String, Vec<&str>)> = Vec::new();
        for (member, kind) in &of.members {
            let text = kind.text();
            match kinds.iter_mut().find(|(known, _)| *known == text) {
                Some((_, members)) => members.push(member),
                None => kinds.push((text, vec![member])),
            }
        }
        for (kind, members) in kinds {
            let members: Vec<String> = members.iter().map(|member| format!("`{member}`")).collect();
            let _ = writeln!(out, "| {} | {kind} |", members.join(", "));
        }
        out.push('\n');
    }
    out.push_str("#### Words\n\n| vocabulary | its words |\n| --- | --- |\n");
    for (name, words) in &types.words {
        let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
        let _ = writeln!(out, "| {name} | {} |", words.join(", "));
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

impl Kind {
    fn text(&self) -> String {
        match self {
            Self::Text(Form::Any) => "text".to_owned(),
            Self::Text(Form::Time) => "time".to_owned(),
            Self::Text(Form::Hash) => "hash".to_owned(),
            Self::Count => "count".to_owned(),
            Self::Integer => "integer".to_owned(),
            Self::Bool => "true or false".to_owned(),
            Self::Word(words) => format!("word of {words}"),
            Self::List(of) => format!("list of {}", of.text()),
            Self::Map(key, of) => format!("object: {} to {}", key.text(), of.text()),
            Self::Of(name) => (*name).to_owned(),
            Self::OrNull(of) => format!("{} or null", of.text()),
        }
    }
}
