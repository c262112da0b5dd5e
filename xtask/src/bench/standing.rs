//! What a store costs that holds something: starting on it, memory at rest and after a load, disk.

use super::{
    grid::{Better, Grid},
    stats::{bytes, mebibytes, millis, number, ratio},
};
use serde_json::{Value, json};
use std::{ops::AddAssign, time::Duration};

/// What steps, spans or turns took of the disk, and the bytes that they came in.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Disk {
    pub(super) count: usize,
    pub(super) stored: u64,
    pub(super) sent: usize,
}

impl Disk {
    fn stored_each(self) -> Option<f64> {
        ratio(bytes(self.stored), number(self.count))
    }

    fn sent_each(self) -> Option<f64> {
        ratio(number(self.sent), number(self.count))
    }

    /// How many times what came.
    pub(super) fn times(self) -> Option<f64> {
        ratio(bytes(self.stored), number(self.sent))
    }
}

impl AddAssign for Disk {
    fn add_assign(&mut self, more: Self) {
        self.count += more.count;
        self.stored += more.stored;
        self.sent += more.sent;
    }
}

/// What a load left behind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Left {
    pub(super) disk: Disk,
    /// Bytes of the server's memory, right after it.
    pub(super) memory: Option<u64>,
    /// Bytes of the whole store.
    pub(super) store: u64,
}

/// All of it. In bytes, each where it was measured.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Standing {
    pub(super) start: Option<Duration>,
    /// Right after that start.
    pub(super) idle_memory: Option<u64>,
    /// Of the load after which it was the most.
    pub(super) loaded_memory: Option<u64>,
    /// A minute after every kind of load.
    pub(super) rested_memory: Option<u64>,
    /// After the last load.
    pub(super) store: Option<u64>,
    pub(super) steps: Disk,
    pub(super) spans: Disk,
    pub(super) turns: Disk,
}

impl Standing {
    /// Takes over what one more load left; gives what it took of the disk.
    pub(super) fn after(&mut self, left: &Left) -> Disk {
        self.loaded_memory = self.loaded_memory.max(left.memory);
        self.store = Some(left.store);
        left.disk
    }

    pub(super) fn json(&self) -> Value {
        let disk = |disk: Disk| {
            json!({
                "count": disk.count, "stored_bytes_each": disk.stored_each(), "sent_bytes_each": disk.sent_each(),
                "stored_of_sent": disk.times(),
            })
        };
        json!({
            "start_ms": self.start.map(millis),
            "idle_memory_bytes": self.idle_memory,
            "loaded_memory_bytes": self.loaded_memory,
            "rested_memory_bytes": self.rested_memory,
            "store_bytes": self.store,
            "steps": disk(self.steps), "spans": disk(self.spans), "turns": disk(self.turns),
        })
    }

    /// A row for each that was measured.
    pub(super) fn grid(&self) -> Grid {
        let mut grid = Grid::new(&["what it costs"], &["measured"], Better::Less);
        let mut row = |what: String, value: Option<f64>, compared: bool| match value {
            Some(_) if compared => grid.row([what], [value]),
            Some(_) => grid.row_apart([what], [value]),
            None => {}
        };
        let mib = |bytes: Option<u64>| bytes.map(mebibytes);
        row("start with this store, ms".to_owned(), self.start.map(millis), true);
        row("memory at rest after that start, MiB".to_owned(), mib(self.idle_memory), true);
        row("memory right after a load, at most, MiB".to_owned(), mib(self.loaded_memory), true);
        row("memory a minute after every kind of load, MiB".to_owned(), mib(self.rested_memory), true);
        // Who is faster has taken more.
        row("the whole store after all loads, MiB".to_owned(), mib(self.store), false);
        for (what, sent, disk) in [
            ("step", "of its body", self.steps),
            ("span", "on the wire", self.spans),
            ("turn of a conversation", "on the wire", self.turns),
        ] {
            row(format!("the store's bytes a {what}"), disk.stored_each(), true);
            row(format!("a {what}'s bytes {sent}"), disk.sent_each(), false);
            row(format!("the store's of those of a {what}, times"), disk.times(), true);
        }
        grid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_all_loads_is_kept_and_the_last_store() {
        let left = |memory, store| {
            let disk = Disk { count: 10, stored: 3_000, sent: 10_000 };
            Left { disk, memory: Some(memory), store }
        };
        let mut standing = Standing::default();
        assert!(standing.grid().is_empty());
        standing.steps = standing.after(&left(900 << 20, 5));
        standing.turns = standing.after(&left(700 << 20, 9));
        assert_eq!((standing.loaded_memory, standing.rested_memory), (Some(900 << 20), None));
        assert_eq!((standing.store, standing.steps.times()), (Some(9), Some(0.3)));
        let table = standing.grid().table().text();
        assert!(
            table.contains("900") && table.contains("0.30") && table.contains("a step's bytes"),
            "{table}"
        );
        assert!(table.contains("turn of a conversation") && !table.contains("span"), "{table}");
    }

    #[test]
    fn what_several_loads_took_of_the_disk_adds_up() {
        let mut disk = Disk::default();
        assert_eq!((disk.times(), disk.stored_each()), (None, None));
        disk += Disk { count: 1, stored: 100, sent: 1_000 };
        disk += Disk { count: 3, stored: 700, sent: 1_000 };
        assert_eq!(
            (disk.stored_each(), disk.sent_each(), disk.times()),
            (Some(200.0), Some(500.0), Some(0.4))
        );
    }
}
