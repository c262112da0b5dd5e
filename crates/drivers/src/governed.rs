//! Remembers the changes of what governs each tenant, and notices a store that does not go on from them.
//!
//! Freezes, keys and settings are in no log. If a store fell back under a running server, a frozen agent would go on
//! and a revoked key would open again, and no head of a log would tell. So every change of them adds one to a count in
//! the tenant's row, in the unit of work that makes the change, and leaves a mark beside that count which no other
//! change has. The tenant's row is locked meanwhile, so changes are counted in the order in which they commit. This
//! remembers the last change, and reports a store that has a lower count, or another change at that count: a store that
//! fell back may have been changed as often since.

use std::collections::{BTreeMap, HashMap};

use models::ids::TenantId;
use uuid::Uuid;

/// So many logs, and so many tenants, are remembered at most; of more, those that were touched last.
pub(crate) const MOST: usize = 20_000;

/// A change of what governs a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// How many there were with it.
    pub(crate) count: u64,
    /// By which it is known from every other; none where it is from before changes were marked, or by a build that does
    /// not mark them.
    pub(crate) mark: Option<Uuid>,
}

/// What a store has of a tenant, beside what was remembered when it was asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    /// Whose.
    pub(crate) tenant: TenantId,
    /// The last change that the store has.
    pub(crate) has: Change,
    /// The last one that was remembered.
    pub(crate) known: Option<Change>,
    /// The mark that the store has where the remembered one is.
    pub(crate) there: Option<Uuid>,
}

impl Found {
    /// Whether the store has the change that was remembered.
    fn goes_on_from(&self, known: Change) -> bool {
        self.has.count >= known.count && self.there == known.mark
    }
}

/// A change, and when it was first noted.
#[derive(Clone, Copy, Debug)]
struct Noted {
    at: u64,
    change: Change,
}

/// The changes that one process has seen in its store.
#[derive(Debug, Default)]
pub(crate) struct Governed {
    /// The last of each tenant, each with when it was touched.
    seen: HashMap<TenantId, (u64, Noted)>,
    /// Those that the store does not go on from: what they were, and how many it has instead.
    fallen: BTreeMap<TenantId, (Change, u64)>,
}

impl Governed {
    /// Remembers a change that is committed.
    pub(crate) fn note(&mut self, tenant: TenantId, change: Change, now: u64) {
        let (touched, known) = self.seen.entry(tenant).or_insert((now, Noted { at: now, change }));
        *touched = now;
        if known.change.count < change.count {
            *known = Noted { at: now, change };
        }
        shed(&mut self.seen);
    }

    /// The change of a tenant that its store must have.
    pub(crate) fn of(&self, tenant: TenantId) -> Option<Change> {
        let fallen = self.fallen.get(&tenant).map(|(was, _)| *was);
        fallen.or_else(|| self.seen.get(&tenant).map(|(_, known)| known.change))
    }

    /// Whether a store in which this was found, by a unit of work that began then, goes on from what is remembered.
    ///
    /// A store that fell back is trusted again where the very change is there that was missed, and not just because a
    /// server that knew nothing of it has changed the tenant as often since.
    pub(crate) fn leads(&mut self, found: &Found, began: u64) -> bool {
        let Found { tenant, has, known, .. } = *found;
        if let Some((was, now)) = self.fallen.get_mut(&tenant) {
            let is_back = was.mark.is_some() && known == Some(*was) && found.goes_on_from(*was);
            *now = has.count;
            if is_back {
                self.fallen.remove(&tenant);
            }
            return is_back;
        }
        // Where nothing is remembered any more, somebody has accepted what there is.
        let (Some(known), Some((_, noted))) = (known, self.seen.get(&tenant)) else { return true };
        // So it is too where another change was noted since then with no higher count: none takes another's place else.
        let is_accepted = noted.change != known && noted.change.count <= known.count;
        // What has fewer may have been read before the newer one was noted. What has as many has met it.
        let is_older = has.count < known.count && noted.at > began;
        if is_accepted || is_older || found.goes_on_from(known) {
            return true;
        }
        self.fallen.insert(tenant, (known, has.count));
        false
    }

    /// Forgets what a tenant's last change was: somebody accepted the one that there is.
    pub(crate) fn accept(&mut self, tenant: TenantId) {
        self.fallen.remove(&tenant);
        self.seen.remove(&tenant);
    }

    /// The tenants of which something is remembered.
    pub(crate) fn tenants(&self) -> Vec<TenantId> {
        self.seen.keys().chain(self.fallen.keys()).copied().collect()
    }

