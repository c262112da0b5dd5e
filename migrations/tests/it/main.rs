//! What the schema promises, on both stores.

mod append_only;
mod catalogue;
mod checks;
mod definitions;
mod entities;
mod hashed_fields;
mod incidents;
mod lists;
mod rows;
mod sealed;
mod tenancy;
mod times;
mod two_paths;
mod vocabularies;
