//! The price book as it is kept, what a call of a model costs, and how a seller's name of a model finds it.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use super::{
    call::{Call, Tokens},
    names, seller,
};

/// The sellers, each with its models, and where all that comes from.
#[derive(Debug)]
pub(super) struct Book {
    name: String,
    sellers: HashMap<String, Seller>,
}

/// A call's price: a model's, or that it costs nothing.
#[derive(Clone, Copy, Debug)]
pub(super) enum Price<'b> {
    Of(&'b Model),
    Nothing,
}

/// As the file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    source: String,
    version: String,
    date: String,
    #[serde(rename = "license")]
    _license: String,
    providers: Vec<KeptSeller>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptSeller {
    id: String,
    /// Whose models it offers beside its own.
    #[serde(default)]
    fallback: Vec<String>,
    models: Vec<Model>,
}

/// A model, and what it costs.
#[derive(Debug, Deserialize)]
pub(super) struct Model {
    id: String,
    /// What it is called; its id where nothing tells it.
    #[serde(default)]
    is: Vec<String>,
    /// How its names start.
    #[serde(default)]
    starts: Vec<String>,
    /// What stands before a date in its names.
    #[serde(default)]
    dated: Vec<String>,
    #[serde(flatten)]
    rates: Rates,
    #[serde(default)]
    tiers: Vec<Tier>,
    #[serde(default)]
    hours: Vec<Hours>,
}

/// What tokens of each kind cost, as far as it is told.
#[derive(Clone, Copy, Debug, Deserialize)]
struct Rates {
    /// None where another seller has a model of the name, and this one asks for a price that the book does not know.
    input: Option<Usd>,
    output: Option<Usd>,
    cache_read: Option<Usd>,
    cache_write: Option<Usd>,
    cache_write_hour: Option<Usd>,
    reasoning: Option<Usd>,
}

/// Other prices for all tokens of a call that puts in more than so many.
#[derive(Debug, Deserialize)]
struct Tier {
    above: u64,
    #[serde(flatten)]
    rates: Rates,
}

/// Other prices at some hours of each day.
#[derive(Debug, Deserialize)]
struct Hours {
    /// Minutes of the day in UTC: the first that it is for, and the first that it is for no more.
    from: u16,
    until: u16,
    #[serde(flatten)]
    rates: Rates,
}

impl Hours {
    fn hold_at(&self, minute: u16) -> bool {
        if self.from <= self.until {
            (self.from..self.until).contains(&minute)
        } else {
            minute >= self.from || minute < self.until
        }
    }
}

/// USD for a million tokens, as nano-USD.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(from = "f64")]
struct Usd(u64);

impl From<f64> for Usd {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "of nine decimals and some thousand USD at most, none below zero: a double tells each from the next"
    )]
    fn from(usd: f64) -> Self {
        Self((usd * 1e9).round() as u64)
    }
}

impl Model {
    /// What a call costs, in nano-USD, at a minute of the day. Millionths of it are added up exactly, and rounded once.
    pub(super) fn cost(&self, tokens: Tokens, minute: Option<u16>) -> Option<u64> {
        let tier = self.tiers.iter().rev().find(|tier| tokens.input > tier.above);
        let base = if self.hours.is_empty() { &self.rates } else { self.at(minute?) };
        let rate = |of: fn(&Rates) -> Option<Usd>| tier.and_then(|tier| of(&tier.rates)).or(of(base));
        let input = Some(rate(|of| of.input)?);
        let output = rate(|of| of.output);
        // What has no price of its own is paid like the rest of its side.
        let written = rate(|of| of.cache_write).or(input);
        let cache_read = tokens.cache_read.min(tokens.input);
        let cache_write = tokens.cache_write.min(tokens.input - cache_read);
        let for_an_hour = tokens.cache_write_hour.min(cache_write);
        let reasoning = tokens.reasoning.min(tokens.output);
        let mut millionths = 0;
        for (count, rate) in [
            (tokens.input - cache_read - cache_write, input),
            (cache_read, rate(|of| of.cache_read).or(input)),
            (cache_write - for_an_hour, written),
            (for_an_hour, rate(|of| of.cache_write_hour).or(written)),
            (tokens.output - reasoning, output),
            (reasoning, rate(|of| of.reasoning).or(output)),
        ] {
            // Tokens of a kind that has no price are paid in a way that the book does not know.
            millionths += match rate {
                Some(Usd(nanos)) => u128::from(count) * u128::from(nanos),
                None if count == 0 => 0,
                None => return None,
            };
        }
        u64::try_from((millionths + 500_000) / 1_000_000).ok()
    }

