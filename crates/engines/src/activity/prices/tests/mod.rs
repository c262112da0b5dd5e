//! The book against a second source, the names that it is asked for by, and the arithmetic.

mod costs;
mod names;
mod table;
