//! Hashing beside the parser: half of verifying is SHA-256, and most machines have a second core.

use std::{
    mem,
    ops::Range,
    sync::mpsc::{SyncSender, sync_channel},
    thread::{self, JoinHandle},
};

use proof::hash::{self, Hash, Stream};

/// How much is handed over at once; and what is shorter than that is hashed sooner than a thread is started.
const CHUNK: usize = 256 * 1024;

/// How many chunks may wait: a parser that is faster than the hashing has no more of them in memory.
const AHEAD: usize = 2;

/// A stretch of text, and the pieces of it that are hashed each as well.
#[derive(Debug, Default)]
struct Chunk {
    text: Vec<u8>,
    pieces: Vec<Range<usize>>,
}

/// Where pieces of one stretch of text are handed over to be hashed, in order.
#[derive(Debug, Default)]
pub(crate) struct Beside {
    chunk: Chunk,
    count: usize,
    begun: bool,
    /// None where there is no other thread: then they are hashed here.
    thread: Option<(SyncSender<Chunk>, JoinHandle<Work>)>,
    here: Work,
}

/// What was hashed: each piece, and the stretch.
#[derive(Debug)]
pub(crate) struct Hashed {
    pub(crate) pieces: Vec<Hash>,
    /// SHA-256 of the stretch.
    pub(crate) stretch: Hash,
}

#[derive(Debug, Default)]
struct Work {
    pieces: Vec<Hash>,
    stretch: Stream,
}

impl Work {
    fn on(&mut self, Chunk { text, pieces }: &Chunk) {
        self.pieces.extend(pieces.iter().map(|piece| hash::leaf(&text[piece.clone()])));
        self.stretch.update(text);
    }

    fn done(self) -> Hashed {
        Hashed { pieces: self.pieces, stretch: self.stretch.finish() }
    }
}

impl Beside {
    /// How many pieces were handed over: the number of the next.
    pub(crate) const fn count(&self) -> usize {
        self.count
    }

    /// The stretch goes on with this.
    pub(crate) fn text(&mut self, text: &[u8]) {
        self.chunk.text.extend_from_slice(text);
    }

    /// The stretch goes on with a piece.
    pub(crate) fn piece(&mut self, text: &[u8]) {
        let begin = self.chunk.text.len();
        self.text(text);
        self.chunk.pieces.push(begin..self.chunk.text.len());
        self.count += 1;
        if self.chunk.text.len() >= CHUNK {
            self.hand_over();
        }
    }

    fn hand_over(&mut self) {
        let chunk = mem::take(&mut self.chunk);
        if !mem::replace(&mut self.begun, true) {
            self.thread = begin();
        }
        match &self.thread {
            // The other end is gone only if it panicked, which joining it tells.
            Some((to, _)) => drop(to.send(chunk)),
            None => self.here.on(&chunk),
        }
    }

    /// The stretch ends here: its hashes, once they are made. What is handed over next begins another.
    pub(crate) fn end(&mut self) -> Hashed {
        let Self { chunk, thread, mut here, .. } = mem::take(self);
        let Some((to, thread)) = thread else {
            here.on(&chunk);
            return here.done();
        };
        drop(to.send(chunk));
        drop(to);
        match thread.join() {
            Ok(work) => work.done(),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

fn begin() -> Option<(SyncSender<Chunk>, JoinHandle<Work>)> {
    let (to, from) = sync_channel::<Chunk>(AHEAD);
    let hashing = move || {
        let mut work = Work::default();
        for chunk in from {
            work.on(&chunk);
        }
        work
    };
    thread::Builder::new().spawn(hashing).ok().map(|thread| (to, thread))
}

#[cfg(test)]
mod tests {
    use proof::hash::{leaf, sha256};

    use super::*;

    #[test]
    fn pieces_and_stretch_are_hashed_whether_there_is_a_thread_or_not() {
        for count in [0, 1, 10, 1_000] {
            let pieces: Vec<String> = (0..count).map(|at| format!("{at}").repeat(400)).collect();
            let mut beside = Beside::default();
            // A stretch that is over is forgotten.
            beside.piece(b"before");
            drop(beside.end());
            beside.text(b"[");
            for piece in &pieces {
                beside.piece(piece.as_bytes());
                beside.text(b",");
            }
            assert_eq!(beside.count(), count);
            let Hashed { pieces: hashes, stretch } = beside.end();
            assert_eq!(hashes, pieces.iter().map(|piece| leaf(piece.as_bytes())).collect::<Vec<_>>());
            let text: String =
                ["["].into_iter().chain(pieces.iter().flat_map(|piece| [piece.as_str(), ","])).collect();
            assert_eq!(stretch, sha256(text.as_bytes()));
        }
    }
}
