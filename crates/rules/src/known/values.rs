//! What a fact can be, where that is a closed list.

use proof::words::{ActorType, Assurance, RunSource, StepKind, StepStatus, Vocabulary};

use super::fact::Fact;
use crate::facts::{PiiClass, SecretKind};

/// The values that a fact can have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Values {
    Words(Vec<&'static str>),
    /// From the one to the other.
    Numbers(i64, i64),
}

impl Fact {
    /// The values that it can have; none where they are no closed list.
    pub(crate) fn values(&self) -> Option<Values> {
        Some(match self.path {
            "resource.assurance" => words::<Assurance>(),
            "resource.source" => words::<RunSource>(),
            "resource.actor_type" => words::<ActorType>(),
            "context.step.kind" => words::<StepKind>(),
            // As it is reported: what is refused is so by a verdict.
            "context.step.status" => words_but(StepStatus::Refused.as_str()),
            "context.content.pii" => words::<PiiClass>(),
            "context.content.secrets" => words::<SecretKind>(),
            "context.time.hour" => Values::Numbers(0, 23),
            "context.time.weekday" => Values::Numbers(1, 7),
            _ => return None,
        })
    }
}

impl Values {
    /// For people.
    pub(crate) fn told(&self) -> String {
        match self {
            Self::Words(words) => words.join(", "),
            Self::Numbers(first, last) => format!("{first} to {last}"),
        }
    }
}

fn words<V: Vocabulary>() -> Values {
    Values::Words(V::ALL.iter().map(|word| word.as_str()).collect())
}

fn words_but(other: &str) -> Values {
    Values::Words(StepStatus::ALL.iter().map(|word| word.as_str()).filter(|word| *word != other).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::known::FACTS;

    /// `hoc facts`, `GET /facts`, docs/facts.md and the form show what a fact means.
    #[test]
    fn what_a_fact_means_names_every_value_of_a_closed_list() {
        let closed: Vec<(&Fact, Values)> =
            FACTS.iter().filter_map(|fact| Some((fact, fact.values()?))).collect();
        assert_eq!(closed.len(), 9);
        for (fact, values) in closed {
            match values {
                Values::Words(words) => {
                    assert!(words.iter().all(|word| fact.meaning.contains(word)), "{}: {words:?}", fact.path);
                }
                Values::Numbers(first, last) => {
                    let told = [first, last].map(|number| fact.meaning.contains(&number.to_string()));
                    assert_eq!(told, [true, true], "{}", fact.path);
                }
            }
        }
    }
}
