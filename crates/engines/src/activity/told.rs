//! What is told of the tokens of a model call: the counts, and what the names of its model, its seller and its tier say
//! of how they were counted and are paid. What they come to is for `tokens`.

use proof::canonical::MAX_INTEGER;

/// Counts as they were told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
#[expect(clippy::struct_excessive_bools, reason = "each is a thing that the caller knows of the call")]
pub struct Counts {
    pub input: Option<u64>,
    pub output: Option<u64>,
    pub total: Option<u64>,
    pub cache_read: u64,
    pub cache_write: u64,
    /// Of those that were written, the ones that are kept for an hour.
    pub cache_write_hour: u64,
    pub reasoning: u64,
    /// What went in beside the input, as what Gemini's tools read, and is billed as that.
    pub beside_input: u64,
    /// A count was told that nobody can read.
    pub unreadable: bool,
    /// The call gives no tokens back, as an embedding: what is not told of them is none.
    pub gives_none: bool,
    /// Where thoughts or cached tokens may lie beside, it is the thoughts, as Gemini's do.
    pub thoughts_beside: bool,
    /// They are told by Gemini's own word for them, and lie beside what it calls the answer's where no total says
    /// otherwise.
    pub thoughts_as_billed: bool,
    /// It is not paid by what the book has: for sounds or pictures, or at another tier.
    pub paid_otherwise: bool,
    /// Who tells may tell what went in as the provider does. Some count cached tokens beside the input, and not all who
    /// tell of their calls do: a total that is the sum of the two sides as they were told is no witness of either, and
    /// nor is none.
    pub cache_in_doubt: bool,
    /// The same of reasoning beside the output.
    pub reasoning_in_doubt: bool,
    /// The provider counts all parts within their whole: one that is larger lies beside only if a total says so.
    pub parts_within: bool,
}

impl Counts {
    /// Of a call that this service tier answered. Sellers list prices for the usual one; where none is told, it was
    /// that.
    #[must_use]
    pub fn at_tier(self, tier: Option<&str>) -> Self {
        Self { paid_otherwise: self.paid_otherwise || !tier.is_none_or(is_usual_tier), ..self }
    }

    /// Of a call that this seller of the price book sold: its counts are in doubt only where it counts beside what
    /// others count within. Bedrock's Converse tells fresh tokens; xAI tells reasoning beside in Chat and within in
    /// Responses.
    #[must_use]
    pub fn sold_by(self, seller: Option<&str>) -> Self {
        Self {
            cache_in_doubt: self.cache_in_doubt && seller == Some("aws"),
            reasoning_in_doubt: self.reasoning_in_doubt && seller == Some("x-ai"),
            ..self
        }
    }

    /// What of it is believed: a count that no record holds is one that nobody can read.
    pub(super) fn believed(self) -> Self {
        let Self {
            input,
            output,
            total,
            cache_read,
            cache_write,
            cache_write_hour,
            reasoning,
            beside_input,
            ..
        } = self;
        let parts = [cache_read, cache_write, cache_write_hour, reasoning, beside_input];
        let beyond = |count: u64| count > MAX_INTEGER;
        let some = |count: Option<u64>| count.filter(|count| !beyond(*count));
        let part = |count: u64| if beyond(count) { 0 } else { count };
        Self {
            input: some(input),
            output: some(output),
            total: some(total),
            cache_read: part(cache_read),
            cache_write: part(cache_write),
            cache_write_hour: part(cache_write_hour),
            reasoning: part(reasoning),
            beside_input: part(beside_input),
            unreadable: self.unreadable
                || parts.into_iter().any(beyond)
                || [input, output].into_iter().flatten().any(beyond),
            ..self
        }
    }
}

/// Whether a tier is the one for which sellers list prices, by a word that stands for it or for nothing.
fn is_usual_tier(tier: &str) -> bool {
    const USUAL: [&str; 6] = ["", "auto", "default", "standard", "standard_only", "on_demand"];
    let tier = tier.trim().to_ascii_lowercase().replace(['-', ' '], "_");
    USUAL.contains(&tier.as_str())
}

