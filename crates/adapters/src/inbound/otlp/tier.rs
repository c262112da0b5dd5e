//! By what a call is paid beside its model: the service tier that answered it, and of Anthropic's its speed and its
//! place.

use std::borrow::Cow;

use orchestrator::ports::json_of;
use serde_json::Value;

use super::{field::Field, nothing::is_no_name, served};

/// Something that tells how a call is paid, by a word. Sellers list prices for the usual one.
#[derive(Clone, Copy)]
pub(super) struct Way {
    pub(super) field: Field,
    /// Its name in requests and answers.
    name: &'static str,
    /// Its usual words that are none of a tier.
    usual: &'static [&'static str],
}

/// All of them.
pub(super) const WAYS: [Way; 3] = [
    Way { field: Field::ServiceTier, name: "service_tier", usual: &[] },
    // `fast` costs more than `standard`.
    Way { field: Field::Speed, name: "speed", usual: &[] },
    // So does a place that was asked for.
    Way { field: Field::InferenceGeo, name: "inference_geo", usual: &["global", "not_available"] },
];

/// Where what is called so is of a model's call.
const PLACES: [&str; 7] = ["gen_ai.", "llm.", "openai.", "anthropic.", "aws.bedrock.", "groq.", "gcp."];

/// The names by which it is told, the one that is believed before the others first: that which answered, then that
/// which was asked for.
const NAMES: [&str; 10] = [
    "openai.response.service_tier",
    "gen_ai.openai.response.service_tier",
    "gen_ai.response.service_tier",
    "gen_ai.usage.service_tier",
    "anthropic.response.service_tier",
    "anthropic.usage.service_tier",
    "openai.request.service_tier",
    "gen_ai.openai.request.service_tier",
    "gen_ai.request.service_tier",
    "anthropic.request.service_tier",
];

/// The ranks of names of the same forms that are not listed: behind all that answered, and behind all.
const ANOTHER: u8 = 6;
const ANOTHER_REQUEST: u8 = 11;

/// What of that an attribute tells, and its rank.
pub(super) fn rank(key: &str) -> Option<(Field, u8)> {
    let is_known = PLACES.iter().any(|of| key.starts_with(of));
    for way in &WAYS[1..] {
        // Much may be called a speed.
        let place = key.strip_suffix(way.name).and_then(|place| place.strip_suffix('.'));
        if let Some(place) = place.filter(|_| is_known) {
            let is_answered = [".usage", ".response"].iter().any(|end| place.ends_with(end));
            return (is_answered || is_asked(place)).then(|| (way.field, u8::from(!is_answered)));
        }
    }
    tier_rank(key, is_known).map(|rank| (Field::ServiceTier, rank))
}

/// Whether a place is that of what was asked for.
fn is_asked(place: &str) -> bool {
    place.ends_with("request") || place.ends_with("parameters")
}

fn tier_rank(key: &str, is_known: bool) -> Option<u8> {
    // Of Vertex it is the type of traffic: on demand, or what was paid for beforehand.
    let place = key.strip_suffix(".service_tier").or_else(|| key.strip_suffix(".traffic_type"))?;
    if let Some((rank, _)) = (0_u8..).zip(NAMES).find(|(_, name)| *name == key) {
        return Some(if rank < ANOTHER { rank } else { rank + 1 });
    }
    is_known.then_some(if is_asked(place) { ANOTHER_REQUEST } else { ANOTHER })
}

impl Way {
    /// Its word by its attribute; else, where the provider's answer is kept as it came, by that; else as it was asked
    /// for among the parameters. None where that is the usual one.
    pub(super) fn told<'t>(
        self,
        attribute: Option<&'t str>,
        answer: Option<&str>,
        parameters: Option<&str>,
    ) -> Option<Cow<'t, str>> {
        let within = |text: Option<&str>, of_answer| self.member(text?, of_answer).map(Cow::Owned);
        let told = attribute.map(Cow::Borrowed).or_else(|| within(answer, true));
        let told = told.or_else(|| within(parameters, false));
        told.filter(|told| !self.usual.iter().any(|usual| told.trim().eq_ignore_ascii_case(usual)))
    }

    /// Its word in the JSON of an object. An answer is the provider's where it says of what kind it is: what a model
    /// writes may have any members. Anthropic tells it within the usage.
    fn member(self, text: &str, of_answer: bool) -> Option<String> {
        if !text.contains(&format!("\"{}\"", self.name)) {
            return None;
        }
        let Some(json) = json_of(text) else {
            // What was asked for is told, and cannot be read: that it is the usual one is not known.
            return (!of_answer).then(|| "cannot be read".to_owned());
        };
        let told = [&json[self.name], &json["usage"][self.name]];
        let word = told.into_iter().filter_map(Value::as_str).find(|word| !is_no_name(word))?;
        (!of_answer || served::is_answer(&json)).then(|| word.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_answered_is_believed_before_what_was_asked_for() {
        let ranks = [
            "openai.response.service_tier",
            "anthropic.usage.service_tier",
            "llm.usage.service_tier",
            "openai.request.service_tier",
            "anthropic.request.service_tier",
            "llm.request.service_tier",
        ]
        .map(|key| rank(key).expect(key).1);
        assert!(ranks.is_sorted_by(|one, next| one < next), "{ranks:?}");
        for way in ["speed", "inference_geo"] {
            let of = |place: &str| {
                rank(&format!("{place}.{way}")).map(|(field, rank)| (field == Field::ServiceTier, rank))
            };
            assert_eq!([of("anthropic.usage"), of("gen_ai.request")], [Some((false, 0)), Some((false, 1))]);
        }
        for other in [
            "db.service_tier",
            "service_tier",
            "gen_ai.service_tiers",
            "db.usage.speed",
            "gen_ai.server.speed",
            "gen_ai.usage.token_speed",
        ] {
            assert_eq!(rank(other), None, "{other}");
        }
    }
}
