//! Jobs: what the servers still have to do, how far it is, and what became of it.

mod detail;
mod list;
mod moves;
mod state;

pub(super) use self::{
    detail::get,
    list::list,
    moves::{cancel, create, requeue},
};
