//! Operations against real stores, both of them.
#![expect(clippy::unwrap_used, reason = "tests")]

mod accepted_once;
mod agent;
mod clocks;
mod concurrent;
mod contents;
mod costs;
mod counters;
mod damaged;
mod damaged_batches;
mod damaged_bytes;
mod damaged_contents;
mod erased_again;
mod events;
mod fallen_texts;
mod governance;
mod job_turns;
mod jobs;
mod keys;
mod logs;
mod long_runs;
mod lost_salts;
mod narrow;
mod operations;
mod overview;
mod rotation;
mod segments;
mod sessions;
mod stalls;
mod tampering;
mod told;
mod unknown_codecs;
