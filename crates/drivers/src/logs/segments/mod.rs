//! A run's records, as a log of segments: what one group made of one run is one body, which opens to the very canonical
//! bytes that were hashed.
//!
//! A segment's place is the number of the first of its records among all that the run's segments hold, so one that is
//! missing shows: the next does not go on where the one before ends.

mod canonical;
mod held;
mod keys;
mod lines;
mod open;
mod pages;
mod read;
mod reading;
mod run;
mod under;
mod write;

pub use self::{
    canonical::{RunLines, SealedCounts, SegmentLines},
    held::Place,
    keys::KeysOfRun,
    lines::RunRecords,
    pages::{SegmentsEnd, StoredSegment},
    read::JudgedStep,
    reading::RunReading,
    run::LookedInto,
    under::{LostStep, StepsUnder},
    write::{DecidedStep, NewSegment},
};
pub(crate) use self::{
    held::HeldRecords,
    keys::keys_of_run,
    pages::{end_of_run, some_of_run},
    read::{RANGES_AT_ONCE, decisions_of, first_of_runs, in_steps, judged, places_of, union_of},
    run::{Around, around, bytes_of, look_into, not_begun},
    under::{spans_under, steps_under, why_lost},
};
