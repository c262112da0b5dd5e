//! By what a model call is known, and whether it may be one of the calls that others tell of.

use std::sync::Arc;

use crate::words::CallClass;

/// Something that is known of a call of a class, or of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mark {
    pub(super) class: CallClass,
    pub(super) sign: Sign,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sign {
    /// There is one. Stands wherever another sign does.
    Any,
    /// One that names no model.
    Unnamed,
    /// There are more than are told apart.
    Many,
    /// One of a model of this family, by its number.
    Family(u32),
}

impl Mark {
    /// Whether it tells one call from others.
    const fn tells_apart(self) -> bool {
        matches!(self.sign, Sign::Family(_))
    }

    /// Whether any call of its class may be the one that it is of.
    const fn is_of_any(self) -> bool {
        matches!(self.sign, Sign::Unnamed | Sign::Many)
    }
}

/// So many families of a class are told apart, so that no shape of a trace costs hours. Of more, any call that tells no
/// use may be one.
const MOST: usize = 16;

/// The marks of a call, or of several, in order. Of most steps they are those of the step above or below, and kept once
/// for both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks(Option<Arc<Vec<Mark>>>);

impl Marks {
    pub(super) fn is_empty(&self) -> bool {
        self.all().is_empty()
    }

    /// The bytes of them, as if they were kept for one step alone.
    pub(super) fn weight(&self) -> usize {
        // Beside the list the two counters of who shares it.
        let list = size_of::<Vec<Mark>>() + 2 * size_of::<usize>();
        self.0.as_ref().map_or(0, |marks| list + marks.capacity() * size_of::<Mark>())
    }

    /// Whether they are those of the other, and kept once for both.
    pub(super) fn are_kept_with(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            _ => false,
        }
    }

    fn all(&self) -> &[Mark] {
        self.0.as_deref().map_or(&[], Vec::as_slice)
    }

    /// Whether one is of the same class as one of the others.
    pub(super) fn are_of_a_class_of(&self, others: &Self) -> bool {
        self.all().iter().any(|mark| others.are_of(mark.class))
    }

    /// Whether one is of this class.
    pub(super) fn are_of(&self, class: CallClass) -> bool {
        self.has(Mark { class, sign: Sign::Any })
    }

    /// Adds one. Whether that says something new.
    pub(super) fn add(&mut self, mark: Mark) -> bool {
        if self.says(mark) {
            return false;
        }
        let marks = Arc::make_mut(self.0.get_or_insert_default());
        let Err(at) = marks.binary_search(&mark) else { return false };
        marks.insert(at, mark);
        let is_one_of_them = |one: &Mark| one.class == mark.class && one.tells_apart();
        let is_many = mark.sign == Sign::Many;
        if is_many || marks.iter().copied().filter(is_one_of_them).count() > MOST {
            marks.retain(|one| !is_one_of_them(one));
        }
        if !is_many && marks.binary_search(&mark).is_err() {
            self.add(Mark { class: mark.class, sign: Sign::Many });
        }
        true
    }

    /// Adds those of others. Whether that says something new.
    pub(super) fn add_all(&mut self, others: &Self) -> bool {
        if others.cover(self) {
            // Together they say what the others do.
            let is_new = !self.cover(others);
            self.0.clone_from(&others.0);
            return is_new;
        }
        let mut is_new = false;
        for mark in others.all() {
            is_new |= self.add(*mark);
        }
        is_new
    }

    /// Whether the others say nothing that these do not.
    pub(super) fn cover(&self, others: &Self) -> bool {
        self.are_kept_with(others) || others.all().iter().all(|mark| self.says(*mark))
    }

    /// Whether a call with these marks may be one of those with the others: one of the same class that names a model of
    /// the same family; or that, as either may, names none.
    pub(super) fn may_be_of(&self, others: &Self) -> bool {
        let may = |mark: &Mark, of: &Self| {
            (mark.tells_apart() && of.has(*mark)) || (mark.is_of_any() && of.are_of(mark.class))
        };
        self.all().iter().any(|mark| may(mark, others)) || others.all().iter().any(|mark| may(mark, self))
    }

    /// The same of calls that tell no use: they are known by their names alone, and both name a model or neither does.
    pub(super) fn are_named_as(&self, others: &Self) -> bool {
        let is_many = |one: &Self, other: &Self| {
            one.all().iter().any(|mark| mark.sign == Sign::Many && other.are_of(mark.class))
        };
        let is_shared =
            |mark: &Mark| matches!(mark.sign, Sign::Unnamed | Sign::Family(_)) && others.has(*mark);
        self.all().iter().any(is_shared) || is_many(self, others) || is_many(others, self)
    }

    fn has(&self, mark: Mark) -> bool {
        self.all().binary_search(&mark).is_ok()
    }

    fn says(&self, mark: Mark) -> bool {
        let many = Mark { class: mark.class, sign: Sign::Many };
        self.has(mark) || (mark.tells_apart() && self.has(many))
    }
}

