//! What was removed: classes and counts, never the values.

use std::collections::BTreeSet;

use rules::facts::{PiiClass, SecretKind};

/// What a removed value was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Personal data.
    Pii(PiiClass),
    /// A secret.
    Secret(SecretKind),
}

impl Class {
    /// As it stands in markers and facts: `EMAIL`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pii(class) => class.as_str(),
            Self::Secret(kind) => kind.as_str(),
        }
    }

    /// What stands in the place of a removed value.
    #[must_use]
    pub fn marker(self) -> String {
        format!("{OPENING}{}>", self.word())
    }
}

pub(super) const OPENING: &str = "<REDACTED:";

/// Whether a text is a marker and nothing else.
pub(super) fn is_marker(text: &str) -> bool {
    marker_at(text) == Some(text.len())
}

/// How long the marker is that a text begins with; `None` if it begins with none.
pub(super) fn marker_at(text: &str) -> Option<usize> {
    let word = text.strip_prefix(OPENING)?;
    let end = word.bytes().position(|byte| !byte.is_ascii_uppercase() && byte != b'_')?;
    (end > 0 && word.as_bytes()[end] == b'>').then_some(OPENING.len() + end + 1)
}

/// What the redactor found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Classes of personal data.
    pub classes: BTreeSet<PiiClass>,
    /// Kinds of secrets.
    pub secrets: BTreeSet<SecretKind>,
    /// How many values were removed.
    pub count: u64,
}

impl Findings {
    /// Adds what was found elsewhere.
    pub fn merge(&mut self, other: Self) {
        self.classes.extend(other.classes);
        self.secrets.extend(other.secrets);
        self.count += other.count;
    }

    /// Every class and kind found, sorted, comma separated: `sensitivity` of the activity evidence.
    #[must_use]
    pub fn labels(&self) -> String {
        let classes = self.classes.iter().map(|class| class.as_str());
        let words: BTreeSet<&str> = classes.chain(self.secrets.iter().map(|kind| kind.as_str())).collect();
        words.into_iter().collect::<Vec<_>>().join(",")
    }
}

/// A redacted value, and what was found in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redacted<T> {
    /// Safe to store.
    pub value: T,
    /// What was removed.
    pub findings: Findings,
}

/// Collects what is found. The raw values are kept only for who fingerprints them, and never leave the redactor.
#[derive(Default)]
pub(super) struct Found {
    log: Vec<(Class, String)>,
    keep_raw: bool,
    /// In how much that is encoded this is.
    level: u8,
}

impl Found {
    /// Keeps the raw values as well.
    pub(super) fn with_raw_values() -> Self {
        Self { keep_raw: true, ..Self::default() }
    }

    /// For what is encoded in something of that level.
    pub(super) fn within(level: u8) -> Self {
        Self { level: level + 1, ..Self::default() }
    }

    /// For what is only looked at.
    pub(super) fn aside(&self) -> Self {
        Self { level: self.level, ..Self::default() }
    }

    pub(super) fn level(&self) -> u8 {
        self.level
    }

    pub(super) fn add(&mut self, class: Class, raw: &str) {
        self.log.push((class, if self.keep_raw { raw.to_owned() } else { String::new() }));
    }

    /// Where the log stands now.
    pub(super) fn mark(&self) -> usize {
        self.log.len()
    }

    /// Forgets what was found since.
    pub(super) fn back_to(&mut self, mark: usize) {
        self.log.truncate(mark);
    }

    /// What was found, in order, raw.
    pub(super) fn raw_values(&self) -> &[(Class, String)] {
        &self.log
    }

    pub(super) fn findings(&self) -> Findings {
        let mut findings = Findings { count: self.log.len() as u64, ..Findings::default() };
        for (class, _) in &self.log {
            match class {
                Class::Pii(class) => findings.classes.insert(*class),
                Class::Secret(kind) => findings.secrets.insert(*kind),
            };
        }
        findings
    }
}
