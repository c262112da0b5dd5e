//! Forms that make and change things: one shape for all of them. What is wrong stands at its field and in the form's
//! own words, and what was typed is kept.

use models::bounds;
use orchestrator::errors::FieldError;

use super::show;
use crate::extract::Amount;

/// A form, as its template draws it.
#[derive(Debug)]
pub(super) struct Form {
    pub(super) id: &'static str,
    pub(super) action: String,
    pub(super) submit: &'static str,
    pub(super) fields: Vec<Field>,
    /// The version that it changes, where it changes something.
    pub(super) version: Option<u64>,
    /// What is wrong that no field is to blame for.
    pub(super) others: Vec<String>,
}

/// How a field is filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Line,
    Text,
    Choice,
}

/// A field, with what stands in it.
#[derive(Debug)]
pub(super) struct Field {
    /// As the form sends it, and as the API names the member.
    pub(super) name: &'static str,
    /// As people read it.
    pub(super) label: &'static str,
    pub(super) hint: &'static str,
    pub(super) kind: Kind,
    pub(super) value: String,
    pub(super) required: bool,
    pub(super) longest: usize,
    /// What may be chosen: groups, of which one without a name is none.
    pub(super) choices: Vec<Choices>,
    /// It takes a line of its own.
    pub(super) wide: bool,
    /// Other members whose faults are told here: they are filled in by this field.
    also: &'static [&'static str],
    pub(super) faults: Vec<String>,
}

/// Words that belong together: each with what it means.
pub(super) type Choices = (&'static str, &'static [(&'static str, &'static str)]);

impl Field {
    fn of(kind: Kind, name: &'static str, label: &'static str, value: Option<&str>) -> Self {
        let value = value.unwrap_or_default().to_owned();
        let (hint, choices, also, faults) = ("", Vec::new(), [].as_slice(), Vec::new());
        let wide = kind == Kind::Text;
        Self {
            name,
            label,
            hint,
            kind,
            value,
            required: false,
            longest: bounds::NAME,
            choices,
            wide,
            also,
            faults,
        }
    }

    /// One line of text.
    pub(super) fn line(name: &'static str, label: &'static str, value: Option<&str>) -> Self {
        Self::of(Kind::Line, name, label, value)
    }

    /// Several lines.
    pub(super) fn text(name: &'static str, label: &'static str, value: Option<&str>) -> Self {
        Self::of(Kind::Text, name, label, value)
    }

    /// One word of several.
    pub(super) fn choice(name: &'static str, label: &'static str, value: &str, choices: &[Choices]) -> Self {
        Self { choices: choices.to_vec(), ..Self::of(Kind::Choice, name, label, Some(value)) }
    }

    pub(super) fn required(self) -> Self {
        Self { required: true, ..self }
    }

    pub(super) fn wide(self) -> Self {
        Self { wide: true, ..self }
    }

    pub(super) fn longest(self, longest: usize) -> Self {
        Self { longest, ..self }
    }

    pub(super) fn hint(self, hint: &'static str) -> Self {
        Self { hint, ..self }
    }

    pub(super) fn also(self, also: &'static [&'static str]) -> Self {
        Self { also, ..self }
    }

    pub(super) fn is_text(&self) -> bool {
        self.kind == Kind::Text
    }

    pub(super) fn is_choice(&self) -> bool {
        self.kind == Kind::Choice
    }

    fn is_for(&self, member: &str) -> bool {
        self.name == member || self.also.contains(&member)
    }
}

impl Form {
    pub(super) fn is_refused(&self) -> bool {
        !self.others.is_empty() || self.fields.iter().any(|field| !field.faults.is_empty())
    }

    /// With what is wrong, each thing at the field that it is about.
    pub(super) fn with(mut self, errors: Vec<FieldError>) -> Self {
        for FieldError { pointer, message } in errors {
            let member = pointer.trim_start_matches('/').split('/').next().unwrap_or_default();
            let message = show::sentence(&show::plain(&message));
            match self.fields.iter_mut().find(|field| field.is_for(member)) {
                Some(field) if !field.faults.contains(&message) => field.faults.push(message),
                Some(_) => {}
                None => self.others.push(message),
            }
        }
        self
    }

    /// With something that is wrong with no field of it.
    pub(super) fn refused(mut self, why: impl Into<String>) -> Self {
        self.others.push(why.into());
        self
    }
}

/// A field that must say something.
pub(super) fn needed(name: &str) -> FieldError {
    FieldError::new(format!("/{name}"), "is needed")
}

/// A number of a form, as people write it.
pub(super) fn amount(name: &str, text: Option<&str>) -> Result<Amount, FieldError> {
    let text = text.map(str::trim).filter(|text| !text.is_empty()).ok_or_else(|| needed(name))?;
    Amount::read(text).map_err(|err| {
        let message = format!("“{text}” {err}: write 40, 0.50 or 100000, without commas, blanks or signs");
        FieldError::new(format!("/{name}"), message)
    })
}

/// A whole number of a form, which may be left out.
pub(super) fn whole(name: &str, text: Option<&str>) -> Result<Option<u64>, FieldError> {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    let is_whole = |text: &&str| text.bytes().all(|b| b.is_ascii_digit());
    text.map(|text| Some(text).filter(is_whole).and_then(|text| text.parse().ok()).ok_or(text))
        .transpose()
        .map_err(|text| FieldError::new(format!("/{name}"), format!("“{text}” is no whole number")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_stands_at_its_field_and_names_no_pointer() {
        let fields = vec![
            Field::line("name", "Name", Some("a")),
            Field::line("window", "Window", None).also(&["window_seconds", "measurement_window_seconds"]),
        ];
        let form =
            Form { id: "f", action: String::new(), submit: "Go", fields, version: None, others: Vec::new() };
        let error = |pointer: &str, message: &str| FieldError::new(pointer, message);
        let form = form.with(vec![
            error("/name", "must be `b`"),
            error("/measurement_window_seconds", "is for THRESHOLD limits only"),
            error("/window_seconds", "is for THRESHOLD limits only"),
            error("/elsewhere/0", "is odd"),
        ]);
        assert_eq!(form.fields[0].faults, ["Must be “b”."]);
        assert_eq!(form.fields[1].faults, ["Is for THRESHOLD limits only."]);
        assert_eq!(form.others, ["Is odd."]);
    }

    #[test]
    fn numbers_are_read_as_people_write_them() {
        let billionths = |text: &str| amount("max_value", Some(text)).map(|amount| amount.billionths);
        assert_eq!(billionths(" 0.50 "), Ok(500_000_000));
        for odd in ["$5", "1,000", "five", "-1"] {
            let err = billionths(odd).expect_err(odd);
            assert!(err.pointer == "/max_value" && err.message.contains(odd), "{err:?}");
        }
        assert_eq!(billionths("").expect_err("nothing").message, "is needed");
        assert_eq!(
            (whole("w", Some("60")), whole("w", Some("")), whole("w", None)),
            (Ok(Some(60)), Ok(None), Ok(None))
        );
        for odd in ["6.5", "+6", "99999999999999999999"] {
            assert!(whole("w", Some(odd)).is_err(), "{odd}");
        }
    }
}
