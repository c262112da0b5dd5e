//! Which texts the steps of a run name, by the place of their segment: there is their body.

use std::collections::BTreeMap;

use models::logs::StepRow;
use proof::{contents::Content, records::StepRecord};

/// The texts that steps name, by the place of their segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named(BTreeMap<u64, Vec<Content>>);

impl Named {
    /// These steps are in the segment at this place.
    pub fn note<'s>(&mut self, place: u64, steps: impl IntoIterator<Item = &'s StepRow>) {
        for step in steps {
            let StepRecord { params, outcome_data, prompt, response, .. } = &step.record;
            self.add(place, [params, outcome_data, prompt, response].into_iter().flatten().copied());
        }
    }

    /// A step in the segment at this place names these.
    pub(crate) fn add(&mut self, place: u64, names: impl IntoIterator<Item = Content>) {
        let mut names = names.into_iter().peekable();
        if names.peek().is_some() {
            self.0.entry(place).or_default().extend(names);
        }
    }

    /// And what those name.
    pub(crate) fn extend(&mut self, others: Self) {
        for (place, names) in others.0 {
            self.0.entry(place).or_default().extend(names);
        }
    }

    /// The same in parts of so many places, in order.
    pub fn in_parts(&self, places: usize) -> impl Iterator<Item = Self> {
        let mut left = self.0.iter();
        std::iter::from_fn(move || {
            let some = left.by_ref().take(places).map(|(place, names)| (*place, names.clone()));
            Some(Self(some.collect())).filter(|part| !part.0.is_empty())
        })
    }

    /// The places of the bodies, and what is to be in each.
    pub(crate) fn by_place(&self) -> &BTreeMap<u64, Vec<Content>> {
        &self.0
    }

    /// What is named, in the order of the records; one that is named more than once is there as often.
    pub fn all(&self) -> impl Iterator<Item = &Content> {
        self.0.values().flatten()
    }
}
