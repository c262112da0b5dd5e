//! Operations on jobs: what people see of them, and what they may do with them. Servers work at them by `jobs`.

mod bound;
mod cancel;
mod create;
mod events;
mod get;
mod list;
mod requeue;
mod whose;

pub use self::{
    cancel::{cancel, cancel_as},
    create::{JobOrder, create},
    events::{JobEvent, JobEvents, JobPlace, events},
    get::{JobDetail, get, get_of},
    list::{list, list_of},
    requeue::{requeue, requeue_as},
    whose::tenant_of_job,
};
