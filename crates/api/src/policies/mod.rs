//! `/api/v1/runtime/policies`: rules, limits and freezes.

mod create_limit;
mod create_rule;
mod disable_limit;
mod freeze;
mod freeze_view;
mod get_limit;
mod get_rule;
mod limit_body;
mod limit_breaches;
mod limit_view;
mod list_facts;
mod list_freezes;
mod list_limits;
mod list_rules;
mod modify_rule;
mod retire_rule;
mod rule_body;
mod rule_enforcements;
mod rule_view;
mod unfreeze;
mod update_limit;
mod validate_rule;

use orchestrator::Spine;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) use self::{limit_view::LimitDefinitionView, rule_view::RuleDefinitionView};

/// The routes, below [`crate::paths::POLICIES`].
pub(crate) fn routes() -> OpenApiRouter<Spine> {
    OpenApiRouter::new()
        .routes(routes!(list_rules::list_rules, create_rule::create_rule))
        .routes(routes!(validate_rule::validate_rule))
        .routes(routes!(list_facts::list_facts))
        .routes(routes!(get_rule::get_rule, modify_rule::modify_rule))
        .routes(routes!(retire_rule::retire_rule))
        .routes(routes!(rule_enforcements::rule_enforcements))
        .routes(routes!(list_limits::list_limits, create_limit::create_limit))
        .routes(routes!(get_limit::get_limit, update_limit::update_limit))
        .routes(routes!(disable_limit::disable_limit))
        .routes(routes!(limit_breaches::limit_breaches))
        .routes(routes!(list_freezes::list_freezes, freeze::freeze, unfreeze::unfreeze))
}
