//! Activity: what ran, what is running.

mod run;
mod runs;
mod step;

pub(super) use self::{run::run, runs::runs};
