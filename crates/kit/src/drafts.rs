//! What tests define, with everything that a caller need not say left unsaid.

use models::policies::{Amount, LimitDraft};
use orchestrator::handlers::policies;
use proof::words::{LimitCategory, LimitType, ResetPeriod};

/// A limit of so much: micro-USD where it counts money, and whole ones of what it counts where it does not; a budget
/// never resets. What a test has more to say of it, it says by `LimitDraft { .., ..limit(..) }`.
#[must_use]
pub fn limit(limit_type: LimitType, max: u64) -> LimitDraft {
    let unit = if policies::counts_money(limit_type) { 1_000 } else { 1_000_000_000 };
    let limit_category = policies::category_of(limit_type);
    LimitDraft {
        name: format!("{limit_type} {max}"),
        limit_category,
        limit_type,
        scope: None,
        scope_id: None,
        max_value: Amount { billionths: u128::from(max) * unit },
        reset_period: (limit_category == LimitCategory::Budget).then_some(ResetPeriod::None),
        window_seconds: None,
        measurement_window_seconds: None,
        degrade_to: None,
        enforcement: None,
        consequence: None,
    }
}
