//! Random trees in random orders: one count, whatever came first, and nothing that was not seen coming.

use std::collections::{BTreeMap, BTreeSet};

use proptest::{prelude::*, sample::Index};

use crate::{
    tally::{Counted, Tally, Told},
    words::{
        CostNote,
        StepKind::{self, HttpCall, LlmCall, Other, Retrieval, ToolCall},
    },
};

/// A step that is drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drawn {
    pub(super) parent: Option<usize>,
    pub(super) kind: StepKind,
    pub(super) skill_name: &'static str,
    pub(super) model: Option<&'static str>,
    pub(super) used: (u64, u64, u64),
    pub(super) note: Option<CostNote>,
    pub(super) failed: bool,
    pub(super) reporter: &'static str,
}

impl Drawn {
    pub(super) fn told<'a>(&self, index: u64, span: &'a str, parent: Option<&'a str>) -> Told<'a> {
        let Self { kind, skill_name, model, used, note, failed, reporter, .. } = *self;
        let (models, reporter) = ([model, None], Some(reporter));
        Told { index, span: Some(span), parent, kind, skill_name, models, used, note, failed, reporter }
    }

    fn uses(&self) -> bool {
        self.told(0, "", None).uses()
    }
}

/// A step of any kind: with no use, half of one or all of it, by one of two reporters. Skills and models are few, so
/// that sides of a tool and spans of one call meet.
fn drawn() -> impl Strategy<Value = Drawn> {
    let kinds = prop_oneof![
        4 => Just(LlmCall),
        2 => Just(ToolCall),
        2 => Just(Other),
        1 => Just(HttpCall),
        1 => Just(Retrieval),
    ];
    let models = prop_oneof![
        Just(None::<&'static str>),
        Just(Some("gpt-4o")),
        Just(Some("openai/gpt-4o-2024-08-06")),
        Just(Some("gpt-4o-mini")),
    ];
    let any_counts = (1..400_u64).prop_map(|of| (of, of / 9));
    let parts = prop_oneof![Just((300_u64, 0_u64)), Just((300, 1)), Just((330, 0))];
    let counts = prop_oneof![Just((10_u64, 1_u64)), Just((10, 0)), Just((300, 30)), parts, any_counts];
    let reporters = prop_oneof![3 => Just("own"), 1 => Just("other")];
    (kinds, any::<bool>(), models, 0..9_u8, counts, any::<bool>(), reporters).prop_map(
        |(kind, first, model, uses, (input, output), failed, reporter)| {
            let skill_name = match kind {
                LlmCall if first => "openai.chat",
                LlmCall => "openai.embeddings",
                Other if first => "POST /mcp",
                _ if first => "t",
                _ => "u",
            };
            let used = match (kind, uses) {
                (_, 0) | (LlmCall, 5) => (0, 0, 0),
                (ToolCall, _) | (LlmCall, 6) | (Other, 2) => (0, 0, input),
                (LlmCall, 1) => (0, output + 1, 0),
                (LlmCall, 8) | (Other, 1) => (input, output, 20 * input),
                _ => (input, output, 0),
            };
            let note = match (kind, uses) {
                (LlmCall, 0 | 1 | 4) => Some(CostNote::NoTokens),
                (LlmCall, 7) => Some(CostNote::CountsContradict),
                (LlmCall, _) if model.is_none() && used.2 == 0 => Some(CostNote::NoPrice),
                (LlmCall, 3 | 5) => Some(CostNote::ReportedZero),
                _ => None,
            };
            Drawn { parent: None, kind, skill_name, model, used, note, failed, reporter }
        },
    )
}

/// A random tree: each step's parent is one before it, often the last, or none.
fn trees() -> impl Strategy<Value = Vec<Drawn>> {
    proptest::collection::vec((drawn(), any::<Index>(), 0..4_u8), 1..14).prop_map(|steps| {
        let parent = |at: usize, of: Index, how: u8| {
            let other = if how == 1 { of.index(at.max(1)) } else { at.saturating_sub(1) };
            (at > 0 && how > 0).then_some(other)
        };
        let steps = steps.into_iter().enumerate();
        steps.map(|(at, (drawn, of, how))| Drawn { parent: parent(at, of, how), ..drawn }).collect()
    })
}

pub(super) fn id(at: usize) -> String {
    format!("{:016x}", at + 1)
}

/// Which steps count when they come in this order. What counts no longer and told a use was found before.
pub(super) fn count(tree: &[Drawn], order: &[usize]) -> BTreeMap<usize, bool> {
    let mut tally = Tally::default();
    let mut counts = BTreeMap::new();
    for (index, at) in order.iter().enumerate() {
        let (span, parent) = (id(*at), tree[*at].parent.map(id));
        let above = tally.counted_above([parent.as_deref()]);
        let below = tally.counted_below([Some(span.as_str())]);
        let found: BTreeSet<u64> = above.into_iter().chain(below).collect();
        let Counted { counts: own, no_longer } =
            tally.add(tree[*at].told(index as u64, &span, parent.as_deref()));
        counts.insert(*at, own);
        for gone in no_longer {
            let of = order[usize::try_from(gone).expect("few")];
            assert!(found.contains(&gone) || !tree[of].uses(), "{of} was not found before {at} came");
            assert_eq!(counts.insert(of, false), Some(true), "{of} counted");
        }
    }
    super::weight::check(&tally);
    counts
}

/// Which calls are told by others that leave out tokens of theirs, when the steps have come in this order.
fn doubts(tree: &[Drawn], order: &[usize]) -> BTreeSet<usize> {
    let mut tally = Tally::default();
    for (index, at) in order.iter().enumerate() {
        let (span, parent) = (id(*at), tree[*at].parent.map(id));
        tally.add(tree[*at].told(index as u64, &span, parent.as_deref()));
    }
    let places = (0_u64..).zip(order);
    let found: BTreeSet<usize> =
        places.filter(|(place, _)| tally.is_in_doubt(*place)).map(|(_, at)| *at).collect();
    assert_eq!(tally.leaves_doubt(), !found.is_empty());
    found
}

/// So many places in an order that the seed says.
pub(super) fn shuffled(of: usize, seed: u64) -> Vec<usize> {
    let mut shuffled: Vec<usize> = (0..of).collect();
    let mut state = seed | 1;
    for at in (1..of).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        shuffled.swap(at, usize::try_from(state >> 33).expect("a number") % (at + 1));
    }
    shuffled
}

