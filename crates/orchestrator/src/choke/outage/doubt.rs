//! Whether it is known that the store has what a group did to a run.

use chrono::TimeDelta;

/// For so long a commit may still come in after nobody was told of it: the store ends a unit of work that rests, and a
/// connection that is gone, sooner.
const SETTLES: TimeDelta = TimeDelta::seconds(10);

/// A group has stopped a run, and the store did not say whether that is in.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Doubt(Option<TimeDelta>);

impl Doubt {
    /// A commit of the group failed then, and may be in all the same.
    pub(super) fn arose(&mut self, at: TimeDelta) {
        self.0 = self.0.max(Some(at));
    }

    /// A look that began then has asked the store whether the run takes steps: it goes by what that told.
    pub(super) fn looked(&mut self, began: TimeDelta) {
        self.0 = self.0.filter(|at| began < *at + SETTLES);
    }

    /// Whether the run may have been stopped.
    pub(super) fn is_open(self) -> bool {
        self.0.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_ends_a_doubt_where_it_began_when_no_commit_could_come_in_any_more() {
        let at = TimeDelta::seconds;
        let mut doubt = Doubt::default();
        doubt.looked(at(0));
        assert!(!doubt.is_open());
        doubt.arose(at(100));
        for early in [99, 100, 109] {
            doubt.looked(at(early));
            assert!(doubt.is_open(), "{early}");
        }
        // Another group of the run, and one that was told of late.
        for again in [105, 101] {
            doubt.arose(at(again));
            doubt.looked(at(114));
            assert!(doubt.is_open(), "{again}");
        }
        doubt.looked(at(115));
        assert!(!doubt.is_open());
        doubt.arose(at(200));
        assert!(doubt.is_open());
    }
}
