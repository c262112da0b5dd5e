//! What follows from what was found or happened, whoever found it: incidents of what does not match, and system
//! records.
//!
//! The choke point, operations and background tasks all cause this, so it lies below them and names none of them.

pub(crate) mod author;
pub(crate) mod found;
pub(crate) mod mismatches;
pub(crate) mod rejected;
pub(crate) mod system_records;
