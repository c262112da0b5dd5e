//! Which version of this counted a run: it is a part of the version of the engine that each decision of the run names.

/// Names what decides here which steps count. Another version may decide otherwise, so what a run used is worked out
/// anew only by the one that counted it. Versions before the first that is named here are in no engine's version.
/// `tests::played` holds to it what counts.
pub const VERSION: &str = "hoc-tally/6";

/// What the version of any tally begins with.
const ANY: &str = "hoc-tally/";

/// Whether an engine of this version counted as this one does.
#[must_use]
pub fn counts_alike(engine_version: &str) -> bool {
    engine_version.split(' ').any(|part| part == VERSION)
}

/// The parts of an engine's version that name what judged: all but its tally.
pub fn judging_parts(engine_version: &str) -> impl Iterator<Item = &str> {
    engine_version.split(' ').filter(|part| !part.starts_with(ANY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_counts_alike_by_its_part_alone() {
        let with = |tally: &str| format!("hoc-rules/9{tally} cedar-language/4.6.0");
        assert!(VERSION.starts_with(ANY) && counts_alike(&with(&format!(" {VERSION}"))));
        for other in ["", " hoc-tally/5", " hoc-tally/60", " hoc-tally/", " xhoc-tally/6"] {
            assert!(!counts_alike(&with(other)), "{other}");
        }
        for any in ["", " hoc-tally/5", " hoc-tally/6"] {
            let judging: Vec<_> = judging_parts(&with(any)).map(str::to_owned).collect();
            assert_eq!(judging, ["hoc-rules/9", "cedar-language/4.6.0"], "{any}");
        }
    }
}
