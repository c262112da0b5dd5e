//! Who is connected: how many clients at most, in all and from one place; who has to go when another wants in; and
//! whose time is over.
//!
//! A client holds its place while its call has begun and waits for us. A client that has sent half a request, or none,
//! or does not take its answer, is closed first when places run out. Of those, the one that has waited longest is
//! closed, of the place that has the most. So a crowd of such clients keeps nobody out. Only a client whose call has
//! shown a credential may keep us waiting for as long as a head may take, as long as its key and its tenant have no
//! more of such calls than their part: what they have beyond it goes before all others.

use std::{
    cmp::Reverse,
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::{sync::Notify, time::timeout_at};

use super::{
    client::Client,
    parts::{Beyond, Parts},
};
use crate::config::Most;

/// How long who wants in waits for one that has to go. It goes as soon as its task runs.
const MAKES_ROOM_WITHIN: Duration = Duration::from_secs(1);

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
    /// All are calling, and wait for us.
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
        while !self.client.is_told_to_go().await {
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

    /// A place for one more; none where all that are connected are calling, and wait for us.
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
            return Err(open.make_room(Some(peer), self.most));
        }
        if open.all.len() >= self.most.clients {
            return Err(open.make_room(None, self.most));
        }
        let client = Arc::new(Client::new(peer));
        open.last += 1;
        let id = open.last;
        open.all.insert(id, Arc::clone(&client));
        *open.of_peer.entry(peer).or_default() += 1;
        Ok(Seat { id, client, clients: Arc::clone(self) })
    }

    /// Lets somebody go who keeps us waiting: the system gives no more descriptors.
    pub(super) fn make_room(&self) {
        self.open().make_room(None, self.most);
    }

    /// Lets those go whose time is over. To be called now and then.
    pub(super) fn let_go_whose_time_is_over(&self, now: Instant) {
        for client in self.open().all.values() {
            client.tell_if_over(now, &self.most);
        }
    }
}

/// Who keeps us waiting, in the order in which they go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    /// One of ours whose key or tenant has more of such calls than its part.
    Beyond(Beyond),
    /// Nobody knows whose it is.
    Stranger,
    /// One of ours.
    Ours,
}

/// Who goes first: who stands lowest, of them who comes from where most are, and of those who keeps us waiting the
/// longest.
type Turn = (Standing, Reverse<usize>, Instant);

