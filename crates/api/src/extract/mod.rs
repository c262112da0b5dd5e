//! What a handler may ask for. Each refusal is a problem, and the order of a handler's arguments is the order
//! of its checks: caller (401, 403), ids (404), headers and parameters (400, 428), then the body.

mod body;
mod caller;
mod decimal;
mod headers;
mod id;
mod keyed;
mod nul;
mod origin;
mod query;
mod roles;
pub(crate) mod session;
mod spans;
mod strict;

pub(crate) use self::{
    body::{Json, OptionalJson, read as read_body},
    caller::{Authenticated, Caller, by_session},
    decimal::{Amount, Usd},
    headers::{IdempotencyKey, IfMatch, LastEventId, etag},
    id::{Id, run_of_filter},
    keyed::{MEMBER as IDEMPOTENCY_KEY, WithKey},
    origin::must_be_ours,
    query::{List, NoParams, PageParams, Params, Query, list_id, page, pairs_of, read as read_pairs},
    roles::{
        AgentWrites, Anyone, Handles, Inspects, Manages, Need, ReadsRuns, SetsPolicy, Views, names as roles,
    },
    spans::SpanBody,
    strict::{Object, parse},
};
