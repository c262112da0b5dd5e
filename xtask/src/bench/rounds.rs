//! Who is measured when. Binaries that are compared take turns, phase by phase, so that what else happens on the
//! machine meets them alike.

use super::{
    options::{Kind, Options, Part},
    phase::Phase,
    progress::Progress,
    side::{Binary, Side},
    store::Measured,
};
use anyhow::Context as _;
use std::time::Instant;

/// All phases in order, each with its round. Rates have as many rounds as there are; what takes long, or is repeated
/// by itself, has one.
fn plan(options: &Options) -> Vec<(Phase, u32)> {
    let steps = [Part::Bare, Part::Steps, Part::Permits, Part::Batches];
    let in_rounds = [
        (Phase::Steps, steps.iter().any(|part| options.has(*part))),
        (Phase::Spans, options.has(Part::Spans)),
        (Phase::Conversations, options.has(Part::Conversations)),
    ];
    let bundles =
        options.bundle_sizes().iter().map(|steps| (Phase::Bundle(*steps), options.has(Part::Bundles)));
    let once = [
        (Phase::Memory, options.has(Part::Memory) && options.rest().is_some()),
        (Phase::Start, options.has(Part::Start)),
        (Phase::Lists, options.has(Part::Lists)),
    ];
    let in_rounds = in_rounds
        .into_iter()
        .flat_map(|(phase, wanted)| (0..options.rounds()).map(move |round| (phase, round, wanted)));
    // A round that nobody had: what comes then is other than all before.
    let once = bundles.chain(once).map(|(phase, wanted)| (phase, options.rounds(), wanted));
    in_rounds.chain(once).filter(|(.., wanted)| *wanted).map(|(phase, round, _)| (phase, round)).collect()
}

/// Measures these binaries on one kind of store: the one of before, if there is one, and the one of this tree.
pub(super) fn on(
    kind: Kind,
    binaries: &[Binary],
    options: &Options,
    began: Instant,
) -> anyhow::Result<Measured> {
    let sides = binaries.iter().map(|binary| Side::new(kind, binary, options, began));
    let mut sides = sides.collect::<anyhow::Result<Vec<_>>>()?;
    let limits = sides.last().map(Side::limits).transpose()?.unwrap_or_default();
    for side in &mut sides {
        side.know(&limits);
    }

    let (plan, progress) = (plan(options), Progress::new(began, format!("{kind:?}")));
    for (at, (phase, round)) in plan.iter().enumerate() {
        progress.say(&format!("phase {} of {}: {}", at + 1, plan.len(), phase.name()));
        for side in &mut sides {
            side.measure(*phase, *round);
        }
        for side in &mut sides {
            side.rest(options.rest().unwrap_or_default());
        }
    }
    let mut stores = sides.into_iter().map(Side::end).collect::<anyhow::Result<Vec<_>>>()?;
    let after = stores.pop().context("a binary was measured")?;
    Ok(Measured { before: stores.pop(), after })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(line: &str) -> Vec<(Phase, u32)> {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        plan(&Options::parse(&args).expect("options"))
    }

    #[test]
    fn what_is_compared_has_two_rounds_where_it_is_a_rate() {
        let beside = planned("--binary /old/hoc");
        let rates = [Phase::Steps, Phase::Spans, Phase::Conversations];
        for phase in rates {
            let rounds: Vec<u32> =
                beside.iter().filter(|(of, _)| *of == phase).map(|(_, round)| *round).collect();
            assert_eq!(rounds, [0, 1], "{phase:?}");
        }
        let once: Vec<Phase> =
            beside.iter().filter(|(_, round)| *round == 2).map(|(phase, _)| *phase).collect();
        let bundles = [20, 1_000, 10_000, 100_000].map(Phase::Bundle);
        assert_eq!(once, [&bundles[..], &[Phase::Memory, Phase::Start, Phase::Lists]].concat());
        assert_eq!(planned("").len(), rates.len() + once.len());
    }

    #[test]
    fn what_is_not_wanted_is_not_planned() {
        assert_eq!(planned("--only permits"), [(Phase::Steps, 0)]);
        assert_eq!(planned("--short --only memory,start"), [(Phase::Start, 1)]);
        assert!(planned("--only commits,rules").is_empty());
    }
}
