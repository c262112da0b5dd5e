//! One client: what it is at, whether it keeps us waiting, and whether it has to go.

use std::{
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use api::{Shown, Whose};
use tokio::sync::Notify;

use crate::config::Most;

/// What a client is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// It has said nothing yet, or a part of a request's head.
    Head,
    /// Its call is being answered; once its last byte is handed over it rests.
    Call { answered: bool },
    /// Between two calls.
    Rest,
}

/// Where one client stands.
#[derive(Debug)]
pub(super) struct Stand {
    at: At,
    since: Instant,
    /// Since when more of its call's body is waited for.
    unsaid: Option<Instant>,
    /// Of its call's body there is something that nobody has read, or may still come.
    unread: bool,
    /// Since when it takes nothing of what it is told.
    stalled: Option<Instant>,
    /// Whether its call has shown a credential.
    shown: Shown,
    /// Its place is wanted, if it still keeps us waiting for so long.
    wanted: Option<Duration>,
    /// Its time is over, whatever it is at.
    over: bool,
}

impl Stand {
    /// Whether it was told to go and has not gone yet.
    pub(super) fn is_wanted(&self) -> bool {
        self.wanted.is_some()
    }

    /// Whose call keeps us waiting, where it is one of ours.
    pub(super) fn waits_for(&self) -> Option<Whose> {
        let keeps_waiting =
            matches!(self.at, At::Call { .. }) && (self.unsaid.is_some() || self.stalled.is_some());
        self.shown.whose().filter(|_| keeps_waiting)
    }

    /// Whether its place may be given to somebody else: whether it has shown a credential, and since when it keeps us
    /// waiting. None where it waits for us, or is one of ours that has not kept us waiting for `patience`.
    pub(super) fn gives_way(&self, now: Instant, patience: Duration) -> Option<(bool, Instant)> {
        if !matches!(self.at, At::Call { .. }) {
            return Some((false, self.since));
        }
        let since = [self.unsaid, self.stalled].into_iter().flatten().min()?;
        let is_ours = self.shown.whose().is_some();
        let is_due = !is_ours || now.saturating_duration_since(since) >= patience;
        is_due.then_some((is_ours, since))
    }
}

/// One connection.
#[derive(Debug)]
pub(super) struct Client {
    peer: IpAddr,
    stand: Mutex<Stand>,
    told: Notify,
}

impl Client {
    /// One that has just come.
    pub(super) fn new(peer: IpAddr) -> Self {
        let stand = Stand {
            at: At::Head,
            since: Instant::now(),
            unsaid: None,
            unread: false,
            stalled: None,
            shown: Shown::default(),
            wanted: None,
            over: false,
        };
        Self { peer, stand: Mutex::new(stand), told: Notify::new() }
    }

    /// Where it comes from.
    pub(super) fn peer(&self) -> IpAddr {
        self.peer
    }

    /// Where it stands, which does not change while this is held.
    pub(super) fn stand(&self) -> MutexGuard<'_, Stand> {
        self.stand.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells it to go: its place is wanted, if it still keeps us waiting for so long.
    pub(super) fn want_place(&self, patience: Duration) {
        self.stand().wanted = Some(patience);
        self.told.notify_one();
    }

    /// Tells it to go if its time is over.
    pub(super) fn tell_if_over(&self, now: Instant, most: &Most) {
        let longer = |since: Instant, than: Duration| now.saturating_duration_since(since) >= than;
        let mut stand = self.stand();
        let is_over = match stand.at {
            At::Head => longer(stand.since, most.head_within),
            At::Rest => longer(stand.since, most.idle_within),
            At::Call { .. } => false,
        };
        let stalled = stand.stalled.is_some_and(|since| longer(since, most.idle_within));
        if is_over || stalled {
            stand.over |= stalled;
            self.told.notify_one();
        }
    }

    /// Waits until it is told to go; whether it has to, for a call that has begun meanwhile, or goes on, keeps its
    /// place.
    pub(super) async fn is_told_to_go(&self) -> bool {
        self.told.notified().await;
        let mut stand = self.stand();
        let gives_way = |patience| stand.gives_way(Instant::now(), patience).is_some();
        if stand.over || !matches!(stand.at, At::Call { .. }) || stand.wanted.is_some_and(gives_way) {
            return true;
        }
        stand.wanted = None;
        false
    }

    fn is_at(&self, at: At) {
        let mut stand = self.stand();
        (stand.at, stand.since) = (at, Instant::now());
    }

    /// It has sent something.
    pub(super) fn spoke(&self) {
        if self.stand().at == At::Rest {
            self.is_at(At::Head);
        }
    }

    /// The head of a request is there; whether it shows a credential is to be seen.
    pub(super) fn calls(&self, shown: Shown) {
        let mut stand = self.stand();
        (stand.at, stand.since) = (At::Call { answered: false }, Instant::now());
        (stand.unsaid, stand.unread, stand.shown) = (None, false, shown);
    }

    /// Whether it has said all that is asked for so far of its call's body.
    pub(super) fn says_all(&self, says: bool) {
        waits_unless(says, &mut self.stand().unsaid);
    }

    /// Nobody reads its call's body to the end.
    pub(super) fn leaves_unread(&self) {
        self.stand().unread = true;
    }

    /// Whether nobody has read its last call's body to the end.
    pub(super) fn is_unread(&self) -> bool {
        self.stand().unread
    }

    /// The answer is written, though not handed over yet.
    pub(super) fn is_answered(&self) {
        if let At::Call { answered } = &mut self.stand().at {
            *answered = true;
        }
    }

    /// All that was written is handed over.
    pub(super) fn took_all(&self) {
        let rests = self.stand().at == (At::Call { answered: true });
        if rests {
            self.is_at(At::Rest);
        }
    }

    /// Whether it takes what it is told.
    pub(super) fn takes(&self, takes: bool) {
        waits_unless(takes, &mut self.stand().stalled);
    }

    /// Whether a call of it is being answered.
    pub(super) fn is_calling(&self) -> bool {
        matches!(self.stand().at, At::Call { .. })
    }
}

/// Notes since when it is waited for.
fn waits_unless(done: bool, since: &mut Option<Instant>) {
    if done {
        *since = None;
    } else {
        since.get_or_insert_with(Instant::now);
    }
}
