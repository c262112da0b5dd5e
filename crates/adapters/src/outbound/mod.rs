//! Ports to the outside world.

mod checkpoint_file;
mod spool_file;

pub use self::{checkpoint_file::CheckpointFiles, spool_file::SpoolFiles};
