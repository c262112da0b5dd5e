//! The door: what is wrong with a request, each thing with its place.
//!
//! Every text that a caller gives passes here before anything else is done with it, in every operation, and with a
//! bound ([`models::bounds`]). So nothing that one of the stores would refuse, or would keep otherwise than the other,
//! gets as far as a store.

use std::{collections::BTreeSet, str::FromStr};

use models::bounds;
use proof::canonical::MAX_INTEGER;
use rules::fields::{FieldError, FieldErrors};
use serde_json::Value;

use crate::logs::redact::{self, Fault};

const NOT_COMPOSED: &str = "must be in Unicode's composed form (NFC), in which an accented letter is one character: spelt in \
                            another way it would look like another's and not be it";
const NOT_SEEN: &str = "must have no blanks around it, within it one U+0020 at a time, and no characters that nobody sees: it would look like another's";
const STARRED: &str = "must have no `*`: in the agents of a key it stands for any characters, so an agent's id with one could be taken \
                       for many; name one agent, and put another character in its place";
const HIDES: &str =
    "must have no characters that nobody sees: no name comes to a rule with one, so it would not fire";

/// Collects what is wrong with a request, each thing with its place.
#[derive(Debug, Default)]
pub struct Check {
    errors: Vec<FieldError>,
}

impl Check {
    /// Something is wrong at `pointer`.
    pub fn refuse(&mut self, pointer: &str, message: impl Into<String>) {
        self.errors.push(FieldError { pointer: pointer.to_owned(), message: message.into() });
    }

    /// Something is, if it is.
    pub fn refuse_if(&mut self, wrong: bool, pointer: &str, message: impl Into<String>) {
        if wrong {
            self.refuse(pointer, message);
        }
    }

    /// A text that must say something.
    pub fn required(&mut self, pointer: &str, text: &str) {
        self.refuse_if(text.trim().is_empty(), pointer, "must not be empty");
    }

    /// A word by which something is found or grouped. It is kept as it comes, so it must not be a secret.
    pub fn name(&mut self, pointer: &str, text: Option<&str>) {
        self.words(pointer, text, bounds::NAME);
        if text.is_some_and(holds_secret) {
            self.refuse(pointer, "must not hold a secret: it would be stored as it is");
        }
        self.composed(pointer, text);
    }

    /// A text that is compared: what is spelt in two ways, and reads the same, would be two.
    pub fn composed(&mut self, pointer: &str, text: Option<&str>) {
        let other = text.is_some_and(|text| redact::composed(text) != text);
        self.refuse_if(other, pointer, NOT_COMPOSED);
    }

    /// Checks a name that tells somebody or something from others: an agent, a project, an owner, a tool, a model, a
    /// provider. Rules, limits and freezes hold for exactly that name, so no other name may look like it.
    pub fn identity(&mut self, pointer: &str, text: Option<&str>) {
        self.name(pointer, text);
        self.seen(pointer, text);
    }

    /// An agent's id. What a key speaks for is ids and patterns of them in which `*` stands for any characters, so no
    /// id may read as a pattern.
    pub fn agent(&mut self, pointer: &str, text: Option<&str>) {
        self.identity(pointer, text);
        self.one_agent(pointer, text);
    }

    /// The same of an agent's id that is an identity already.
    pub fn one_agent(&mut self, pointer: &str, text: Option<&str>) {
        self.refuse_if(text.is_some_and(|text| text.contains('*')), pointer, STARRED);
    }

    fn seen(&mut self, pointer: &str, text: Option<&str>) {
        // What is spelt in another way was refused already, and is looked at as it is to be spelt.
        let text = text.map(redact::composed);
        let other = text.is_some_and(|text| redact::unmistakable(&text) != text);
        self.refuse_if(other, pointer, NOT_SEEN);
    }

    /// What is compared with names, which come without what nobody sees of them: with such a character in it, as it may
    /// come along when a name is copied, it would meet none.
    pub fn open(&mut self, pointer: &str, text: &str) {
        self.refuse_if(redact::hides_something(text), pointer, HIDES);
    }

    /// What somebody says, of at most so many characters.
    pub fn words(&mut self, pointer: &str, text: Option<&str>, longest: usize) {
        self.content(pointer, text);
        // A text has no more characters than bytes: most need not be counted.
        if text.is_some_and(|text| text.len() > longest && text.chars().count() > longest) {
            self.refuse(pointer, format!("at most {longest} characters"));
        }
    }

