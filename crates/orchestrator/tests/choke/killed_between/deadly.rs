//! Death at a statement.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::subscriber;

use crate::sent::Writes;

/// The beginnings of all that was written.
pub(super) type Heard = Arc<Mutex<Vec<String>>>;

/// From now on this process hears what it writes, and dies when that is so much, where that is not 0: before its next
/// statement, and before anybody is told. Without unwinding and without a destructor, as by kill -9. A COMMIT that was
/// carried out is one of the writes; who dies after a read has died after the write before it.
pub(super) fn after(writes: usize) -> Heard {
    let heard = Heard::default();
    let here = Arc::clone(&heard);
    let listener = Writes(move |sql: &str| {
        let mut heard = lock(&here);
        heard.push(sql.split_whitespace().take(4).collect::<Vec<_>>().join(" "));
        if heard.len() == writes {
            std::process::abort();
        }
    });
    subscriber::set_global_default(listener).unwrap();
    heard
}

pub(super) fn lock(heard: &Heard) -> MutexGuard<'_, Vec<String>> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}
