//! Who is connected: how many at most, in all and from one place; who has to go when another wants in; and whose time
//! is over.
//!
//! Only a call that has begun holds its place. Whoever has said half of what it wants, or nothing, is the first to go
//! when places run out, so that no crowd of such clients keeps anybody out: the one that has waited longest, of the
//! place that has the most.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::{sync::Notify, time::timeout_at};

use crate::config::Most;

/// How long who wants in waits for one that has to go. It goes as soon as its task runs.
const MAKES_ROOM_WITHIN: Duration = Duration::from_secs(1);

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
struct Stand {
    at: At,
    since: Instant,
    /// Since when it takes nothing of what it is told.
    stalled: Option<Instant>,
    /// Its place is wanted.
    wanted: bool,
    /// Its time is over, whatever it is at.
    over: bool,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Client {
    peer: IpAddr,
    stand: Mutex<Stand>,
    told: Notify,
}

impl Client {
    fn stand(&self) -> MutexGuard<'_, Stand> {
        self.stand.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// The head of a request is there.
    pub(super) fn calls(&self) {
        self.is_at(At::Call { answered: false });
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
        let mut stand = self.stand();
        match (takes, stand.stalled) {
            (true, Some(_)) => stand.stalled = None,
            (false, None) => stand.stalled = Some(Instant::now()),
            _ => {}
        }
    }

    /// Whether a call of it is being answered.
    pub(super) fn is_calling(&self) -> bool {
        matches!(self.stand().at, At::Call { .. })
    }
}

/// All connections.
#[derive(Debug)]
pub(super) struct Clients {
    most: Most,
    open: Mutex<Open>,
    /// Somebody has gone, or does not have to go after all.
    left: Notify,
}

#[derive(Debug, Default)]
struct Open {
    last: u64,
    all: HashMap<u64, Arc<Client>>,
    of_peer: HashMap<IpAddr, usize>,
}

/// Why there is no place now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Full {
    /// Somebody was told to go.
    NotForLong,
    /// All are calling.
    Busy,
}

/// A client's place, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    id: u64,
    pub(super) client: Arc<Client>,
    clients: Arc<Clients>,
}

impl Seat {
    /// Waits until its client has to go.
    pub(super) async fn has_to_go(&self) {
        loop {
            self.client.told.notified().await;
            let mut stand = self.client.stand();
            // A call that has begun meanwhile keeps its place.
            if stand.over || !matches!(stand.at, At::Call { .. }) {
                return;
            }
            stand.wanted = false;
            drop(stand);
            self.clients.left.notify_one();
        }
    }
}

impl Clients {
    pub(super) fn new(most: Most) -> Arc<Self> {
        Arc::new(Self { most, open: Mutex::default(), left: Notify::new() })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for one more; none where all that are connected are calling.
    pub(super) async fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Seat> {
        let peer = peer_of(address);
        let patience = tokio::time::Instant::now() + MAKES_ROOM_WITHIN;
        loop {
            let left = self.left.notified();
            match self.take_place(peer) {
                Ok(seat) => return Some(seat),
                Err(Full::Busy) => return None,
                Err(Full::NotForLong) => timeout_at(patience, left).await.ok()?,
            }
        }
    }

    fn take_place(self: &Arc<Self>, peer: IpAddr) -> Result<Seat, Full> {
        let mut open = self.open();
        let of_peer = open.of_peer.get(&peer).copied().unwrap_or_default();
        if of_peer >= self.most.of_peer {
            return Err(open.make_room(Some(peer)));
        }
        if open.all.len() >= self.most.clients {
            return Err(open.make_room(None));
        }
        let stand = Stand { at: At::Head, since: Instant::now(), stalled: None, wanted: false, over: false };
        let client = Arc::new(Client { peer, stand: Mutex::new(stand), told: Notify::new() });
        open.last += 1;
        let id = open.last;
        open.all.insert(id, Arc::clone(&client));
        *open.of_peer.entry(peer).or_default() += 1;
        Ok(Seat { id, client, clients: Arc::clone(self) })
    }

    /// Lets somebody go who is not calling: the system gives no more descriptors.
    pub(super) fn make_room(&self) {
        self.open().make_room(None);
    }

    /// Lets those go whose time is over. To be called now and then.
    pub(super) fn let_go_whose_time_is_over(&self, now: Instant) {
        let longer = |since: Instant, than: Duration| now.saturating_duration_since(since) >= than;
        for client in self.open().all.values() {
            let mut stand = client.stand();
            let is_over = match stand.at {
                At::Head => longer(stand.since, self.most.head_within),
                At::Rest => longer(stand.since, self.most.idle_within),
                At::Call { .. } => false,
            };
            let stalled = stand.stalled.is_some_and(|since| longer(since, self.most.idle_within));
            if is_over || stalled {
                stand.over |= stalled;
                client.told.notify_one();
            }
        }
    }
}

impl Open {
    /// Tells one that is not calling to go, of one place or of all.
    fn make_room(&self, of: Option<IpAddr>) -> Full {
        let among = self.all.values().filter(|client| of.is_none_or(|peer| client.peer == peer));
        let mut first: Option<(usize, Instant, &Arc<Client>)> = None;
        for client in among {
            let stand = client.stand();
            // Who wants in comes one at a time: one that goes is enough.
            if stand.wanted {
                return Full::NotForLong;
            }
            if !matches!(stand.at, At::Call { .. }) {
                let crowd = self.of_peer.get(&client.peer).copied().unwrap_or_default();
                let before = |(most, since, _): &(usize, Instant, &Arc<Client>)| {
                    (crowd, std::cmp::Reverse(stand.since)) > (*most, std::cmp::Reverse(*since))
                };
                if first.as_ref().is_none_or(before) {
                    first = Some((crowd, stand.since, client));
                }
            }
        }
        match first {
            Some((_, _, client)) => {
                client.stand().wanted = true;
                client.told.notify_one();
                Full::NotForLong
            }
            None => Full::Busy,
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self.clients.open();
        if let Some(client) = open.all.remove(&self.id)
            && let Some(of_peer) = open.of_peer.get_mut(&client.peer)
        {
            *of_peer -= 1;
            if *of_peer == 0 {
                open.of_peer.remove(&client.peer);
            }
        }
        drop(open);
        self.clients.left.notify_one();
    }
}

/// One place: an address, or the network of an IPv6 address, for whoever has one of those has all of it.
fn peer_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn clients(clients: usize, of_peer: usize) -> Arc<Clients> {
        Clients::new(Most { clients, of_peer, head_within: MINUTE, idle_within: 2 * MINUTE })
    }

