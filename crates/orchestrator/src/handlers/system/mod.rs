//! Operations on the server itself.

mod clock;
mod readyz;

#[cfg(test)]
pub(crate) use self::readyz::runs_on;
pub use self::{
    clock::{logs_ahead, look_at_clock},
    readyz::{NotReady, readyz},
};
