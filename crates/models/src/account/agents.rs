//! The agents that a key speaks for.

use serde::{Deserialize, Serialize};

/// Agent ids, and patterns of them in which each `*` stands for any characters, none included. An agent's key begins
/// runs as these alone (spec 2), so that what is set for an agent cannot be evaded under another name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AgentNames(pub Vec<String>);

impl AgentNames {
    /// Whether the agent is among them.
    #[must_use]
    pub fn cover(&self, agent_id: &str) -> bool {
        self.0.iter().any(|pattern| matches(pattern, agent_id))
    }
}

impl std::fmt::Display for AgentNames {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

/// Each part between two `*` is looked for at its first place after the part before it: none later could serve better.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*') {
        match text.split_once(part) {
            Some((_, after)) => text = after,
            None => return false,
        }
    }
    text.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_itself_and_a_star_is_anything() {
        for (pattern, yes, no) in [
            ("billing-bot", &["billing-bot"][..], &["billing-bot2", "Billing-bot", "billing", ""][..]),
            ("billing-*", &["billing-", "billing-bot", "billing-*"], &["billing", "my-billing-bot"]),
            ("*-bot", &["billing-bot", "-bot"], &["billing-bots", "bot"]),
            ("team/*/bot", &["team/a/bot", "team//bot", "team/a/b/bot"], &["team/bot", "team/a/bots"]),
            ("a*b*c", &["abc", "aXbYc", "abbcc"], &["acb", "ab", "abcd"]),
            ("a*a", &["aa", "aba"], &["a"]),
            ("a**b", &["ab", "axb"], &["a"]),
            ("über*", &["über", "überall"], &["uber"]),
        ] {
            let names = AgentNames(vec!["other".to_owned(), pattern.to_owned()]);
            for agent in yes {
                assert!(names.cover(agent), "{pattern} {agent}");
            }
            for agent in no {
                assert!(!names.cover(agent), "{pattern} {agent}");
            }
        }
        assert!(!AgentNames(Vec::new()).cover(""));
    }
}
