//! Operations on the server itself.

mod clock;
mod held;
mod readyz;

pub(crate) use self::held::refusals;
#[cfg(test)]
pub(crate) use self::readyz::runs_on;
pub use self::{
    clock::{logs_ahead, look_at_clock},
    held::held,
    readyz::{NotReady, readyz},
};
