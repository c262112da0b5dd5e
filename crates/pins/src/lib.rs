//! Nothing but its manifest: with which features third parties are built when one of our crates is tested alone.
//!
//! Cargo gives a third party the features that anybody in the same build asks for. Tested alone, a crate of ours asks for
//! fewer than all of them together, and what differs is built again, with all that stands on it. So each of ours has this
//! crate as a dev-dependency, which asks for the same as all of them: of `store` those that speak SQL and those above, of
//! `edge` those that serve. Nothing of it is in the product.
//!
//! `cargo xtask tidy` compares, and says which feature of what is missing here. One that is here and asked for by nobody else
//! is found where it would be tested and not ship.