/// Whether a model of this name gives no tokens back: it embeds, or it ranks, what it is given.
#[must_use]
pub fn gives_no_tokens(model: &str) -> bool {
    /// Families of embeddings whose names do not say what they are.
    const FAMILIES: [&str; 4] = ["bge", "e5", "gte", "voyage"];
    let model = model.to_ascii_lowercase();
    let mut parts = model.split(|of: char| !of.is_ascii_alphanumeric());
    model.contains("embed") || model.contains("rerank") || parts.any(|part| FAMILIES.contains(&part))
}

/// Whether who sells under this name counts all parts of a use within their whole, as OpenAI does and who speaks as it
/// does.
#[must_use]
pub fn counts_within(provider: &str) -> bool {
    let provider = provider.to_ascii_lowercase();
    provider.contains("openai") || provider.starts_with("azure")
}

/// Whether a model of this name is paid by sounds, by pictures or by searches, which no call needs to tell.
#[must_use]
pub fn is_paid_otherwise(model: &str) -> bool {
    const WORDS: [&str; 8] =
        ["image", "imagen", "images", "audio", "realtime", "tts", "transcribe", "search"];
    let model = model.to_ascii_lowercase();
    let mut words = model.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.any(|word| WORDS.contains(&word)) || model.contains("deep-research")
}

#[cfg(test)]
mod tests {
    use super::{Counts, gives_no_tokens, is_paid_otherwise};

    #[test]
    fn a_model_that_embeds_or_ranks_is_known_by_its_name() {
        for model in [
            "text-embedding-3-small",
            "amazon.titan-embed-text-v2:0",
            "models/gemini-embedding-001",
            "voyage-3.5-lite",
            "@cf/baai/bge-m3",
            "system.ai.gte-large-en",
            "intfloat/multilingual-e5-large",
            "Cohere/Rerank-v3.5",
        ] {
            assert!(gives_no_tokens(model), "{model}");
        }
        for model in ["gpt-4o", "claude-sonnet-4-5", "gemini-2.5-flash", "davinci-002", "voyager-7b", ""] {
            assert!(!gives_no_tokens(model), "{model}");
        }
    }

    #[test]
    fn a_call_at_another_tier_is_paid_otherwise() {
        let usual = Counts::default();
        let otherwise = Counts { paid_otherwise: true, ..usual };
        for tier in ["flex", "priority", "Batch", "scale", "of later"] {
            assert_eq!(usual.at_tier(Some(tier)), otherwise, "{tier}");
        }
        for tier in [None, Some(""), Some("auto"), Some("Default"), Some("on-demand"), Some("standard_only")]
        {
            assert_eq!(usual.at_tier(tier), usual, "{tier:?}");
            assert_eq!(otherwise.at_tier(tier), otherwise, "what else is said stays");
        }
    }

    #[test]
    fn what_is_paid_by_sounds_or_pictures_is_known_by_its_name() {
        for model in
            ["gpt-4o-audio-preview", "openai/gpt-image-1", "imagen-4", "o3-deep-research", "gpt-5-search-api"]
        {
            assert!(is_paid_otherwise(model), "{model}");
        }
        for model in
            ["nousresearch/hermes-4-405b", "NousResearch/Hermes-4-70B", "gpt-rosalind-research", "gpt-4o"]
        {
            assert!(!is_paid_otherwise(model), "{model}");
        }
    }

    #[test]
    fn counts_are_in_doubt_by_who_sold_the_call() {
        let told = Counts { cache_in_doubt: true, reasoning_in_doubt: true, ..Counts::default() };
        for (seller, doubts) in [
            (Some("aws"), (true, false)),
            (Some("x-ai"), (false, true)),
            (Some("openai"), (false, false)),
            (None, (false, false)),
        ] {
            let of = told.sold_by(seller);
            assert_eq!((of.cache_in_doubt, of.reasoning_in_doubt), doubts, "{seller:?}");
        }
        assert_eq!(Counts::default().sold_by(Some("aws")), Counts::default());
    }
}
