//! Who calls: the first argument of every handler that is not public.

use std::marker::PhantomData;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use orchestrator::{
    CallContext, Spine,
    handlers::account::{self, AuthError},
};

use super::{
    headers::{idempotency_key, one_key, user_agent},
    origin, roles,
    roles::Need,
    session::{self, Reached},
};
use crate::{
    Problem,
    carried::{BodyShare, Shown, Whose, trace_id},
    problem::Code,
};

/// A caller whose credential is in force and whose role is one that `N` names.
#[derive(Clone, Debug)]
pub(crate) struct Caller<N> {
    context: CallContext,
    need: PhantomData<N>,
}

impl<N> Caller<N> {
    /// Who calls, as operations take it.
    pub(crate) fn context(&self) -> &CallContext {
        &self.context
    }

    /// The caller with the key that the body says, which is one thing with that of the header.
    pub(crate) fn with_key(mut self, body: Option<String>) -> Result<Self, Problem> {
        self.context.idempotency_key = one_key(self.context.idempotency_key.take(), body)?;
        Ok(self)
    }
}

impl<N: Need> FromRequestParts<Spine> for Caller<N> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, spine: &Spine) -> Result<Self, Problem> {
        let context = authenticated(parts, spine).await?;
        if !N::ROLES.contains(&context.role) {
            let detail =
                format!("this is for {}; the key's role is {}", roles::names::<N>().join(", "), context.role);
            return Err(Problem::new(Code::Forbidden, detail));
        }
        Ok(Self { context, need: PhantomData })
    }
}

/// Somebody whose credential is in force, whatever the role: what comes before any other refusal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Authenticated;

impl FromRequestParts<Spine> for Authenticated {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, spine: &Spine) -> Result<Self, Problem> {
        authenticated(parts, spine).await.map(|_| Self)
    }
}

async fn authenticated(parts: &Parts, spine: &Spine) -> Result<CallContext, Problem> {
    // An authorization header is the credential, whatever cookies a browser sends along.
    let mut context = if parts.headers.contains_key(header::AUTHORIZATION) {
        let token = bearer(&parts.headers).ok_or_else(no_credential)?;
        let context = account::authenticate(spine, token).await?;
        is_known(parts, &context);
        context
    } else {
        by_session(parts, spine).await?
    };
    if let Some(trace) = trace_id(&parts.headers) {
        context.correlation_id = trace;
    }
    context.user_agent = user_agent(&parts.headers);
    if !parts.method.is_safe() {
        context.idempotency_key = idempotency_key(&parts.headers)?;
    }
    Ok(context)
}

/// The caller that the console's cookie names. A browser sends it whoever asks, so what changes something must come
/// from our own pages.
pub(crate) async fn by_session(parts: &Parts, spine: &Spine) -> Result<CallContext, Problem> {
    let reached = parts.extensions.get::<Reached>().copied().unwrap_or_default();
    let token = session::token(reached, &parts.headers).ok_or_else(no_credential)?;
    let context = account::authenticate_session(spine, &token).await?;
    is_known(parts, &context);
    if !parts.method.is_safe() {
        origin::must_be_ours(&parts.headers)?;
    }
    Ok(context)
}

/// What the call holds is of its tenant's part of what may be held, and it is waited for as for one of ours.
fn is_known(parts: &Parts, context: &CallContext) {
    if let Some(shown) = parts.extensions.get::<Shown>() {
        shown.now(Whose { tenant: context.tenant.id, key: context.key });
    }
    if let Some(BodyShare(share)) = parts.extensions.get() {
        share.is_of(context.tenant.id);
    }
}

fn no_credential() -> Problem {
    Problem::new(Code::Unauthenticated, "send an API key as a bearer token in the `authorization` header")
}

/// The token of the one authorization header there may be.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(only), None) = (all.next(), all.next()) else { return None };
    let (scheme, token) = only.to_str().ok()?.split_once(' ')?;
    let token = token.trim_matches(' ');
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

impl From<AuthError> for Problem {
    fn from(err: AuthError) -> Self {
        match err {
            AuthError::Unknown => Self::new(
                Code::Unauthenticated,
                "there is no such key in this installation: is it another server's, or misspelt?",
            ),
            AuthError::Expired => Self::new(Code::Unauthenticated, "the key has expired"),
            AuthError::Revoked => Self::new(Code::Unauthenticated, "the key is revoked"),
            AuthError::Ended => Self::new(Code::Unauthenticated, "the session has ended"),
            AuthError::Used => Self::new(Code::Unauthenticated, "the link was used before"),
            AuthError::Failed(err) => err.into(),
        }
    }
}
