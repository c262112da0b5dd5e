//! How sellers write the name of a model: with paths, regions, versions and dates around it. All in lower case.

use std::borrow::Cow;

use super::{sold::Sold, words};

/// What a model may be called in the book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Name<'m> {
    Model(Cow<'m, str>),
    /// The seller says by the name that the call costs nothing.
    Free,
}

/// What a seller's list may call a model that a call names so; the likelier first.
pub(super) fn at(sold: Sold, model: &str) -> impl Iterator<Item = Name<'_>> {
    let own = without_seller(sold.seller, model);
    // A seller that is named may have models called like itself; one that only stands before the model's name is no
    // part of it.
    let (first, then) = if sold.by_prefix { (own, model) } else { (model, own) };
    let then = if first == then { [None, None] } else { listed(sold.seller, then) };
    listed(sold.seller, first).into_iter().chain(then).flatten()
}

/// The name without the seller's own before it, nor a gateway's.
fn without_seller<'m>(seller: &str, model: &'m str) -> &'m str {
    let mut name = model;
    while let Some((before, rest)) = words::prefixed(name) {
        if words::named(before) != Some(seller) && words::between(before).is_none() {
            break;
        }
        name = rest;
    }
    name
}

fn listed<'m>(seller: &str, name: &'m str) -> [Option<Name<'m>>; 2] {
    let plain = |name: &'m str| Some(Name::Model(Cow::Borrowed(name)));
    match seller {
        "aws" => {
            let Some(name) = bedrock(name) else { return [None, None] };
            let Some((region, id)) = name.split_once('.') else {
                let whole = vendor(name).map(|vendor| format!("{vendor}.{name}"));
                return [plain(name), whole.map(|name| Name::Model(Cow::Owned(name)))];
            };
            let known = region == "us" || (REGIONS.contains(&region) && is_one_price(id));
            [plain(name), if known { plain(id) } else { None }]
        }
        "azure" => [plain(azure(name)), None],
        "fireworks" if !name.contains('/') => {
            [plain(name), Some(Name::Model(Cow::Owned(format!("accounts/fireworks/models/{name}"))))]
        }
        "google" if is_of_a_dear_region(name) => [None, None],
        "google" => [plain(vertex(name)), None],
        "openrouter" if name.ends_with(":free") => [Some(Name::Free), None],
        "openrouter" => [plain(name), route(name).and_then(plain)],
        _ => [plain(name), None],
    }
}

/// Where Bedrock has profiles that cost what a region costs. Worldwide ones cost less, and are told by their names; of
/// the government's the book knows nothing.
const REGIONS: [&str; 9] = ["us", "eu", "apac", "jp", "au", "ca", "in", "sa", "me"];

/// Whose models Bedrock names.
const VENDORS: [&str; 16] = [
    "ai21",
    "amazon",
    "anthropic",
    "cohere",
    "deepseek",
    "google",
    "meta",
    "minimax",
    "mistral",
    "moonshot",
    "moonshotai",
    "nvidia",
    "openai",
    "qwen",
    "writer",
    "zai",
];

/// Whose a model is that some tracing names without its vendor.
fn vendor(name: &str) -> Option<&'static str> {
    let families = [
        ("nova-", "amazon"),
        ("titan-", "amazon"),
        ("llama", "meta"),
        ("mistral-", "mistral"),
        ("mixtral-", "mistral"),
        ("pixtral-", "mistral"),
        ("gpt-oss-", "openai"),
        ("qwen", "qwen"),
        ("palmyra-", "writer"),
    ];
    families.into_iter().find(|(start, _)| name.starts_with(start)).map(|(_, vendor)| vendor)
}

/// Whether a model costs in all of a seller's regions what the book says.
pub(super) fn is_one_price_abroad(seller: &str, model: &str) -> bool {
    if seller == "google" {
        return !is_dearer_in_regions(vertex(without_seller(seller, model)));
    }
    let Some(id) = bedrock(without_seller("aws", model)) else { return false };
    is_one_price(id.split_once('.').filter(|(at, _)| REGIONS.contains(at)).map_or(id, |(_, id)| id))
}

fn is_one_price(id: &str) -> bool {
    ["anthropic.", "claude-", "global."].iter().any(|start| id.starts_with(start))
}

/// Whether Vertex asks more for a model of Anthropic's in a region than worldwide, as for each since Claude 4.5.
fn is_dearer_in_regions(name: &str) -> bool {
    let Some(name) = name.strip_prefix("claude-") else { return false };
    let is_before = ["2", "3", "instant", "v"].iter().any(|start| name.starts_with(start));
    let of_four =
        ["opus-4", "sonnet-4", "4-opus", "4-sonnet"].iter().find_map(|start| name.strip_prefix(start));
    let is_four = of_four.is_some_and(|rest| {
        let edition = rest.trim_start_matches(['-', '@']).split(['-', '@']).next().unwrap_or_default();
        let is_first = edition.len() == 8 && number(edition) || matches!(edition, "" | "0" | "1" | "default");
        is_first && (rest.is_empty() || rest.starts_with(['-', '@']))
    });
    !is_before && !is_four
}

