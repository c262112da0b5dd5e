//! What is known of a line's variables: what the line itself sets plainly, as long as nothing in it may change that.

use std::collections::{BTreeMap, BTreeSet};

use super::line::{Command, Given, Held, Setting, Word};

/// Programs whose words with `=` set variables.
const EXPORTS: &[&str] = &["export", "declare", "local", "readonly", "typeset"];
/// Their options with which a variable is what it is set to.
const PLAIN_OPTIONS: &[&str] = &["-x", "-r", "-g", "-gx", "-xg", "-rx", "-xr"];
/// Programs that set, or may set, the variables which their words name.
#[rustfmt::skip]
const SETTERS: &[&str] = &[
    "read", "readarray", "mapfile", "unset", "getopts", "let", "declare", "local", "typeset", "set", "setenv", "vared", "coproc",
    "zparseopts", "foreach",
];
/// Those that do so behind an option alone.
const SETTERS_BY_OPTION: &[(&str, &str)] = &[("printf", "-v"), ("print", "-v"), ("wait", "-p")];
/// Programs that run what is elsewhere, as if it stood in the line.
const INCLUDES: &[&str] = &["source", ".", "eval"];
/// Words that begin and end what may run often, later, or not at all.
const OPENS: &[&str] = &["if", "while", "until", "for", "foreach", "select", "case", "{"];
const CLOSES: &[&str] = &["fi", "done", "esac", "}"];
/// What a shell has always set, so that what would stand there instead says nothing.
#[rustfmt::skip]
const OF_A_SHELL: &[&str] = &[
    "_", "REPLY", "MAPFILE", "OPTARG", "BASH", "SHELL", "HOME", "PWD", "OLDPWD", "PATH", "USER", "LOGNAME", "TERM", "HOSTNAME",
];

/// How a list goes on that is joined by `&&` and `||`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum List {
    #[default]
    First,
    And,
    Or,
}

/// What a variable is.
pub(super) enum Value<'v> {
    Known(&'v Held),
    /// The line sets it, or may set it, to what is not known.
    Unknown,
    /// The line does not set it.
    Outside,
}

/// Where a command stands in its line.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) list: List,
    /// In a shell of its own: between brackets, before or behind `|`, before `&`.
    pub(super) is_apart: bool,
}

pub(super) struct Variables {
    /// To what the line has set them so far; to nothing where that is not known.
    set: BTreeMap<String, Option<Held>>,
    /// What is set by the list that is read, and may not be where that breaks off.
    of_the_list: Vec<String>,
    /// What may be changed otherwise than by a plain setting, wherever that stands in the line.
    doubted: BTreeSet<String>,
    /// Something that was run may have set others.
    any: bool,
    /// How many of what may run often, later or not at all are open.
    blocks: usize,
    /// What was asked for in those: it may be set later, and asked for again.
    asked_in_blocks: BTreeSet<String>,
}

impl Variables {
    /// With what is `doubted` already, for a line that is read anew.
    pub(super) fn new(doubted: BTreeSet<String>) -> Self {
        Self {
            set: BTreeMap::from([("IFS".to_owned(), Some(Held { text: " ".to_owned(), unknown: None }))]),
            of_the_list: Vec::new(),
            doubted,
            any: false,
            blocks: 0,
            asked_in_blocks: BTreeSet::new(),
        }
    }

    pub(super) fn doubted(&self) -> &BTreeSet<String> {
        &self.doubted
    }

