//! No code: its manifest says with which features third parties are built when one of our crates is tested alone.
//!
//! Cargo gives a third party the features that anybody in the same build asks for. One crate of ours, tested alone,
//! asks for fewer features than all of them together. Every third party that differs would be built again, with all
//! that stands on it. So each of our crates has this one as a dev-dependency, which asks for what all of them ask for:
//! feature `store` for those that speak SQL and those above, `edge` for those that serve. Nothing of it is in the
//! product.
//!
//! `cargo xtask tidy` compares the features, and says which are missing here. It also finds a feature that is here and
//! that nobody else asks for: tests would have it, and what ships would not.
