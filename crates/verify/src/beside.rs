//! Hashing beside the parser: half of verifying is SHA-256, and most machines have a second core.

use std::{
    sync::mpsc::{Sender, channel},
    thread,
};

use proof::hash::{Hash, Stream};

use crate::json::Piece;

/// Enough pieces to be worth waking somebody for.
const CHUNK: usize = 256;

/// A text that is hashed sooner than a thread is started.
const SMALL: usize = 256 * 1024;

/// Pieces to be hashed each, and the text from where the last chunk ended to where these end, to be hashed on.
type Chunk<'a> = (Vec<Piece<'a>>, &'a str);

/// Where pieces of one stretch of text are handed over to be hashed, in order.
pub(crate) struct Beside<'a> {
    text: &'a str,
    /// How far the stretch has been handed over.
    from: usize,
    count: usize,
    pieces: Vec<Piece<'a>>,
    /// None where there is no other thread: then they are hashed here.
    to: Option<Sender<Chunk<'a>>>,
    here: Work,
}

/// What was hashed: each piece, and the stretch.
#[derive(Debug, Default)]
pub(crate) struct Hashed {
    pub(crate) pieces: Vec<Hash>,
    /// SHA-256 of the text of the stretch, as it stands.
    pub(crate) stretch: Option<Hash>,
}

#[derive(Default)]
struct Work {
    pieces: Vec<Hash>,
    stretch: Stream,
}

impl Work {
    fn on(&mut self, (pieces, text): &Chunk<'_>) {
        self.pieces.extend(pieces.iter().map(Piece::hash));
        self.stretch.update(text.as_bytes());
    }

    fn done(self) -> Hashed {
        Hashed { pieces: self.pieces, stretch: Some(self.stretch.finish()) }
    }
}

impl<'a> Beside<'a> {
    /// Runs `work`, and answers with the hashes of what it handed over.
    pub(crate) fn with<T>(text: &'a str, work: impl FnOnce(&mut Self) -> T) -> (T, Hashed) {
        thread::scope(|scope| {
            let (to, from) = channel::<Chunk<'a>>();
            let hashing = move || {
                let mut work = Work::default();
                for chunk in from {
                    work.on(&chunk);
                }
                work.done()
            };
            let worthwhile = text.len() > SMALL;
            let thread =
                worthwhile.then(|| thread::Builder::new().spawn_scoped(scope, hashing).ok()).flatten();
            let to = thread.is_some().then_some(to);
            let mut beside = Self { text, from: 0, count: 0, pieces: Vec::new(), to, here: Work::default() };
            let worked = work(&mut beside);
            let Self { to, here, .. } = beside;
            drop(to);
            let hashed = match thread.map(thread::ScopedJoinHandle::join) {
                Some(Ok(hashed)) => hashed,
                Some(Err(panic)) => std::panic::resume_unwind(panic),
                None => here.done(),
            };
            (worked, hashed)
        })
    }

    /// The stretch begins here.
    pub(crate) const fn begin(&mut self, at: usize) {
        self.from = at;
    }

    /// How many pieces were handed over: the number of the next.
    pub(crate) const fn count(&self) -> usize {
        self.count
    }

    /// Hands over a piece, which ends at `end`.
    pub(crate) fn hash(&mut self, piece: Piece<'a>, end: usize) {
        self.count += 1;
        self.pieces.push(piece);
        if self.pieces.len() == CHUNK {
            self.end(end);
        }
    }

    /// The stretch goes at least until here.
    pub(crate) fn end(&mut self, at: usize) {
        let chunk = (std::mem::take(&mut self.pieces), &self.text[self.from..at]);
        self.from = at;
        match &self.to {
            // The other end is gone only if it panicked, which joining it tells.
            Some(to) => drop(to.send(chunk)),
            None => self.here.on(&chunk),
        }
    }
}
