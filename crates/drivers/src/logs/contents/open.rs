//! Bodies opened, one after another, and held against what the segments at their places name: what is whole is read,
//! and what is missing is named.

use std::collections::{BTreeMap, HashMap, HashSet};

use entities::logs::run_contents::Model;
use proof::{
    contents::{self as codec, Content, MissingContents, Salt, texts},
    hash::Hash,
};

use super::named::Named;

/// What bodies are opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// What some steps name: those of their segments that are not asked for name the rest.
    Some,
    /// What all steps of their segments name.
    All,
    /// Whether they hold that and no more. Nothing is kept of them.
    Whether,
}

/// What bodies hold of what is named, and what of them is missing.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) kept: HashMap<Hash, String>,
    pub(super) missing: Vec<MissingContents>,
}

/// Opens the bodies of a run that are named, with those that they stand on, which are among the rows too.
pub(super) fn open(rows: Vec<Model>, salt: &Salt, named: &Named, asked: Asked) -> Opened {
    let rows: BTreeMap<i64, Model> = rows.into_iter().map(|row| (row.first_record, row)).collect();
    let named: BTreeMap<i64, &[Content]> = named
        .by_place()
        .iter()
        .map(|(place, due)| (i64::try_from(*place).unwrap_or(i64::MAX), due.as_slice()))
        .collect();
    let mut opening = Opening { rows: &rows, stood: stood_on(&rows, &named), opened: HashMap::new() };
    let mut kept = HashMap::new();
    let mut missing: BTreeMap<i64, String> = BTreeMap::new();
    for place in named.keys().filter(|place| !rows.contains_key(*place)) {
        missing.insert(*place, "it is not there".to_owned());
    }
    let is_needed = |place: &i64| named.contains_key(place) || opening.stood.contains_key(place);
    let needed: Vec<i64> = rows.keys().copied().filter(is_needed).collect();
    for place in needed {
        let due = named.get(&place).copied();
        let held = opening.next(place).and_then(|bytes| {
            let held = match due {
                None => Ok(()),
                Some(due) => add(&mut kept, &bytes, salt, due, asked),
            };
            opening.keep(place, bytes);
            held
        });
        if let Err(why) = held {
            missing.insert(place, why);
        }
    }
    let place = |place| Some(u64::try_from(place).unwrap_or(0));
    let missing = missing.into_iter().map(|(at, why)| MissingContents { first_record: place(at), why });
    Opened { kept, missing: missing.collect() }
}

/// How often each body is stood on by what is to be opened.
fn stood_on(rows: &BTreeMap<i64, Model>, named: &BTreeMap<i64, &[Content]>) -> HashMap<i64, usize> {
    let mut stood: HashMap<i64, usize> = HashMap::new();
    for (place, row) in rows.iter().rev() {
        if let Some(base) = row.base_record
            && (named.contains_key(place) || stood.contains_key(place))
        {
            *stood.entry(base).or_default() += 1;
        }
    }
    stood
}

/// The bodies as far as they have come.
struct Opening<'r> {
    rows: &'r BTreeMap<i64, Model>,
    /// How often each is still to be stood on.
    stood: HashMap<i64, usize>,
    /// What those of them open to.
    opened: HashMap<i64, Vec<u8>>,
}

impl Opening<'_> {
    /// What the body at this place opens to; or what is wrong with it.
    fn next(&mut self, place: i64) -> Result<Vec<u8>, String> {
        let row = self.rows.get(&place).ok_or("it is not there")?;
        let opened = self.open(row);
        if let Some(base) = row.base_record
            && let Some(left) = self.stood.get_mut(&base)
        {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.opened.remove(&base);
            }
        }
        opened
    }

    fn open(&self, row: &Model) -> Result<Vec<u8>, String> {
        let length = usize::try_from(row.raw_length).map_err(|err| format!("raw_length: {err}"))?;
        let (before, key) = match row.base_record {
            None => (None, row.first_record),
            Some(base) => {
                let before = self.opened.get(&base).map(Vec::as_slice);
                let before = before.ok_or_else(|| {
                    let what = if self.rows.contains_key(&base) { "does not open" } else { "is not there" };
                    format!("base_record: the body at {base}, on which it stands, {what}")
                })?;
                (Some(before), self.rows.get(&base).map_or(base, |base| base.key_record))
            }
        };
        let bytes =
            codec::open(row.codec, &row.body, length, before).map_err(|why| format!("body: {why}"))?;
        let count = texts(&bytes).map_err(|why| format!("body: {why}"))?.len();
        if i64::try_from(count) != Ok(row.text_count) {
            return Err(format!("text_count: there are {count}"));
        }
        if row.key_record != key {
            return Err(format!("key_record: its chain begins with {key}"));
        }
        Ok(bytes)
    }

    /// Keeps what others stand on.
    fn keep(&mut self, place: i64, bytes: Vec<u8>) {
        if self.stood.get(&place).is_some_and(|left| *left > 0) {
            self.opened.insert(place, bytes);
        }
    }
}

/// Adds the texts of a body, which are to be those that are named. What of them is, is served whatever else is wrong.
fn add(
    kept: &mut HashMap<Hash, String>,
    bytes: &[u8],
    salt: &Salt,
    names: &[Content],
    asked: Asked,
) -> Result<(), String> {
    let names: HashMap<Hash, u64> = names.iter().map(|name| (name.hash, name.length)).collect();
    let mut left: HashSet<Hash> = names.keys().copied().collect();
    let mut strange = 0;
    for text in texts(bytes)? {
        let Content { hash, length } = salt.name(text);
        if names.get(&hash) != Some(&length) {
            strange += 1;
            continue;
        }
        left.remove(&hash);
        if asked != Asked::Whether {
            kept.insert(hash, text.to_owned());
        }
    }
    match (left.len(), strange) {
        (0, 0) => Ok(()),
        (0, _) if asked == Asked::Some => Ok(()),
        (0, strange) => Err(format!("body: no step of its segment names {strange} of its texts")),
        (lacking, _) => Err(format!("body: steps of its segment name {lacking} texts that are not in it")),
    }
}