    /// Why the store is only read, where it fell back.
    pub(crate) fn fell_back(&self) -> Option<String> {
        let (tenant, (Change { count: had, .. }, has)) = self.fallen.first_key_value()?;
        let instead = if has < had {
            format!("and {has} times in this store")
        } else {
            "and this store has another change in the place of the last".to_owned()
        };
        Some(format!(
            "this store fell back under the server: what governs tenant {tenant} had changed {had} times when this server saw \
             it last, {instead}, so a freeze, a revoked key, a rule, a limit or a setting may be as it was \
             before. It is read and not written; put a newer store in its place, or see what is frozen and revoked in this one, and \
             start the servers anew"
        ))
    }

    /// The same without whose it is.
    pub(crate) fn fell_back_in_short(&self) -> Option<String> {
        let (_, (Change { count: had, .. }, has)) = self.fallen.first_key_value()?;
        let instead = if has < had {
            "had changed more often when this server saw it last"
        } else {
            "has another change in the place of the last that this server saw"
        };
        Some(format!(
            "this store fell back under the server: what governs a tenant {instead}. It is read and not written; put a newer \
             store in its place, or see what is frozen and revoked in this one, and start the servers anew"
        ))
    }
}

/// Forgets those that were noted longest ago, where there are too many.
pub(crate) fn shed<K, V>(known: &mut HashMap<K, (u64, V)>) {
    if known.len() > MOST {
        let mut times: Vec<u64> = known.values().map(|(at, _)| *at).collect();
        let (_, middle, _) = times.select_nth_unstable(MOST / 2);
        let middle = *middle;
        known.retain(|_, (at, _)| *at > middle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: TenantId = TenantId(Uuid::nil());

    fn change(count: u64, mark: u128) -> Change {
        Change { count, mark: Some(Uuid::from_u128(mark)) }
    }

    /// What a store has in which these changes were made.
    fn found(governed: &Governed, changes: &[Change]) -> Found {
        let known = governed.of(TENANT);
        let there = |known: Change| changes.iter().find(|change| change.count == known.count)?.mark;
        let has = *changes.last().expect("a change");
        Found { tenant: TENANT, has, known, there: known.and_then(there) }
    }

    #[test]
    fn a_store_goes_on_where_it_has_the_very_change_that_was_seen_last() {
        let mut governed = Governed::default();
        let leads = |governed: &mut Governed, changes: &[Change]| {
            let found = found(governed, changes);
            governed.leads(&found, 9)
        };
        let [one, two, other, three] = [change(1, 1), change(2, 2), change(2, 22), change(3, 3)];
        assert!(leads(&mut governed, &[one, other]), "nothing was seen yet");
        governed.note(TENANT, one, 1);
        governed.note(TENANT, two, 2);
        governed.note(TENANT, one, 3);
        assert!(leads(&mut governed, &[one, two]) && leads(&mut governed, &[one, two, three]));
        assert_eq!(governed.fell_back(), None);
        for fallen in [&[one, other][..], &[one, other, three], &[one]] {
            assert!(!leads(&mut governed, fallen), "{fallen:?}");
            assert!(governed.fell_back().is_some_and(|why| why.contains("changed 2 times")));
        }
        assert!(leads(&mut governed, &[one, two, three]), "the store that has it is in its place again");
        assert_eq!(governed.fell_back(), None);
    }

    #[test]
    fn what_was_read_before_a_change_was_noted_is_not_held_against_it() {
        let mut governed = Governed::default();
        governed.note(TENANT, change(2, 2), 5);
        for (began, leads) in [(4, true), (5, false)] {
            let before = found(&governed, &[change(1, 1)]);
            assert_eq!(governed.leads(&before, began), leads, "{began}");
        }
        governed.accept(TENANT);
        assert!(governed.leads(&found(&governed, &[change(1, 1)]), 9) && governed.fell_back().is_none());
    }

    #[test]
    fn what_was_asked_for_before_somebody_accepted_another_is_not_held_against_that() {
        let [missed, accepted] = [change(2, 2), change(2, 22)];
        let mut governed = Governed::default();
        governed.note(TENANT, missed, 1);
        let known = governed.of(TENANT);
        governed.accept(TENANT);
        governed.note(TENANT, accepted, 2);
        let found = Found { tenant: TENANT, has: accepted, known, there: accepted.mark };
        assert!(governed.leads(&found, 9) && governed.fell_back().is_none());
        // Who asks now is told of a store that has the one that was missed.
        let found = Found { has: missed, known: governed.of(TENANT), there: missed.mark, ..found };
        assert!(!governed.leads(&found, 9));
    }

    #[test]
    fn changes_that_have_no_mark_are_told_by_their_number() {
        let mut governed = Governed::default();
        let plain = |count| Change { count, mark: None };
        governed.note(TENANT, plain(4), 1);
        let found = |known, count| Found { tenant: TENANT, has: plain(count), known, there: None };
        let known = governed.of(TENANT);
        assert!(governed.leads(&found(known, 5), 9) && !governed.leads(&found(known, 3), 9));
        assert!(!governed.leads(&found(known, 5), 9), "nothing says that it is the same store again");
    }
}
