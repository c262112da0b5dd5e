//! L3. The world that is neither our HTTP API nor our database, behind the ports that L4 declares.
//!
//! `outbound` implements ports: what leaves the installation. What turns foreign formats into operations of L4
//! comes beside it as `inbound`.

pub mod outbound;
