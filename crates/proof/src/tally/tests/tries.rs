//! Tries that broke, of whose spans some alone say so.

use proptest::{collection::vec, prelude::*};

use super::{
    A, B, C, D, E, NONE,
    layers::{Layer, WHOLE, hold_with},
    random::{Drawn, count, shuffled},
};
use crate::words::{
    CostNote::{CountsContradict, NoTokens, ReportedZero},
    StepKind::{LlmCall, Other},
};

const F: &str = "00000000000000f6";
const BEGUN: (u64, u64, u64) = (1_000, 1, 2);
const NOTHING: (u64, u64, u64) = (0, 0, 0);

fn call(of: &'static str, parent: &'static str, used: (u64, u64, u64)) -> Layer {
    (of, parent, LlmCall, used, Some(NoTokens).filter(|_| used == NOTHING))
}

/// A client's span that ends without a status, as when its stream is dropped, below one that failed.
#[test]
fn what_tells_of_a_try_that_broke_is_of_that_try() {
    let (outer, next) = (call(A, NONE, WHOLE), call(D, A, WHOLE));
    for over in [BEGUN, (1_000, 0, 2), NOTHING] {
        let hold = |case: &str, layers: &[Layer], failed: &[&str], right: &[&str]| {
            hold_with(&format!("{over:?} {case}"), layers, failed, right);
        };
        let tries = [outer, call(B, A, over), call(C, B, BEGUN), next];
        hold("and the next", &tries, &[B], &[C, D]);
        hold("alone", &tries[..3], &[B], &[A, C]);
        hold("both say it", &tries, &[B, C], &[C, D]);
        let three = |between| [outer, call(B, A, over), call(C, B, between), call(E, C, BEGUN), next];
        for between in [BEGUN, NOTHING] {
            for failed in [&[B][..], &[C], &[B, C]] {
                hold("told by three", &three(between), failed, &[E, D]);
            }
        }
        let twice = [outer, tries[1], tries[2], call(E, A, over), call(F, E, BEGUN), next];
        hold("twice", &twice, &[B, E], &[C, F, D]);
        let two = [outer, call(E, A, WHOLE), call(B, E, over), call(C, B, BEGUN), call(D, E, WHOLE)];
        hold("below two", &two, &[B], &[C, D]);
        let agent: Layer = (E, NONE, Other, (1_000, 100, 0), None);
        hold("of an agent", &[agent, call(A, E, WHOLE), tries[1], tries[2], next], &[B], &[C, D]);
    }
    for over in [BEGUN, NOTHING] {
        let sum = [call(A, NONE, (2_000, 101, 9)), call(B, A, over), call(C, B, BEGUN), next];
        hold_with("of a call that sums up its tries", &sum, &[B], &[C, D]);
    }
    let chain: Layer = (B, A, Other, NOTHING, None);
    hold_with("below a chain that failed", &[outer, chain, call(C, B, BEGUN), next], &[B], &[B, C, D]);
    hold_with("below a chain", &[outer, chain, call(C, B, BEGUN), next], &[], &[B, D]);
}

/// Of the spans of one try that broke, the one counts that tells more of what came out, where the other has its
/// beginning alone.
#[test]
fn a_try_that_broke_counts_with_what_is_told_of_it() {
    let hold = |case: &str, over, below, right: &[&str]| {
        let tries = [call(A, NONE, WHOLE), call(B, A, over), call(C, B, below), call(D, A, WHOLE)];
        for failed in [&[B][..], &[B, C]] {
            hold_with(&format!("{case} {failed:?}"), &tries, failed, right);
        }
    };
    let less = [call(A, NONE, WHOLE), call(B, A, BEGUN), call(C, B, (1_000, 0, 2)), call(D, A, WHOLE)];
    hold_with("a token less", &less, &[B], &[B, D]);
    hold_with("a token less, of what may be two", &less, &[B, C], &[C, D]);
    let tries = [call(A, NONE, WHOLE), call(B, A, (1_000, 50, 5)), call(C, B, BEGUN), call(D, A, WHOLE)];
    hold_with("much less", &tries, &[B], &[B, D]);
    hold_with("much less, of what may be two", &tries, &[B, C], &[B, C, D]);
    hold("more", BEGUN, (1_000, 40, 4), &[C, D]);
    hold("other counts of what went in", (600, 1, 2), BEGUN, &[C, D]);
    let all = [call(A, NONE, WHOLE), call(B, A, BEGUN), call(C, B, WHOLE), call(D, A, WHOLE)];
    hold_with("all of it, and the next", &all, &[B], &[C, D]);
    hold_with("all of it: what came through", &all[..3], &[B], &[C]);
}

