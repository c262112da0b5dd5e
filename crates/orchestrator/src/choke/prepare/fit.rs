//! What an exporter of spans says, made fit for the door.
//!
//! It has happened, so none of it is refused: a name that is too long is cut and marked, one that holds a secret is
//! redacted, and what is no JSON to the door is kept as text. That something was cut is a fact (`content.truncated`),
//! so that a rule can ask for what is whole.

use std::borrow::Cow;

use engines::logs::redact::{self, check_json};
use models::bounds;
use proof::hash::sha256;
use serde_json::json;

/// So much of a text that is cut stays, in characters. The mark needs the rest.
const KEPT_OF_NAME: usize = bounds::NAME - 36;
/// However a character is escaped, so many of them are no more than a document may have.
const KEPT_OF_DOCUMENT: usize = bounds::DOCUMENT / 6 - 64;

/// Who says a name of which nothing is seen.
const NAMELESS: &str = "nameless";

/// Makes the texts of a span, or of who sent it, fit.
#[derive(Debug, Default)]
pub(crate) struct Fit {
    /// Something is not as it was said.
    pub(crate) cut: bool,
}

impl Fit {
    /// A name, composed: whatever it is spelt like, it is the same one.
    pub(crate) fn name(&mut self, name: String) -> String {
        let name = self.short(composed(name));
        // What follows a letter's end may be its accent, once what stood between them is gone.
        composed(name)
    }

    fn short(&mut self, name: String) -> String {
        if name.len() > bounds::NAME && name.chars().count() > bounds::NAME {
            self.cut = true;
            return cut_name(&redact::redact_text(&name).value);
        }
        let redacted = redact::redact_text(&name);
        if redacted.findings.secrets.is_empty() {
            return name;
        }
        // Markers may be longer than what they stand for.
        if redacted.value.chars().count() > bounds::NAME {
            self.cut = true;
            return cut_name(&redacted.value);
        }
        redacted.value
    }

    /// The name of an agent, a project, a tool: what is set for one holds for spans that only look like its own, too.
    pub(crate) fn identity(&mut self, name: String) -> String {
        self.seen(name).unwrap_or_else(|| NAMELESS.to_owned())
    }

    /// The same of what need not be named: none where nothing is seen of it.
    pub(crate) fn identity_said(&mut self, name: Option<String>) -> Option<String> {
        name.and_then(|name| self.seen(name))
    }

    /// The name of an agent, with `_` for each `*`: as a pattern of a key's agents it would stand for others too.
    pub(crate) fn agent(&mut self, mut name: String) -> String {
        // What was escaped in it may come out of the redaction as one.
        for _ in 0..2 {
            if name.contains('*') {
                self.cut = true;
                name = name.replace('*', "_");
            }
            name = self.identity(name);
        }
        if name.contains('*') { mark(&name) } else { name }
    }

    /// What the skill of a call is called, which begins with the model's provider where one is told: that one as it is
    /// now.
    pub(crate) fn skill(&mut self, skill: String, provider: Option<&str>) -> String {
        let parts =
            provider.and_then(|provider| Some((provider, skill.strip_prefix(provider)?.strip_prefix('.')?)));
        let skill = match parts {
            Some((provider, call)) => match self.identity_said(Some(provider.to_owned())) {
                Some(provider) => format!("{provider}.{call}"),
                None => call.to_owned(),
            },
            None => skill,
        };
        self.identity(skill)
    }

    fn seen(&mut self, name: String) -> Option<String> {
        let name = match redact::unmistakable(&name) {
            seen if *seen == *name => name,
            seen => {
                self.cut = true;
                seen.into_owned()
            }
        };
        let name = self.name(name);
        // What was escaped in it may come out of the redaction as what nobody sees.
        let name = match redact::unmistakable(&name) {
            seen if *seen == *name => name,
            seen => {
                self.cut = true;
                self.name(seen.into_owned())
            }
        };
        Some(name).filter(|name| !name.is_empty())
    }

    /// JSON of what went in or came out; where it is none, its text, as `member` of an object.
    pub(crate) fn json(&mut self, member: &str, text: String) -> String {
        if check_json(&text).is_ok() {
            return text;
        }
        self.cut = true;
        json!({ member: text.replace('\0', "\u{fffd}") }).to_string()
    }

    /// JSON that stands beside the steps, and may not be long.
    pub(crate) fn document(&mut self, text: String) -> String {
        let text = self.json("text", text);
        if text.len() <= bounds::DOCUMENT {
            return text;
        }
        self.cut = true;
        // By the names of its members more is redacted than by its text alone.
        let redacted = redact::redact_json(&text).map_or_else(|_| String::new(), |redacted| redacted.value);
        let kept: String = redacted.chars().take(KEPT_OF_DOCUMENT).collect();
        json!({ "text": format!("{kept}{}", mark(&redacted)) }).to_string()
    }
}

fn composed(text: String) -> String {
    match redact::composed(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(composed) => composed,
    }
}

/// The beginning, and a mark that says how long it was and tells it from others of the same beginning.
fn cut_name(name: &str) -> String {
    let mark = mark(name);
    let kept: String = name.chars().take(KEPT_OF_NAME).collect();
    // What is cut in two may look like what the whole was not.
    let cut = redact::redact_text(&format!("{kept}{mark}")).value;
    if cut.chars().count() <= bounds::NAME { cut } else { mark }
}

fn mark(text: &str) -> String {
    let digest = sha256(text.as_bytes()).to_string();
    format!("...<CUT:{}:{}>", text.chars().count(), &digest[..16])
}

#[cfg(test)]
mod tests {
    use engines::check::Check;
    use proptest::prelude::*;

    use super::*;

