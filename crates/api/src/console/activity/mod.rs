//! Activity: what ran, what is running.

mod evidence;
mod fact;
mod kill;
mod proof;
mod run;
mod runs;
mod step;

pub(super) use self::{
    evidence::{amount, evidence},
    fact::Fact,
    kill::kill,
    proof::proof,
    run::run,
    runs::runs,
};
