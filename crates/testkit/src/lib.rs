//! Databases for tests. Only ever a dev-dependency; a control plane on one of them is in `kit`.
//!
//! [`databases`] gives each test a database of its own, migrated, on either store; [`on_both!`] writes a
//! test for each. SQLite is always there. Postgres is the cluster at `HOC_TEST_POSTGRES_URL`; without one
//! its tests say so and pass, but not where `CI` is set. [`wire`] stands between replicas and their Postgres and lets
//! their statements through one at a time.

mod contents;
mod damage;
mod damaged_contents;
pub mod databases;
mod kept;
mod macros;
mod postgres;
mod records;
mod sqlite;
mod stranger;
pub mod wire;
pub mod witness;

pub use self::{
    contents::StoredContents,
    damage::Damage,
    damaged_contents::ContentsDamage,
    databases::{Store, TestDatabase},
    records::StoredSegment,
    stranger::Stranger,
    wire::Switchboard,
    witness::Witness,
};
