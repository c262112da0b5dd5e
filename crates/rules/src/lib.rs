//! Facts and a snapshot of rules and limits, to a verdict.
//!
//! The server's choke point and the offline verifier call this same crate, so it is pure: no I/O, no clock,
//! no randomness, and nothing of ours below it but `proof`. The way through it:
//!
//! 1. When a rule is saved, [`condition::validate`] checks its Cedar condition against the [`schema`], and
//!    [`limits::validate_limit`] checks a limit.
//! 2. A run is bound to a snapshot; [`CompiledSnapshot::compile`] makes it fast, once.
//! 3. For each call, [`CompiledSnapshot::evaluate`] gives the rules that fired on the [`Facts`], and
//!    [`CompiledSnapshot::measure`] says where each limit stands.
//! 4. [`verdict::conclude`] turns both into one [`Conclusion`].
//! 5. Years later, [`reexecute()`] does the same from the stored decision and compares bit for bit.
//!
//! Where a fact of one value has several, as two URLs in one call, a rule that reads it is judged against each
//! ([`readings`]), so that none hides behind another.
//!
//! Invariants, each held by a test: a rule that cannot be evaluated refuses (fail closed); the verdict is the
//! most severe action that fired, in whatever order rules and limits are listed; a value equal to a limit is
//! allowed and one above it is not; the index never changes what fires.

pub mod calendar;
pub mod compile;
pub mod condition;
pub mod conditions;
mod context;
pub mod count;
mod evaluate;
pub mod facts;
mod fault;
pub mod fields;
#[cfg(test)]
mod fixtures;
mod habits;
pub mod known;
pub mod limits;
mod measure;
mod misspelt;
pub mod readings;
pub mod reexecute;
mod scan;
pub mod schema;
mod shape;
mod text;
pub mod told;
mod unheard;
pub mod verdict;
pub mod zone;

pub use compile::CompiledSnapshot;
pub use count::Count;
pub use evaluate::{RuleOutcome, RuleOutcomes};
pub use facts::Facts;
pub use fault::Fault;
pub use reexecute::reexecute;
pub use verdict::{Circumstances, Conclusion, action_of, conclude, conclude_under};

/// Names the code that decided, and by [`proof::tally::VERSION`] what counted. Stored in each decision; another version
/// may decide, word or order differently, so a decision is re-executed only by the version that made it; and a run's
/// totals are counted anew only by the version that counted them.
pub const ENGINE_VERSION: &str = "hoc-rules/7 hoc-tally/6 cedar-language/4.6.0";

/// Names the facts that rules can read, and their types. Stored in each decision.
pub const SCHEMA_VERSION: &str = "hoc-facts/4";

#[cfg(test)]
mod tests {
    #[test]
    fn the_engine_version_names_the_cedar_language_in_use() {
        let language = cedar_policy::get_lang_version();
        assert!(super::ENGINE_VERSION.ends_with(&format!("cedar-language/{language}")), "{language}");
    }

    #[test]
    fn the_engine_version_names_what_counts() {
        assert!(proof::tally::counts_alike(super::ENGINE_VERSION), "{}", proof::tally::VERSION);
    }
}