/// The family of a model: its name without whose it is, when it is of and which edition it is. None of a name that has
/// no part.
pub(super) fn family(name: &str) -> Option<String> {
    let name = name.to_ascii_lowercase();
    let mut name = name.rsplit('/').next().unwrap_or_default();
    let is_label = |label: &str| label.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    while let Some((_, rest)) = name.split_once('.').filter(|(label, _)| is_label(label)) {
        name = rest;
    }
    let parts: Vec<&str> =
        name.split(['-', '_', '.', ':', '@', ' ']).filter(|part| !part.is_empty()).collect();
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_edition =
        |part: &str| part == "latest" || is_number(part) || part.strip_prefix('v').is_some_and(is_number);
    let named = parts.iter().rposition(|part| !is_edition(part)).map_or(1, |last| last + 1);
    // A short number is which model it is: claude-sonnet-4-5.
    let begins = |part: &&str| matches!(*part, "latest" | "v1") || (is_number(part) && part.len() > 2);
    let of = parts.iter().skip(named).position(begins).map_or(parts.len(), |at| named + at);
    (!parts.is_empty()).then(|| parts[..of].join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_known_by_its_family() {
        for (family_of, names) in [
            ("gpt-4o", &["gpt-4o", "openai/gpt-4o", "GPT-4o-2024-08-06", "gpt-4o-latest"][..]),
            ("gpt-4o-mini", &["gpt-4o-mini", "gpt-4o-mini-2024-07-18"]),
            ("gpt-4", &["gpt-4", "gpt-4-0613"]),
            ("gpt-4-1", &["gpt-4.1", "gpt-4.1-2025-04-14"]),
            (
                "claude-sonnet-4-5",
                &[
                    "claude-sonnet-4-5",
                    "claude-sonnet-4-5@20250929",
                    "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
                    "global.anthropic.claude-sonnet-4-5-v1",
                ],
            ),
            ("claude-sonnet-4", &["claude-sonnet-4-20250514"]),
            ("gemini-2-0-flash", &["models/gemini-2.0-flash-001", "gemini-2.0-flash"]),
            ("titan-embed-text-v2-0", &["amazon.titan-embed-text-v2:0"]),
            ("o3", &["o3"]),
            ("2024", &["2024"]),
        ] {
            for name in names {
                assert_eq!(family(name).as_deref(), Some(family_of), "{name}");
            }
        }
        assert_eq!((family(""), family("-./")), (None, None));
    }

    #[test]
    fn equal_marks_are_kept_once() {
        let call = |of: u32| {
            let mut marks = Marks::default();
            marks.add(Mark { class: CallClass::Text, sign: Sign::Any });
            marks.add(Mark { class: CallClass::Text, sign: Sign::Family(of) });
            marks
        };
        let (one, mut both) = (call(1), call(1));
        assert!(!both.are_kept_with(&one) && !both.add_all(&one) && both.are_kept_with(&one), "the same");
        assert!(both.add_all(&call(2)) && !both.are_kept_with(&one), "more");
        let mut less = call(2);
        assert!(less.add_all(&both) && less.are_kept_with(&both), "all that the others say");
        assert_eq!(
            (one.cover(&both), one == call(1)),
            (false, true),
            "who shares marks gets none of another's"
        );
        let mut none = Marks::default();
        assert!(none.are_kept_with(&Marks::default()) && none.weight() == 0);
        assert!(none.add_all(&both) && none.are_kept_with(&both) && none.weight() == both.weight());
    }

    #[test]
    fn more_than_are_told_apart_are_any() {
        let mark = |of: u32| Mark { class: CallClass::Text, sign: Sign::Family(of) };
        let call = |of: u32| {
            let mut marks = Marks::default();
            marks.add(Mark { class: CallClass::Text, sign: Sign::Any });
            marks.add(mark(of));
            marks
        };
        let most = u32::try_from(MOST).expect("few");
        let mut all = Marks::default();
        for of in 0..most {
            assert!(all.add_all(&call(of)) && all.cover(&call(of)));
        }
        let another = call(most + 1);
        assert!(!all.cover(&another) && !another.may_be_of(&all) && !another.are_named_as(&all));
        assert!(all.add_all(&call(most)));
        assert!(all.cover(&another) && another.may_be_of(&all) && another.are_named_as(&all));
        assert!(call(0).may_be_of(&all), "as before");
        let mut other = Marks::default();
        other.add(Mark { class: CallClass::Embeddings, sign: Sign::Any });
        assert!(!other.may_be_of(&all) && !all.cover(&other), "of another class");
    }
}
