//! How many clients there is room for: what was asked for, within what the system lets this process open.
//!
//! A server that has no descriptor left can open no file of its store either, and then nothing works. So clients
//! get what is left when the store has what it needs.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors for all that is no client and no connection to the store: the spool, checkpoints, locks, the runtime.
const OWN: u64 = 64;
/// Descriptors that a connection to the store may take: SQLite has its file and its log open, and makes journals.
const EACH_CONNECTION: u64 = 3;

/// Places that are kept for who asks whether the server lives: see `accept`.
pub(super) const PROBES: usize = 16;

/// How many clients may be connected at once, of `wanted`, where the store has `connections`.
pub(super) fn clients(wanted: usize, connections: u32) -> usize {
    let store = OWN + PROBES as u64 + EACH_CONNECTION * (u64::from(connections) + 1);
    let needed = store + wanted as u64;
    let limit = raised_to(needed);
    let room = within(limit, store, wanted);
    if room < wanted {
        tracing::warn!(
            descriptors = limit,
            clients = room,
            "this process may open so few files that there is room for fewer clients than HOC_MAX_CLIENTS: let \
             `ulimit -n` be at least {needed}"
        );
    }
    room
}

/// However few there are, some clients are served.
fn within(limit: u64, store: u64, wanted: usize) -> usize {
    let left = limit.saturating_sub(store).max(limit / 4).max(1);
    wanted.min(usize::try_from(left).unwrap_or(usize::MAX))
}

/// The limit of this process, raised to `needed` as far as it may raise it itself.
fn raised_to(needed: u64) -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let Some(current) = current.filter(|current| *current < needed) else { return needed };
    let raised = maximum.map_or(needed, |maximum| maximum.min(needed));
    let limits = Rlimit { current: Some(raised), maximum };
    if raised > current && setrlimit(Resource::Nofile, limits).is_ok() { raised } else { current }
}

#[cfg(test)]
mod tests {
    use super::within;

    #[test]
    fn the_store_comes_before_clients_and_clients_before_nobody() {
        assert_eq!(within(100_000, 115, 4_096), 4_096);
        assert_eq!(within(1_024, 115, 4_096), 909);
        assert_eq!(within(300, 115, 4_096), 185);
        assert_eq!(within(128, 115, 4_096), 32, "too few for all: whoever set the limit is told");
        assert_eq!(within(0, 115, 4_096), 1);
    }
}
