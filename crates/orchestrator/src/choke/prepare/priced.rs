//! Costs by the price book, where the caller says none.

use chrono::{DateTime, TimeDelta, Timelike as _, Utc};
use engines::activity::{
    is_paid_otherwise,
    prices::{Call, Priced, Tokens, price},
};
use proof::{
    canonical::MAX_INTEGER,
    words::{CostNote, StepKind},
};

use crate::{
    choke::call::{PermitRequest, StepReport},
    report::LlmReport,
};

/// Gives a model call that came without a cost the one of the price book; gives the book. What is to be known of the
/// cost is noted: nothing that is not known is a zero, and a zero that its caller says is kept and marked, whatever is
/// told of tokens, unless the book has the model for nothing. `told_at` is when it was told.
pub(in crate::choke) fn price_call(report: &mut StepReport, told_at: DateTime<Utc>) -> Option<String> {
    let answered_at = report.ended_at.or_else(|| {
        let took = TimeDelta::try_milliseconds(report.duration_ms.try_into().ok()?)?;
        report.started_at?.checked_add_signed(took)
    });
    let at = answered_at.unwrap_or(told_at);
    let is_call = report.kind == StepKind::LlmCall;
    let llm = report.llm.as_mut()?;
    if let Some(said) = llm.cost_nanousd {
        // Gateways write 0 for what they do not know: most of all for a new model.
        let costs_nothing = || match llm.model.as_deref() {
            Some(model) => is_free(llm, model, at),
            None => !is_call,
        };
        llm.cost_note = (said == 0 && !costs_nothing()).then_some(CostNote::ReportedZero);
        return None;
    }
    match by_book(llm, at) {
        Ok(priced) => {
            llm.cost_nanousd = Some(priced.cost_nanousd);
            llm.cost_note = None;
            Some(priced.book)
        }
        Err(why) => {
            llm.cost_note = Some(why);
            None
        }
    }
}

/// What a call costs by the book, or why that is not known.
fn by_book(llm: &LlmReport, at: DateTime<Utc>) -> Result<Priced, CostNote> {
    if let Some(why) = llm.cost_note {
        return Err(why);
    }
    // No model is asked with nothing.
    if llm.input_tokens == 0 {
        return Err(CostNote::NoTokens);
    }
    let model = llm.model.as_deref().ok_or(CostNote::NoPrice)?;
    let tokens = Tokens {
        input: llm.input_tokens,
        output: llm.output_tokens,
        cache_read: llm.cache_read_tokens,
        cache_write: llm.cache_write_tokens,
        cache_write_hour: llm.cache_write_hour_tokens,
        reasoning: llm.reasoning_tokens,
    };
    let priced = price(&call_of(llm, model, at), tokens);
    priced.filter(|priced| priced.cost_nanousd <= MAX_INTEGER).ok_or(CostNote::NoPrice)
}

/// Whether the book says that what goes into the model costs nothing.
fn is_free(llm: &LlmReport, model: &str, at: DateTime<Utc>) -> bool {
    let some = Tokens { input: 1_000_000, ..Tokens::default() };
    price(&call_of(llm, model, at), some).is_some_and(|priced| priced.cost_nanousd == 0)
}

fn call_of<'c>(llm: &'c LlmReport, model: &'c str, at: DateTime<Utc>) -> Call<'c> {
    Call {
        provider: llm.provider.as_deref(),
        address: llm.server_address.as_deref(),
        model,
        minute: Some(minute(at)),
    }
}

/// Of the day, in UTC.
fn minute(at: DateTime<Utc>) -> u16 {
    u16::try_from(at.num_seconds_from_midnight() / 60).unwrap_or_default()
}

/// The same for a call that is asked for: what it is expected to use is what it is expected to cost.
pub(in crate::choke) fn price_estimate(request: &mut PermitRequest, asked_at: DateTime<Utc>) {
    let estimate = &mut request.estimate;
    let expects = estimate.input_tokens + estimate.output_tokens > 0;
    let is_asked = expects && estimate.cost_nanousd.is_none();
    if let Some(model) = request.model.as_deref().filter(|model| is_asked && !is_paid_otherwise(model)) {
        let tokens =
            Tokens { input: estimate.input_tokens, output: estimate.output_tokens, ..Tokens::default() };
        let call = Call {
            provider: request.provider.as_deref(),
            address: None,
            model,
            minute: Some(minute(asked_at)),
        };
        let priced = price(&call, tokens).map(|priced| priced.cost_nanousd);
        estimate.cost_nanousd = priced.filter(|cost| *cost <= MAX_INTEGER);
    }
}
