//! Settings as they are printed, and words as a shell takes them.

use std::fmt;

use super::origin::{Name, Origin};

/// A word as a shell takes it for one.
pub(super) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// A setting as it is printed.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    pub(super) name: &'static Name,
    pub(super) value: ShownValue,
    pub(super) origin: Origin,
}

#[derive(Clone, Debug)]
pub(super) enum ShownValue {
    Text(String),
    Number(u64),
    List(Vec<String>),
}

impl Shown {
    pub(super) fn text(name: &'static Name, value: impl fmt::Display, origin: &Origin) -> Self {
        Self { name, value: ShownValue::Text(value.to_string()), origin: origin.clone() }
    }

    pub(super) fn number(name: &'static Name, value: impl TryInto<u64>, origin: &Origin) -> Self {
        let value = value.try_into().unwrap_or(u64::MAX);
        Self { name, value: ShownValue::Number(value), origin: origin.clone() }
    }

    pub(super) fn list(name: &'static Name, value: Vec<String>, origin: &Origin) -> Self {
        Self { name, value: ShownValue::List(value), origin: origin.clone() }
    }
}

impl ShownValue {
    pub(super) fn json(&self) -> serde_json::Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Number(number) => (*number).into(),
            Self::List(items) => items.as_slice().into(),
        }
    }
}

impl fmt::Display for ShownValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{}", toml::Value::from(text.as_str())),
            Self::Number(number) => write!(f, "{number}"),
            Self::List(items) => write!(f, "{}", toml::Value::from(items.clone())),
        }
    }
}
