//! Half of a use, below a call that tells all of one: it gives way only where that one tells no less of it.

use super::{
    A, B, C, D, NONE,
    layers::{Layer, hold_with, told},
};
use crate::{
    tally::{CameLate, Tally},
    words::{
        CostNote::{CountsContradict, NoTokens},
        StepKind::{LlmCall, Other},
    },
};

const SMALL: (u64, u64, u64) = (100, 5, 1);
const NOTHING: (u64, u64, u64) = (0, 0, 0);

fn call(of: &'static str, parent: &'static str, used: (u64, u64, u64)) -> Layer {
    (of, parent, LlmCall, used, None)
}

fn half(of: &'static str, parent: &'static str, used: (u64, u64, u64)) -> Layer {
    (of, parent, LlmCall, used, Some(NoTokens))
}

/// A stream of which twenty thousand tokens went in is no part of a call of a hundred: what it told was in no sum. Nor
/// is what tells both sides of a use, and other ones.
#[test]
fn half_of_a_use_that_is_more_than_the_call_above_it_counts_beside_it() {
    let small = call(A, NONE, SMALL);
    let chain: Layer = (B, A, Other, NOTHING, None);
    for used in [(20_000, 0, 0), (106, 0, 0), (0, 6, 0), (101, 5, 0), (100, 6, 0), (20, 2, 0)] {
        let hold = |case: &str, layers: &[Layer], right: &[&str]| {
            hold_with(&format!("{used:?} {case}"), layers, &[], right);
        };
        hold("below", &[small, half(B, A, used)], &[A, B]);
        hold("with a chain between", &[small, chain, half(C, B, used)], &[A, B, C]);
        hold("with a call that tells nothing", &[small, half(B, A, NOTHING), half(C, B, used)], &[A, C]);
        hold("told by two", &[small, half(B, A, used), half(C, B, used)], &[A, C]);
        hold("beside all of the call", &[small, half(B, A, used), call(C, A, SMALL)], &[B, C]);
        let large = call(D, NONE, (40_000, 400, 9_000));
        // Of one that tells both sides the same went in or came out, or it is another call than the larger one too.
        let tells_both = used.0 > 0 && used.1 > 0;
        let right = if tells_both { &[D, A, B][..] } else { &[D, A] };
        hold("and a larger call above", &[large, call(A, D, SMALL), half(B, A, used)], right);
        let mut tally = Tally::default();
        assert!(tally.add(told(half(B, A, used), 0)).counts, "{used:?}");
        let came = tally.come_late(told(small, 1));
        assert_eq!(came, CameLate { counts: true, is_in_doubt: false }, "{used:?}");
    }
}

#[test]
fn half_of_a_use_that_the_call_above_it_tells_gives_way() {
    let small = call(A, NONE, SMALL);
    // A cost alone is one of this call, however much it is.
    let costs = [(0, 0, 1), (0, 0, 2), (0, 0, 5_000)];
    let counts = [(100, 0, 0), (105, 0, 0), (0, 5, 0), (100, 5, 0), (100, 2, 0)];
    for used in counts.into_iter().chain(costs) {
        hold_with(&format!("{used:?}"), &[small, half(B, A, used)], &[], &[A]);
    }
    // Nobody knows what is meant by counts that contradict each other.
    for used in [(20_000, 0, 0), (20_000, 300, 0), (20, 2, 0)] {
        let odd: Layer = (B, A, LlmCall, used, Some(CountsContradict));
        hold_with(&format!("{used:?} contradict"), &[small, odd], &[], &[A]);
    }
}
