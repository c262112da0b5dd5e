//! What comes from the outside world in its own words, turned into ours.

mod otlp;

pub use otlp::Otlp;