/// Whether a step lies below another.
fn is_below(tree: &[Drawn], mut at: usize, above: usize) -> bool {
    while let Some(parent) = tree[at].parent {
        if parent == above {
            return true;
        }
        at = parent;
    }
    false
}

/// Whether a call above a call of text tells the same that went in, and more of what came out.
fn is_told_above(tree: &[Drawn], at: usize) -> bool {
    let Drawn { kind, skill_name, used: (input, output, _), .. } = tree[at];
    let tells_more = |of: &Drawn| {
        (of.kind, of.skill_name, of.used.0) == (kind, skill_name, input) && of.used.1 > output && input >= 16
    };
    output <= 1 && (0..tree.len()).any(|of| is_below(tree, at, of) && tells_more(&tree[of]))
}

/// Whether calls below a call tell what it tells: many tokens alike, in or out, or its total, or together as many as
/// it, or its cost where it tells no tokens.
fn is_told_below(tree: &[Drawn], at: usize) -> bool {
    let (input, output, cost) = tree[at].used;
    let below = (0..tree.len()).filter(|of| tree[*of].kind == LlmCall && is_below(tree, *of, at));
    let used: Vec<(u64, u64, u64)> = below.map(|of| tree[of].used).collect();
    let is_alike = |one: &(u64, u64, u64)| {
        let is_total = output == 0 && one.0 + one.1 == input;
        (input >= 16 && (one.0 == input || is_total)) || (output >= 16 && one.1 == output)
    };
    let together = |number: fn(&(u64, u64, u64)) -> u64| used.iter().map(number).sum::<u64>();
    if (input, output) == (0, 0) {
        return together(|one| one.2) >= cost;
    }
    used.iter().any(is_alike) || (together(|one| one.0) >= input && together(|one| one.1) >= output)
}

