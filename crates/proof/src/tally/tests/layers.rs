//! One call that several layers tell of, each of which tells another part of it.

use super::{A, B, C, D, NONE, orders};
use crate::{
    tally::{CameLate, Counted, Tally, Told},
    words::{
        CostNote::{self, NoTokens},
        StepKind::{self, LlmCall, Other, ToolCall},
    },
};

/// Span, parent, kind, tokens in and out and cost, and why the cost is not known.
pub(super) type Layer = (&'static str, &'static str, StepKind, (u64, u64, u64), Option<CostNote>);

pub(super) fn told((span, parent, kind, used, note): Layer, index: u64) -> Told<'static> {
    let parent = Some(parent).filter(|id| !id.is_empty());
    let skill_name = if kind == LlmCall { "openai.chat" } else { "agent" };
    let models = [Some("gpt-4o"), None];
    let (failed, reporter) = (false, None);
    Told { index, span: Some(span), parent, kind, skill_name, models, used, note, failed, reporter }
}

/// The spans that count when all are there, in whatever order they come.
fn hold(what: &str, layers: &[Layer], right: &[&str]) {
    hold_with(what, layers, &[], right);
}

/// The same where these failed.
pub(super) fn hold_with(what: &str, layers: &[Layer], failed: &[&str], right: &[&str]) {
    for order in orders(layers.len()) {
        let (mut tally, mut counts) = (Tally::default(), vec![false; layers.len()]);
        for (index, at) in order.iter().enumerate() {
            let failed = failed.contains(&layers[*at].0);
            let told = Told { failed, ..told(layers[*at], index as u64) };
            let Counted { counts: own, no_longer } = tally.add(told);
            counts[*at] = own;
            for gone in no_longer {
                let gone = order[usize::try_from(gone).expect("few")];
                assert!(std::mem::replace(&mut counts[gone], false), "{what}: {gone} counted");
            }
        }
        let counting: Vec<&str> =
            layers.iter().zip(counts).filter(|(_, counts)| *counts).map(|(layer, _)| layer.0).collect();
        assert_eq!(counting, right, "{what}: {order:?}");
    }
}

pub(super) const WHOLE: (u64, u64, u64) = (1_000, 100, 7);

/// What an agent sums up is told below the span that tells a part of a call.
#[test]
fn a_part_of_a_call_hides_no_call_from_a_sum() {
    let agent: Layer = (A, NONE, Other, (1_000, 100, 0), None);
    for (part, note) in [
        ((1_000, 0, 0), Some(NoTokens)),
        ((0, 100, 0), Some(NoTokens)),
        ((1_000, 0, 0), None),
        ((1_000, 0, 7), None),
        ((0, 0, 7), None),
        ((1_000, 100, 0), Some(CostNote::CountsContradict)),
        ((1_000, 100, 0), Some(CostNote::ReportedZero)),
    ] {
        let what = format!("{part:?} {note:?}");
        let over = |parent| -> Layer { (B, parent, LlmCall, part, note) };
        let call = |of| -> Layer { (of, B, LlmCall, WHOLE, None) };
        hold(&what, &[over(NONE), call(C)], &[C]);
        hold(&what, &[agent, over(A), call(C)], &[C]);
        let outer: Layer = (D, NONE, Other, (1_000, 100, 0), None);
        let inner: Layer = (A, D, Other, (1_000, 100, 0), None);
        hold(&what, &[inner, over(A), call(C), outer], &[C]);
    }
    let sum = |used| -> Layer { (B, A, Other, used, None) };
    let call: Layer = (C, B, LlmCall, WHOLE, None);
    hold("a part of a sum", &[agent, sum((1_000, 0, 0)), call], &[C]);
    hold("the cost of a sum", &[agent, sum((0, 0, 7)), call], &[C]);
    let cost: Layer = (A, NONE, Other, (0, 0, 7), None);
    hold("a cost, over tokens that cost it", &[cost, sum((1_000, 100, 0)), call], &[C]);
    let two: Layer = (A, NONE, Other, (2_000, 200, 0), None);
    let beside: Layer = (D, A, LlmCall, WHOLE, None);
    hold("a part of one of two", &[two, (B, A, LlmCall, (0, 100, 0), Some(NoTokens)), call, beside], &[C, D]);
    let small: Layer = (C, B, LlmCall, (20, 2, 0), None);
    let half: Layer = (B, A, LlmCall, (1_000, 0, 0), Some(NoTokens));
    hold("a small call below a part", &[agent, half, small], &[A, B, C]);
}

