//! Costs by the price book, where the caller says none.

use engines::activity::prices::{Tokens, price};
use proof::canonical::MAX_INTEGER;

use super::call::{LlmReport, PermitRequest};

/// Gives a model call that came without a cost the one of the price book; gives the book.
pub(super) fn price_call(llm: &mut LlmReport) -> Option<String> {
    let model = llm.model.as_deref().filter(|_| llm.cost_microusd.is_none())?;
    let tokens = Tokens {
        input: llm.input_tokens,
        output: llm.output_tokens,
        cache_read: llm.cache_read_tokens,
        reasoning: llm.reasoning_tokens,
    };
    let priced = price(llm.provider.as_deref(), model, tokens)?;
    llm.cost_microusd = Some(priced.cost_microusd).filter(|cost| *cost <= MAX_INTEGER);
    llm.cost_microusd.map(|_| priced.book)
}

/// The same for a call that is asked for: what it is expected to use is what it is expected to cost.
pub(super) fn price_estimate(request: &mut PermitRequest) {
    let estimate = &mut request.estimate;
    let expects = estimate.input_tokens + estimate.output_tokens > 0;
    if let Some(model) = request.model.as_deref().filter(|_| expects && estimate.cost_microusd.is_none()) {
        let tokens =
            Tokens { input: estimate.input_tokens, output: estimate.output_tokens, ..Tokens::default() };
        let priced = price(request.provider.as_deref(), model, tokens).map(|priced| priced.cost_microusd);
        estimate.cost_microusd = priced.filter(|cost| *cost <= MAX_INTEGER);
    }
}
