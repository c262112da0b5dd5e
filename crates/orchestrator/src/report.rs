//! What a caller or a tracer tells of a model's call, and of what its run is a part of.

use engines::activity::{
    counts_within, gives_no_tokens, is_paid_otherwise,
    prices::{Call, sold_by},
    used,
};
use proof::{canonical::MAX_INTEGER, words::CostNote};
use serde::{Deserialize, Serialize};

/// The tokens of a model call, as its caller tells them.
pub type TokenCounts = engines::activity::Counts;

/// The model call of a step, as its provider answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names of spec 5")]
pub struct LlmReport {
    pub provider: Option<String>,
    pub model: Option<String>,
    /// The model that was asked for, where the caller names it beside the one that answered.
    pub model_requested: Option<String>,
    pub input_tokens: u64,
    pub output_tokens: u64,
    /// Within `input_tokens`, as are those that were written.
    pub cache_read_tokens: u64,
    pub cache_write_tokens: u64,
    /// Of those that were written, the ones that are kept for an hour: they cost more.
    pub cache_write_hour_tokens: u64,
    /// Within `output_tokens`.
    pub reasoning_tokens: u64,
    /// None where neither the caller nor a price book knows.
    pub cost_nanousd: Option<u64>,
    /// What is to be known of the cost. Before it is priced: why the counts cannot be trusted.
    pub cost_note: Option<CostNote>,
    /// The host that was called: it tells who sold the call, where its name does not.
    pub server_address: Option<String>,
    /// The service tier that answered, where its caller names one. Of spans it is within what is told of their counts.
    /// It is in the cost by the time that a call waits, so no line of the spool has it.
    #[serde(skip)]
    pub service_tier: Option<String>,
    pub request_id: Option<String>,
    pub prompt: Option<String>,
    pub response: Option<String>,
    pub finish_reason: Option<String>,
}

impl LlmReport {
    /// How many bytes its texts are that may be long.
    pub(crate) fn weight(&self) -> usize {
        [&self.prompt, &self.response].into_iter().flatten().map(String::len).sum()
    }

    /// With what the caller tells of its tokens, read as [`engines::activity::used`] reads it. Whether the model gives
    /// none back, or is paid by something else, its name tells too, and its tier.
    #[must_use]
    pub fn counted(mut self, counts: &TokenCounts) -> Self {
        let model = self.model.as_deref().or(self.model_requested.as_deref());
        let gives_none = counts.gives_none || model.is_some_and(gives_no_tokens);
        let parts_within = counts.parts_within || self.provider.as_deref().is_some_and(counts_within);
        let seller = sold_by(&Call {
            provider: self.provider.as_deref(),
            address: self.server_address.as_deref(),
            model: model.unwrap_or_default(),
            minute: None,
        });
        let told = counts.at_tier(self.service_tier.as_deref()).sold_by(seller);
        let paid_otherwise = told.paid_otherwise || model.is_some_and(is_paid_otherwise);
        let used = used(TokenCounts { gives_none, paid_otherwise, parts_within, ..told });
        // What no record can hold stays as it was told: the door refuses it.
        let or_told = |read: u64, told: u64| if told > MAX_INTEGER { told } else { read };
        self.input_tokens = or_told(used.tokens.input, counts.input.unwrap_or(0));
        self.output_tokens = or_told(used.tokens.output, counts.output.unwrap_or(0));
        self.cache_read_tokens = or_told(used.tokens.cache_read, counts.cache_read);
        self.cache_write_tokens = or_told(used.tokens.cache_write, counts.cache_write);
        self.cache_write_hour_tokens = or_told(used.tokens.cache_write_hour, counts.cache_write_hour);
        self.reasoning_tokens = or_told(used.tokens.reasoning, counts.reasoning);
        self.cost_note = used.note;
        self
    }

    /// With an answer that is there: it came out in tokens. That none did, as a stream says of which nobody saw the
    /// end, is not known, but of a model that gives none.
    #[must_use]
    pub fn answered(mut self) -> Self {
        let model = self.model.as_deref().or(self.model_requested.as_deref());
        if self.output_tokens == 0
            && self.cost_note != Some(CostNote::CountsContradict)
            && !model.is_some_and(gives_no_tokens)
        {
            self.cost_note = Some(CostNote::NoTokens);
        }
        self
    }

    /// With tokens that may not be all that was used, as where something was thrown and nothing tells that the answer
    /// came to its end, or where its provider ran tools of its own: no price makes a cost of them. What its caller says
    /// that it cost stays.
    #[must_use]
    pub fn in_doubt(mut self) -> Self {
        self.cost_note = self.cost_note.or(Some(CostNote::NoPrice));
        self
    }

    /// With the name of the model that was asked for only where it is another than that of the one that answered. Where
    /// one name is known, it is that of both.
    pub(crate) fn name_once(&mut self) {
        match (&self.model, self.model_requested.take()) {
            (None, requested) => self.model = requested,
            (Some(model), requested) => {
                self.model_requested = requested.filter(|requested| requested != model);
            }
        }
    }
}

/// What a run is a part of, as its start or one of its spans says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartOf {
    /// The conversation, by its own name.
    pub conversation_id: Option<String>,
    /// The session; it is the conversation where that has no name.
    pub session_id: Option<String>,
    /// Whom it is for.
    pub user_id: Option<String>,
}

/// Whether the other side of a call came in the same body and is the one that counts; this side is then only told.
///
/// It is no part of the report, so a span that comes again in another body is the same request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OtherSide {
    /// It did not.
    #[default]
    NotTold,
    /// It did.
    Told,
    /// It did, with the same use as this side tells.
    ToldWithUse,
}
