//! What one domain lends to the others, where more is to be done for it than one read: at most five capabilities each
//! (spec 1).
//!
//! Coordinators join domains. What of a domain is one read, such as the incidents of a run or its traces, they ask of
//! that domain's driver; a whole run, which belongs to no domain, they have of [`drivers::bundles`]. A bridge joins
//! several reads, or joins one to rows that the coordinator has, in the coordinator's own transaction. A read that
//! fails is an error, never an empty answer.

mod incidents;
mod logs;

pub use self::logs::RawLogs;
pub(crate) use self::{incidents::IncidentsBridge, logs::LogsBridge};
