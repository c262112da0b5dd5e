//! Parts of a run that have names of other things as well.

use crate::logs::redact::{
    fields::words,
    tree::Node,
    words::{items, joined, text_of},
};

/// What a member may be, where another says that something is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// A program by its file.
    Binary,
    /// What is a program only beside a list of arguments.
    File,
    /// One argument.
    Argument,
    /// What are arguments, unless they are told by their names.
    Options,
    /// What it reads.
    Input,
}

pub(super) fn part_of_a_run(name: &str) -> Option<Part> {
    let name = words(name).concat();
    let numbered = name
        .strip_prefix("arg")
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()));
    match name.as_str() {
        "binary" | "bin" | "exe" => Some(Part::Binary),
        "file" | "filename" | "path" | "name" | "process" | "app" | "application" | "tool" => {
            Some(Part::File)
        }
        "stdin" | "input" | "standardinput" | "stdincontent" => Some(Part::Input),
        "options" | "opts" | "params" | "parameters" | "switches" => Some(Part::Options),
        _ => numbered.then_some(Part::Argument),
    }
}

impl Part {
    /// What such a member says, on one line.
    pub(super) fn line(self, value: &Node<'_>) -> Option<String> {
        match self {
            Part::Options => items(value).and_then(|items| joined(&items)).or_else(|| {
                let text = text_of(value).filter(|text| !text.trim_start().starts_with(['{', '[']));
                text.map(str::to_owned)
            }),
            Part::Binary | Part::File | Part::Argument | Part::Input => text_of(value).map(str::to_owned),
        }
    }
}
