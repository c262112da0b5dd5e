//! A run's texts, apart from its records and as a log of bodies: what one group's records of one run name is one body,
//! in the place of their segment. It is pressed against another body of the run where one is at hand, for a
//! conversation is told again with each call.
//!
//! A text is found by its name, which is its hash with the run's salt: so whatever is not what a record names is not
//! there.

mod chains;
mod erase;
mod look;
mod named;
mod open;
mod read;
mod salt;
mod write;

pub use self::{
    look::{LookedAtTexts, TextsLook},
    named::Named,
    read::{HeldTexts, KeptTexts},
    salt::RunSalt,
    write::{Base, DEEPEST, NewContents},
};
pub(crate) use self::{
    read::{bytes_of, of_steps},
    salt::WAS_ERASED,
    write::row,
};
