//! Who exported the spans of a body. What each of them says is made fit once, and not for each of its spans and traces:
//! a name of megabytes may stand over a hundred thousand of those.

use std::sync::OnceLock;

use crate::{
    choke::{call::TraceStart, prepare::fit::Fit},
    ports::SpanSource,
    report::PartOf,
};

/// Those of a body, by their places.
pub(super) struct Sources(Vec<Source>);

struct Source {
    told: SpanSource,
    start: OnceLock<TraceStart>,
    part_of: OnceLock<[Name; 3]>,
}

/// A name that fits, and whether it was cut for that.
type Name = (Option<String>, bool);

impl Sources {
    pub(super) fn of(told: Vec<SpanSource>) -> Self {
        let source = |told| Source { told, start: OnceLock::new(), part_of: OnceLock::new() };
        Self(told.into_iter().map(source).collect())
    }

    /// What the run of a trace is opened with.
    pub(super) fn start(&self, at: usize, trace_id: String, provider: Option<&String>) -> TraceStart {
        let mut fit = Fit::default();
        let provider_type = fit.identity_said(provider.cloned());
        let start = match self.0.get(at) {
            Some(source) => source.start.get_or_init(|| start_by(source.told.clone())).clone(),
            None => start_by(SpanSource::default()),
        };
        TraceStart { trace_id, provider_type, cut: start.cut || fit.cut, ..start }
    }

    /// Adds what a span does not say by itself of whose conversation it is. Whether something of that is cut.
    pub(super) fn complete(&self, at: usize, part_of: &mut PartOf) -> bool {
        let Some(source) = self.0.get(at) else { return false };
        let of = source.part_of.get_or_init(|| names(&source.told.part_of));
        let own = [&mut part_of.conversation_id, &mut part_of.session_id, &mut part_of.user_id];
        let mut is_cut = false;
        for (own, (name, cut)) in own.into_iter().zip(of) {
            if own.is_none() {
                own.clone_from(name);
                is_cut |= *cut;
            }
        }
        is_cut
    }
}

fn start_by(source: SpanSource) -> TraceStart {
    let mut fit = Fit::default();
    TraceStart {
        agent_id: fit.agent(source.agent_id),
        project_id: fit.identity_said(source.project_id),
        environment: source.environment.map(|text| fit.document(text)),
        cut: fit.cut,
        ..TraceStart::default()
    }
}

fn names(of: &PartOf) -> [Name; 3] {
    [&of.conversation_id, &of.session_id, &of.user_id].map(|name| {
        let mut fit = Fit::default();
        let name = name.clone().map(|name| fit.name(name));
        (name, fit.cut)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part_of(session: Option<&str>, user: Option<&str>) -> PartOf {
        let name = |name: Option<&str>| name.map(str::to_owned);
        PartOf { conversation_id: None, session_id: name(session), user_id: name(user) }
    }

    #[test]
    fn what_a_span_says_by_itself_is_believed_first() {
        let long = "u".repeat(1_000);
        let told = SpanSource { part_of: part_of(Some("s1"), Some(&long)), ..SpanSource::default() };
        let sources = Sources::of(vec![told]);
        let mut own = part_of(Some("s2"), Some("u2"));
        assert!(!sources.complete(0, &mut own), "nothing of what is cut");
        assert_eq!(own, part_of(Some("s2"), Some("u2")));
        let mut none = PartOf::default();
        assert!(sources.complete(0, &mut none));
        let user = none.user_id.unwrap_or_default();
        assert_eq!((none.conversation_id, none.session_id.as_deref()), (None, Some("s1")));
        assert!(user.starts_with("uuu") && user.contains("...<CUT:1000:"), "{user}");
        assert!(!sources.complete(1, &mut PartOf::default()), "nobody");
    }

    /// Minutes, where each of its spans and traces had it read anew.
    #[test]
    fn much_that_one_says_is_read_once_for_all_its_spans() {
        let name = "n".repeat(100_000);
        let told = SpanSource {
            agent_id: name.clone(),
            project_id: Some(name.clone()),
            environment: Some(format!(r#"{{"a":"{name}"}}"#)),
            part_of: part_of(Some(&name), Some(&name)),
        };
        let sources = Sources::of(vec![told]);
        for _ in 0..10_000 {
            let start = sources.start(0, "t".to_owned(), None);
            assert!(start.cut && start.agent_id.contains("...<CUT:100000:"));
            assert!(sources.complete(0, &mut PartOf::default()));
        }
    }
}
