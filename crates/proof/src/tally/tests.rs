//! The same spans in any order come to the same count.

use super::{Counted, Tally, Told};
use crate::words::{
    CostNote,
    StepKind::{self, HttpCall, LlmCall, Other, Retrieval, ToolCall},
};

mod doubt;
mod halves;
mod layers;
mod played;
mod random;
mod tries;
mod weight;

/// Span, parent, kind, tool, whether it tells use.
type Span = (&'static str, &'static str, StepKind, &'static str, bool);

const A: &str = "00000000000000a1";
const B: &str = "00000000000000b2";
const C: &str = "00000000000000c3";
const D: &str = "00000000000000d4";
const E: &str = "00000000000000e5";
const NONE: &str = "";
/// What a model call is called here that tells half of its use, and one that tells that it cost nothing.
const HALF: &str = "half";
const FREE: &str = "free";

fn told(index: u64, (span, parent, kind, skill_name, tells_use): Span) -> Told<'static> {
    let parent = Some(parent).filter(|id| !id.is_empty());
    let used = match kind {
        _ if !tells_use => (0, 0, 0),
        ToolCall => (0, 0, 5),
        _ => (10, 1, 0),
    };
    let note = match skill_name {
        HALF => Some(CostNote::NoTokens),
        FREE => Some(CostNote::ReportedZero),
        _ => None,
    };
    let models = [None, None];
    let (failed, reporter) = (false, None);
    Told { index, span: Some(span), parent, kind, skill_name, models, used, note, failed, reporter }
}

/// Those that count when all are there, by their spans.
fn counting(spans: &[Span]) -> Vec<&'static str> {
    counting_of(&spans.iter().map(|span| (*span, None)).collect::<Vec<_>>())
}

