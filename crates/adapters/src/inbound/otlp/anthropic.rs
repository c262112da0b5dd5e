//! Anthropic's own counts: what was read from a cache, and what was written to one, lie beside what went in, however
//! many they are. Who tells those counts as they came tells no total; it is the sum of them all.

use orchestrator::ports::json_of;
use serde_json::{Map, Value};

use super::{
    served::is_answer,
    value::{count, of_json},
    wire::{Any, Attribute},
};

/// Where only Anthropic's counts stand.
const HOME: &str = "anthropic.usage";

/// What no one else writes beside `input_tokens` in an object.
const WRITTEN: &str = "cache_creation_input_tokens";

/// What was read from a cache.
const READ: &str = "cache_read_input_tokens";

/// The name of the total, where others tell it.
const TOTAL: &str = "total_tokens";

fn total(of: impl Fn(&str) -> Option<u64>) -> Option<u64> {
    let sides = of("input_tokens")?.saturating_add(of("output_tokens")?);
    let parts = [WRITTEN, READ].into_iter().filter_map(&of);
    Some(parts.fold(sides, u64::saturating_add))
}

/// Adds the total to an object of all counts, where it is Anthropic's.
pub(super) fn add_total(place: &str, members: &mut Map<String, Value>) {
    let is_told = members.get(TOTAL).is_some_and(|total| !total.is_null());
    if is_told || place != HOME && !members.contains_key(WRITTEN) {
        return;
    }
    if let Some(total) = total(|name| count(&of_json(members.get(name)?)?)) {
        members.insert(TOTAL.to_owned(), total.into());
    }
}

/// The total of counts that have an attribute each.
pub(super) fn total_of(all: &[Attribute<'_>]) -> Option<Attribute<'static>> {
    let of = |name: &str| {
        let is = |one: &&Attribute<'_>| {
            one.key.strip_prefix(HOME).is_some_and(|rest| rest.strip_prefix('.') == Some(name))
        };
        count(all.iter().find(is)?.value.as_ref()?)
    };
    if all.iter().all(|one| !one.key.starts_with(HOME)) || of(TOTAL).is_some() {
        return None;
    }
    let total = i64::try_from(total(of)?).ok()?;
    Some(Attribute { key: format!("{HOME}.{TOTAL}").into(), value: Some(Any::Int(total)) })
}

/// What an answer of Anthropic's says of its use, for which who tells of the call may have no name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Answered {
    pub(super) total: Option<u64>,
    pub(super) read: u64,
    pub(super) written: u64,
    /// Of those, for an hour.
    pub(super) for_an_hour: u64,
}

impl Answered {
    /// Reads an answer that is kept as it came; of anything else nothing is said.
    pub(super) fn of(answer: &str) -> Self {
        let json = answer.contains(WRITTEN).then(|| json_of(answer)).flatten();
        let Some(usage) = json.as_ref().filter(|json| is_answer(json)).map(|json| &json["usage"]) else {
            return Self::default();
        };
        if usage.get(WRITTEN).is_none() {
            return Self::default();
        }
        let of = |name: &str| usage[name].as_u64();
        Self {
            total: total(of),
            read: of(READ).unwrap_or(0),
            written: of(WRITTEN).unwrap_or(0),
            for_an_hour: usage["cache_creation"]["ephemeral_1h_input_tokens"].as_u64().unwrap_or(0),
        }
    }
}