    fn at(&self, minute: u16) -> &Rates {
        let hours = self.hours.iter().rev().find(|hours| hours.hold_at(minute));
        hours.map_or(&self.rates, |hours| &hours.rates)
    }
}

/// A seller's models, and what finds them; of two that a name tells, the first is meant.
#[derive(Debug)]
struct Seller {
    is: HashMap<String, usize>,
    dated: HashMap<String, usize>,
    starts: Starts,
    models: Vec<Model>,
    fallback: Vec<String>,
}

impl From<KeptSeller> for Seller {
    fn from(kept: KeptSeller) -> Self {
        let (mut is, mut dated, mut starts) = (HashMap::new(), HashMap::new(), BTreeMap::new());
        let mut models = kept.models;
        for (at, model) in models.iter_mut().enumerate() {
            if model.is.is_empty() && model.starts.is_empty() && model.dated.is_empty() {
                model.is.push(model.id.to_lowercase());
            }
            for name in model.is.drain(..) {
                is.entry(name).or_insert(at);
            }
            for name in model.dated.drain(..) {
                dated.entry(name).or_insert(at);
            }
            for start in model.starts.drain(..) {
                starts.entry(start).or_insert(at);
            }
        }
        Self { is, dated, starts: starts.into(), models, fallback: kept.fallback }
    }
}

impl Seller {
    fn told(&self, name: &str) -> Option<&Model> {
        let whole = self.is.get(name).copied();
        let whole = whole.or_else(|| self.dated.get(names::undated(name)?).copied());
        self.starts.of(name).chain(whole).min().and_then(|at| self.models.get(at))
    }
}

/// How names of models start, in order, so that a name is not held against each.
#[derive(Debug)]
struct Starts(Vec<Start>);

#[derive(Debug)]
struct Start {
    text: String,
    model: usize,
    /// The longest other that this one starts with.
    within: Option<usize>,
}

impl From<BTreeMap<String, usize>> for Starts {
    fn from(sorted: BTreeMap<String, usize>) -> Self {
        let mut starts = Vec::<Start>::with_capacity(sorted.len());
        for (text, model) in sorted {
            let mut within = starts.len().checked_sub(1);
            while let Some(at) = within.filter(|at| !text.starts_with(&starts[*at].text)) {
                within = starts[at].within;
            }
            starts.push(Start { text, model, within });
        }
        Self(starts)
    }
}

impl Starts {
    /// The models of which a name may be. Whatever the name starts with, the last that is not behind it starts with
    /// too.
    fn of(&self, name: &str) -> impl Iterator<Item = usize> {
        let last = self.0.partition_point(|start| start.text.as_str() <= name).checked_sub(1);
        let starts =
            std::iter::successors(last.map(|at| &self.0[at]), |start| start.within.map(|at| &self.0[at]));
        let tells = |start: &&Start| {
            name.strip_prefix(&start.text)
                .is_some_and(|rest| start.text.starts_with("ft:") || names::is_version(rest))
        };
        starts.filter(tells).map(|start| start.model)
    }
}

impl Book {
    pub(super) fn read(text: &str) -> Option<Self> {
        let kept: Kept = serde_json::from_str(text).ok()?;
        let name = format!("{} {} ({})", kept.source, kept.version, kept.date);
        let sellers = kept.providers.into_iter().map(|seller| (seller.id.clone(), seller.into()));
        Some(Self { name, sellers: sellers.collect() })
    }

    /// As costs name it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The price of a call: of the one seller whose call it is, by what that one calls the model.
    pub(super) fn find(&self, call: &Call<'_>) -> Option<Price<'_>> {
        let model = call.model.trim().to_lowercase();
        let sold = seller::of(call, &model)?;
        let mut names = names::at(sold, &model);
        names.find_map(|name| match name {
            names::Name::Free => Some(Price::Nothing),
            names::Name::Model(name) => self.known(sold.seller, &name).map(Price::Of),
        })
    }

    /// A seller's model, or one that it offers of another's; by its name as it is, or with its version written
    /// otherwise.
    pub(super) fn known(&self, seller: &str, name: &str) -> Option<&Model> {
        let seller = self.sellers.get(seller)?;
        let mut all =
            std::iter::once(seller).chain(seller.fallback.iter().filter_map(|id| self.sellers.get(id)));
        all.find_map(|seller| {
            seller.told(name).or_else(|| names::otherwise(name).find_map(|name| seller.told(&name)))
        })
    }

    #[cfg(test)]
    pub(super) fn has(&self, seller: &str) -> bool {
        self.sellers.contains_key(seller)
    }
}
