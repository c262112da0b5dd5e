//! What the incident of a rule is called in each of its runs: it is one incident, which not all of them met alike.

use proof::words::REFUSED_AFTER;

/// What is said of a run that is only reported, where a rule would have refused it.
pub const WOULD_HAVE: &str = "would have been refused";

/// The title of a rule's incident, said of a run of which that is noted.
pub(super) fn titled(title: &str, note: Option<&str>) -> String {
    let refusal = title.strip_suffix(" after it was done").unwrap_or(title);
    let parts = ["a step", "the run"].into_iter().find_map(|what| {
        let rule = refusal.strip_suffix(what)?.strip_suffix(" refused ")?;
        Some((rule.strip_suffix(" would have").unwrap_or(rule), what))
    });
    match (parts, note) {
        (None, _) => title.to_owned(),
        (Some((rule, what)), Some(WOULD_HAVE)) => format!("{rule} would have refused {what}"),
        (Some((rule, what)), Some(REFUSED_AFTER)) => format!("{rule} refused {what} after it was done"),
        (Some((rule, what)), _) => format!("{rule} refused {what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_run_is_told_what_it_met() {
        let met = [
            ("Rule `no rm` refused a step", None),
            ("Rule `no rm` refused a step after it was done", Some(REFUSED_AFTER)),
            ("Rule `no rm` would have refused a step", Some(WOULD_HAVE)),
        ];
        for (opened, _) in met {
            for (title, note) in met {
                assert_eq!(titled(opened, note), title, "{opened}");
            }
        }
        assert_eq!(
            titled("Rule `a` refused the run", Some(WOULD_HAVE)),
            "Rule `a` would have refused the run"
        );
        for other in ["Rule `a` was passed", "", "a step"] {
            assert_eq!(titled(other, Some(WOULD_HAVE)), other);
        }
    }
}