    fn address(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    /// Whether it was told to go.
    async fn goes(seat: &Seat) -> bool {
        timeout(Duration::ZERO, seat.has_to_go()).await.is_ok()
    }

    #[tokio::test]
    async fn who_has_said_half_makes_room_and_who_calls_does_not() {
        let clients = clients(3, 3);
        let [first, second, third] = [1, 2, 3].map(|_| clients.take_place(address(1)).expect("room"));
        first.client.calls();
        assert_eq!(clients.take_place(address(2)).err(), Some(Full::NotForLong));
        assert_eq!(clients.take_place(address(2)).err(), Some(Full::NotForLong), "one that goes is enough");
        assert!(!goes(&first).await && goes(&second).await && !goes(&third).await, "the longest of those");
        drop(second);
        let newest = clients.enter(address(2)).await.expect("room");
        third.client.calls();
        newest.client.calls();
        assert_eq!(clients.take_place(address(4)).err(), Some(Full::Busy));
        assert!(clients.enter(address(4)).await.is_none(), "all are calling: it is told to come again");
    }

    #[tokio::test]
    async fn a_crowd_from_one_place_makes_room_before_anybody_else() {
        let clients = clients(4, 3);
        let alone = clients.take_place(address(9)).expect("room");
        let crowd = [1, 2, 3].map(|_| clients.take_place(address(1)).expect("room"));
        assert_eq!(clients.take_place(address(1)).err(), Some(Full::NotForLong), "three are all it may have");
        assert!(goes(&crowd[0]).await);
        assert_eq!(clients.take_place(address(2)).err(), Some(Full::NotForLong));
        assert!(!goes(&alone).await, "it has waited longest, but it is one");
    }

    #[tokio::test]
    async fn a_call_that_begins_keeps_its_place_though_it_was_wanted() {
        let clients = clients(1, 1);
        let only = clients.take_place(address(1)).expect("room");
        assert_eq!(clients.take_place(address(2)).err(), Some(Full::NotForLong));
        only.client.calls();
        assert!(!goes(&only).await);
        only.client.is_answered();
        only.client.took_all();
        assert_eq!(clients.take_place(address(2)).err(), Some(Full::NotForLong));
        assert!(goes(&only).await, "it rests");
    }

    #[tokio::test]
    async fn heads_rests_and_answers_that_nobody_takes_have_their_time() {
        let clients = clients(9, 9);
        let [head, rests, calls, deaf] = [0; 4].map(|_| clients.take_place(address(1)).expect("room"));
        for client in [&rests, &calls, &deaf] {
            client.client.calls();
        }
        rests.client.is_answered();
        rests.client.took_all();
        deaf.client.takes(false);
        let now = Instant::now();
        clients.let_go_whose_time_is_over(now + MINUTE);
        assert!(goes(&head).await && !goes(&rests).await && !goes(&calls).await && !goes(&deaf).await);
        clients.let_go_whose_time_is_over(now + 2 * MINUTE);
        assert!(goes(&rests).await && !goes(&calls).await && goes(&deaf).await);
        rests.client.spoke();
        assert!(!rests.client.is_calling() && calls.client.is_calling());
    }

    #[test]
    fn a_network_is_one_place() {
        let of = |text: &str| peer_of(text.parse().expect("an address"));
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2::9"));
        assert_ne!(of("2001:db8:1:2::9"), of("2001:db8:1:3::9"));
        assert_eq!(of("::ffff:10.0.0.1"), address(1));
        assert_ne!(of("10.0.0.1"), of("10.0.0.2"));
    }
}
