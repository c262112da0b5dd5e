//! What is written where nothing is known.

/// What programs write for a name that they do not have, and OpenTelemetry where none of its words fits.
const WORDS: [&str; 12] = [
    "unknown",
    "none",
    "null",
    "undefined",
    "n/a",
    "unspecified",
    "unset",
    "not set",
    "not_given",
    "notgiven",
    "object object",
    "_other",
];

/// The same, as programs spell them: people are called Nan and Nil.
const EXACT: [&str; 4] = ["nil", "NIL", "nan", "NaN"];

/// Of what some say that it is not known: `unknown_tool`, `Unknown model`.
const UNKNOWN: [&str; 8] = ["model", "tool", "agent", "provider", "function", "name", "user", "system"];

/// Whether a text is no name, but what stands for one: `unknown`, `None`, `<null>`, in any case.
pub(super) fn is_no_name(text: &str) -> bool {
    let around = |c: char| c.is_whitespace() || "<>()[]{}\"'`".contains(c);
    let word = text.trim_matches(around);
    // A dash or a question mark stands for one too.
    if word.chars().all(|c| matches!(c, '-' | '?')) {
        return true;
    }
    let is = |known: &str| word.eq_ignore_ascii_case(known);
    let of_unknown = || {
        let (unknown, of) = word.split_once(['_', '-', ' '])?;
        let is_known = UNKNOWN.iter().any(|known| of.eq_ignore_ascii_case(known));
        Some(is_known && unknown.eq_ignore_ascii_case("unknown"))
    };
    WORDS.into_iter().any(is) || EXACT.contains(&word) || of_unknown().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_for_what_is_not_known_is_no_name() {
        for nothing in [
            "",
            " ",
            "unknown",
            "Unknown",
            " UNKNOWN\n",
            "None",
            "null",
            "NULL",
            "undefined",
            "N/A",
            "n/a",
            "<unknown>",
            "<none>",
            "(null)",
            "\"None\"",
            "[]",
            "{}",
            "nil",
            "NaN",
            "[object Object]",
            "-",
            "--",
            "???",
            "unset",
            "NOT_GIVEN",
            "NotGiven()",
            "unknown_tool",
            "Unknown Model",
            "unknown-agent",
        ] {
            assert!(is_no_name(nothing), "{nothing:?}");
        }
        for name in [
            "Nan",
            "Nil",
            "gpt-4o",
            "none-such",
            "unknown_service",
            "unknown_service:python",
            "nullify",
            "get_unknown",
            "na",
            "-rf",
            "+",
            "default",
            "undefined_behaviour",
            "unknown model of theirs",
        ] {
            assert!(!is_no_name(name), "{name:?}");
        }
    }
}
