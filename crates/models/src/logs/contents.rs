//! The texts that records name, as they are kept apart from them.

use std::collections::HashMap;

use proof::{contents::Content, hash::Hash, records::StepRecord};

/// The texts of a run, as far as they were asked for.
#[derive(Clone, PartialEq, Eq)]
pub enum RunTexts {
    /// They are kept: each by its salted hash.
    Kept(HashMap<Hash, String>),
    /// They were erased.
    Erased,
    /// They cannot be read.
    Lost,
}

impl std::fmt::Debug for RunTexts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Kept(texts) => write!(f, "Kept({})", texts.len()),
            Self::Erased => f.write_str("Erased"),
            Self::Lost => f.write_str("Lost"),
        }
    }
}

/// A text that a record names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeptText {
    /// As it is kept: after redaction.
    Text(String),
    /// It was erased, and was so many bytes long.
    Erased(u64),
    /// It is not there as it was kept, and was so many bytes long.
    Lost(u64),
}

impl KeptText {
    /// The text, where it is there.
    #[must_use]
    pub fn text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            Self::Erased(_) | Self::Lost(_) => None,
        }
    }
}

/// What went in and out of a step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepTexts {
    /// Its parameters: JSON.
    pub params: Option<KeptText>,
    /// What it came to: JSON.
    pub outcome_data: Option<KeptText>,
    /// What a model was asked.
    pub prompt: Option<KeptText>,
    /// What it answered.
    pub response: Option<KeptText>,
}

impl RunTexts {
    /// The text of this name.
    #[must_use]
    pub fn find(&self, name: Option<&Content>) -> Option<KeptText> {
        let name = name?;
        let text = match self {
            Self::Erased => return Some(KeptText::Erased(name.length)),
            Self::Lost => None,
            Self::Kept(texts) => texts.get(&name.hash).filter(|text| text.len() as u64 == name.length),
        };
        Some(text.map_or(KeptText::Lost(name.length), |text| KeptText::Text(text.clone())))
    }

    /// The texts of a step.
    #[must_use]
    pub fn of_step(&self, step: &StepRecord) -> StepTexts {
        StepTexts {
            params: self.find(step.params.as_ref()),
            outcome_data: self.find(step.outcome_data.as_ref()),
            prompt: self.find(step.prompt.as_ref()),
            response: self.find(step.response.as_ref()),
        }
    }
}
