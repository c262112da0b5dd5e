//! The spans of a body in the order in which they are recorded: as they came, but what sums others up after those.
//!
//! So a sum is never counted for a moment, and no limit is met by what is counted twice.

use std::collections::HashMap;

use crate::ports::ReportedSpan;

/// A span, as far as its place asks.
#[derive(Clone, Copy)]
struct Link<'a> {
    trace: &'a str,
    span: &'a str,
    parent: Option<&'a str>,
    /// It tells what was used.
    tells: bool,
}

impl<'a> Link<'a> {
    fn of(span: &'a ReportedSpan) -> Self {
        Self {
            trace: &span.trace_id,
            span: &span.span_id,
            parent: span.parent_span_id.as_deref(),
            tells: span.llm.is_some(),
        }
    }
}

/// Moves each span that tells what was used behind the last of those below it that tell it too.
pub(super) fn sums_last(spans: &mut Vec<ReportedSpan>) {
    let behind = behind(&spans.iter().map(Link::of).collect::<Vec<_>>());
    if behind.is_empty() {
        return;
    }
    let mut placed: Vec<_> = std::mem::take(spans).into_iter().enumerate().collect();
    placed.sort_by_key(|(at, _)| behind.get(at).copied().unwrap_or((*at, 0)));
    spans.extend(placed.into_iter().map(|(_, span)| span));
}

/// By place: behind which one a span goes, and in which order of those that go there. Nothing of those that stay.
fn behind(links: &[Link<'_>]) -> HashMap<usize, (usize, usize)> {
    let mut behind = HashMap::new();
    if links.iter().filter(|link| link.tells).count() < 2 {
        return behind;
    }
    let where_is: HashMap<_, _> =
        links.iter().enumerate().map(|(at, link)| ((link.trace, link.span), at)).collect();
    let above = |at: usize| where_is.get(&(links[at].trace, links[at].parent?)).copied();
    let mut awaited = vec![0_usize; links.len()];
    for above in (0..links.len()).filter_map(above) {
        awaited[above] += 1;
    }
    // From below: a span is placed when all its children are. Spans that lie below each other never are.
    let mut placed: Vec<usize> = (0..links.len()).filter(|at| awaited[*at] == 0).collect();
    let mut last_below: Vec<Option<usize>> = vec![None; links.len()];
    let mut next = 0;
    while let Some(at) = placed.get(next).copied() {
        next += 1;
        if let Some(last) = last_below[at].filter(|last| links[at].tells && *last > at) {
            behind.insert(at, (last, next));
        }
        let Some(above) = above(at) else { continue };
        last_below[above] = last_below[above].max(last_below[at]).max(Some(at).filter(|at| links[*at].tells));
        awaited[above] -= 1;
        if awaited[above] == 0 {
            placed.push(above);
        }
    }
    behind
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_come_after_what_they_sum_up() {
        let order = |spans: &[(&'static str, &'static str, bool)]| {
            let link = |(span, parent, tells): &(&'static str, &'static str, bool)| Link {
                trace: "t",
                span,
                parent: Some(*parent).filter(|id| !id.is_empty()),
                tells: *tells,
            };
            let links: Vec<_> = spans.iter().map(link).collect();
            let behind = behind(&links);
            let mut places: Vec<usize> = (0..links.len()).collect();
            places.sort_by_key(|at| behind.get(at).copied().unwrap_or((*at, 0)));
            places.into_iter().map(|at| links[at].span).collect::<String>()
        };
        assert_eq!(order(&[("a", "", true), ("b", "a", true), ("c", "a", true), ("d", "a", false)]), "bcad");
        assert_eq!(order(&[("a", "", true), ("b", "a", true), ("c", "b", false), ("d", "c", true)]), "cdba");
        assert_eq!(order(&[("a", "", false), ("b", "a", true), ("c", "a", true)]), "abc", "nothing to move");
        assert_eq!(order(&[("b", "a", true), ("a", "", true)]), "ba");
        assert_eq!(order(&[("a", "b", true), ("b", "a", true)]).len(), 2, "each other's parents");
    }

    /// A body holds so many: minutes, where each of them looked at all that are above it.
    #[test]
    fn a_long_chain_is_no_long_work() {
        let ids: Vec<String> = (0..200_000).map(|at| at.to_string()).collect();
        let chain = |top: Option<&'static str>| -> Vec<Link<'_>> {
            let parent = |at: usize| at.checked_sub(1).map_or(top, |above| Some(ids[above].as_str()));
            let link = |(at, span): (usize, &'_ String)| Link {
                trace: "t",
                span: ids[at].as_str(),
                parent: parent(at).filter(|parent| *parent != span),
                tells: true,
            };
            ids.iter().enumerate().map(link).collect()
        };
        assert_eq!(behind(&chain(None)).len(), ids.len() - 1, "all but the last");
        // The last but one is the parent of the first.
        assert_eq!(behind(&chain(Some("199998"))).len(), 0, "nothing is above what lies below itself");
    }
}
