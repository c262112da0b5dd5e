//! Work that takes long and waits for nothing: to check, redact and hash megabytes.

use tokio::runtime::{Handle, RuntimeFlavor};

/// What is done within a millisecond or two is done where it is.
const LARGE: usize = 32 << 10;

/// Does work that looks at so many bytes. Where that takes long, the other tasks of this thread go on elsewhere
/// meanwhile: a few large bodies would else keep everybody waiting, `/healthz` too.
pub fn aside<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    let has_others =
        || Handle::try_current().is_ok_and(|it| it.runtime_flavor() == RuntimeFlavor::MultiThread);
    if bytes > LARGE && has_others() { tokio::task::block_in_place(work) } else { work() }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::mpsc::{Receiver, Sender, channel},
        time::Duration,
    };

    use super::*;

    /// Only a hang takes so long.
    const DEADLINE: Duration = Duration::from_mins(1);

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn the_other_tasks_of_a_thread_go_on_beside_large_work() {
        let (done, seen): (Sender<()>, Receiver<()>) = channel();
        let large = tokio::spawn(async move { aside(LARGE + 1, || seen.recv_timeout(DEADLINE)) });
        // It waits for this one, which would wait for it on the one thread that there is.
        let other = tokio::spawn(async move { done.send(()) });
        large.await.expect("it ends").expect("the other task went on");
        other.await.expect("it ends").expect("it was waited for");
        assert_eq!(aside(LARGE, || 7), 7);
    }
}
