//! What is another call than the one that it lies below, or than those that an agent sums up.

use std::collections::BTreeSet;

use super::{A, B, C, D, NONE, orders, told};
use crate::{
    tally::{Counted, Tally, Told},
    words::{
        CostNote,
        StepKind::{self, LlmCall, Other, Retrieval, ToolCall},
    },
};

/// Span, parent, kind, skill, model, and tokens in and out and cost.
type Call = (&'static str, &'static str, StepKind, &'static str, &'static str, (u64, u64, u64));

const CHAT: &str = "openai.chat";
const EMBEDDINGS: &str = "openai.embeddings";

/// What of these counts, in whatever order it comes: the name of a case, its calls, and the spans that count.
fn hold(cases: &[(&str, &[Call], &[&str])]) {
    for (what, spans, right) in cases {
        for order in orders(spans.len()) {
            let mut tally = Tally::default();
            let mut counts = BTreeSet::new();
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

/// What lies below a call takes its use away only if it may be of it.
#[test]
fn another_call_takes_no_use_away() {
    let call: Call = (A, NONE, LlmCall, CHAT, "gpt-4o", (1_000, 100, 0));
    let priced: Call = (A, NONE, LlmCall, CHAT, "gpt-4o", (1_000, 100, 7));
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
        ("a judge whose model is not named, of no price", &[call, chat(A, "", (50, 5, 0))], &[A, C]),
        ("the same call, of no model and no price", &[call, chat(A, "", (1_000, 100, 0))], &[A]),
        ("the same input, of no model and no price", &[call, chat(A, "", (1_000, 50, 0))], &[A]),
        ("the same output, of no model and no price", &[call, chat(A, "", (50, 100, 0))], &[A]),
        (
            "a large call of a model that is not named, and of no price",
            &[call, chat(A, "", (5_000, 50, 0))],
            &[A, C],
        ),
        ("its cost alone", &[priced, chat(A, "gpt-4o", (0, 0, 7))], &[A]),
        ("a cost alone that is more", &[priced, chat(A, "gpt-4o", (0, 0, 8))], &[A]),
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
    ];
    hold(cases);
}

/// So it is with an agent, and with a search.
#[test]
fn another_call_takes_no_sum_away() {
    let agent: Call = (A, NONE, Other, "agent", "gpt-4o", (1_000, 100, 0));
    let tool: Call = (B, A, ToolCall, "t", "", (0, 0, 0));
    let embedding: Call = (C, A, LlmCall, EMBEDDINGS, "text-embedding-3-small", (10, 0, 0));
    let chat = |parent, model, used| -> Call { (C, parent, LlmCall, CHAT, model, used) };
    let other = |kind, used| -> Call { (C, A, kind, "other", "", used) };
    let below = |parent, of: Call| -> Call { (of.0, parent, of.2, of.3, of.4, of.5) };
    let cases: &[(&str, &[Call], &[&str])] = &[
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
