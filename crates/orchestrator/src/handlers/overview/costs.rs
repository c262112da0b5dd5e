//! What model calls cost, beside the budgets that are there to bound it. Realised cost only: nothing is foreseen, and
//! nothing is called saved.

use chrono::{DateTime, Utc};
use models::{
    overview::{Overage, Period, Spent},
    page::{ListCursor, PageRequest},
    policies::LimitFilter,
};
use proof::words::{LimitCategory, LimitStatus, LimitType};
use rules::{limits::NEAR_THRESHOLD_PERCENT, zone::Zone};

use super::period::period;
use crate::{
    context::CallContext,
    errors::Error,
    handlers::policies::{LimitView, list_limits},
    spine::Spine,
};

proof::words! {
    /// Where a budget stands: below 80 %, from 80 %, above its cap.
    BudgetStatus { Ok = "OK", NearThreshold = "NEAR_THRESHOLD", Breached = "BREACHED" }

    /// What a budget counts.
    BudgetUnit { Usd = "USD", Tokens = "TOKENS", Steps = "STEPS", Calls = "CALLS" }
}

/// A budget in force, and what is used of it in the window that runs now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of PIN-413")]
pub struct Budget {
    pub limit_id: String,
    pub name: String,
    pub category: LimitCategory,
    pub limit_type: LimitType,
    pub unit: BudgetUnit,
    /// Nano-USD where the unit is USD, as the other two.
    pub max_value: u64,
    pub used_value: u64,
    pub remaining_value: u64,
    pub status: BudgetStatus,
}

/// The O2 of Cost Intelligence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Costs {
    /// Over which time.
    pub period: Period,
    /// What model calls used in it.
    pub spent: Spent,
    /// Every budget in force, newest first.
    pub limits: Vec<Budget>,
    /// How budgets on cost were passed in the period.
    pub violations: Overage,
}

/// `overview.costs`: what model calls cost in a period, by default the current month of the tenant's time zone, and how
/// its budgets stand now.
#[tracing::instrument(name = "overview.costs", skip_all, fields(tenant = %ctx.tenant.id))]
pub async fn costs(
    spine: &Spine,
    ctx: &CallContext,
    from: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
) -> Result<Costs, Error> {
    let zone = Zone::parse(&ctx.tenant.time_zone).unwrap_or(Zone::UTC);
    let period = period(from, until, zone.month(spine.now()))?;
    let store = spine.read().await?;
    let spent = store.overview().spent(ctx.tenant.id, period).await?;
    let violations = store.overview().overage(ctx.tenant.id, period).await?;
    drop(store);
    Ok(Costs { period, spent, limits: budgets(spine, ctx).await?, violations })
}

async fn budgets(spine: &Spine, ctx: &CallContext) -> Result<Vec<Budget>, Error> {
    let filter = LimitFilter {
        status: Some(LimitStatus::Active),
        limit_category: Some(LimitCategory::Budget),
        ..LimitFilter::default()
    };
    let (mut all, mut cursor): (Vec<Budget>, Option<ListCursor>) = (Vec::new(), None);
    loop {
        let after = cursor.map(|cursor| cursor.to_string());
        let page = PageRequest::new(Some(200), after.as_deref(), false)
            .map_err(|err| Error::Internal(err.to_string()))?;
        let found = list_limits(spine, ctx, filter.clone(), page).await?;
        all.extend(found.items.iter().map(budget));
        match found.next_cursor {
            Some(next) => cursor = Some(next),
            None => return Ok(all),
        }
    }
}

fn budget(view: &LimitView) -> Budget {
    let definition = &view.limit.definition;
    let (max, used) = (definition.max_value, view.used.unwrap_or_default());
    Budget {
        limit_id: definition.limit_id.clone(),
        name: definition.name.clone(),
        category: definition.limit_category,
        limit_type: definition.limit_type,
        unit: match definition.limit_type {
            LimitType::TokensTotal | LimitType::TokensInput | LimitType::TokensOutput => BudgetUnit::Tokens,
            LimitType::Steps => BudgetUnit::Steps,
            LimitType::ToolCalls => BudgetUnit::Calls,
            // No other type is a budget.
            _ => BudgetUnit::Usd,
        },
        max_value: max,
        used_value: used,
        remaining_value: max.saturating_sub(used),
        status: standing(used, max),
    }
}

fn standing(used: u64, max: u64) -> BudgetStatus {
    if used > max {
        BudgetStatus::Breached
    } else if u128::from(used) * 100 >= u128::from(max) * u128::from(NEAR_THRESHOLD_PERCENT) {
        BudgetStatus::NearThreshold
    } else {
        BudgetStatus::Ok
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_near_from_80_percent_and_breached_above_its_cap() {
        let standings = [(0, 100), (79, 100), (80, 100), (100, 100), (101, 100)]
            .map(|(used, max)| standing(used, max).as_str());
        assert_eq!(standings, ["OK", "OK", "NEAR_THRESHOLD", "NEAR_THRESHOLD", "BREACHED"]);
    }
}