/// The same of spans that these report.
fn counting_of(spans: &[(Span, Option<&'static str>)]) -> Vec<&'static str> {
    let mut tally = Tally::default();
    let mut counts = vec![false; spans.len()];
    for (index, (span, reporter)) in spans.iter().enumerate() {
        let told = Told { reporter: *reporter, ..told(index as u64, *span) };
        let Counted { counts: own, no_longer } = tally.add(told);
        counts[index] = own;
        for gone in no_longer {
            let gone = usize::try_from(gone).expect("few");
            assert!(std::mem::replace(&mut counts[gone], false), "{gone} counted");
        }
    }
    let mut all: Vec<_> =
        spans.iter().zip(counts).filter(|(_, counts)| *counts).map(|((span, _), _)| span.0).collect();
    all.sort_unstable();
    all
}

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

/// Span, parent, kind, skill, model, and tokens in and out and cost.
type Call = (&'static str, &'static str, StepKind, &'static str, &'static str, (u64, u64, u64));

const CHAT: &str = "openai.chat";
const EMBEDDINGS: &str = "openai.embeddings";

/// What lies below a call or an agent takes its use away only if it may be of it.
#[test]
fn another_call_takes_no_use_away() {
    let call: Call = (A, NONE, LlmCall, CHAT, "gpt-4o", (1_000, 100, 0));
    let priced: Call = (A, NONE, LlmCall, CHAT, "gpt-4o", (1_000, 100, 7));
    let agent: Call = (A, NONE, Other, "agent", "gpt-4o", (1_000, 100, 0));
    let tool: Call = (B, A, ToolCall, "t", "", (0, 0, 0));
    let embedding: Call = (C, A, LlmCall, EMBEDDINGS, "text-embedding-3-small", (10, 0, 0));
    let chat = |parent, model, used| -> Call { (C, parent, LlmCall, CHAT, model, used) };
    let other = |kind, used| -> Call { (C, A, kind, "other", "", used) };
    let below = |parent, of: Call| -> Call { (of.0, parent, of.2, of.3, of.4, of.5) };
    let retriever: Call = (B, A, Retrieval, "search", "", (0, 0, 0));
    let cases: &[(&str, &[Call], &[&str])] = &[
        ("an embedding", &[call, embedding], &[A, C]),
        ("an embedding of a retriever", &[call, retriever, below(B, embedding)], &[A, B, C]),
        ("an embedding that names no model", &[call, (C, A, LlmCall, EMBEDDINGS, "", (10, 0, 0))], &[A, C]),
        ("a guard", &[call, chat(A, "gpt-4o-mini", (50, 1, 0))], &[A, C]),
        ("the same call", &[call, chat(A, "openai/gpt-4o-2024-08-06", (1_000, 100, 0))], &[C]),
        ("the same call by another name", &[call, chat(A, "prod", (1_000, 100, 0))], &[C]),
        ("a call of a model that is not named", &[call, chat(A, "", (1_000, 50, 7))], &[C]),
        ("a small call of a model that is not named", &[call, chat(A, "", (50, 1, 7))], &[A, C]),
        ("a call of a model that is not named, and of no price", &[call, chat(A, "", (50, 1, 0))], &[A]),
        (
            "a large call of a model that is not named, and of no price",
            &[call, chat(A, "", (5_000, 50, 0))],
            &[A, C],
        ),
        ("its cost alone", &[priced, chat(A, "gpt-4o", (0, 0, 7))], &[A]),
        ("a cost alone that is more", &[priced, chat(A, "gpt-4o", (0, 0, 8))], &[A, C]),
        ("a guardrail", &[call, other(Other, (50, 1, 0))], &[A, C]),
        ("a reranker", &[call, other(Retrieval, (0, 0, 9))], &[A, C]),
        (
            "a call that tells nothing, over an embedding",
            &[(A, NONE, LlmCall, CHAT, "gpt-4o", (0, 0, 0)), embedding],
            &[A, C],
        ),
        (
            "embeddings over embeddings",
            &[(A, NONE, LlmCall, EMBEDDINGS, "text-embedding-3-small", (10, 0, 0)), embedding],
            &[C],
        ),
        (
            "two calls that tell nothing, of two models",
            &[(A, NONE, LlmCall, CHAT, "gpt-4o", (0, 0, 0)), chat(A, "gpt-4o-mini", (0, 0, 0))],
            &[A, C],
        ),
        ("an agent, an embedding", &[agent, embedding], &[A, C]),
        ("an agent, an embedding of its tool", &[agent, tool, below(B, embedding)], &[A, B, C]),
        ("an agent, a cost of its tool", &[agent, (B, A, ToolCall, "t", "", (0, 0, 9))], &[A, B]),
        ("an agent, a guardrail", &[agent, other(Other, (50, 1, 0))], &[A, C]),
        ("an agent, a reranker", &[agent, other(Retrieval, (0, 0, 9))], &[A, C]),
        ("an agent, its calls", &[agent, chat(A, "gpt-4o-mini", (900, 60, 0))], &[C]),
        ("an agent, the calls of its tool", &[agent, tool, chat(B, "gpt-4o-mini", (900, 60, 0))], &[B, C]),
        ("an agent, a guard", &[agent, chat(A, "gpt-4o-mini", (50, 1, 0))], &[A, C]),
        ("an agent that adds up its life", &[agent, chat(A, "gpt-4o", (60, 6, 0))], &[C]),
        ("an agent, a helper of another model", &[agent, chat(A, "gpt-4o-mini", (400, 40, 0))], &[A, C]),
        ("an agent, a helper of its tool", &[agent, tool, chat(B, "gpt-4o-mini", (400, 40, 0))], &[A, B, C]),
        (
            "an agent that adds up its life, and a helper",
            &[agent, chat(A, "gpt-4o-mini", (60, 6, 0)), (D, A, LlmCall, CHAT, "gpt-4o", (60, 6, 0))],
            &[C, D],
        ),
        (
            "an agent that names no model, and adds up its life",
            &[(A, NONE, Other, "agent", "", (1_000, 100, 0)), chat(A, "gpt-4o-mini", (60, 6, 0))],
            &[C],
        ),
        (
            "an agent, its agents",
            &[agent, (B, A, Other, "one", "", (600, 60, 0)), (C, A, Other, "two", "", (400, 40, 0))],
            &[B, C],
        ),
        (
            "an agent, its agents' agents and what it used itself",
            &[
                agent,
                (B, A, Other, "one", "", (600, 60, 0)),
                (C, B, Other, "chain", "", (0, 0, 0)),
                (D, C, Other, "two", "", (600, 60, 0)),
            ],
            &[A, C, D],
        ),
        (
            "a cost, what its tools cost",
            &[
                (A, NONE, Other, "agent", "", (0, 0, 10)),
                (B, A, ToolCall, "t", "", (0, 0, 4)),
                (C, B, ToolCall, "u", "", (0, 0, 6)),
            ],
            &[B, C],
        ),
        (
            "a search, the embeddings that it made",
            &[(A, NONE, Retrieval, "search", "", (10, 0, 0)), embedding],
            &[C],
        ),
    ];
    hold(cases);
}

/// A name alone makes no two calls one: what the outer one tells is told below it.
#[test]
fn a_call_is_told_again_by_its_tokens() {
    let call: Call = (A, NONE, LlmCall, CHAT, "gpt-4o", (1_000, 100, 0));
    let judge: Call = (B, A, Other, "judge", "", (0, 0, 0));
    let retriever: Call = (B, A, Retrieval, "search", "", (0, 0, 0));
    let chat = |parent, model, used| -> Call { (C, parent, LlmCall, CHAT, model, used) };
    hold(&[
        ("the same call, with what was cached", &[call, chat(A, "gpt-4o", (5_000, 100, 0))], &[C]),
        ("the same call, without it", &[call, chat(A, "gpt-4o", (50, 100, 0))], &[C]),
        ("a small call of the same model", &[call, chat(A, "gpt-4o", (50, 5, 0))], &[A, C]),
        ("a judge that asks the same model", &[call, judge, chat(B, "gpt-4o", (50, 5, 0))], &[A, B, C]),
        (
            "a search that asks the same model",
            &[call, retriever, chat(B, "gpt-4o", (1_000, 100, 0))],
            &[A, B, C],
        ),
        (
            "two tries",
            &[call, chat(A, "gpt-4o", (600, 60, 0)), (D, A, LlmCall, CHAT, "gpt-4o", (400, 40, 0))],
            &[C, D],
        ),
        (
            "a call, and a gateway of another name between",
            &[
                (A, NONE, LlmCall, CHAT, "gpt-4o", (50, 100, 0)),
                (B, A, LlmCall, CHAT, "prod", (1_000, 100, 0)),
                chat(B, "gpt-4o", (1_000, 100, 0)),
            ],
            &[C],
        ),
        (
            "one word of a judge, and one of a call",
            &[(A, NONE, LlmCall, CHAT, "gpt-4o", (1_000, 1, 0)), chat(A, "gpt-4o", (5, 1, 0))],
            &[A, C],
        ),
    ]);
}

/// What an agent or a call has spoken, heard, drawn or filmed is none of the text that it tells.
#[test]
fn a_call_of_another_class_takes_no_use_away() {
    let call: Call = (A, NONE, LlmCall, CHAT, "gpt-4o", (1_000, 100, 0));
    let agent: Call = (A, NONE, Other, "agent", "gpt-4o", (1_000, 100, 0));
    let tool: Call = (B, A, ToolCall, "t", "", (0, 0, 0));
    let (speech, heard) = ("openai.speech", "openai.transcription");
    let over = |skill| -> Call { (A, NONE, LlmCall, skill, "", (0, 0, 7)) };
    let under = |parent, skill| -> Call { (C, parent, LlmCall, skill, "", (0, 0, 7)) };
    hold(&[
        ("an agent, what it had spoken", &[agent, under(A, speech)], &[A, C]),
        ("an agent, what it heard", &[agent, under(A, heard)], &[A, C]),
        ("an agent, a film", &[agent, under(A, "openai.video_generation")], &[A, C]),
        ("an agent, a picture of its tool", &[agent, tool, under(B, "x.image_generation")], &[A, B, C]),
        ("a call, what was spoken within it", &[call, under(A, speech)], &[A, C]),
        ("what was heard, spoken again", &[over(heard), under(A, speech)], &[A, C]),
        ("speech over speech", &[over(speech), under(A, speech)], &[C]),
    ]);
}

/// However many small calls are made within a call or an agent, of whatever models and counts.
#[test]
fn many_small_calls_take_no_sum_away() {
    let id = |at: u64| format!("{at:016x}");
    for (kind, skill_name) in [(LlmCall, CHAT), (Other, "agent")] {
        for model in [None, Some("gpt-4o-mini"), Some("gpt-4o")] {
            for is_turned in [false, true] {
                let mut order: Vec<u64> = (0..60).collect();
                if is_turned {
                    order.reverse();
                }
                let mut tally = Tally::default();
                let mut counted = 0;
                for (index, at) in order.into_iter().enumerate() {
                    let (span, parent, name) = (id(at + 1), id(1), format!("m{at}"));
                    let is_outer = at == 0;
                    let told = Told {
                        index: index as u64,
                        span: Some(&span),
                        parent: (!is_outer).then_some(parent.as_str()),
                        kind: if is_outer { kind } else { LlmCall },
                        skill_name: if is_outer { skill_name } else { CHAT },
                        models: [if is_outer { Some("gpt-4o") } else { model.or(Some(name.as_str())) }, None],
                        used: if is_outer { (100_000, 10_000, 0) } else { (5 + at, 1, 0) },
                        note: None,
                        failed: false,
                        reporter: None,
                    };
                    let Counted { counts, no_longer } = tally.add(told);
                    assert!(no_longer.is_empty());
                    counted += u64::from(counts);
                }
                assert_eq!(counted, 60, "{kind:?} {model:?} {is_turned}");
            }
        }
    }
}

/// What of these counts, in whatever order it comes: the name of a case, its calls, and the spans that count.
fn hold(cases: &[(&str, &[Call], &[&str])]) {
    for (what, spans, right) in cases {
        for order in orders(spans.len()) {
            let mut tally = Tally::default();
            let mut counts = std::collections::BTreeSet::new();
            for (index, at) in order.iter().enumerate() {
                let (span, parent, kind, skill_name, model, used) = spans[*at];
                let unpriced = model.is_empty() && used.2 == 0 && kind == LlmCall && used != (0, 0, 0);
                let told = Told {
                    skill_name,
                    models: [Some(model).filter(|model| !model.is_empty()), None],
                    used,
                    note: unpriced.then_some(CostNote::NoPrice),
                    ..told(index as u64, (span, parent, kind, skill_name, false))
                };
                let Counted { counts: own, no_longer } = tally.add(told);
                if own {
                    counts.insert(span);
                }
                for gone in no_longer {
                    assert!(counts.remove(spans[order[usize::try_from(gone).expect("few")]].0), "{what}");
                }
            }
            assert_eq!(counts.into_iter().collect::<Vec<_>>(), *right, "{what}: {order:?}");
        }
    }
}

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

/// Every order of so many.
fn orders(of: usize) -> Vec<Vec<usize>> {
    let Some(last) = of.checked_sub(1) else { return vec![Vec::new()] };
    let insert = |order: Vec<usize>| {
        (0..of).map(move |at| {
            let mut order = order.clone();
            order.insert(at, last);
            order
        })
    };
    orders(last).into_iter().flat_map(insert).collect()
}

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

/// Hours, where each step asked all those above it.
#[test]
fn a_long_chain_of_spans_is_no_long_work() {
    let id = |at: u64| format!("{:016x}", at + 1);
    for (kind, uses) in [(Other, false), (Other, true), (LlmCall, true), (ToolCall, false), (HttpCall, false)]
    {
        // Each model call is told of some others.
        let spans = if kind == LlmCall { 20_000 } else { 200_000 };
        for upwards in [false, true] {
            let mut tally = Tally::default();
            for index in 0..spans {
                let at = if upwards { spans - 1 - index } else { index };
                let (span, parent) = (id(at), at.checked_sub(1).map(id));
                let (span, parent) = (Some(span.as_str()), parent.as_deref());
                let skill_name = &format!("t{at}");
                // Each of another model, and of other counts.
                let (models, used) = ([Some(skill_name.as_str()), None], (u64::from(uses) * (at + 1), 0, 0));
                let (note, failed, reporter) = (None, false, None);
                tally.add(Told {
                    index,
                    span,
                    parent,
                    kind,
                    skill_name,
                    models,
                    used,
                    note,
                    failed,
                    reporter,
                });
            }
            let last: Vec<String> = (0..500).map(|_| id(spans - 1)).collect();
            let parents = last.iter().map(|span| Some(span.as_str()));
            assert!(tally.counted_above(parents).len() <= 32, "{kind:?}");
        }
    }
}

#[test]
fn the_parents_that_are_still_to_come_are_known() {
    let mut tally = Tally::default();
    let awaits = |tally: &Tally, than: &[&str]| tally.awaits_others(than.iter().copied());
    tally.add(told(0, ("00000000000000a1", "00000000000000a2", StepKind::Other, "", false)));
    tally.add(told(1, ("00000000000000a3", "00000000000000a2", StepKind::Other, "", false)));
    assert!(awaits(&tally, &[]) && awaits(&tally, &["00000000000000a1"]));
    assert!(!awaits(&tally, &["00000000000000a2"]));
    assert_eq!(tally.children_of_span("00000000000000a2"), 2);
    tally.add(told(2, ("00000000000000a2", "00000000000000a4", StepKind::Other, "", false)));
    assert!(awaits(&tally, &["00000000000000a2"]), "it came, and its own parent did not");
    tally.add(told(3, ("00000000000000a4", "", StepKind::Other, "", false)));
    assert!(!awaits(&tally, &[]));
}

#[test]
fn what_is_in_no_tree_counts() {
    let mut tally = Tally::default();
    for index in 0..3 {
        let (span, parent, kind, skill_name) = (None, Some("no span"), LlmCall, "x");
        let (models, used, note) = ([None, None], (index, 0, 0), None);
        let (failed, reporter) = (false, None);
        let told = Told { index, span, parent, kind, skill_name, models, used, note, failed, reporter };
        assert_eq!(tally.add(told), Counted { counts: true, no_longer: Vec::new() });
    }
    assert_eq!((tally.len(), tally.is_empty()), (3, false));
}

/// What may count no longer when a step comes is known before it comes: its windows are locked by then.
#[test]
fn half_of_a_use_below_what_comes_is_found() {
    let mut tally = Tally::default();
    tally.add(told(0, (B, A, Other, "chain", false)));
    tally.add(told(1, (C, B, LlmCall, HALF, true)));
    tally.add(told(2, (D, B, ToolCall, "t", false)));
    tally.add(told(3, (E, D, LlmCall, HALF, true)));
    assert_eq!(tally.counted_below([Some(A), None, Some(A)]), [1]);
    assert_eq!(tally.add(told(4, (A, NONE, LlmCall, "x", true))).no_longer, [1]);
    assert!(tally.counted_below([Some(A), Some(B)]).is_empty(), "it counts no longer");
}
