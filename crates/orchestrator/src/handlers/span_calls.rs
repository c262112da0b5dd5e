//! Calls of which several spans of a body tell, where their tree does not say so, or not all of what they say.

use std::{cmp::Reverse, collections::HashMap};

use crate::ports::{ReportedSpan, SpanAct};

/// So many spans may tell of one call.
const MOST_TELLING: usize = 8;

/// So far it is looked upwards for a span that tells of the same call.
const MOST_BETWEEN: usize = 16;

/// The spans of a body by their trace and id.
fn by_id(spans: &[ReportedSpan]) -> HashMap<(&str, &str), usize> {
    let spans = spans.iter().enumerate();
    spans.map(|(at, span)| ((span.trace_id.as_str(), span.span_id.as_str()), at)).collect()
}

/// The places of those above a span, the nearest first.
fn above<'s>(
    spans: &'s [ReportedSpan],
    by_id: &'s HashMap<(&'s str, &'s str), usize>,
    at: usize,
) -> impl Iterator<Item = usize> + 's {
    let parent = move |at: &usize| {
        let span = &spans[*at];
        by_id.get(&(span.trace_id.as_str(), span.parent_span_id.as_deref()?)).copied()
    };
    std::iter::successors(parent(&at), parent).take(MOST_BETWEEN)
}

/// Puts a model call below the other that tells of the same answer of a provider, where neither is above the other.
///
/// A tracer that hears of calls by callbacks, as LangChain's, does not stand above what its framework calls: the span of the
/// provider's SDK comes beside its own. An answer's id is of one call; the span that lies around the other in time is taken
/// for its parent. Calls that follow each other are two, whatever ids a server gives.
pub(super) fn nested(spans: &mut [ReportedSpan]) {
    for (at, parent) in beside_each_other(spans) {
        spans[at].parent_span_id = Some(parent);
    }
}

/// The places of the inner ones of calls that are told of beside each other, and the ids of those around them.
fn beside_each_other(spans: &[ReportedSpan]) -> Vec<(usize, String)> {
    let mut moved = Vec::new();
    let mut by_answer = HashMap::<(&str, &str), Vec<usize>>::new();
    for (at, span) in spans.iter().enumerate() {
        let answer = span.llm.as_ref().filter(|_| span.act == SpanAct::ModelCall);
        if let Some(answer) = answer.and_then(|llm| llm.request_id.as_deref()) {
            by_answer.entry((span.trace_id.as_str(), answer)).or_default().push(at);
        }
    }
    by_answer.retain(|_, told| told.len() > 1);
    if by_answer.is_empty() {
        return moved;
    }
    let by_id = by_id(spans);
    for mut told in by_answer.into_values() {
        told.truncate(MOST_TELLING);
        told.sort_by_key(|at| (spans[*at].started_at, Reverse(spans[*at].ended_at), *at));
        for pair in told.windows(2) {
            let (outer, inner) = (pair[0], pair[1]);
            let is_below = |one: usize, other: usize| above(spans, &by_id, one).any(|at| at == other);
            if is_within(&spans[inner], &spans[outer]) && !is_below(inner, outer) && !is_below(outer, inner) {
                moved.push((inner, spans[outer].span_id.clone()));
            }
        }
    }
    moved
}

/// Whether a span that has a parent here lies within the time of another.
fn is_within(inner: &ReportedSpan, outer: &ReportedSpan) -> bool {
    let within = |from: Option<_>, until: Option<_>| from.is_some() && from <= until;
    inner.parent_span_id.is_some()
        && !inner.parent_is_remote
        && within(outer.started_at, inner.started_at)
        && within(inner.ended_at, outer.ended_at)
}

/// Tells a call the cost that a span above it reports, where that one tells of nothing but this call, which reports none: a
/// gateway's bill, of which the provider's SDK does not know.
pub(super) fn costs_told(spans: &mut [ReportedSpan]) {
    if !spans.iter().any(|span| is_call(span) && cost(span) > Some(0)) {
        return;
    }
    let mut only = only_calls(spans);
    let told: Vec<usize> = only.keys().copied().filter(|at| cost(&spans[*at]) > Some(0)).collect();
    for mut at in told {
        let said = cost(&spans[at]);
        // Down to the last, or to one that says it itself.
        while let Some(call) = only.remove(&at) {
            let Some(llm) = spans[call].llm.as_mut() else { break };
            if llm.cost_nanousd.is_some() || (llm.input_tokens, llm.output_tokens) == (0, 0) {
                break;
            }
            llm.cost_nanousd = said;
            at = call;
        }
    }
}

fn is_call(span: &ReportedSpan) -> bool {
    span.act == SpanAct::ModelCall && span.llm.is_some()
}

fn cost(span: &ReportedSpan) -> Option<u64> {
    span.llm.as_ref()?.cost_nanousd
}

/// Of each call that has one call alone below it, not through a tool, and others only below that: which one.
fn only_calls(spans: &[ReportedSpan]) -> HashMap<usize, usize> {
    let by_id = by_id(spans);
    let is_tool = |at: &usize| matches!(spans[*at].act, SpanAct::ToolCall | SpanAct::ToolServer);
    let mut below = HashMap::<usize, Vec<usize>>::new();
    for at in (0..spans.len()).filter(|at| is_call(&spans[*at])) {
        let mut others = above(spans, &by_id, at).take_while(|at| !is_tool(at));
        if let Some(wrapper) = others.find(|at| is_call(&spans[*at])) {
            below.entry(wrapper).or_default().push(at);
        }
    }
    let only = below.into_iter().filter(|(_, calls)| calls.len() == 1);
    only.filter_map(|(wrapper, calls)| Some((wrapper, *calls.first()?))).collect()
}
