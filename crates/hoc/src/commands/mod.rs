//! One file a command.

pub(crate) mod bench_rows;
pub(crate) mod bench_rules;
pub(crate) mod bundle;
pub(crate) mod doctor;
pub(crate) mod erase;
pub(crate) mod facts;
pub(crate) mod import;
pub(crate) mod jobs;
pub(crate) mod keys;
pub(crate) mod login_link;
pub(crate) mod migrate;
pub(crate) mod openapi;
pub(crate) mod serve;
mod told;
pub(crate) mod verify;
