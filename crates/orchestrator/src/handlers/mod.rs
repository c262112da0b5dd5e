//! One operation each: begin, decide, commit, consequences. The names are those of the API's operations.

pub mod account;
pub mod activity;
pub mod incidents;
pub mod jobs;
pub mod logs;
pub mod overview;
pub mod policies;
pub(crate) mod shared;
pub mod system;
