//! The doors, one a file: seeds, and what must hold.

pub(crate) mod bundle;
pub(crate) mod condition;
pub(crate) mod cursor;
pub(crate) mod otlp;
pub(crate) mod step;
mod store;
