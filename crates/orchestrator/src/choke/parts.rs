//! The calls of a group, in parts: which of them go together, how a part that fails is halved, who has his answers.

use std::collections::BTreeSet;

use models::ids::RunId;

use super::{
    call::Answer,
    item::{Bond, Reply},
    prepare::Call,
};

/// The answers of some calls, one each; none for a call that was not attempted.
pub(super) type Answers = Vec<Option<Answer>>;

/// Calls of one item that go in order, lent.
#[derive(Clone, Copy)]
pub(super) struct Unit<'a> {
    /// Which item they are of, and where in it they begin.
    item: usize,
    from: usize,
    pub(super) calls: &'a [Call],
    pub(super) bond: Bond,
}

impl<'a> Unit<'a> {
    pub(super) fn whole(item: usize, calls: &'a [Call], bond: Bond) -> Self {
        Self { item, from: 0, calls, bond }
    }

    /// The least that stands or falls by itself: calls that go together, or each that stands alone.
    pub(super) fn atoms(self) -> impl Iterator<Item = Self> {
        let at_once = if self.bond == Bond::Together { self.calls.len() } else { 1 };
        let atom = move |(n, calls)| Unit { from: self.from + n * at_once, calls, ..self };
        self.calls.chunks(at_once.max(1)).enumerate().map(atom)
    }

    pub(super) fn runs(self) -> impl Iterator<Item = RunId> + use<'a> {
        self.calls.iter().filter_map(Call::run_id)
    }
}

/// Divides units by whether one of their calls is about one of these runs: those that are not, then those that are.
pub(super) fn apart(units: Vec<Unit<'_>>, is_of: impl Fn(RunId) -> bool) -> [Vec<Unit<'_>>; 2] {
    let touches = |unit: &Unit<'_>| unit.runs().any(&is_of);
    let mut divided = [Vec::new(), Vec::new()];
    for unit in units {
        if !touches(&unit) {
            divided[0].push(unit);
            continue;
        }
        for atom in unit.atoms() {
            divided[usize::from(touches(&atom))].push(atom);
        }
    }
    divided
}

/// The halves of a part that failed, so that in the end only the culprit fails: one call's failure is never its
/// neighbours'. Where a lock was the reason, calls of one run stay together. `None` where it cannot be divided.
pub(super) fn halves<'a>(part: &[Unit<'a>], by_run: bool) -> Option<[Vec<Unit<'a>>; 2]> {
    let atoms: Vec<_> = part.iter().flat_map(|unit| unit.atoms()).enumerate().collect();
    // What opens a run is of no run yet.
    let key = |(n, atom): &(usize, Unit<'_>)| match atom.runs().next() {
        Some(run) if by_run => (Some(run), 0),
        _ => (None, *n),
    };
    let keys: BTreeSet<_> = atoms.iter().map(key).collect();
    let middle = *keys.iter().nth(keys.len() / 2).filter(|_| keys.len() > 1)?;
    let (first, second): (Vec<_>, Vec<_>) = atoms.into_iter().partition(|atom| key(atom) < middle);
    Some([first, second].map(|half| half.into_iter().map(|(_, atom)| atom).collect()))
}

/// Who waits for what. An item is answered as soon as all its calls are.
pub(super) struct Waiting(Vec<Item>);

struct Item {
    reply: Option<Reply>,
    answers: Answers,
    missing: usize,
}

impl Waiting {
    /// Items with so many calls each.
    pub(super) fn on(items: impl Iterator<Item = (usize, Reply)>) -> Self {
        let item = |(calls, reply)| {
            let mut answers = Vec::new();
            answers.resize_with(calls, || None);
            Item { reply: Some(reply), answers, missing: calls }
        };
        Self(items.map(item).collect())
    }

    /// The answers of a unit's calls.
    pub(super) fn tell(&mut self, unit: &Unit<'_>, answers: Answers) {
        let Some(item) = self.0.get_mut(unit.item) else { return };
        item.missing = item.missing.saturating_sub(unit.calls.len());
        for (place, answer) in item.answers.iter_mut().skip(unit.from).zip(answers) {
            *place = answer;
        }
        if item.missing == 0
            && let Some(reply) = item.reply.take()
        {
            reply.send(std::mem::take(&mut item.answers));
        }
    }
}