/// An instrumentation of a client that reads a stream's beginning alone, below a framework's that reads all of it.
#[test]
fn the_beginning_of_a_stream_gives_way_to_all_of_it() {
    let all = |of, parent| -> Layer { (of, parent, LlmCall, WHOLE, None) };
    for begun in [(1_000, 0, 2), (1_000, 1, 2)] {
        let begun = |of, parent| -> Layer { (of, parent, LlmCall, begun, None) };
        hold("below all of it", &[all(A, NONE), begun(B, A)], &[A]);
        hold("above all of it", &[begun(A, NONE), all(B, A)], &[B]);
        hold("of two", &[begun(A, NONE), begun(B, A)], &[B]);
        hold("twice below all of it", &[all(A, NONE), begun(B, A), begun(C, B)], &[A]);
        hold("below two that tell all", &[all(A, NONE), all(B, A), begun(C, B)], &[B]);
        hold("above and below all of it", &[begun(A, NONE), all(B, A), begun(C, B)], &[B]);
        let cost: Layer = (B, A, LlmCall, (0, 0, 7), None);
        hold("below a cost", &[all(A, NONE), cost, begun(C, B)], &[A]);
        let tool: Layer = (B, A, ToolCall, (0, 0, 0), None);
        hold("within a tool", &[all(A, NONE), tool, begun(C, B)], &[A, B, C]);
        let sum: Layer = (B, A, Other, (1_000, 100, 0), None);
        hold("of an agent", &[all(A, NONE), sum, begun(C, B)], &[B, C]);
        let tries = [(C, (600, 60, 4)), (D, (400, 40, 3))];
        let [one, two] = tries.map(|(of, used)| -> Layer { (of, B, LlmCall, used, None) });
        hold("over two tries", &[all(A, NONE), begun(B, A), one, two], &[C, D]);
    }
    let [nothing, one] = [(1_000, 0, 2), (1_000, 1, 2)].map(|used| -> Layer { (C, B, LlmCall, used, None) });
    let over = |(_, _, kind, used, note): Layer| -> Layer { (B, NONE, kind, used, note) };
    hold("of two, of which the upper one tells a token more", &[over(one), nothing], &[B]);
    hold("of two, of which the lower one tells a token more", &[over(nothing), one], &[C]);
    let small: Layer = (B, A, LlmCall, (50, 0, 1), None);
    hold("another call", &[all(A, NONE), small], &[A, B]);
    let mut tally = Tally::default();
    assert!(tally.add(told((B, A, LlmCall, (1_000, 0, 2), None), 0)).counts);
    assert_eq!(tally.counted_below([Some(A)]), [0], "its windows are locked before the other comes");
    assert!(!tally.clone().add_late(told(all(A, NONE), 1)), "what is sealed stays");
    assert_eq!(tally.add(told(all(A, NONE), 1)).no_longer, [0]);
}

/// A try whose stream broke is billed, and the next one stands for the call: a framework's span tells of that one.
#[test]
fn a_try_that_broke_counts_beside_the_next() {
    let all = |of, parent| -> Layer { (of, parent, LlmCall, WHOLE, None) };
    for (broken, note) in [
        ((1_000, 0, 0), Some(NoTokens)),
        ((1_000, 0, 2), None),
        ((1_000, 1, 2), None),
        ((1_000, 40, 4), None),
        ((1_000, 1, 0), Some(CostNote::ReportedZero)),
    ] {
        let what = format!("{broken:?} {note:?}");
        let hold = |case: &str, layers: &[Layer], failed: &[&str], right: &[&str]| {
            hold_with(&format!("{what} {case}"), layers, failed, right);
        };
        let broken = |of, parent| -> Layer { (of, parent, LlmCall, broken, note) };
        let tries = [all(A, NONE), broken(B, A), all(C, A)];
        hold("and the next", &tries, &[B], &[B, C]);
        hold("alone", &tries[..2], &[B], &[A, B]);
        hold("twice, and the next", &[tries[0], tries[1], broken(D, A), tries[2]], &[B, D], &[B, D, C]);
        let agent: Layer = (D, NONE, Other, (1_000, 100, 0), None);
        hold("of an agent", &[agent, all(A, D), broken(B, A), all(C, A)], &[B], &[B, C]);
        let between = [all(A, NONE), all(D, A), broken(B, D), all(C, D)];
        hold("of a gateway", &between, &[B], &[B, C]);
        hold("of a gateway, in a call that failed then", &between, &[A, B], &[B, C]);
        let (input, output, cost) = (WHOLE.0 + broken(B, A).3.0, WHOLE.1 + broken(B, A).3.1, WHOLE.2);
        let sum: Layer = (A, NONE, LlmCall, (input, output, cost), None);
        if note.is_none() {
            hold("of a call that sums up its tries", &[sum, broken(B, A), all(C, A)], &[B], &[B, C]);
        }
    }
    let begun: Layer = (B, A, LlmCall, (1_000, 1, 2), None);
    // Both failed: nothing says whether the upper one did so behind the answer of another try.
    hold_with("in what failed", &[all(A, NONE), begun], &[A, B], &[A, B]);
    // What came out is told by both: it failed behind its answer.
    hold_with("behind its answer", &[all(A, NONE), all(B, A)], &[B], &[B]);
    // No span says that it is another call: it looks as one whose end nobody saw.
    hold("a call for one token beside the same text", &[all(A, NONE), begun, all(C, A)], &[C]);
}

