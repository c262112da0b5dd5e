//! Small trees of each kind, and which of their spans count.

use super::{A, B, C, D, E, FREE, HALF, NONE, Span, counting, orders};
use crate::words::StepKind::{HttpCall, LlmCall, Other, Retrieval, ToolCall};

const CASES: &[(&str, &[Span], &[&str])] = &[
    ("one call, told by two", &[(A, NONE, LlmCall, "x", true), (B, A, LlmCall, "x", true)], &[B]),
    ("all of a use over half of it", &[(A, NONE, LlmCall, "x", true), (B, A, LlmCall, HALF, true)], &[A]),
    ("half of a use over all of it", &[(A, NONE, LlmCall, HALF, true), (B, A, LlmCall, "x", true)], &[B]),
    ("half of a use, told by two", &[(A, NONE, LlmCall, HALF, true), (B, A, LlmCall, HALF, true)], &[B]),
    ("a price over none", &[(A, NONE, LlmCall, "x", true), (B, A, LlmCall, FREE, true)], &[A]),
    ("no price over one", &[(A, NONE, LlmCall, FREE, true), (B, A, LlmCall, "x", true)], &[B]),
    ("no price, told by two", &[(A, NONE, LlmCall, FREE, true), (B, A, LlmCall, FREE, true)], &[B]),
    ("no price over half of a use", &[(A, NONE, LlmCall, FREE, true), (B, A, LlmCall, HALF, true)], &[A]),
    ("half of a use over no price", &[(A, NONE, LlmCall, HALF, true), (B, A, LlmCall, FREE, true)], &[B]),
    (
        "a call that a search made",
        &[(A, NONE, LlmCall, "x", true), (B, A, Retrieval, "search", false), (C, B, LlmCall, "x", true)],
        &[A, B, C],
    ),
    (
        "a tool that ran twice for one call",
        &[(A, NONE, ToolCall, "t", false), (B, A, ToolCall, "t", false), (C, A, ToolCall, "t", false)],
        &[B, C],
    ),
    (
        "a tool that its client names with its server",
        &[
            (A, NONE, ToolCall, "mcp__gh__t", false),
            (B, A, HttpCall, "POST", false),
            (C, B, ToolCall, "t", false),
            (D, NONE, ToolCall, "t", false),
            (E, D, ToolCall, "mcp__gh__t", false),
        ],
        &[B, C, D, E],
    ),
    (
        "a tool that three tell of, over HTTP",
        &[
            (A, NONE, ToolCall, "t", false),
            (B, A, ToolCall, "t", false),
            (C, B, HttpCall, "POST", false),
            (D, C, Other, "POST /mcp", false),
            (E, D, ToolCall, "t", false),
        ],
        &[C, D, E],
    ),
    (
        "all of a use over half of it, and a chain and a call that tells nothing between",
        &[
            (A, NONE, LlmCall, "x", true),
            (B, A, Other, "chain", false),
            (C, B, LlmCall, "x", false),
            (D, C, LlmCall, HALF, true),
        ],
        &[A, B],
    ),
    (
        "all of a use over all of it over half of it",
        &[(A, NONE, LlmCall, "x", true), (B, A, LlmCall, "x", true), (C, B, LlmCall, HALF, true)],
        &[B],
    ),
    (
        "all of a use over half of it, and all of it beside",
        &[(A, NONE, LlmCall, "x", true), (B, A, LlmCall, HALF, true), (C, A, LlmCall, "x", true)],
        &[C],
    ),
    (
        "all of a use, and a tool that used half of another",
        &[(A, NONE, LlmCall, "x", true), (B, A, ToolCall, "t", false), (C, B, LlmCall, HALF, true)],
        &[A, B, C],
    ),
    (
        "an agent that sums up half of a use, below a call",
        &[(A, NONE, LlmCall, "x", true), (B, A, Other, "agent", true), (C, B, LlmCall, HALF, true)],
        &[A, C],
    ),
    (
        "something lies between",
        &[(A, NONE, LlmCall, "x", true), (B, A, Other, "chain", false), (C, B, LlmCall, "x", true)],
        &[B, C],
    ),
    (
        "an agent sums up",
        &[(A, NONE, Other, "agent", true), (B, A, LlmCall, "x", true), (C, A, LlmCall, "x", true)],
        &[B, C],
    ),
    (
        "an agent that nobody else tells of",
        &[(A, NONE, Other, "agent", true), (B, A, ToolCall, "t", false)],
        &[A, B],
    ),
    (
        "what a tool did is another call",
        &[(A, NONE, LlmCall, "x", true), (B, A, ToolCall, "t", false), (C, B, LlmCall, "x", true)],
        &[A, B, C],
    ),
    (
        "an agent sums up what its tools did",
        &[(A, NONE, Other, "agent", true), (B, A, ToolCall, "t", false), (C, B, LlmCall, "x", true)],
        &[B, C],
    ),
    ("the one that tells nothing", &[(A, NONE, LlmCall, "x", true), (B, A, LlmCall, "x", false)], &[A]),
    ("neither tells", &[(A, NONE, LlmCall, "x", false), (B, A, LlmCall, "x", false)], &[B]),
    (
        "neither tells, and another below the outer one does",
        &[(A, NONE, LlmCall, "x", false), (B, A, LlmCall, "x", false), (C, A, LlmCall, "x", true)],
        &[B, C],
    ),
    (
        "neither tells, and what is above both does",
        &[(A, NONE, LlmCall, "x", true), (B, A, LlmCall, "x", false), (C, B, LlmCall, "x", false)],
        &[A],
    ),
    (
        "neither tells, and a tool lies between",
        &[(A, NONE, LlmCall, "x", false), (B, A, ToolCall, "t", false), (C, B, LlmCall, "x", false)],
        &[A, B, C],
    ),
    (
        "both sides of a tool, and another tool in it",
        &[(A, NONE, ToolCall, "t", false), (B, A, ToolCall, "t", false), (C, B, ToolCall, "u", false)],
        &[B, C],
    ),
    (
        "both sides of a tool, over HTTP",
        &[
            (A, NONE, ToolCall, "t", false),
            (B, A, HttpCall, "POST", false),
            (C, B, HttpCall, "POST", false),
            (D, C, ToolCall, "t", false),
        ],
        &[B, C, D],
    ),
    (
        "both sides of a tool, over HTTP of which both sides tell",
        &[
            (A, NONE, ToolCall, "t", false),
            (B, A, HttpCall, "POST", false),
            (C, B, Other, "POST /mcp", false),
            (D, C, ToolCall, "t", false),
        ],
        &[B, C, D],
    ),
    (
        "an agent that calls the same tool again",
        &[
            (A, NONE, ToolCall, "t", false),
            (B, A, HttpCall, "POST", false),
            (C, B, Other, "POSTMAN", false),
            (D, C, ToolCall, "t", false),
        ],
        &[A, B, C, D],
    ),
    (
        "a tool that calls another over HTTP, and an agent that calls its like",
        &[
            (A, NONE, ToolCall, "t", false),
            (B, A, HttpCall, "POST", false),
            (C, B, ToolCall, "u", false),
            (D, C, Other, "agent", false),
            (E, D, ToolCall, "u", false),
        ],
        &[A, B, C, D, E],
    ),
    (
        "sums of sums",
        &[
            (A, NONE, Other, "w", true),
            (B, A, Other, "v", true),
            (C, B, LlmCall, "x", true),
            (D, C, LlmCall, "x", true),
        ],
        &[D],
    ),
];

#[test]
fn each_call_counts_once() {
    for (what, spans, right) in CASES {
        for order in orders(spans.len()) {
            let spans: Vec<Span> = order.iter().map(|at| spans[*at]).collect();
            assert_eq!(counting(&spans), *right, "{what}: {order:?}");
        }
    }
}
