//! A bundle as a stream: it is made as it is taken, by whoever takes it, and not at all while nobody does.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures::{Stream, StreamExt as _};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::{budget::Share, errors::Error};

type Making = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// The bytes of a bundle, piece by piece. It ends after an error, and then it is no bundle.
pub struct BundleStream {
    /// None once it is made.
    making: Option<Making>,
    pieces: Receiver<Vec<u8>>,
    /// Where it is told in.
    place: Option<Share>,
}

impl std::fmt::Debug for BundleStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BundleStream").field("is_made", &self.making.is_none()).finish_non_exhaustive()
    }
}

impl BundleStream {
    /// One that is made so. A piece that nobody has taken is the last that is made.
    pub(super) fn of<M>(make: impl FnOnce(Sender<Vec<u8>>) -> M) -> Self
    where
        M: Future<Output = Result<(), Error>> + Send + 'static,
    {
        let (out, pieces) = channel(1);
        Self { making: Some(Box::pin(make(out))), pieces, place: None }
    }

    /// The same, which holds a place.
    pub(super) fn with(self, place: Share) -> Self {
        Self { place: Some(place), ..self }
    }

    /// The next piece of it; none at its end.
    pub async fn piece(&mut self) -> Option<Result<Vec<u8>, Error>> {
        self.next().await
    }

    /// All of it.
    pub async fn whole(mut self) -> Result<Vec<u8>, Error> {
        let mut all = Vec::new();
        while let Some(piece) = self.piece().await {
            all.append(&mut piece?);
        }
        Ok(all)
    }
}

impl Stream for BundleStream {
    type Item = Result<Vec<u8>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        // What is there is taken before more is made.
        let there = self.pieces.poll_recv(cx).map(|piece| piece.map(Ok));
        let Some(making) = &mut self.making else { return there };
        if matches!(there, Poll::Ready(Some(_))) {
            return there;
        }
        if let Poll::Ready(made) = making.as_mut().poll(cx) {
            self.making = None;
            self.place = None;
            if let Err(err) = made {
                // What is there still is the beginning of nothing.
                while self.pieces.try_recv().is_ok() {}
                return Poll::Ready(Some(Err(err)));
            }
        }
        self.pieces.poll_recv(cx).map(|piece| piece.map(Ok))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    fn counting(pieces: usize, fails: bool) -> (BundleStream, Arc<AtomicUsize>) {
        let made = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&made);
        let stream = BundleStream::of(|out| async move {
            for _ in 0..pieces {
                out.send(vec![7]).await.map_err(|_| Error::Busy)?;
                count.fetch_add(1, Ordering::Relaxed);
            }
            if fails { Err(Error::Busy) } else { Ok(()) }
        });
        (stream, made)
    }

    #[tokio::test]
    async fn no_more_is_made_than_is_taken_and_the_next() {
        let (mut stream, made) = counting(50, false);
        assert_eq!(made.load(Ordering::Relaxed), 0, "nobody has asked");
        for taken in 1..=10 {
            assert_eq!(stream.next().await.expect("a piece").expect("it goes well"), [7]);
            assert!(made.load(Ordering::Relaxed) <= taken + 1);
        }
        assert_eq!(stream.whole().await.expect("the rest").len(), 40);
    }

    #[tokio::test]
    async fn a_stream_that_fails_ends_with_its_error() {
        for pieces in [0, 1, 2, 7] {
            let (mut stream, _) = counting(pieces, true);
            let mut taken = 0;
            let failed = loop {
                match stream.next().await {
                    Some(Ok(_)) => taken += 1,
                    Some(Err(_)) => break true,
                    None => break false,
                }
            };
            assert!(failed && taken <= pieces, "{pieces}: {taken}");
            assert!(stream.next().await.is_none(), "and then there is nothing");
            let (stream, _) = counting(pieces, true);
            assert!(stream.whole().await.is_err());
        }
    }
}
