//! Jobs: work that is done once, by whichever server takes it first, and taken over where that one goes silent.
//!
//! - [`enqueue`] puts one in the queue, in the unit of work of whoever wants it done: both are there or neither is.
//! - A [`Worker`] takes what is due, kinds beside each other and one of a kind at a time, and has a [`Handler`] work at
//!   it under a lease. The lease is renewed while the handler says that it goes on. A handler that fails, panics or
//!   says nothing for long has failed that attempt, and no server has to be well for the next.
//! - [`Work`] is what a handler is given. It writes by the number of its lease alone: once another server has taken the
//!   job, or somebody has cancelled it, it writes nothing more.
//!
//! What a handler does beside that may be done twice, by a server that was slow and by one that took over: it is such
//! that this does no harm.

mod claim;
mod enqueue;
mod policy;
mod stored;
mod work;
mod worker;

pub use self::{
    enqueue::enqueue,
    work::{Broken, Handler, Pace, Work},
    worker::{Skill, Worker},
};
pub(crate) use self::{policy::policy_of, stored::store};
