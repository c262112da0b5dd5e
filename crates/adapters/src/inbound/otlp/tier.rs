//! The service tier that answered a call, which tells how it is paid.

use std::borrow::Cow;

use orchestrator::ports::json_of;

use super::nothing::is_no_name;

/// Where what is called a service tier is that of a model's call.
const PLACES: [&str; 7] = ["gen_ai.", "llm.", "openai.", "anthropic.", "aws.bedrock.", "groq.", "gcp."];

/// The names by which it is told, the one that is believed before the others first: that which answered, then that which was
/// asked for.
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

/// The rank of an attribute that tells the tier.
pub(super) fn rank(key: &str) -> Option<u8> {
    // Of Vertex it is the type of traffic: on demand, or what was paid for beforehand.
    let place = key.strip_suffix(".service_tier").or_else(|| key.strip_suffix(".traffic_type"))?;
    if let Some((rank, _)) = (0_u8..).zip(NAMES).find(|(_, name)| *name == key) {
        return Some(if rank < ANOTHER { rank } else { rank + 1 });
    }
    let is_known = PLACES.iter().any(|of| key.starts_with(of));
    let is_asked = place.ends_with("request") || place.ends_with("parameters");
    is_known.then_some(if is_asked { ANOTHER_REQUEST } else { ANOTHER })
}

/// The tier by its attribute; else, where the provider's answer is kept as it came, by that; else as it was asked for among the
/// parameters.
pub(super) fn told<'t>(
    attribute: Option<&'t str>,
    answer: Option<&str>,
    parameters: Option<&str>,
) -> Option<Cow<'t, str>> {
    let within = |text: Option<&str>, of_answer| member(text?, of_answer).map(Cow::Owned);
    attribute.map(Cow::Borrowed).or_else(|| within(answer, true)).or_else(|| within(parameters, false))
}

/// The tier in the JSON of an object. An answer is the provider's where it says of what kind it is: what a model writes may have
/// any members.
fn member(text: &str, of_answer: bool) -> Option<String> {
    if !text.contains("\"service_tier\"") {
        return None;
    }
    let Some(json) = json_of(text) else {
        // What was asked for is told, and cannot be read: that it is the usual one is not known.
        return (!of_answer).then(|| "cannot be read".to_owned());
    };
    let is_provider_s = json["object"].is_string() && json["id"].is_string();
    let tier = json["service_tier"].as_str().filter(|tier| !is_no_name(tier))?;
    (is_provider_s || !of_answer).then(|| tier.to_owned())
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
        .map(|key| rank(key).expect(key));
        assert!(ranks.is_sorted_by(|one, next| one < next), "{ranks:?}");
        for other in ["db.service_tier", "service_tier", "gen_ai.service_tiers"] {
            assert_eq!(rank(other), None, "{other}");
        }
    }
}