    fn passes(of: impl FnOnce(&mut Check)) -> bool {
        let mut check = Check::default();
        of(&mut check);
        check.done().is_ok()
    }

    #[test]
    fn a_long_name_is_cut_marked_and_still_itself() {
        let mut fit = Fit::default();
        assert_eq!(fit.name("search".to_owned()), "search");
        assert!(!fit.cut);
        let (one, other) = ("a".repeat(9_000), "a".repeat(9_001));
        let cut = fit.name(one.clone());
        assert!(fit.cut && cut.starts_with("aaaa") && cut.contains("...<CUT:9000:"), "{cut}");
        assert_eq!(cut, Fit::default().name(one));
        assert_ne!(cut, Fit::default().name(other), "another name stays another");
    }

    #[test]
    fn a_name_in_another_spelling_is_the_same_name() {
        for spelt in ["caf\u{e9}", "cafe\u{301}", "cafe\u{301}\u{200b}"] {
            assert_eq!(Fit::default().identity(spelt.to_owned()), "caf\u{e9}");
        }
        assert_eq!(Fit::default().name("cafe\u{301}".to_owned()), "caf\u{e9}");
    }

    #[test]
    fn what_nobody_sees_of_a_name_makes_no_other_one() {
        let seen = |name: &str| {
            let mut fit = Fit::default();
            (fit.identity_said(Some(name.to_owned())), fit.cut)
        };
        let search = || Some("web search".to_owned());
        assert_eq!(seen("web search"), (search(), false));
        for odd in ["web search ", "\tweb search", "web\u{200b} search\u{feff}", "web search \u{ad} "] {
            assert_eq!(seen(odd), (search(), true), "{odd:?}");
        }
        assert_eq!(seen(" \u{200b} "), (None, true));
        assert_eq!(Fit::default().identity("\u{200b}".to_owned()), NAMELESS);
        let skill = |provider: &str| Fit::default().skill(format!("{provider}.chat"), Some(provider));
        for provider in ["openai", "openai \u{200b}", "open\u{ad}ai"] {
            assert_eq!(skill(provider), "openai.chat", "{provider:?}");
        }
        assert_eq!(skill("\u{200b}"), "chat");
        assert_eq!(Fit::default().skill("run_shell ".to_owned(), Some("openai")), "run_shell");
    }

    #[test]
    fn an_agents_name_is_no_pattern_of_others() {
        let agent = |name: &str| {
            let mut fit = Fit::default();
            (fit.agent(name.to_owned()), fit.cut)
        };
        assert_eq!(agent("billing bot"), ("billing bot".to_owned(), false));
        assert_eq!(agent("billing-*"), ("billing-_".to_owned(), true));
        assert_eq!(agent("*"), ("_".to_owned(), true));
        assert_eq!(agent("\u{200b}"), (NAMELESS.to_owned(), true));
    }

    #[test]
    fn what_is_no_json_to_the_door_is_kept_as_text() {
        let deep = format!("{}{}", "[".repeat(127), "]".repeat(127));
        for text in ["{\"a\":1e309}", "{\"a\":1,\"a\":2}", "{\"a\":\"\\u0000\"}", "{\"a\":", &deep] {
            let mut fit = Fit::default();
            let kept = fit.json("input", text.to_owned());
            assert!(fit.cut, "{text}");
            let read: serde_json::Value = serde_json::from_str(&kept).expect("is JSON");
            assert_eq!(read["input"], text);
        }
        let mut fit = Fit::default();
        assert_eq!(fit.json("input", "{\"a\": 1.0}".to_owned()), "{\"a\": 1.0}");
        assert!(!fit.cut);
    }

    #[test]
    fn what_is_escaped_in_an_identity_hides_nothing() {
        let escaped = "password=password=password=password=A\\npassword=password=".to_owned();
        let name = Fit::default().identity(escaped);
        assert!(passes(|check| check.identity("", Some(&name))), "{name}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whatever_is_said_passes_the_door(
            text in "[\\PC\u{300}-\u{345}\u{200d}\u{fe0f}]{0,300}",
            part in prop_oneof![
                Just("*"), Just("password=\\u002a"), Just("e\u{301}"), Just("\u{338}"), Just("\u{fb2c}"), Just("e\u{fe0f}\u{302}\u{fe0f}\u{301}\u{fe0f}"),
                Just("password="), Just("Bearer "), Just("ghp_16C7e42F292c6912E7710c838347Ae178B4a"), Just("a@b.example "),
                Just("\u{1}\"\\"), Just("x"),
            ],
            times in 0..200_usize,
        ) {
            let long = format!("{}{text}{}", part.repeat(times), part.repeat(times / 2));
            let name = Fit::default().name(long.clone());
            prop_assert!(passes(|check| check.name("", Some(&name))), "{}", name);
            let name = Fit::default().identity(long.clone());
            prop_assert!(passes(|check| check.identity("", Some(&name))), "{}", name);
            let name = Fit::default().agent(long.clone());
            prop_assert!(passes(|check| check.agent("", Some(&name))), "{}", name);
            prop_assert!(passes(|check| check.required("", &name)), "{}", name);
            let name = Fit::default().skill(format!("{long}.chat"), Some(&long));
            prop_assert!(passes(|check| check.identity("", Some(&name))), "{}", name);
            prop_assert!(passes(|check| check.required("", &name)), "{}", name);
            let name = Fit::default().identity_said(Some(long.clone()));
            prop_assert!(passes(|check| check.identity("", name.as_deref())), "{:?}", name);
            let json = Fit::default().json("input", long.clone());
            prop_assert!(passes(|check| check.json("", Some(&json))), "{}", json);
            let document = Fit::default().document(json!({ "a": long.repeat(9) }).to_string());
            prop_assert!(passes(|check| check.document("", Some(&document))), "{}", document);
        }
    }
}
