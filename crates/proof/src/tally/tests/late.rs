//! What comes after its run was sealed.

use super::{A, B, C, D, E, HALF, NONE, told};
use crate::{
    tally::Tally,
    words::StepKind::{LlmCall, Other, ToolCall},
};

#[test]
fn what_comes_late_takes_nothing_away() {
    let mut tally = Tally::default();
    assert!(tally.add(told(0, (A, NONE, LlmCall, "x", true))).counts);
    assert!(!tally.add_late(told(1, (B, A, LlmCall, "x", true))), "below a call that counts");
    assert!(tally.add_late(told(2, (C, E, LlmCall, "x", true))), "of nobody's");
    assert!(!tally.add_late(told(3, (E, NONE, Other, "agent", true))), "above one that counts");
    assert!(tally.add_late(told(4, (D, NONE, ToolCall, "t", false))));
    // A span that would join a call that counts to one below it that does.
    let mut tally = Tally::default();
    tally.add(told(0, (A, NONE, LlmCall, "x", true)));
    assert!(tally.add(told(1, (C, B, LlmCall, "x", true))).counts);
    assert!(!tally.add_late(told(2, (B, A, Other, "chain", false))));
    assert_eq!(tally.counted_above([Some(C), Some(A)]), [1, 0], "both still do");
    // A use that comes late is no less one for a sealed call that tells none.
    let mut tally = Tally::default();
    tally.add(told(0, (B, A, Other, "chain", false)));
    assert!(tally.add(told(1, (C, B, LlmCall, "x", false))).counts);
    assert!(tally.add_late(told(2, (A, NONE, LlmCall, "x", true))));
    // Half of a use that was sealed stays, and what tells all of it is beside it.
    let mut tally = Tally::default();
    assert!(tally.add(told(0, (B, A, LlmCall, HALF, true))).counts);
    assert!(!tally.add_late(told(1, (A, NONE, LlmCall, "x", true))), "it would take the half's");
    let mut tally = Tally::default();
    assert!(tally.add(told(0, (C, B, LlmCall, HALF, true))).counts);
    assert!(tally.add(told(1, (A, NONE, LlmCall, "x", true))).counts);
    assert!(!tally.add_late(told(2, (B, A, Other, "chain", false))), "both still count");
    // One that does not count hands up what comes below it then.
    let mut tally = Tally::default();
    tally.add(told(0, (A, NONE, LlmCall, "x", true)));
    assert!(tally.add(told(1, (C, B, LlmCall, "x", true))).counts);
    assert!(!tally.add_late(told(2, (B, A, Other, "chain", false))));
    assert!(!tally.add_late(told(3, (D, B, LlmCall, "x", true))), "it would take the first one's");
}