/// What tells the total alone tells the same as what tells both sides of it.
#[test]
fn a_total_over_its_two_sides_is_one_call() {
    let call: Layer = (B, A, LlmCall, WHOLE, None);
    let total = |of, cost, note| -> Layer { (A, NONE, LlmCall, (of, 0, cost), note) };
    hold("a total", &[total(1_100, 0, Some(NoTokens)), call], &[B]);
    hold("a total and a cost", &[total(1_100, 7, None), call], &[B]);
    hold("another total", &[total(1_200, 0, Some(NoTokens)), call], &[A, B]);
    let below: Layer = (B, A, LlmCall, (1_100, 0, 0), Some(NoTokens));
    hold("a total below", &[(A, NONE, LlmCall, WHOLE, None), below], &[A]);
    let few: Layer = (B, A, LlmCall, (9, 3, 1), None);
    hold("few", &[total(12, 0, Some(NoTokens)), few], &[A, B]);
    let agent: Layer = (C, NONE, Other, (1_000, 100, 0), None);
    hold("below a sum", &[(A, C, LlmCall, (1_100, 0, 0), Some(NoTokens)), call, agent], &[B]);
}

/// What a call cost whose use nobody tells is not known by a try of it that cost nothing.
#[test]
fn a_try_that_was_refused_hides_no_call() {
    let nothing = |of, parent| -> Layer { (of, parent, LlmCall, (0, 0, 0), Some(NoTokens)) };
    let refused = |of, parent| -> Layer { (of, parent, LlmCall, (0, 0, 0), Some(CostNote::ReportedZero)) };
    let whole = |of, parent| -> Layer { (of, parent, LlmCall, WHOLE, None) };
    hold("a try", &[nothing(A, NONE), refused(B, A)], &[A, B]);
    hold("a try, and one that tells nothing", &[nothing(A, NONE), refused(B, A), nothing(C, A)], &[B, C]);
    hold("a try, and one that tells all", &[nothing(A, NONE), refused(B, A), whole(C, A)], &[B, C]);
    hold("a try of a call that tells all", &[whole(A, NONE), refused(B, A)], &[A]);
    hold("a call that was refused", &[refused(A, NONE), nothing(B, A)], &[B]);
    hold("a call that was refused, told twice", &[refused(A, NONE), refused(B, A)], &[B]);
}

/// What stays is known to be what was used only where it tells the same as what gave way to it.
#[test]
fn what_gives_way_late_leaves_in_doubt_what_was_used() {
    let whole = |of, parent| -> Layer { (of, parent, LlmCall, WHOLE, None) };
    let begun = |of, parent| -> Layer { (of, parent, LlmCall, (1_000, 1, 2), None) };
    let free: Layer = (B, A, LlmCall, (1_000, 100, 0), Some(CostNote::ReportedZero));
    let large: Layer = (B, A, LlmCall, (3_000, 300, 21), None);
    let agent: Layer = (A, NONE, Other, WHOLE, None);
    let chain: Layer = (B, A, Other, (0, 0, 0), None);
    let [more, less] = [500, 50].map(|out| -> Layer { (A, NONE, LlmCall, (1_000, out, 9), None) });
    for (what, sealed, late, counts, is_in_doubt) in [
        ("another call", vec![whole(A, NONE)], whole(B, NONE), true, false),
        ("the same call", vec![whole(A, NONE)], whole(B, A), false, false),
        ("its beginning", vec![whole(A, NONE)], begun(B, A), false, false),
        ("all of what was begun", vec![begun(B, A)], whole(A, NONE), false, true),
        ("its price", vec![free], whole(A, NONE), false, true),
        ("more than is told of it", vec![whole(A, NONE)], large, false, true),
        ("all that an agent sums up", vec![agent], whole(B, A), false, false),
        ("more than an agent sums up", vec![agent], large, false, true),
        ("what joins two spans of a call", vec![whole(A, NONE), whole(C, B)], chain, false, true),
        ("a part of what both tell", vec![whole(A, NONE), whole(C, B)], begun(B, A), false, true),
        ("more than what it leaves in its place", vec![whole(B, A)], more, false, true),
        ("less than what it leaves in its place", vec![whole(B, A)], less, false, false),
    ] {
        let mut tally = Tally::default();
        for (index, layer) in (0..).zip(&sealed) {
            assert!(tally.add(told(*layer, index)).counts, "{what}");
        }
        let came = tally.come_late(told(late, sealed.len() as u64));
        assert_eq!(came, CameLate { counts, is_in_doubt }, "{what}");
    }
}
