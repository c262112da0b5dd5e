//! The two sides of a tool's call in one body of spans: what the client reports of the call, and what the server
//! reports that runs the tool.
//!
//! For people and rules the two are one call. If they come in different bodies, each is taken as a call of its own, and
//! the tree counts one of them.

use std::collections::HashMap;

use proof::tally::{MAX_HTTP_BETWEEN, is_request};

use crate::{
    ports::{ReportedSpan, SpanAct},
    report::OtherSide,
};

/// Marks one side of each call of which the body has both: the server's, unless only that one says what the tool was
/// called with.
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
    let client_of = |server: usize| {
        let mut next = above(server);
        for _ in 0..MAX_HTTP_BETWEEN {
            next = next.and_then(|at| if is_http(&spans[at]) { above(at) } else { Some(at) });
        }
        let is_call = |at: &usize| matches!(spans[*at].act, SpanAct::ToolCall | SpanAct::ToolServer);
        next.filter(is_call).filter(|at| *at != server && spans[*at].skill_name == spans[server].skill_name)
    };
    let servers = (0..spans.len()).filter(|at| spans[*at].act == SpanAct::ToolServer);
    let pairs: Vec<(usize, usize)> =
        servers.filter_map(|at| client_of(at).map(|client| (client, at))).collect();
    for (client, server) in pairs {
        let is_clients = spans[client].params.is_none() && spans[server].params.is_some();
        let (aside, call) = if is_clients { (client, server) } else { (server, client) };
        // Of three in a row the one between is a side of both: one of them stays the call.
        if spans[call].other_side != OtherSide::NotTold {
            continue;
        }
        let with_use = spans[call].llm.is_some();
        spans[aside].other_side = if with_use { OtherSide::ToldWithUse } else { OtherSide::Told };
    }
}

/// Whether a span may lie between the two sides: a request over HTTP, by whichever side tells of it.
fn is_http(span: &ReportedSpan) -> bool {
    let is_served = span.act == SpanAct::Other && span.llm.is_none() && is_request(&span.skill_name);
    span.act == SpanAct::HttpCall || is_served
}
