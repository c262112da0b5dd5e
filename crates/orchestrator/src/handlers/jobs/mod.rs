//! Operations on jobs: what people see of them, and what they may do with them. Servers work at them by `jobs`.

mod cancel;
mod create;
mod events;
mod get;
mod list;
mod requeue;

pub use self::{
    cancel::cancel,
    create::{JobOrder, create},
    events::{JobEvent, JobEvents, JobPlace, events},
    get::{JobDetail, get},
    list::list,
    requeue::requeue,
};
