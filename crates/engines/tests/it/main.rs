//! What engines decide, together with the audit rows that they owe: those are handed out outside of the crate only.

mod policies;
