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

/// By place: behind which one a span goes, and how far above that it lies. Nothing of those that stay.
fn behind(links: &[Link<'_>]) -> HashMap<usize, (usize, usize)> {
    let told = links.iter().enumerate().filter(|(_, link)| link.tells).map(|(at, _)| at);
    let told: Vec<usize> = told.collect();
    if told.len() < 2 {
        return HashMap::new();
    }
    let places: HashMap<_, _> =
        links.iter().enumerate().map(|(at, link)| ((link.trace, link.span), at)).collect();
    let mut behind: HashMap<usize, (usize, usize)> = HashMap::new();
    for from in told {
        let (mut at, mut height) = (from, 0);
        // Where spans are each other's parents there is no top.
        while let Some(parent) = links[at].parent
            && let Some(above) = places.get(&(links[at].trace, parent))
            && height < links.len()
        {
            (at, height) = (*above, height + 1);
            if links[at].tells && from > at {
                let place = behind.entry(at).or_insert((from, height));
                *place = (*place).max((from, height));
            }
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
}
