//! The same spans in any order come to the same count.

use super::{Counted, Tally, Told};
use crate::words::{
    CostNote,
    StepKind::{self, ToolCall},
};

mod cases;
mod doubt;
mod halves;
mod late;
mod layers;
mod others;
mod places;
mod played;
mod random;
mod reporters;
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
