//! A run's records, as a log of segments: what one group made of one run is one body, which opens to the very canonical
//! bytes that were hashed.
//!
//! A segment's place is the number of the first of its records among all that the run's segments hold, so one that is
//! missing shows: the next does not go on where the one before ends.

mod lines;
mod open;
mod read;
mod write;

pub(crate) use self::read::{
    RANGES_AT_ONCE, decisions_of, decisions_of_run, end_of_steps, first_of_runs, in_steps, judged, of_run,
    spans_under, steps_under, union_of,
};
pub use self::{
    lines::RunRecords,
    read::JudgedStep,
    write::{DecidedStep, NewSegment},
};
