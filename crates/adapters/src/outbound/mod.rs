//! Ports to the outside world.

mod checkpoint_file;

pub use self::checkpoint_file::CheckpointFiles;
