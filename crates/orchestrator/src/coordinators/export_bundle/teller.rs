//! Who tells a bundle: of which run, out of which store, and to whom.

use models::ids::{RunId, TenantId};
use proof::canonical::NotCanonical;
use tokio::sync::mpsc::Sender;

use crate::{errors::Error, spine::Spine};

/// A piece that is shorter waits for more.
pub(super) const PIECE: usize = 64 << 10;

/// Who tells the bundle of a run.
#[derive(Clone, Copy)]
pub(super) struct Teller<'t> {
    pub(super) spine: &'t Spine,
    pub(super) tenant: TenantId,
    pub(super) run: RunId,
    /// Where what is told is taken.
    pub(super) out: &'t Sender<Vec<u8>>,
}

impl Teller<'_> {
    /// Hands on what is made, if it is so much, and waits until it is taken.
    pub(super) async fn hand_on(&self, made: &mut Vec<u8>, least: usize) -> Result<(), Error> {
        if made.len() < least {
            return Ok(());
        }
        let gone = || Error::Internal(format!("nobody takes the bundle of {} any more", self.run));
        self.out.send(std::mem::take(made)).await.map_err(|_| gone())?;
        // Nothing is read before that is taken: a connection to the store would wait as long as its caller does.
        drop(self.out.reserve().await.map_err(|_| gone())?);
        Ok(())
    }

    pub(super) fn why(&self) -> impl Fn(NotCanonical) -> Error {
        let run = self.run;
        move |err| Error::Internal(format!("the bundle of {run} cannot be written: {err}"))
    }
}
