//! A control plane for tests: on a test's own database, with a clock that stands still and ids that are counted. Only
//! ever a dev-dependency.
//!
//! The databases themselves are in `testkit`, which is built without any of this: a test of the schema or of a driver
//! asks for that alone.

mod control_plane;
mod drafts;
pub mod time;

pub use self::{
    control_plane::{Kit, parts, replica, signing_key, span_codec, spooled},
    drafts::limit,
    time::{FrozenClock, SeededEntropy},
};