    /// What went into a step or came out of it: the size of a request bounds it.
    pub fn content(&mut self, pointer: &str, text: Option<&str>) {
        // Neither store keeps U+0000 alike, so nobody gets to send it.
        if text.is_some_and(|text| text.contains('\0')) {
            self.refuse(pointer, redact::NUL);
        }
    }

    /// JSON that is content.
    pub fn json(&mut self, pointer: &str, text: Option<&str>) {
        if let Some(Err(fault)) = text.map(redact::check_json) {
            self.fault(pointer, fault);
        }
    }

    /// JSON that stands beside the steps.
    pub fn document(&mut self, pointer: &str, text: Option<&str>) {
        if text.is_some_and(|text| text.len() > bounds::DOCUMENT) {
            return self.refuse(pointer, format!("at most {} bytes", bounds::DOCUMENT));
        }
        self.json(pointer, text);
    }

    /// A run's metadata; gives the labels in it.
    pub fn metadata(&mut self, pointer: &str, text: Option<&str>) -> Vec<String> {
        let known = self.errors.len();
        self.document(pointer, text);
        let Some(text) = text.filter(|_| self.errors.len() == known) else { return Vec::new() };
        let mut metadata = match redact::read_json(text) {
            Ok(metadata) => metadata,
            Err(fault) => {
                self.fault(pointer, fault);
                return Vec::new();
            }
        };
        let pointer = format!("{pointer}/labels");
        let items = match metadata.get_mut("labels").map(Value::take) {
            None | Some(Value::Null) => return Vec::new(),
            Some(Value::Array(items)) => items,
            Some(_) => {
                self.refuse(&pointer, "must be a list of texts: rules read it as the run's labels");
                return Vec::new();
            }
        };
        let mut labels = Vec::with_capacity(items.len());
        for (at, item) in items.into_iter().enumerate() {
            match item {
                Value::String(label) => labels.push(label),
                _ => self.refuse(&format!("{pointer}/{at}"), "must be a text: rules read it as a label"),
            }
        }
        // With one that is none, the places of the others would be wrong.
        if self.errors.len() == known {
            self.labels(&pointer, &labels);
        }
        labels
    }

    /// Labels of a run or of a step: none looks like another. A secret in one is redacted.
    pub fn labels(&mut self, pointer: &str, labels: &[String]) {
        self.refuse_if(labels.len() > bounds::LABELS, pointer, format!("at most {}", bounds::LABELS));
        for (at, label) in labels.iter().take(bounds::LABELS).enumerate() {
            let pointer = format!("{pointer}/{at}");
            self.required(&pointer, label);
            self.words(&pointer, Some(label), bounds::NAME);
            self.composed(&pointer, Some(label));
            self.seen(&pointer, Some(label));
        }
    }

    /// A number that every reader of a record keeps whole.
    pub fn number(&mut self, pointer: &str, number: u64) {
        self.refuse_if(number > MAX_INTEGER, pointer, "must not be above 2^53");
    }

    /// An id, where one is given: `what` says of what.
    pub fn id<T: FromStr>(&mut self, pointer: &str, text: Option<&str>, what: &str) -> Option<T> {
        let parsed = text.map(str::parse).transpose();
        self.refuse_if(parsed.is_err(), pointer, format!("is no {what}'s id"));
        parsed.ok().flatten()
    }

    /// What was found, if nothing is wrong with it.
    pub fn take<T>(&mut self, found: Result<T, FieldErrors>) -> Option<T> {
        found.map_err(|errors| self.errors.extend(errors.0)).ok()
    }

    /// That nothing was wrong.
    pub fn done(self) -> Result<(), FieldErrors> {
        if self.errors.is_empty() { Ok(()) } else { Err(FieldErrors(self.errors)) }
    }

    fn fault(&mut self, pointer: &str, fault: Fault) {
        self.refuse(&format!("{pointer}{}", fault.pointer), fault.message);
    }
}

/// Whether the redactor would take a secret out of the text.
#[must_use]
pub fn holds_secret(text: &str) -> bool {
    !redact::redact_text(text).findings.secrets.is_empty()
}

