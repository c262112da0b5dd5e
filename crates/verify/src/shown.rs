//! Texts of documents as they may be printed.
//!
//! A terminal acts on what it is sent: a bundle could clear the screen with its own text, write its own verdict, and
//! conceal the real one. So what is not drawn as a character of one line is printed as its escape.

use std::borrow::Cow;

/// The text, with everything that moves, hides or turns what stands beside it as an escape: control characters and line
/// ends, and Unicode's marks of direction, joiners and invisible blanks.
#[must_use]
pub fn shown(text: &str) -> Cow<'_, str> {
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let escaped = text.chars().flat_map(|c| {
        let escape = acts(c).then(|| c.escape_default());
        escape.into_iter().flatten().chain((!acts(c)).then_some(c))
    });
    Cow::Owned(escaped.collect())
}

fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn nothing_that_a_terminal_acts_on_is_left() {
        assert_eq!(shown("a plain text, é and 日本"), "a plain text, é and 日本");
        let spoof = "\u{1b}[2J\u{9b}8m\nCOMPLETE\r\u{7f}\t\u{202e}x\u{200b}\u{2028}";
        let told = shown(spoof);
        assert_eq!(told, r"\u{1b}[2J\u{9b}8m\nCOMPLETE\r\u{7f}\t\u{202e}x\u{200b}\u{2028}");
        assert!(!told.chars().any(super::acts));
    }
}
