//! What `cargo xtask bench` measures or needs below HTTP, through hidden commands of the binary.

mod commits;
mod evaluations;
mod rows;

pub use self::{
    commits::{Commits, commits},
    evaluations::evaluations,
    rows::{Rows, multiply},
};
