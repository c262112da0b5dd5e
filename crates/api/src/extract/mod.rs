//! What a handler may ask for. Each refusal is a problem, and the order of a handler's arguments is the order
//! of its checks: caller (401, 403), ids (404), headers and parameters (400, 428), then the body.

mod body;
mod caller;
mod decimal;
mod headers;
mod id;
mod nul;
mod query;
mod roles;
mod spans;
mod strict;

pub(crate) use self::{
    body::{Json, OptionalJson},
    caller::{Authenticated, Caller},
    decimal::{Amount, Usd},
    headers::{IdempotencyKey, IfMatch, etag},
    id::{Id, run_of_filter},
    query::{List, NoParams, PageParams, Params, Query},
    roles::{AgentWrites, Anyone, Handles, Inspects, Manages, ReadsRuns, SetsPolicy, Views, names as roles},
    spans::SpanBody,
    strict::{Object, parse},
};
