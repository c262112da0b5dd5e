//! What random trees come to, held to the version of the tally that counts so.

use super::random::{Drawn, id, shuffled};
use crate::{
    hash::sha256,
    tally::{CameLate, Counted, Tally, VERSION},
    words::{
        CostNote,
        StepKind::{HttpCall, LlmCall, Other, Retrieval, ToolCall},
    },
};

/// Versions, and the digest of what each counts in the trees that are played here; the last is the one that counts
/// now. A line stays as it is once it is on main: runs are sealed by it from then on, and one digest more under its
/// number makes them TAMPERED. Of the first two the doubts were not played yet.
const PLAYED: [(&str, &str); 3] = [
    ("hoc-tally/4", "a795a052bd423dbbbaf880ab905ffd91e2a37e60d95dca740ae7cc4c56726157"),
    ("hoc-tally/5", "c7ea50d88c9346f59380f56687a2767fa21c8f560e1ea6647804347dd6124357"),
    ("hoc-tally/6", "d0e6f2576e3edb0c8828a80a3abf3f4b35ffa88b5d568ec433f5d113735b4d8e"),
];

/// So many families of models that there are more than are told apart.
const MODELS: [&str; 20] = [
    "ma", "mb", "mc", "md", "me", "mf", "mg", "mh", "mi", "mj", "mk", "ml", "mm", "mn", "mo", "mp", "mq",
    "mr", "ms", "mt",
];

/// Draws the same each time, whichever version of a library draws for the other tests.
struct Dice(u64);

impl Dice {
    fn below(&mut self, of: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("a number") % of
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// A step that comes after so many, of one of so many models or of none.
fn step(dice: &mut Dice, after: usize, models: usize) -> Drawn {
    let kind = dice
        .one(&[LlmCall, LlmCall, LlmCall, LlmCall, ToolCall, ToolCall, Other, Other, HttpCall, Retrieval]);
    let skill_name = match kind {
        LlmCall => dice.one(&["openai.chat", "openai.chat", "openai.embeddings", "openai.image_generation"]),
        Other => dice.one(&["chain", "POST /mcp"]),
        _ => dice.one(&["t", "u", "s__t"]),
    };
    let used = match dice.below(8) {
        0 | 1 => (0, 0, 0),
        2 => (0, 0, 5),
        3 => (10, 0, 0),
        4 => (10, 1, 0),
        5 => (300, 30, 7),
        _ => dice.one(&[
            (20, 2, 0),
            (40, 4, 1),
            (60, 6, 0),
            (300, 4, 0),
            (300, 0, 0),
            (300, 1, 2),
            (330, 0, 0),
        ]),
    };
    let note = match dice.below(8) {
        0 => Some(CostNote::NoTokens),
        1 => Some(CostNote::NoPrice),
        2 => Some(CostNote::ReportedZero),
        3 => Some(CostNote::CountsContradict),
        _ => None,
    };
    let parent = match dice.below(4) {
        1 if after > 0 => Some(dice.below(after)),
        2 | 3 if after > 0 => Some(after - 1),
        _ => None,
    };
    let model = Some(dice.one(&MODELS[..models])).filter(|_| dice.below(4) > 0);
    let failed = dice.below(4) == 0;
    let reporter = dice.one(&["own", "own", "own", "other"]);
    Drawn { parent, kind, skill_name, model, used, note, failed, reporter }
}

/// A step that comes after so many, of calls of one text, of which many broke: such hardly meet where all is drawn.
fn try_of_one(dice: &mut Dice, after: usize) -> Drawn {
    let kind = dice.one(&[LlmCall, LlmCall, LlmCall, LlmCall, LlmCall, LlmCall, Other, HttpCall]);
    let told = dice.one(&[
        (0, 0, 0),
        (300, 30, 7),
        (300, 0, 0),
        (300, 0, 2),
        (300, 1, 2),
        (300, 1, 2),
        (300, 4, 0),
        (0, 4, 0),
        (0, 0, 2),
        (304, 0, 0),
    ]);
    let parent = match after {
        0 => None,
        _ if dice.below(3) == 0 => Some(dice.below(after)),
        _ => Some(after - 1),
    };
    let failed = dice.below(2) == 0;
    let (skill_name, used) = if kind == LlmCall { ("openai.chat", told) } else { ("chain", (0, 0, 0)) };
    let is_half = used == (0, 0, 0) || dice.below(4) == 0;
    let note = (kind == LlmCall && is_half).then_some(CostNote::NoTokens);
    Drawn { parent, kind, skill_name, model: Some(MODELS[0]), used, note, failed, reporter: "own" }
}

/// Which steps of many trees count, and which count no longer with each, and what of that is in doubt, for it is stored
/// and replayed as well; of some those after a part come late.
fn played() -> Vec<u8> {
    let (mut dice, mut said) = (Dice(1), Vec::new());
    for tree in 0..4_000 {
        let is_of_tries = tree >= 3_000;
        let of = 1 + dice.below(if is_of_tries { 9 } else { 28 });
        let models = dice.one(&[2, MODELS.len()]);
        let draw = |after| {
            if is_of_tries { try_of_one(&mut dice, after) } else { step(&mut dice, after, models) }
        };
        let steps: Vec<Drawn> = (0..of).map(draw).collect();
        let order = shuffled(of, dice.0);
        let sealed = dice.below(3 * of);
        let mut tally = Tally::default();
        for (index, at) in order.iter().enumerate() {
            let (span, parent) = (id(*at), steps[*at].parent.map(id));
            let told = steps[*at].told(index as u64, &span, parent.as_deref());
            let (is_late, index) = (index >= sealed, index as u64);
            let (counts, is_in_doubt, mut no_longer) = if is_late {
                let CameLate { counts, is_in_doubt } = tally.come_late(told);
                (counts, is_in_doubt, Vec::new())
            } else {
                let Counted { counts, no_longer } = tally.add(told);
                (counts, !counts && tally.is_in_doubt(index), no_longer)
            };
            no_longer.sort_unstable();
            said.extend([u8::from(counts), u8::from(is_in_doubt)]);
            for gone in no_longer {
                said.extend(gone.to_be_bytes());
                said.push(u8::from(tally.is_in_doubt(gone)));
            }
            said.push(u8::from(tally.leaves_doubt()));
            said.push(u8::MAX);
        }
    }
    said
}

/// A run that is sealed is counted again, and TAMPERED where that comes to something else.
#[test]
fn what_counts_otherwise_is_of_another_version() {
    let digest = sha256(&played()).to_string();
    let [before @ .., now] = PLAYED;
    assert_eq!(
        (VERSION, digest.as_str()),
        now,
        "what counts or is in doubt has changed: VERSION wants its next number, in docs/bundle.md too, and PLAYED a line"
    );
    for (version, counted) in before {
        assert!(version != VERSION && counted != digest, "{version} has counted so, or otherwise");
    }
}
