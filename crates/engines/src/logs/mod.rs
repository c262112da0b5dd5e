//! Evidence: capturing it, redacting it first, and grading how whole it is.

pub mod capture;
pub mod integrity;
pub mod redact;