/// Labels as they may be kept and as rules read them: redacted, each once, in order.
#[must_use]
pub fn kept_labels(labels: &[String]) -> Vec<String> {
    // What was escaped beside a secret may come out of its redaction as what nobody sees.
    let kept = |label: &String| redact::unmistakable(&redact::redact_text(label).value).into_owned();
    let kept: BTreeSet<String> = labels.iter().map(kept).collect();
    kept.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(of: impl FnOnce(&mut Check)) -> Vec<(String, String)> {
        let mut check = Check::default();
        of(&mut check);
        let errors = check.done().err().map(|errors| errors.0).unwrap_or_default();
        errors.into_iter().map(|error| (error.pointer, error.message)).collect()
    }

    fn pointers(of: impl FnOnce(&mut Check)) -> Vec<String> {
        faults(of).into_iter().map(|(pointer, _)| pointer).collect()
    }

    #[test]
    fn a_bound_counts_characters() {
        let name = |text: &str| pointers(|check| check.name("/agent_id", Some(text)));
        assert!(name(&"ä".repeat(bounds::NAME)).is_empty());
        assert_eq!(name(&"ä".repeat(bounds::NAME + 1)), ["/agent_id"]);
        assert_eq!(name("a\0b"), ["/agent_id"]);
        assert_eq!(name("ghp_16C7e42F292c6912E7710c838347Ae178B4a"), ["/agent_id"]);
        assert!(pointers(|check| check.name("/agent_id", None)).is_empty());
        let long = "x".repeat(bounds::REASON + 1);
        let told = faults(|check| check.words("/reason", Some(&long), bounds::REASON));
        assert_eq!(told, [("/reason".to_owned(), "at most 4000 characters".to_owned())]);
    }

    #[test]
    fn a_name_that_only_looks_like_anothers_is_refused() {
        let refused = |text: &str| {
            let name = pointers(|check| check.identity("/agent_id", Some(text)));
            let label = pointers(|check| check.labels("/labels", &["pii".to_owned(), text.to_owned()]));
            let metadata = serde_json::json!({ "labels": ["pii", text] }).to_string();
            let of_run = pointers(|check| drop(check.metadata("/metadata", Some(&metadata))));
            let refused = name == ["/agent_id"];
            assert_eq!(label.last().is_some_and(|at| at == "/labels/1"), refused, "{text:?}: {label:?}");
            assert_eq!(
                of_run.last().is_some_and(|at| at == "/metadata/labels/1"),
                refused,
                "{text:?}: {of_run:?}"
            );
            refused
        };
        for fine in [
            "billing-bot",
            "Rechnungs Bot é",
            "日本",
            "⚙️ builder",
            "👩‍💻",
            "бот",
            "a.b/c:d@e",
            "\u{645}\u{6cc}\u{200c}\u{62e}",
            "1\u{fe0f}\u{20e3} step",
            "⚡\u{fe0f} bot",
            "🏳\u{fe0f}\u{200d}🌈",
            "👩🏽\u{200d}💻",
            "🕵\u{fe0f}\u{200d}♂\u{fe0f}",
        ] {
            assert!(!refused(fine), "{fine}");
        }
        for odd in [
            "billing-bot ",
            " billing-bot",
            "billing-bot\n",
            "billing\tbot",
            "billing-bot\u{200b}",
            "billing-\u{200d}bot",
            "billing-bot\u{202e}",
            "\u{feff}billing-bot",
            "billing-bot\u{fe0f}",
            "run–\u{200d}shell",
            "run→\u{200d}shell",
            "a·\u{fe0e}\u{fe0e}b",
            "🚀\u{fe0f}\u{fe0f}",
            "🚀\u{200d}",
            "🚀\u{200d}\u{200d}🚀",
            "🚀\u{200d}a",
            "⚙\u{fe00}",
            "x\u{fe0f}\u{20e3}",
            "bill\u{ad}ing-bot",
            "a\u{2028}b",
            "\u{200b}",
            "billing-bot\u{a0}",
            "billing  bot",
            "billing\u{a0}bot",
            "billing\u{3000}bot",
            "billing\u{2800}bot",
            "billing-bot\u{fff9}",
            "billing\u{200c}-bot",
            "a\u{1b}[2Jb",
            "billing-bot\u{e0041}",
            "billing-bot\u{e000}",
            "billing-bot\u{fffe}",
            "billing\u{f0000}-bot",
        ] {
            assert!(refused(odd), "{odd:?}");
        }
    }

    #[test]
    fn an_agents_id_is_no_pattern_of_them() {
        for fine in ["billing-bot", "team/a.b", "bot (eu)", "a?b"] {
            assert!(pointers(|check| check.agent("/agent_id", Some(fine))).is_empty(), "{fine}");
        }
        for starred in ["*", "billing-*", "*-bot", "a*b"] {
            let told = faults(|check| check.agent("/agent_id", Some(starred)));
            assert!(
                matches!(&told[..], [(at, told)] if at == "/agent_id" && told.contains("no `*`")),
                "{told:?}"
            );
            assert!(pointers(|check| check.identity("/model", Some(starred))).is_empty(), "{starred}");
        }
        assert!(pointers(|check| check.agent("/agent_id", None)).is_empty());
        assert_eq!(pointers(|check| check.agent("/agent_id", Some("bot "))), ["/agent_id"]);
    }

    #[test]
    fn what_is_compared_is_spelt_in_one_way() {
        type Door = fn(&mut Check, &str);
        let doors: [Door; 6] = [
            |check, text| check.name("/x", Some(text)),
            |check, text| check.identity("/x", Some(text)),
            |check, text| check.agent("/x", Some(text)),
            |check, text| check.composed("/x", Some(text)),
            |check, text| check.labels("/x", &[text.to_owned()]),
            |check, text| {
                let metadata = serde_json::json!({ "labels": [text] }).to_string();
                check.metadata("/x", Some(&metadata));
            },
        ];
        for door in doors {
            for fine in ["cafe", "caf\u{e9}", "\u{d55c}\u{ae00}", "x\u{301}", "\u{0928}\u{0947}"] {
                assert!(pointers(|check| door(check, fine)).is_empty(), "{fine:?}");
            }
            for other in ["cafe\u{301}", "\u{212b}", "\u{1112}\u{1161}\u{11ab}", "a\u{323}\u{302}"] {
                let told = faults(|check| door(check, other));
                assert!(matches!(&told[..], [(_, told)] if told.contains("(NFC)")), "{other:?}: {told:?}");
            }
        }
    }

    #[test]
    fn labels_are_read_or_refused_and_never_passed_over() {
        let read = |metadata: &str| {
            let mut check = Check::default();
            let labels = check.metadata("/metadata", Some(metadata));
            check.done().map(|()| labels).map_err(|errors| errors.0[0].pointer.clone())
        };
        assert_eq!(read(r#"{"labels":["pii","a"]}"#), Ok(vec!["pii".to_owned(), "a".to_owned()]));
        assert_eq!(read(r#"{"\u006cabels":["pii"]}"#), Ok(vec!["pii".to_owned()]));
        for none in
            ["{}", "[]", "\"labels\"", r#"{"labels":null}"#, r#"{"labels":[]}"#, r#"{"a":{"labels":3}}"#]
        {
            assert_eq!(read(none), Ok(Vec::new()), "{none}");
        }
        let deep = format!(r#"{{"labels":["pii"],"n":{}{}}}"#, "[".repeat(127), "]".repeat(127));
        let many = serde_json::json!({ "labels": vec!["a"; bounds::LABELS + 1] }).to_string();
        let long = serde_json::json!({ "labels": ["a", "x".repeat(bounds::NAME + 1)] }).to_string();
        let large = format!(r#"{{"labels":["pii"],"n":"{}"}}"#, "x".repeat(bounds::DOCUMENT));
        for (text, pointer) in [
            (r#"{"labels":["pii"],"n":1e400}"#, "/metadata/n"),
            (r#"{"labels":["pii"],"labels":[]}"#, "/metadata/labels"),
            (r#"{"labels":"pii"}"#, "/metadata/labels"),
            (r#"{"labels":{"pii":true}}"#, "/metadata/labels"),
            (r#"{"labels":["pii",7]}"#, "/metadata/labels/1"),
            (r#"{"labels":["pii"," "]}"#, "/metadata/labels/1"),
            (r#"{"labels":["p\u0000"]}"#, "/metadata/labels/0"),
            (many.as_str(), "/metadata/labels"),
            (long.as_str(), "/metadata/labels/1"),
            (large.as_str(), "/metadata"),
        ] {
            assert_eq!(read(text), Err(pointer.to_owned()), "{text:.80}");
        }
        assert!(read(&deep).is_err_and(|pointer| pointer.starts_with("/metadata/n/0/0")));
    }

    #[test]
    fn what_is_no_id_is_refused() {
        let mut check = Check::default();
        assert_eq!(check.id::<models::ids::RunId>("/replay_of", None, "run"), None);
        assert_eq!(check.id::<models::ids::RunId>("/replay_of", Some("x"), "run"), None);
        assert_eq!(check.done().expect_err("one is none").0[0].pointer, "/replay_of");
    }
}
