//! The API as a caller meets it: the router over a store of the test's own, a clock that stands still, ids that are
//! the same in every run.
#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

mod account;
mod activity;
mod activity_refused;
mod activity_steps;
mod app;
mod authz;
mod broken;
mod cases;
mod console;
mod console_forms;
mod console_incidents;
mod console_links;
mod console_login;
mod console_policies;
mod console_runs;
mod cursors;
mod examples;
mod facts;
mod filters;
mod incidents;
mod invariants;
mod jobs;
mod logs;
mod manners;
mod names;
mod once;
mod openapi;
mod overview;
mod packed;
mod places;
mod policies;
mod proofs;
mod scene;
mod spans;
mod stopped;
mod system;
mod told;
mod varied;
