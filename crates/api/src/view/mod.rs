//! How values are written on the wire: hand-written twins, so that no change below changes the contract unseen. Words
//! alone are those below: a test holds docs/openapi.json, which lists them.

mod json;
mod number;
mod page;
pub(crate) mod stream;
pub(crate) mod text;
mod time;
mod verdict;
pub(crate) mod words;

pub(crate) use self::{
    json::Kept,
    number::Number,
    page::PageView,
    time::{Time, YEARS},
    verdict::{FiredView, VerdictView},
};
