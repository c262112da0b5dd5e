//! Variables that a call sets for its command: `{"command": "${X:-ls} -rf /", "env": {"X": "rm"}}` runs `rm`. They may
//! be told behind the command, so a line that asks for a variable is read again where all are known.

use std::collections::BTreeSet;

use super::{Facts, MAX_MENTIONS, parted::is_name};

impl Facts {
    pub(super) fn give(&mut self, name: &str) {
        // More are taken for any.
        self.given.any |= self.given.names.len() >= MAX_MENTIONS;
        if is_name(name) && !self.given.any && !self.given.names.contains(name) {
            self.given.names.insert(name.to_owned());
        }
    }

    /// `X=rm`, one or several.
    pub(super) fn give_each(&mut self, text: &str) {
        let parts = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';'));
        for (name, _) in parts.filter_map(|part| part.split_once('=')) {
            self.give(name);
        }
    }

    /// Keeps a line that takes the values of variables from its caller.
    pub(super) fn asks_of_its_caller(&mut self, line: &str, asked: &BTreeSet<String>) {
        if !asked.is_empty() && !self.asking.contains(line) {
            self.asking.insert(line.to_owned());
        }
    }

    /// Reads those again.
    pub(super) fn ask_again(&mut self) {
        if self.given.any || !self.given.names.is_empty() {
            for line in std::mem::take(&mut self.asking) {
                self.ran(&line, true);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::facts;

    #[test]
    fn what_the_caller_sets_is_not_known_to_the_line() {
        for params in [
            json!({"command": "${X:-ls} -rf /", "env": {"X": "rm"}}),
            json!({"env": {"X": "rm"}, "command": "${X:-ls} -rf /"}),
            json!({"command": "${X:-ls} -rf /", "environment": ["X=rm"]}),
            json!({"command": "${X:-ls} -rf /", "env_vars": "A=1 X=rm"}),
            json!({"command": "${X:-ls} -rf /", "env": [{"name": "X", "value": "rm"}]}),
            json!({"command": "${X:-ls} -rf /", "options": {"env": {"X": "rm"}}}),
            json!({"command": ["bash", "-c", "${X:-ls} -rf /"], "env": {"X": "rm"}}),
            json!({"command": "$X->y", "env": {"X": "rm"}}),
            json!({"command": "curl ${X:-ok.example}", "env": {"X": "evil.example"}}),
        ] {
            assert!(facts(&params).facts_cut, "{params}");
        }
        let read = facts(&json!({"command": "${X:-ls} -rf /", "env": {"X": "rm"}}));
        assert!(read.commands_read.contains("ls -rf /"), "one reading of it: {read:?}");
    }

    /// A rule on `facts_cut` must not stop who hides nothing.
    #[test]
    fn what_the_caller_sets_and_no_program_takes_is_free() {
        for params in [
            json!({"command": "${CC:-gcc} -o x", "env": {"PATH": "/bin"}}),
            json!({"command": "pytest -n ${WORKERS:-4}", "env": {"WORKERS": "8"}}),
            json!({"command": "CC=clang; $CC -o x", "env": {"CC": "gcc"}}),
            json!({"command": "${CC:-gcc} -o x", "description": "CC is a compiler"}),
        ] {
            assert!(!facts(&params).facts_cut, "{params}");
        }
    }
}
