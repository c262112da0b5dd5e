//! Activity: what ran, what is running.

mod evidence;
mod kill;
mod proof;
mod run;
mod runs;
mod step;

pub(super) use self::{
    evidence::{amount, evidence},
    kill::kill,
    proof::proof,
    run::{Fact, run},
    runs::runs,
};
