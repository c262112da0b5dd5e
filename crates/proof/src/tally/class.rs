//! What a call to a model is for, as the name of its skill says.

use crate::words::CallClass;

impl CallClass {
    /// The last word of its skill says it: `openai.embeddings`. A word that is none of these is that of a call for
    /// text, as `chat`.
    #[must_use]
    pub fn of(skill_name: &str) -> Self {
        let word = skill_name.rsplit('.').next().unwrap_or_default();
        word.parse().unwrap_or(Self::Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skill_is_of_the_class_that_its_last_word_names() {
        for class in CallClass::ALL {
            assert_eq!(CallClass::of(&format!("aws.bedrock.{class}")), *class);
            assert_eq!(CallClass::of(class.as_str()), *class);
        }
        for text in ["openai.chat", "speech.chat", "", "openai.", "openai.Speech"] {
            assert_eq!(CallClass::of(text), CallClass::Text, "{text}");
        }
    }
}
