//! Operations on rules and limits, and freezes. Each change of a rule or limit: the engine decides, the audit row is
//! settled, the tenant's policy generation goes up, all in one transaction. A run that starts after the answer is bound
//! to what it says.

mod author;
mod create_limit;
mod create_rule;
mod disable_limit;
mod freeze;
mod freeze_view;
mod freezes;
mod get_limit;
mod get_rule;
mod limit_breaches;
mod limit_view;
mod list_facts;
mod list_freezes;
mod list_limits;
mod list_rules;
mod modify_rule;
mod retire_rule;
mod rule_enforcements;
mod rule_view;
mod unfreeze;
mod update_limit;
mod validate_rule;

use proof::words::{LimitCategory, LimitType};

pub use self::{
    create_limit::create_limit,
    create_rule::create_rule,
    disable_limit::disable_limit,
    freeze::freeze,
    freeze_view::FreezeView,
    freezes::freezes,
    get_limit::get_limit,
    get_rule::get_rule,
    limit_breaches::limit_breaches,
    limit_view::LimitView,
    list_facts::{
        FACT_RECORDS, Fact, FactList, FactType, FactUnit, Fault, facts_of, facts_page, known_facts,
        list_facts,
    },
    list_freezes::list_freezes,
    list_limits::list_limits,
    list_rules::list_rules,
    modify_rule::modify_rule,
    retire_rule::{Retirement, retire_rule},
    rule_enforcements::rule_enforcements,
    rule_view::RuleView,
    unfreeze::unfreeze,
    update_limit::update_limit,
    validate_rule::{RuleCheck, Validation, validate_rule},
};

/// The precedence of a rule that is given none.
pub const PRECEDENCE: i64 = engines::policies::PRECEDENCE;

/// Whether values of this type of limit are nano-USD inside, and USD to a caller.
#[must_use]
pub const fn counts_money(limit_type: LimitType) -> bool {
    engines::policies::counts_money(limit_type)
}

/// The category of a type of limit: what a caller means who does not say it.
#[must_use]
pub const fn category_of(limit_type: LimitType) -> LimitCategory {
    rules::limits::category(limit_type)
}