    /// All that the line sets, or may set.
    pub(super) fn given(self) -> Given<'static> {
        let mut names = self.doubted;
        names.extend(self.set.into_keys());
        Given { names, any: self.any, within: None }
    }

    pub(super) fn value(&self, name: &str) -> Value<'_> {
        if self.doubted.contains(name) {
            return Value::Unknown;
        }
        match self.set.get(name) {
            Some(Some(value)) => Value::Known(value),
            Some(None) => Value::Unknown,
            None => Value::Outside,
        }
    }

    /// Whether something in the line, or who runs it, may have set it to what is not known.
    pub(super) fn is_changed(&self, name: &str, given: &Given<'_>) -> bool {
        match self.value(name) {
            Value::Known(_) => false,
            Value::Unknown => true,
            Value::Outside => given.has(name),
        }
    }

    /// Whether what stands behind `:-` may be believed of a variable that the line does not set.
    pub(super) fn is_free(&self, name: &str, given: &Given<'_>) -> bool {
        is_name(name) && !self.any && !OF_A_SHELL.contains(&name) && !self.is_changed(name, given)
    }

    /// It was asked for; `is_within` where that stands between brackets.
    pub(super) fn ask(&mut self, name: &str, is_within: bool) {
        if (is_within || self.blocks > 0) && !self.asked_in_blocks.contains(name) {
            self.asked_in_blocks.insert(name.to_owned());
        }
    }

    pub(super) fn doubt(&mut self, name: &str) {
        if is_name(name) && !self.doubted.contains(name) {
            self.doubted.insert(name.to_owned());
        }
    }

    /// A word that may begin or end what runs often, later or not at all.
    pub(super) fn keyword(&mut self, word: &str) {
        if OPENS.contains(&word) {
            self.blocks += 1;
        } else if CLOSES.contains(&word) {
            self.blocks = self.blocks.saturating_sub(1);
        }
    }

    /// A list has come to its end, or to `||`: whether it ran to there is not known.
    pub(super) fn end_list(&mut self) {
        for name in std::mem::take(&mut self.of_the_list) {
            self.set.insert(name, None);
        }
    }

    /// What a command sets.
    pub(super) fn settle(&mut self, command: &mut Command, place: Place) {
        let settings = std::mem::take(&mut command.settings);
        let is_plain = is_of_settings(command) && !place.is_apart && self.blocks == 0;
        for Setting { name, value } in settings {
            let is_asked_later =
                self.asked_in_blocks.contains(&name) && self.set.get(&name).is_none_or(|old| *old != value);
            if !is_plain || place.list == List::Or || is_asked_later {
                // `a=x b` sets it for `b` alone.
                self.doubt(&name);
            }
            if place.list == List::And {
                self.of_the_list.push(name.clone());
            }
            self.set.insert(name, value);
        }
        self.touch(command);
    }

    /// What the words of a command may set: `read a`, `for a in`, `printf -v a`.
    fn touch(&mut self, command: &Command) {
        let words = &command.words;
        for at in command.programs() {
            let program = words[at].text.as_str();
            let others = &words[at + 1..];
            if INCLUDES.contains(&program) {
                self.include();
            } else if matches!(program, "for" | "select") {
                for word in others.iter().take(1) {
                    self.touch_word(word);
                }
            } else if SETTERS.contains(&program) || is_setter_by_option(program, others) {
                for word in others {
                    self.touch_word(word);
                }
            } else if EXPORTS.contains(&program) {
                // `export "$a"`: what is set is told elsewhere.
                let is_hidden = |word: &Word| word.unknown.is_some();
                if others.iter().any(is_hidden) {
                    self.include();
                }
            }
        }
    }

    fn touch_word(&mut self, word: &Word) {
        if word.unknown.is_some_and(|at| word.text.get(..at).is_none_or(|front| !front.contains('='))) {
            self.include();
        }
        let name = word.text.trim_start_matches('-');
        self.doubt(leading_name(name));
        // `printf -vx`
        if word.text.starts_with('-') {
            self.doubt(leading_name(name.get(1..).unwrap_or_default()));
        }
    }

    /// Anything may have been set.
    fn include(&mut self) {
        self.any = true;
        self.set.clear();
        self.of_the_list.clear();
        self.doubted.append(&mut self.asked_in_blocks);
    }

    /// What a word of a command sets, where it does.
    pub(super) fn setting(&mut self, command: &Command, word: &Word) -> Option<Setting> {
        let at = match command.words.first() {
            // A word that was put together is no setting, nor is one in quotes.
            None => word.equals?,
            Some(first) if EXPORTS.contains(&first.text.as_str()) => word.text.find('=')?,
            Some(_) => return None,
        };
        let (name, value) = (&word.text[..at], &word.text[at + 1..]);
        if is_name(name) {
            let is_known = !word.expands && word.choices.is_empty();
            let unknown = word.unknown.map(|unknown| unknown.saturating_sub(at + 1));
            let value = is_known.then(|| Held { text: value.to_owned(), unknown });
            return Some(Setting { name: name.to_owned(), value });
        }
        // `a+=x`, `a[0]=x`
        let front = leading_name(name);
        let is_part = name[front.len()..].starts_with('[') || &name[front.len()..] == "+";
        if !is_name(front) || !is_part {
            return None;
        }
        self.doubt(front);
        Some(Setting { name: front.to_owned(), value: None })
    }
}

/// Whether nothing else is in a command than settings, which last.
fn is_of_settings(command: &Command) -> bool {
    let mut words = command.words.iter().map(|word| word.text.as_str());
    words.next().is_none_or(|first| {
        EXPORTS.contains(&first) && words.all(|word| !word.starts_with('-') || PLAIN_OPTIONS.contains(&word))
    })
}

fn is_setter_by_option(program: &str, others: &[Word]) -> bool {
    SETTERS_BY_OPTION
        .iter()
        .any(|(name, option)| *name == program && others.iter().any(|word| word.text.starts_with(option)))
}

/// The name with which a text begins.
pub(super) fn leading_name(text: &str) -> &str {
    let of_a_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    &text[..text.find(|c| !of_a_name(c)).unwrap_or(text.len())]
}

/// Whether a text is the name of a variable.
pub(in super::super) fn is_name(text: &str) -> bool {
    !text.starts_with(|c: char| c.is_ascii_digit())
        && !text.is_empty()
        && leading_name(text).len() == text.len()
}
