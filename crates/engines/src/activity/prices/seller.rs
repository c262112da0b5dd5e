//! Who sold a call. Told by where it went, else by the provider that is named, else by the model's name; in doubt by
//! none.

use super::{
    call::Call,
    names,
    places::{Place, place},
    sold::Sold,
    words::{self, Between, Word, word},
};

/// The seller of a call, whose model is here in lower case.
pub(super) fn of(call: &Call<'_>, model: &str) -> Option<Sold> {
    let named = |seller| Some(Sold { seller, by_prefix: false });
    if model.is_empty() {
        return None;
    }
    let place = call.address.map_or(Place::Nowhere, place);
    let word = call.provider.map_or(Word::Nothing, word);
    match (place, word) {
        (Place::Abroad(seller), _) if !names::is_one_price_abroad(seller, model) => return None,
        (Place::Seller(seller) | Place::Abroad(seller), _) => return named(seller),
        (Place::Unlisted, _) | (_, Word::Other) => return None,
        (_, Word::Seller(seller)) => return named(seller),
        _ => {}
    }
    // An SDK's name, or none: much serves what speaks like OpenAI, and names models by whom it passes calls to.
    let (through, name) = unwrapped(model);
    let through = match (place, word) {
        (Place::Between(between), _) | (_, Word::Between(between)) => through.or(Some(between)),
        _ => through,
    };
    match (through, word) {
        (Some(Between::Market), _) => closed(name),
        (Some(Between::Gateway), _) => by_form(name).or_else(|| closed(name)),
        (None, _) if place == Place::Other => by_form(name),
        (None, Word::Sdk(seller)) => by_form(name).or_else(|| named(seller)),
        (None, _) => by_form(name).or_else(|| by_name(name)),
    }
}

/// A name without the gateways before it, and what they are.
fn unwrapped(model: &str) -> (Option<Between>, &str) {
    let (mut through, mut name) = (None, model);
    while let Some((before, rest)) = words::prefixed(name) {
        let Some(between) = words::between(before) else { break };
        (through, name) = (Some(between), rest);
    }
    (through, name)
}

/// By a form that one seller's names have, or by a seller before the name that makes no models.
fn by_form(name: &str) -> Option<Sold> {
    let named = |seller| Some(Sold { seller, by_prefix: false });
    if names::is_bedrock(name) {
        return named("aws");
    }
    if name.starts_with("models/") || (name.contains("publishers/") && name.contains("/models/")) {
        return named("google");
    }
    if name.starts_with("accounts/fireworks/") {
        return named("fireworks");
    }
    if name.starts_with("@cf/") {
        return named("cloudflare");
    }
    let (before, _) = words::prefixed(name).filter(|(before, _)| !words::is_maker(before))?;
    words::named(before).map(|seller| Sold { seller, by_prefix: true })
}

/// By a model that its maker alone sells, or others for what the maker asks.
fn closed(name: &str) -> Option<Sold> {
    let Some((before, rest)) = words::prefixed(name).filter(|(before, _)| *before != "ft") else {
        return words::closed_maker(name).map(|seller| Sold { seller, by_prefix: false });
    };
    let maker = words::closed_maker(rest).filter(|maker| words::named(before) == Some(maker))?;
    Some(Sold { seller: maker, by_prefix: true })
}

/// By the model's name alone.
fn by_name(name: &str) -> Option<Sold> {
    if let Some(sold) = closed(name) {
        return Some(sold);
    }
    match words::prefixed(name) {
        // As well the name of a seller as that of a maker whose models others may sell.
        Some((before @ ("cohere" | "deepseek" | "perplexity"), _)) => {
            words::named(before).map(|seller| Sold { seller, by_prefix: true })
        }
        Some((before, _)) if words::is_maker(before) => None,
        _ => words::by_name(name).map(|seller| Sold { seller, by_prefix: false }),
    }
}