/// Whether a call above a call tells no less than it: of a total alone nobody knows which of it went in, and of both
/// sides one is alike.
fn is_covered_above(tree: &[Drawn], at: usize) -> bool {
    let (input, output, cost) = tree[at].used;
    let is_alike = |of: &Drawn| {
        let is_no_chance = (input >= 16 && of.used.0 == input) || (output >= 16 && of.used.1 == output);
        is_no_chance || (of.used.0, of.used.1) == (input, output)
    };
    let covers = |of: &Drawn| match (input, output) {
        (0, 0) => of.used.2 >= cost,
        (_, 0) => of.used.0 + of.used.1 >= input,
        (0, _) => of.used.1 >= output,
        _ => of.used.0 >= input && of.used.1 >= output && is_alike(of),
    };
    (0..tree.len()).any(|of| tree[of].kind == LlmCall && is_below(tree, at, of) && covers(&tree[of]))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// What comes after a run was sealed takes no use that counts away, and no call of a tool.
    #[test]
    fn whatever_comes_late(tree in trees(), seed in any::<u64>(), sealed in any::<Index>()) {
        let order = shuffled(tree.len(), seed);
        let sealed = sealed.index(tree.len());
        let mut tally = Tally::default();
        let mut counted = Vec::<usize>::new();
        for (index, at) in order.iter().enumerate() {
            let (span, parent) = (id(*at), tree[*at].parent.map(id));
            let told = tree[*at].told(index as u64, &span, parent.as_deref());
            if index < sealed {
                tally.add(told);
            } else {
                let counts = tally.add_late(told);
                prop_assert_eq!(counts, tally.nodes[index].counts);
            }
            let keeps = |of: &usize| tree[order[*of]].uses() || tree[order[*of]].kind == ToolCall;
            let counts = |of: &usize| tally.nodes[*of].counts && keeps(of);
            if index + 1 > sealed {
                prop_assert!(counted.iter().all(counts), "{at} took something away");
            }
            counted = (0..=index).filter(counts).collect();
        }
    }

    #[test]
    fn whatever_the_order(tree in trees(), seed in any::<u64>()) {
        let straight: Vec<usize> = (0..tree.len()).collect();
        let shuffled = shuffled(tree.len(), seed);
        let counts = count(&tree, &straight);
        prop_assert_eq!(&counts, &count(&tree, &shuffled));
        let in_doubt = doubts(&tree, &straight);
        prop_assert_eq!(&in_doubt, &doubts(&tree, &shuffled));
        prop_assert!(in_doubt.iter().all(|at| !counts[at]), "what counts is in no doubt");
        for reporter in ["own", "other"] {
            let tells = |at: &usize| tree[*at].uses() && tree[*at].reporter == reporter;
            let told = (0..tree.len()).any(|at| tells(&at));
            let counted = counts.iter().any(|(at, counts)| *counts && tells(at));
            prop_assert_eq!(counted, told, "of what is told something counts");
        }
        // A call for another thing, or of another model, takes nothing from a call.
        for (at, step) in tree.iter().enumerate() {
            let has_like = |other: &Drawn| other.kind == LlmCall && other.skill_name == step.skill_name;
            let alone = tree.iter().filter(|other| has_like(other)).count() == 1;
            if step.kind == LlmCall && alone {
                prop_assert!(counts[&at], "the only call of its class");
            }
            let tells_use = step.kind == LlmCall && step.uses();
            let is_told_in_full = step.note.is_none() && (step.used.0, step.used.1) != (0, 0);
            if tells_use && is_told_in_full && !counts[&at] {
                let is_told = is_told_below(&tree, at) || is_told_above(&tree, at);
                prop_assert!(is_told, "{at} is not told of by another");
            }
            // Which of two readings, or of two costs, is right nobody knows: that is in doubt.
            if tells_use && !is_told_in_full && !counts[&at] {
                let is_told = is_told_below(&tree, at) || is_covered_above(&tree, at);
                prop_assert!(is_told || in_doubt.contains(&at), "what {at} tells is in no sum, and known");
            }
        }
    }
}
