//! L3. The world that is neither our HTTP API nor our database, behind the ports that L4 declares.
//!
//! `outbound` implements ports: what leaves the installation. `inbound` turns foreign formats into steps.

pub mod inbound;
pub mod outbound;
