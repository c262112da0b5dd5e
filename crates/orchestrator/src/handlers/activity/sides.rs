//! The two sides of a tool's call in one body of spans: what the client reports of the call, and what the server
//! reports that runs the tool.
//!
//! For people and rules the two are one call. If they come in different bodies, each is taken as a call of its own, and
//! the tree counts one of them.

use std::collections::HashMap;

use proof::tally::{MAX_HTTP_BETWEEN, is_request};

use crate::{
    ports::{ReportedSpan, SpanAct, json_of},
    report::OtherSide,
};

/// Marks one side of each call of which the body has both, where that hides nothing from a rule: a side that does not
/// say what the tool was called with, or that says the same as the other. A client may say less than what ran, or
/// something else; then both stay calls. So they do where one of them tells another use, or alone, for the tree decides
/// which of the two counts; and where a call ran more than once, or passes through a third who tells of it: the tree
/// counts those.
pub(super) fn find_sides(spans: &mut [ReportedSpan]) {
    if spans.iter().all(|span| span.act != SpanAct::ToolServer) {
        return;
    }
    let places: HashMap<(&str, &str), usize> = spans
        .iter()
        .enumerate()
        .map(|(at, span)| ((span.trace_id.as_str(), span.span_id.as_str()), at))
        .collect();
    let above = |at: usize| {
        let span = &spans[at];
        places.get(&(span.trace_id.as_str(), span.parent_span_id.as_deref()?)).copied()
    };
    let call_above = |side: usize| {
        let mut next = above(side);
        for _ in 0..MAX_HTTP_BETWEEN {
            next = next.and_then(|at| if is_http(&spans[at]) { above(at) } else { Some(at) });
        }
        let is_call = |at: &usize| matches!(spans[*at].act, SpanAct::ToolCall | SpanAct::ToolServer);
        next.filter(is_call).filter(|at| *at != side && spans[*at].skill_name == spans[side].skill_name)
    };
    let mut servers_of: HashMap<usize, Vec<usize>> = HashMap::new();
    for server in (0..spans.len()).filter(|at| spans[*at].act == SpanAct::ToolServer) {
        if let Some(client) = call_above(server) {
            servers_of.entry(client).or_default().push(server);
        }
    }
    let mut asides = Vec::new();
    for (client, servers) in &servers_of {
        let [server] = servers[..] else { continue };
        if servers_of.contains_key(&server) || call_above(*client).is_some() {
            continue;
        }
        let (asked, ran) = (&spans[*client], &spans[server]);
        if asked.llm != ran.llm {
            continue;
        }
        if ran.tells_no_params() || says_the_same(asked, ran) {
            asides.push((server, ran.llm.is_some()));
        } else if asked.tells_no_params() {
            asides.push((*client, asked.llm.is_some()));
        }
    }
    for (aside, with_use) in asides {
        spans[aside].other_side = if with_use { OtherSide::ToldWithUse } else { OtherSide::Told };
    }
}

fn says_the_same(asked: &ReportedSpan, ran: &ReportedSpan) -> bool {
    let read = |side: &ReportedSpan| side.params.as_deref().and_then(json_of);
    asked.params == ran.params || read(asked).is_some_and(|asked| read(ran) == Some(asked))
}

/// Whether a span may lie between the two sides: a request over HTTP, by whichever side tells of it.
fn is_http(span: &ReportedSpan) -> bool {
    let is_served = span.act == SpanAct::Other && span.llm.is_none() && is_request(&span.skill_name);
    span.act == SpanAct::HttpCall || is_served
}