/// Where what is above it failed too, as a framework's span whose answer came and could not be parsed.
#[test]
fn a_try_that_broke_counts_in_a_call_that_failed() {
    let [outer, next] = [call(A, NONE, WHOLE), call(D, A, WHOLE)];
    for begun in [BEGUN, (1_000, 0, 2)] {
        let tries = [outer, call(B, A, begun), next];
        hold_with("and the next", &tries, &[A, B], &[B, D]);
        hold_with("and the next, which failed too", &tries, &[A, B, D], &[B, D]);
        hold_with("alone", &tries[..2], &[A, B], &[A, B]);
        let of_sdk = [outer, call(B, A, begun), call(C, B, begun), next];
        for failed in [&[A, B][..], &[A, C], &[A, B, C]] {
            hold_with("of an SDK", &of_sdk, failed, &[C, D]);
        }
        let within = [outer, call(E, A, (1_000, 40, 4)), call(B, E, begun), call(C, E, (1_000, 40, 4)), next];
        for failed in [&[E, B][..], &[A, E, B], &[E, B, C]] {
            hold_with("of an SDK whose next try broke later", &within, failed, &[B, C, D]);
        }
    }
    hold_with("and a part", &[outer, call(B, A, (1_000, 40, 4)), next], &[A, B], &[B, D]);
}

/// A span that failed and tells of a beginning stands for no more than one of the tries below it, whatever came out of
/// them. Half of a use leaves that open, and counts beside it.
#[test]
fn a_beginning_hides_no_try_below_it() {
    let [nothing, begun] = [(1_000, 0, 2), BEGUN].map(|used| move |of, parent| call(of, parent, used));
    let tries = [begun(A, NONE), nothing(B, A), begun(C, A)];
    hold_with("and the next, which failed too", &tries, &[A, B, C], &[B, C]);
    hold_with("and the next", &tries, &[A, B], &[B, C]);
    hold_with("and another", &[tries[0], tries[1], nothing(D, A), tries[2]], &[A, B, C, D], &[B, D, C]);
    hold_with("of which the outer one alone says that it failed", &tries, &[A], &[C]);
    hold_with("of a token as well", &[begun(A, NONE), begun(B, A), begun(C, A)], &[A, B, C], &[B, C]);
    // One of the two counts, for a further one stands for the outer one: of what came out a token is in no sum.
    hold_with("alone", &tries[..2], &[A, B], &[B]);
    let [sdk, first, second, next] = [begun(A, E), nothing(B, A), begun(C, A), call(D, E, WHOLE)];
    for framework in [WHOLE, NOTHING] {
        let all = [call(E, NONE, framework), sdk, first, second, next];
        hold_with("of an SDK", &all, &[A, B, C], &[B, C, D]);
        hold_with("of an SDK, of which the first one failed", &all, &[A, B], &[B, C, D]);
    }
    hold_with("of a framework over it", &[begun(E, NONE), sdk, first, second], &[A, B], &[B, C]);
    let half = |of| -> Layer { (of, A, LlmCall, (1_000, 0, 0), Some(NoTokens)) };
    for outer in [begun(A, NONE), nothing(A, NONE)] {
        hold_with("half of it", &[outer, half(B)], &[A, B], &[A, B]);
        hold_with("half of it, twice", &[outer, half(B), half(C)], &[A, B, C], &[A, B, C]);
        hold_with("half of it, and the next", &[outer, half(B), begun(C, A)], &[A, B, C], &[B, C]);
        hold_with("half of it, which says of no failure", &[outer, half(B)], &[A], &[A]);
    }
    let free =
        |of, parent, output| -> Layer { (of, parent, LlmCall, (1_000, output, 0), Some(ReportedZero)) };
    let contradict: Layer = (C, B, LlmCall, (1_000, 0, 0), Some(CountsContradict));
    let chain = [free(A, NONE, 1), free(B, A, 0), contradict];
    hold_with("of three of which each tells less", &chain, &[A, C], &[A, C]);
    let free = free(B, A, 0);
    hold_with("at no cost", &[begun(A, NONE), free], &[A, B], &[A, B]);
}

/// What a try that broke tells, and nothing above it does, is in no other call: its cost is not known, or in the sum.
#[test]
fn a_try_that_broke_counts_by_half_of_a_use() {
    let [outer, next] = [call(A, NONE, WHOLE), call(D, A, WHOLE)];
    let sdk = call(C, A, NOTHING);
    for (used, note) in [
        ((0, 5, 0), Some(NoTokens)),
        ((0, 0, 3), None),
        ((1_000, 0, 0), Some(NoTokens)),
        ((1_001, 0, 0), Some(NoTokens)),
        ((900, 0, 0), Some(NoTokens)),
        ((900, 40, 0), Some(CountsContradict)),
        ((1_000, 140, 0), Some(CountsContradict)),
    ] {
        let what = format!("{used:?} {note:?}");
        let half = |parent| -> Layer { (B, parent, LlmCall, used, note) };
        for failed in [&[B][..], &[A, B]] {
            hold_with(&what, &[outer, half(A), next], failed, &[B, D]);
            hold_with(&what, &[outer, half(A)], failed, &[A, B]);
        }
        for failed in [&[C][..], &[B, C]] {
            hold_with(&what, &[outer, sdk, half(C), next], failed, &[B, D]);
        }
        hold_with(&what, &[outer, half(A), next], &[], &[D]);
    }
    // What came out, the cost, the total, or both sides: of the outer one's call.
    for (used, note) in [
        ((0, 100, 0), Some(NoTokens)),
        ((0, 0, 7), None),
        ((1_100, 0, 0), Some(NoTokens)),
        ((1_000, 100, 0), Some(CountsContradict)),
    ] {
        let half: Layer = (B, A, LlmCall, used, note);
        hold_with(&format!("{used:?} {note:?}"), &[outer, half], &[B], &[A]);
        hold_with(&format!("{used:?} {note:?}"), &[outer, half, next], &[A, B], &[D]);
    }
}

