//! What a store costs that holds something: starting on it, memory at rest and after a load, disk.

use super::{
    stats::{mebibytes, millis, ratio},
    table::{Table, figure},
};
use serde_json::{Value, json};
use std::time::Duration;

/// What one step or span took of the disk, and the bytes that it came in.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Disk {
    pub(super) stored: Option<f64>,
    pub(super) sent: Option<f64>,
}

impl Disk {
    /// How many times what came.
    pub(super) fn times(self) -> Option<f64> {
        self.stored.zip(self.sent).and_then(|(stored, sent)| ratio(stored, sent))
    }
}

/// What a load left behind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Left {
    pub(super) disk: Disk,
    /// Bytes of the server's memory, right after it.
    pub(super) memory: Option<u64>,
    /// The same after a minute without a call, if that was waited for.
    pub(super) rested: Option<u64>,
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
        self.rested_memory = self.rested_memory.max(left.rested);
        self.store = Some(left.store);
        left.disk
    }

    pub(super) fn json(&self) -> Value {
        let disk = |disk: Disk| json!({ "stored_bytes_each": disk.stored, "sent_bytes_each": disk.sent });
        json!({
            "start_ms": self.start.map(millis),
            "idle_memory_bytes": self.idle_memory,
            "loaded_memory_bytes": self.loaded_memory,
            "rested_memory_bytes": self.rested_memory,
            "store_bytes": self.store,
            "steps": disk(self.steps), "spans": disk(self.spans), "turns": disk(self.turns),
        })
    }

    /// A row for each that was measured; none, no table.
    pub(super) fn table(&self) -> Option<Table> {
        let mut table = Table::new(&["", "measured"]);
        let mut rows = 0;
        let mut row = |what: &str, value: Option<String>| {
            if let Some(value) = value {
                table.row([what.to_owned(), value]);
                rows += 1;
            }
        };
        let mib = |bytes: u64| format!("{} MiB", figure(mebibytes(bytes)));
        row("start with this store", self.start.map(|took| format!("{} ms", figure(millis(took)))));
        row("memory at rest after that start", self.idle_memory.map(mib));
        row("memory right after a load, at most", self.loaded_memory.map(mib));
        row("memory a minute after a load, at most", self.rested_memory.map(mib));
        row("the whole store after all loads", self.store.map(mib));
        for (what, sent, disk) in [
            ("step", "of its body", self.steps),
            ("span", "on the wire", self.spans),
            ("turn of a conversation", "on the wire", self.turns),
        ] {
            row(&format!("the store's bytes a {what}"), disk.stored.map(figure));
            row(&format!("a {what}'s bytes {sent}"), disk.sent.map(figure));
            row(
                &format!("the store's of those of a {what}"),
                disk.times().map(|x| format!("{} x", figure(x))),
            );
        }
        (rows > 0).then_some(table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_all_loads_is_kept_and_the_last_store() {
        let left = |memory, rested, store| {
            let disk = Disk { stored: Some(300.0), sent: Some(1_000.0) };
            Left { disk, memory: Some(memory), rested, store }
        };
        let mut standing = Standing::default();
        assert!(standing.table().is_none());
        standing.steps = standing.after(&left(900 << 20, Some(100 << 20), 5));
        standing.turns = standing.after(&left(700 << 20, None, 9));
        assert_eq!((standing.loaded_memory, standing.rested_memory), (Some(900 << 20), Some(100 << 20)));
        assert_eq!((standing.store, standing.steps.times()), (Some(9), Some(0.3)));
        let table = standing.table().expect("rows").text();
        assert!(table.contains("900 MiB") && table.contains("0.30 x"), "{table}");
        assert!(table.contains("turn of a conversation") && !table.contains("span"), "{table}");
    }
}
