//! What another key reports, and a parent that is bent: neither takes a use away.

use super::{A, B, C, HALF, NONE, Span, counting, counting_of, orders, told};
use crate::{
    tally::{Tally, Told},
    words::StepKind::{LlmCall, Other, ToolCall},
};

/// A span, and who reports it.
type Reported = (Span, Option<&'static str>);

/// Ids of spans are no secrets. What another says below a call adds to it, and takes nothing from it.
#[test]
fn what_another_reports_takes_no_use_away() {
    let (own, other) = (Some("own"), Some("other"));
    let cases: &[(&[Reported], &[&str])] = &[
        (&[((A, NONE, LlmCall, "x", true), own), ((B, A, LlmCall, "x", true), other)], &[A, B]),
        (&[((A, NONE, LlmCall, "x", true), None), ((B, A, LlmCall, "x", true), other)], &[A, B]),
        (&[((A, NONE, LlmCall, "x", true), own), ((B, A, LlmCall, "x", false), other)], &[A, B]),
        (&[((A, NONE, Other, "agent", true), own), ((B, A, LlmCall, "x", true), other)], &[A, B]),
        (&[((A, NONE, LlmCall, "x", true), own), ((B, A, LlmCall, HALF, true), other)], &[A, B]),
        // Not through another's either.
        (
            &[
                ((A, NONE, LlmCall, "x", true), own),
                ((B, A, Other, "chain", false), other),
                ((C, B, LlmCall, "x", true), own),
            ],
            &[A, B, C],
        ),
        // Whose spans are its own.
        (
            &[
                ((A, NONE, LlmCall, "x", true), own),
                ((B, A, LlmCall, "x", true), other),
                ((C, B, LlmCall, "x", true), other),
            ],
            &[A, C],
        ),
        // Both sides of a tool are one call, whoever tells of them.
        (&[((A, NONE, ToolCall, "t", false), own), ((B, A, ToolCall, "t", false), other)], &[B]),
        // But for what the outer side used.
        (&[((A, NONE, ToolCall, "t", true), own), ((B, A, ToolCall, "t", false), other)], &[A, B]),
        (&[((A, NONE, ToolCall, "t", true), own), ((B, A, ToolCall, "t", true), own)], &[B]),
        (&[((A, NONE, ToolCall, "t", true), own), ((B, A, ToolCall, "t", false), own)], &[A, B]),
    ];
    for (spans, right) in cases {
        for order in orders(spans.len()) {
            let spans: Vec<_> = order.iter().map(|at| spans[*at]).collect();
            assert_eq!(counting_of(&spans), *right, "{spans:?}");
        }
    }
    let mut tally = Tally::default();
    assert!(tally.add(Told { reporter: own, ..told(0, (B, A, LlmCall, "x", true)) }).counts);
    assert!(
        tally.add_late(Told { reporter: other, ..told(1, (A, NONE, LlmCall, "x", true)) }),
        "late ones too"
    );
}

/// Whoever bends a parent so that spans lie below each other hides no use: the link that came last is none.
#[test]
fn what_is_used_in_a_circle_counts() {
    for spans in [
        &[(A, B, LlmCall, "x", true), (B, A, LlmCall, "x", true)][..],
        &[(A, B, Other, "agent", false), (B, A, LlmCall, "x", true)],
        &[(A, B, Other, "agent", true), (B, A, LlmCall, "x", true)],
        &[(A, A, LlmCall, "x", true)],
        &[(A, C, ToolCall, "t", false), (B, A, LlmCall, "x", true), (C, B, Other, "chain", false)],
    ] {
        for order in orders(spans.len()) {
            let spans: Vec<Span> = order.iter().map(|at| spans[*at]).collect();
            let uses = |span: &&&str| spans.iter().any(|(id, .., uses)| *id == **span && *uses);
            assert_ne!(counting(&spans).iter().filter(uses).count(), 0, "{spans:?}");
        }
    }
}
