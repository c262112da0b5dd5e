//! What a terminal does not show: sequences that set colours, move the cursor or name a link (ECMA-48). Programs write
//! them around a value, so the letter that ends one stands right before it, as if it were of the same word.

const ESCAPE: u8 = 0x1b;
/// A sequence's beginning as one character (C1), in UTF-8.
const CSI: &str = "\u{9b}";

/// The text as a terminal shows it; `None` if that is as it is. Of a colour whose escape character was lost, or is
/// spelt `^[` as logs have it, `[1;31m`, nothing is shown either.
pub(super) fn shown(text: &str) -> Option<String> {
    let (mut kept, mut copied) = (String::new(), 0);
    for (at, _) in text.match_indices(['\u{1b}', '\u{9b}', '[', '^']) {
        let length = if at < copied { None } else { length(&text[at..]) };
        let Some(length) = length else { continue };
        kept.push_str(&text[copied..at]);
        copied = at + length;
    }
    (copied > 0).then(|| kept + &text[copied..])
}

/// How long what is not shown is at the beginning of such a rest.
fn length(rest: &str) -> Option<usize> {
    if rest.as_bytes()[0] == ESCAPE {
        return Some(sequence(rest.as_bytes()));
    }
    if let Some(behind) = rest.strip_prefix(CSI) {
        return Some(CSI.len() + control(behind.as_bytes()).unwrap_or(0));
    }
    let bare = rest.strip_prefix("^[").unwrap_or(rest).strip_prefix('[')?;
    let numbers = bare.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b';').count();
    let ends = numbers > 0 && bare[numbers..].starts_with('m');
    ends.then(|| rest.len() - bare.len() + numbers + 1)
}

/// How long the sequence is that an escape character begins. What a program tells the terminal in words (a title, the
/// target of a link) stays, for it is read by others.
fn sequence(bytes: &[u8]) -> usize {
    match bytes.get(1) {
        Some(b'[') => 2 + control(&bytes[2..]).unwrap_or(0),
        Some(b']') => {
            2 + bytes[2..].iter().take_while(|byte| byte.is_ascii_digit() || **byte == b';').count()
        }
        Some(0x20..=0x2f) => {
            let between = bytes[1..].iter().take_while(|byte| matches!(byte, 0x20..=0x2f)).count();
            let ends = bytes.get(1 + between).is_some_and(|byte| matches!(byte, 0x30..=0x7e));
            1 + between + usize::from(ends)
        }
        Some(b'=' | b'>' | b'7' | b'8' | b'c' | b'D' | b'E' | b'H' | b'M' | b'\\') => 2,
        _ => 1,
    }
}

/// How long the rest of a control sequence is: parameters, what may stand between, and the letter that ends it.
fn control(bytes: &[u8]) -> Option<usize> {
    let count =
        |from: usize, is_of: fn(&u8) -> bool| bytes[from..].iter().take_while(|byte| is_of(byte)).count();
    let parameters = count(0, |byte| matches!(byte, 0x30..=0x3f));
    let end = parameters + count(parameters, |byte| matches!(byte, 0x20..=0x2f));
    bytes.get(end).is_some_and(|byte| matches!(byte, 0x40..=0x7e)).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_shows_no_sequence() {
        for (text, is) in [
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{1b}[38;5;12;1mred\u{1b}[m\u{1b}[K", "red"),
            ("\u{9b}31mred\u{9b}0m", "red"),
            ("\u{1b}[31", "31"),
            ("\u{1b}[\u{e9}", "\u{e9}"),
            ("\u{1b}(Bplain\u{1b}=\u{1b}7", "plain"),
            ("\u{1b}]8;;https://h.example\u{1b}\\link\u{1b}]8;;\u{1b}\\", "https://h.examplelink"),
            ("a\u{1b}", "a"),
            ("a\u{1b}\u{1b}[1mb", "ab"),
            ("r\u{1b}m", "rm"),
            ("\u{1b}\u{e9}", "\u{e9}"),
            ("[31mred[0m", "red"),
            ("^[[1;31mred^[[0m", "red"),
            ("a[0] = b[1m", "a[0] = b"),
        ] {
            assert_eq!(shown(text).as_deref(), Some(is), "{text:?}");
        }
        assert_eq!(shown("plain a[0], [m, [;x, ^[, [1"), None);
    }
}
