//! What follows from a verdict: records, breaches, what becomes of the run, and the incidents of what struck.

pub(super) mod causes;
pub(super) mod chain;
pub(super) mod effects;
mod evidence;
mod fired;
pub(super) mod gap;
pub(super) mod texts;