/// A try that broke: what came out of it; and of each of its spans, the outer one first, whether it tells that, whether
/// it says that it failed, and whether a chain lies over it.
type Try = (u64, Vec<(bool, bool, bool)>);

fn tries() -> impl Strategy<Value = Vec<Try>> {
    let output = prop_oneof![Just(0_u64), Just(1), 2..100_u64];
    vec((output, vec(any::<(bool, bool, bool)>(), 1..4)), 1..4)
}

fn drawn(parent: Option<usize>, tokens: Option<(u64, u64)>, failed: bool) -> Drawn {
    let (input, output) = tokens.unwrap_or_default();
    Drawn {
        parent,
        kind: LlmCall,
        skill_name: "openai.chat",
        model: Some("gpt-4o"),
        used: (input, output, 0),
        note: tokens.is_none().then_some(NoTokens),
        failed,
        reporter: "own",
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whoever calls a model waits for the spans below, so the outer one of a try that broke says so.
    #[test]
    fn whatever_broke_is_counted(
        tries in tries(),
        input in 200..900_u64,
        frameworks in 1..3_usize,
        fails in any::<bool>(),
        next in 0..3_usize,
        seed in any::<u64>(),
    ) {
        let whole = Some((input, 100));
        let mut tree: Vec<Drawn> =
            (0..frameworks).map(|at| drawn(at.checked_sub(1), whole, fails)).collect();
        let last = frameworks - 1;
        for (output, spans) in &tries {
            let is_told = spans.iter().any(|(tells, ..)| *tells);
            let mut parent = last;
            for (depth, (tells, failed, is_in_chain)) in spans.iter().enumerate() {
                if *is_in_chain {
                    tree.push(Drawn { kind: Other, note: None, ..drawn(Some(parent), None, false) });
                    parent = tree.len() - 1;
                }
                let tells = if is_told { *tells } else { depth + 1 == spans.len() };
                let tokens = tells.then_some((input, *output));
                tree.push(drawn(Some(parent), tokens, *failed || depth == 0));
                parent = tree.len() - 1;
            }
        }
        for above in 0..next {
            let parent = if above == 0 { last } else { tree.len() - 1 };
            tree.push(drawn(Some(parent), whole, false));
        }
        let counts = count(&tree, &shuffled(tree.len(), seed));
        let counted = counts.iter().filter(|(_, counts)| **counts);
        let used: Vec<(u64, u64, u64)> = counted.map(|(at, _)| tree[*at].used).collect();
        let broken: u64 = tries.iter().map(|(output, _)| output).sum();
        let calls = u64::try_from(tries.len() + 1).expect("few");
        prop_assert_eq!(used.iter().map(|used| used.0).sum::<u64>(), calls * input);
        prop_assert_eq!(used.iter().map(|used| used.1).sum::<u64>(), 100 + broken);
    }

    /// All of them broke as they began, and what calls them failed with the last one.
    #[test]
    fn whatever_broke_as_it_began_is_counted(
        tries in vec((0..2_u64, 1..3_usize), 1..5),
        input in 200..900_u64,
        above in 0..2_usize,
        seed in any::<u64>(),
    ) {
        let last = tries.last().map_or(0, |(output, _)| *output);
        let mut tree = vec![drawn(None, Some((input, last)), true); above];
        tree.push(drawn(above.checked_sub(1), Some((input, last)), true));
        for (output, spans) in &tries {
            let mut parent = above;
            for _ in 0..*spans {
                tree.push(drawn(Some(parent), Some((input, *output)), true));
                parent = tree.len() - 1;
            }
        }
        let counts = count(&tree, &shuffled(tree.len(), seed));
        let used = counts.iter().filter(|(_, counts)| **counts).map(|(at, _)| tree[*at].used);
        let sums = used.fold((0, 0), |sums, used| (sums.0 + used.0, sums.1 + used.1));
        let broken: u64 = tries.iter().map(|(output, _)| output).sum();
        prop_assert_eq!(sums, (u64::try_from(tries.len()).expect("few") * input, broken));
    }
}