impl Open {
    /// Tells one that keeps us waiting to go, of one place or of all.
    fn make_room(&self, of: Option<IpAddr>, most: Most) -> Full {
        let now = Instant::now();
        let among = || self.all.values().filter(move |client| of.is_none_or(|peer| client.peer() == peer));
        let mut parts = Parts::of(if of.is_some() { most.of_peer } else { most.clients });
        for client in among() {
            let stand = client.stand();
            // Who wants in comes one at a time: one that goes is enough.
            if stand.is_wanted() {
                return Full::NotForLong;
            }
            if let Some(whose) = stand.waits_for() {
                parts.add(whose);
            }
        }
        let mut first: Option<(Turn, &Arc<Client>, Duration)> = None;
        for client in among() {
            let stand = client.stand();
            let beyond = stand.waits_for().and_then(|whose| parts.exceeded_by(whose));
            let patience = if beyond.is_some() { Duration::ZERO } else { most.head_within };
            let Some((is_ours, since)) = stand.gives_way(now, patience) else { continue };
            let standing = match beyond {
                Some(beyond) => Standing::Beyond(beyond),
                None if is_ours => Standing::Ours,
                None => Standing::Stranger,
            };
            let crowd = self.of_peer.get(&client.peer()).copied().unwrap_or_default();
            let turn = (standing, Reverse(crowd), since);
            if first.as_ref().is_none_or(|(before, ..)| turn < *before) {
                first = Some((turn, client, patience));
            }
        }
        match first {
            Some((_, client, patience)) => {
                client.want_place(patience);
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
            && let Some(of_peer) = open.of_peer.get_mut(&client.peer())
        {
            *of_peer -= 1;
            if *of_peer == 0 {
                open.of_peer.remove(&client.peer());
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
    use api::{Shown, Whose};
    use tokio::time::timeout;

    use super::*;
    use crate::server::parts::whose;

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
        first.client.calls(Shown::default());
        assert_eq!(clients.take_place(address(2)).err(), Some(Full::NotForLong));
        assert_eq!(clients.take_place(address(2)).err(), Some(Full::NotForLong), "one that goes is enough");
        assert!(!goes(&first).await && goes(&second).await && !goes(&third).await, "the longest of those");
        drop(second);
        let newest = clients.enter(address(2)).await.expect("room");
        third.client.calls(Shown::default());
        newest.client.calls(Shown::default());
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
        only.client.calls(Shown::default());
        assert!(!goes(&only).await);
        only.client.is_answered();
        only.client.took_all();
        assert_eq!(clients.take_place(address(2)).err(), Some(Full::NotForLong));
        assert!(goes(&only).await, "it rests");
    }

    #[tokio::test]
    async fn who_keeps_us_waiting_in_a_call_makes_room_and_ours_only_after_their_time() {
        let clients = clients(3, 3);
        let [ours, deaf, unsaid] = [0; 3].map(|_| clients.take_place(address(1)).expect("room"));
        let shown = Shown::default();
        ours.client.calls(shown.clone());
        shown.now(whose(1, 1));
        for stranger in [&deaf, &unsaid] {
            stranger.client.calls(Shown::default());
        }
        ours.client.says_all(false);
        assert_eq!(clients.take_place(address(2)).err(), Some(Full::Busy), "one of ours has its time");
        deaf.client.takes(false);
        unsaid.client.says_all(false);
        assert_eq!(clients.take_place(address(2)).err(), Some(Full::NotForLong));
        assert!(goes(&deaf).await && !goes(&unsaid).await && !goes(&ours).await, "the longest of strangers");
        drop(deaf);
        let newest = clients.take_place(address(2)).expect("room");
        newest.client.calls(Shown::default());
        assert_eq!(clients.take_place(address(3)).err(), Some(Full::NotForLong));
        unsaid.client.says_all(true);
        assert!(!goes(&unsaid).await, "its body has come, though its place was wanted");
        assert_eq!(clients.take_place(address(3)).err(), Some(Full::Busy));

        let impatient = Most { clients: 1, of_peer: 1, head_within: Duration::ZERO, idle_within: MINUTE };
        let impatient = Clients::new(impatient);
        let only = impatient.take_place(address(1)).expect("room");
        let shown = Shown::default();
        only.client.calls(shown.clone());
        shown.now(whose(1, 1));
        assert_eq!(impatient.take_place(address(2)).err(), Some(Full::Busy), "it waits for us");
        only.client.says_all(false);
        assert_eq!(impatient.take_place(address(2)).err(), Some(Full::NotForLong));
        assert!(goes(&only).await);
    }

    /// A call of theirs that keeps us waiting.
    fn half_a_call(clients: &Arc<Clients>, whose: Whose) -> Seat {
        let seat = clients.take_place(address(1)).expect("room");
        let shown = Shown::default();
        seat.client.calls(shown.clone());
        shown.now(whose);
        seat.client.says_all(false);
        seat
    }

    #[tokio::test]
    async fn what_a_key_has_beyond_its_part_makes_room_before_anybody_else() {
        let clients = clients(8, 8);
        let head = clients.take_place(address(1)).expect("room");
        let other = half_a_call(&clients, whose(2, 2));
        let greedy = [0; 6].map(|_| half_a_call(&clients, whose(1, 1)));
        assert_eq!(clients.take_place(address(1)).err(), Some(Full::NotForLong));
        greedy[0].client.says_all(true);
        assert!(!goes(&greedy[0]).await, "its body has come, though its place was wanted");
        let [first, rest @ ..] = greedy;
        let mut kept = vec![first];
        for (place, seat) in rest.into_iter().enumerate() {
            // Two of eight are its part, beside the one that waits for us.
            if place >= 3 {
                kept.push(seat);
                continue;
            }
            assert_eq!(clients.take_place(address(1)).err(), Some(Full::NotForLong));
            assert!(goes(&seat).await && !goes(&head).await && !goes(&other).await, "the longest of its own");
            drop(seat);
            kept.push(clients.take_place(address(1)).expect("room"));
            kept[place + 1].client.calls(Shown::default());
        }
        assert_eq!(clients.take_place(address(1)).err(), Some(Full::NotForLong));
        assert!(goes(&head).await, "whoever has no more than its part has its time");
        drop(head);
        kept.push(clients.take_place(address(1)).expect("room"));
        kept[6].client.calls(Shown::default());
        assert_eq!(clients.take_place(address(1)).err(), Some(Full::Busy));
    }

    #[tokio::test]
    async fn heads_rests_and_answers_that_nobody_takes_have_their_time() {
        let clients = clients(9, 9);
        let [head, rests, calls, deaf] = [0; 4].map(|_| clients.take_place(address(1)).expect("room"));
        for client in [&rests, &calls, &deaf] {
            client.client.calls(Shown::default());
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
