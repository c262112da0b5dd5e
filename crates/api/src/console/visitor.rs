//! Who looks at a page, and the frame around it.

use std::marker::PhantomData;

use axum::{extract::FromRequestParts, http::request::Parts};
use models::account::Role;
use orchestrator::{CallContext, Spine};

use super::assets;
use crate::{
    Problem,
    extract::{Anyone, Need, ReadsRuns, Views, roles},
    problem::Code,
};

/// Somebody who is logged in with a role that `N` names.
#[derive(Clone, Debug)]
pub(super) struct Visitor<N> {
    context: CallContext,
    pub(super) frame: Frame,
    need: PhantomData<N>,
}

impl<N> Visitor<N> {
    /// Who calls, as operations take it.
    pub(super) fn context(&self) -> &CallContext {
        &self.context
    }

    /// Whether their role is one that `M` names.
    pub(super) fn may<M: Need>(&self) -> bool {
        M::ROLES.contains(&self.context.role)
    }
}

impl<N: Need> FromRequestParts<Spine> for Visitor<N> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Spine) -> Result<Self, Problem> {
        let (context, frame) = (parts.extensions.get::<CallContext>(), parts.extensions.get::<Frame>());
        // The gate leaves both for whom it lets in.
        let (Some(context), Some(frame)) = (context.cloned(), frame.cloned()) else {
            return Err(Problem::new(Code::Unauthenticated, "log in first"));
        };
        if !N::ROLES.contains(&context.role) {
            let detail = format!(
                "this page is for the roles {}; you are logged in as {}",
                roles::<N>().join(", "),
                context.role
            );
            return Err(Problem::new(Code::Forbidden, detail));
        }
        Ok(Self { context, frame, need: PhantomData })
    }
}

/// What stands around every page of somebody who is logged in.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(super) style: &'static str,
    pub(super) tenant: String,
    pub(super) owner: String,
    pub(super) role: Role,
    pub(super) nav: Vec<Entry>,
}

/// A domain in the navigation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) name: &'static str,
    pub(super) path: &'static str,
    pub(super) here: bool,
}

impl Frame {
    /// The frame of a page at `path`; without the domains that the role may not see.
    pub(super) fn of(context: &CallContext, path: &str) -> Self {
        let domains = [
            ("Overview", "/console/overview", Views::ROLES),
            ("Activity", "/console/activity/runs", ReadsRuns::ROLES),
            ("Incidents", "/console/incidents", Views::ROLES),
            ("Policies", "/console/policies/rules", Views::ROLES),
            ("Logs", "/console/logs/audit", Views::ROLES),
            ("Jobs", "/console/jobs", Views::ROLES),
        ];
        let domain = |path: &str| path.split('/').nth(2).unwrap_or_default().to_owned();
        let nav = domains.into_iter().filter(|(.., roles)| roles.contains(&context.role));
        Self {
            style: assets::style(),
            tenant: context.tenant.slug.clone(),
            owner: context.actor_id.clone(),
            role: context.role,
            nav: nav
                .map(|(name, to, _)| Entry { name, path: to, here: domain(to) == domain(path) })
                .collect(),
        }
    }

    /// The page that a role begins with.
    pub(super) fn first_page(role: Role) -> &'static str {
        debug_assert!(Anyone::ROLES.contains(&role), "every role has a page");
        if Views::ROLES.contains(&role) { "/console/overview" } else { "/console/activity/runs" }
    }
}