/// Whether a resource of Vertex's is of a region where its model costs more.
fn is_of_a_dear_region(name: &str) -> bool {
    let region = name.split_once("locations/").and_then(|(_, rest)| rest.split('/').next());
    region.is_some_and(|region| region != "global") && is_dearer_in_regions(vertex(name))
}

/// Whether a name is of the form that only Bedrock has: `[region.]vendor.model`, or a resource of it.
pub(super) fn is_bedrock(name: &str) -> bool {
    if name.starts_with("arn:aws") {
        return name.contains(":bedrock:");
    }
    let mut parts = name.splitn(3, '.');
    let (first, second) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let vendor = if REGIONS.contains(&first) || first == "global" { second } else { first };
    VENDORS.contains(&vendor) && !second.is_empty() && !name.contains('/')
}

/// A model by its id, within a resource that is one or a profile that names it. What an account named itself, trained
/// or reserved tells nothing.
fn bedrock(name: &str) -> Option<&str> {
    if name.starts_with("arn:") {
        let mut parts = name.splitn(6, ':');
        let (_, partition, service) = (parts.next(), parts.next(), parts.next());
        if (partition, service) != (Some("aws"), Some("bedrock")) || parts.next()?.starts_with("us-gov-") {
            return None;
        }
        let resource = parts.nth(1)?;
        return resource
            .strip_prefix("inference-profile/")
            .or_else(|| resource.strip_prefix("foundation-model/"));
    }
    let name = name.strip_prefix("converse/").or_else(|| name.strip_prefix("invoke/")).unwrap_or(name);
    // The book's prices are those of the United States.
    let in_states = |region: &str| region.starts_with("us-") && !region.starts_with("us-gov");
    Some(name.split_once('/').filter(|(region, _)| in_states(region)).map_or(name, |(_, name)| name))
}

/// A deployment that is called like a model is one; data zones of their own have their own prices.
fn azure(name: &str) -> &str {
    let name = name.strip_prefix("global-standard/").or_else(|| name.strip_prefix("global/")).unwrap_or(name);
    name.strip_prefix("openai/").or_else(|| name.strip_prefix("anthropic/")).unwrap_or(name)
}

/// Without the path of a resource, and without whose model it is.
fn vertex(name: &str) -> &str {
    let published = |publisher: &str| name.split_once(publisher).map(|(_, name)| name);
    let name = published("publishers/google/models/")
        .or_else(|| published("publishers/anthropic/models/"))
        .or_else(|| name.strip_prefix("models/"))
        .unwrap_or(name);
    name.strip_prefix("google/").or_else(|| name.strip_prefix("anthropic/")).unwrap_or(name)
}

/// Without what tells OpenRouter how to route a call, where the call costs the same; what searches the web costs more.
fn route(name: &str) -> Option<&str> {
    let (model, how) = name.rsplit_once(':')?;
    match how {
        "beta" | "thinking" => Some(model),
        // To the fastest or the cheapest of several: one price only where all of them ask what the maker does.
        "nitro" | "floor" | "exacto" => words::closed_maker(model.split_once('/')?.1).map(|_| model),
        _ => None,
    }
}

/// Whether what follows a name says only which version it is: another word makes it another model.
pub(super) fn is_version(rest: &str) -> bool {
    let says_so = |part: &str| {
        let part = part.strip_prefix('v').unwrap_or(part);
        number(part.strip_suffix('k').unwrap_or(part))
            || matches!(part, "" | "preview" | "latest" | "exp" | "experimental" | "beta" | "default")
    };
    rest.split(['-', '@', ':', '.']).all(says_so)
}

fn number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What stands before a date: `name-20251211`, `name@20251211`, `name-2025-12-11`.
pub(super) fn undated(name: &str) -> Option<&str> {
    let (before, last) = name.rsplit_once(['-', '@'])?;
    if last.len() == 8 && number(last) {
        return Some(before);
    }
    let (before, month) = before.rsplit_once('-')?;
    let (before, year) = before.rsplit_once('-')?;
    let is_date =
        [(year, 4), (month, 2), (last, 2)].iter().all(|(part, long)| part.len() == *long && number(part));
    is_date.then_some(before)
}

/// A name with its version written as others write it: `name-20251211` with dashes in the date, `name@version` with one
/// before it, and without one that says only that it is the usual.
pub(super) fn otherwise(name: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let dashed = || {
        let (name, date) = name.rsplit_once('-')?;
        let is_date = date.len() == 8 && number(date);
        is_date.then(|| format!("{name}-{}-{}-{}", &date[..4], &date[4..6], &date[6..]).into())
    };
    let at = || match name.split_once('@')? {
        (name, "default" | "latest") => Some(name.into()),
        (name, version) => Some(format!("{name}-{version}").into()),
    };
    [dashed(), at()].into_iter().flatten()
}
