//! Incidents: what went wrong, and how it is handled.

mod detail;
mod list;
mod moves;
mod state;

pub(super) use self::{
    detail::get,
    list::list,
    moves::{acknowledge, acknowledge_many, resolve},
};
