//! What a text says to whoever reads it in the end: without characters that nobody sees, and with the escapes of
//! broken JSON and of URLs decoded. Texts are scanned in this form too, so that neither hides a secret.

use std::borrow::Cow;

use unicode_normalization::{UnicodeNormalization as _, is_nfc};

use super::{references, terminal};

/// An escape may stand for a piece of another one: so many times over. Each time costs six characters for one.
const MAX_PASSES: usize = 12;

/// Whether a character is drawn as nothing (Unicode's Default_Ignorable_Code_Point), or as a blank that is none: the
/// cell of Braille without a dot, and what anchors notes between lines.
fn is_ignorable(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a character is one of nobody's, or of whoever made a font: elsewhere nothing is seen of it.
fn is_unassigned(c: char) -> bool {
    matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{fdd0}'..='\u{fdef}' | '\u{fffe}'..='\u{ffff}' | '\u{f0000}'..='\u{10ffff}')
}

/// Whether a character can be read by nobody: a control character that is no blank, or what is kept in place of one.
pub(super) fn is_illegible(c: char) -> bool {
    c == char::REPLACEMENT_CHARACTER || c.is_control() && !c.is_whitespace()
}

/// The text without characters that nobody sees.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || !text.contains(is_ignorable) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().filter(|c| !is_ignorable(*c)).collect())
}

/// The text in Unicode's composed form (NFC). Some letters can be spelt in several ways, `é` as one character or as an
/// `e` with an accent behind it, which are one text to every reader and two to whoever compares bytes.
#[must_use]
pub fn composed(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc(text) { Cow::Borrowed(text) } else { Cow::Owned(text.nfc().collect()) }
}

/// A name as it is told from others: without what nobody sees of it, and composed.
#[must_use]
pub fn unmistakable(name: &str) -> Cow<'_, str> {
    let mut name = composed(name);
    // What goes may have stood between a letter and its accent; few letters have room for more than two.
    loop {
        let seen = seen_of(&name);
        if *seen == *name {
            drop(seen);
            return name;
        }
        let next = composed(&seen).into_owned();
        drop(seen);
        name = Cow::Owned(next);
    }
}

/// A name without what nobody sees of it: blanks around it, control characters, marks of direction, invisible blanks.
/// Blanks within it are one U+0020, for nobody sees which they are. What joins or shapes pictures stays with them, and
/// goes elsewhere.
fn seen_of(name: &str) -> Cow<'_, str> {
    let mut seen = String::with_capacity(name.len());
    for (before, c, after) in beside(name) {
        if c.is_whitespace() {
            if !seen.is_empty() && !seen.ends_with(' ') {
                seen.push(' ');
            }
        } else if !c.is_control() && !is_hidden(before, c, after) {
            seen.push(c);
        }
    }
    let kept = seen.trim_end();
    if kept == name { Cow::Borrowed(name) } else { Cow::Owned(kept.to_owned()) }
}

/// Each character with those beside it.
fn beside(text: &str) -> impl Iterator<Item = (Option<char>, char, Option<char>)> {
    let before = std::iter::once(None).chain(text.chars().map(Some));
    let after = text.chars().skip(1).map(Some).chain(std::iter::once(None));
    before.zip(text.chars()).zip(after).map(|((before, c), after)| (before, c, after))
}

/// Whether nothing is seen of a character between those two.
fn is_hidden(before: Option<char>, c: char, after: Option<char>) -> bool {
    // `⚙️`: a picture is told to be one, once.
    let shapes = matches!(c, '\u{fe0e}' | '\u{fe0f}') && before.is_some_and(is_picture);
    // `👩‍💻`: two are one picture.
    let joins = c == '\u{200d}'
        && before.is_some_and(|c| c == '\u{fe0f}' || is_picture(c))
        && after.is_some_and(is_picture);
    // `1️⃣`: what makes a picture of a digit.
    let is_keycap = c == '\u{fe0f}'
        && after == Some('\u{20e3}')
        && before.is_some_and(|c| c.is_ascii_digit() || matches!(c, '#' | '*'));
    // Persian is written so, and some of the scripts of India (UAX 31).
    let parts = c == '\u{200c}' && before.is_some_and(is_joined) && after.is_some_and(is_joined);
    (is_ignorable(c) || is_unassigned(c) || matches!(c, '\u{2028}' | '\u{2029}'))
        && !(shapes || joins || is_keycap || parts)
}

/// Whether a character is drawn as a picture, or can be: Unicode's Extended_Pictographic, by its blocks where it has
/// most of one.
fn is_picture(c: char) -> bool {
    matches!(c,
        '\u{a9}' | '\u{ae}' | '\u{203c}' | '\u{2049}' | '\u{2122}' | '\u{2139}' | '\u{2194}'..='\u{2199}'
        | '\u{21a9}'..='\u{21aa}' | '\u{231a}'..='\u{231b}' | '\u{2328}' | '\u{23cf}' | '\u{23e9}'..='\u{23f3}'
        | '\u{23f8}'..='\u{23fa}' | '\u{24c2}' | '\u{25aa}'..='\u{25ab}' | '\u{25b6}' | '\u{25c0}'
        | '\u{25fb}'..='\u{25fe}' | '\u{2600}'..='\u{27bf}' | '\u{2934}'..='\u{2935}' | '\u{2b05}'..='\u{2b07}'
        | '\u{2b1b}'..='\u{2b1c}' | '\u{2b50}' | '\u{2b55}' | '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}'
        | '\u{1f000}'..='\u{1faff}')
}

/// Whether a letter is of a script whose letters join: Arabic, and those of India.
fn is_joined(c: char) -> bool {
    matches!(c, '\u{620}'..='\u{6ff}' | '\u{750}'..='\u{77f}' | '\u{8a0}'..='\u{8ff}' | '\u{900}'..='\u{dff}')
}

/// Whether a text has a character in it of which nothing is seen, as it may come along when a name is copied.
#[must_use]
pub fn hides_something(text: &str) -> bool {
    !text.is_ascii() && beside(text).any(|(before, c, after)| is_hidden(before, c, after))
}

/// The text as it reads in the end; `None` if it reads as it is.
pub(super) fn unveil(text: &str) -> Option<String> {
    let mut unveiled: Option<String> = None;
    for _ in 0..MAX_PASSES {
        let now = unveiled.as_deref().unwrap_or(text);
        let seen = visible(now);
        let decoded = decode(&seen)
            .or_else(|| decode_url(&seen))
            .or_else(|| references::read(&seen))
            .or_else(|| terminal::shown(&seen))
            .or_else(|| narrow(&seen));
        let next = match (decoded, seen) {
            (Some(decoded), _) => decoded,
            (None, Cow::Owned(seen)) => seen,
            (None, Cow::Borrowed(_)) => break,
        };
        unveiled = Some(next);
    }
    unveiled
}

/// Decodes the escapes of JSON and its relatives, however many backslashes they have from being in strings in strings.
fn decode(text: &str) -> Option<String> {
    let mut rest = text;
    let mut decoded: Option<String> = None;
    while let Some(at) = rest.find('\\') {
        let out = decoded.get_or_insert_with(|| String::with_capacity(text.len()));
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        rest = rest.trim_start_matches('\\');
        loop {
            let (character, length) = escaped(rest);
            rest = &rest[length..];
            match character {
                // One that was itself spelt as an escape begins one; with another escape behind it in the next pass.
                Some('\\') if !rest.starts_with('\\') => {}
                Some(character) => {
                    out.push(character);
                    break;
                }
                None => break,
            }
        }
    }
    decoded.map(|out| out + rest)
}

/// Decodes the escapes of URLs that stand for ASCII, as names and secrets are.
fn decode_url(text: &str) -> Option<String> {
    let (mut decoded, mut copied) = (String::new(), 0);
    for (at, _) in text.match_indices('%').filter(|(at, _)| at + 2 < text.len()) {
        let code = if at < copied { None } else { unit(&text[at..], 2) };
        let Some(code @ (0x09 | 0x0a | 0x0d | 0x20..=0x7e)) = code else { continue };
        decoded.push_str(&text[copied..at]);
        decoded.extend(char::from_u32(code));
        copied = at + 3;
    }
    (copied > 0).then(|| decoded + &text[copied..])
}

/// Letters, digits and signs of full width as they are elsewhere (`\u{ff50}` is a `p`); `None` if there are none. Their
/// punctuation alone is how Chinese and Japanese are written.
fn narrow(text: &str) -> Option<String> {
    let is_wide = |c: char| matches!(c, '\u{ff10}'..='\u{ff19}' | '\u{ff1d}' | '\u{ff21}'..='\u{ff3a}' | '\u{ff41}'..='\u{ff5a}');
    if text.is_ascii() || !text.contains(is_wide) {
        return None;
    }
    let narrowed = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        c => c,
    };
    Some(text.chars().map(narrowed).collect())
}

/// What the escape stands for that goes on so behind its backslash, and how long that is.
fn escaped(rest: &str) -> (Option<char>, usize) {
    let simple = |character| (Some(character), 1);
    match rest.as_bytes().first() {
        Some(b'n') => simple('\n'),
        Some(b't') => simple('\t'),
        Some(b'r') => simple('\r'),
        Some(b'b' | b'f') => simple(' '),
        // `\e[31m` and `\033[31m`, as shells spell what begins a colour.
        Some(b'e' | b'E') if rest[1..].starts_with('[') => simple('\u{1b}'),
        Some(b'0') if rest.starts_with("033[") => (Some('\u{1b}'), 3),
        Some(b'u' | b'U') if rest[1..].starts_with('{') => {
            let digits = rest[2..].bytes().take(7).take_while(u8::is_ascii_hexdigit).count();
            let closed = rest.as_bytes().get(2 + digits) == Some(&b'}');
            if digits > 0 && closed { (hex(&rest[2..2 + digits]), digits + 3) } else { (None, 0) }
        }
        Some(b'u') => match unit(rest, 4) {
            Some(high @ 0xd800..=0xdbff) => {
                let after = rest[5..].trim_start_matches('\\');
                let low = (after.len() < rest.len() - 5).then(|| unit(after, 4)).flatten();
                match low {
                    Some(low @ 0xdc00..=0xdfff) => {
                        let code = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                        (char::from_u32(code), rest.len() - after.len() + 5)
                    }
                    _ => (Some(char::REPLACEMENT_CHARACTER), 5),
                }
            }
            Some(code) => (Some(storable(code)), 5),
            None => (None, 0),
        },
        Some(b'U') => unit(rest, 8).map_or((None, 0), |code| (Some(storable(code)), 9)),
        Some(b'x') => unit(rest, 2).map_or((None, 0), |code| (Some(storable(code)), 3)),
        _ => (None, 0),
    }
}

/// The number of so many hexadecimal digits behind the first byte.
fn unit(rest: &str, digits: usize) -> Option<u32> {
    let digits = rest.as_bytes().get(1..=digits).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

fn hex(digits: &str) -> Option<char> {
    u32::from_str_radix(digits, 16).ok().map(storable)
}

/// U+0000 is kept by neither store, and half a surrogate pair by none.
fn storable(code: u32) -> char {
    char::from_u32(code).filter(|c| *c != '\0').unwrap_or(char::REPLACEMENT_CHARACTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_spelt_in_two_ways_is_one_name() {
        for (name, is) in [
            ("caf\u{e9}-bot", "caf\u{e9}-bot"),
            ("cafe\u{301}-bot", "caf\u{e9}-bot"),
            ("cafe\u{200b}\u{301}-bot ", "caf\u{e9}-bot"),
            ("e\u{302}\u{fe0f}\u{301}\u{fe0f}", "\u{1ebf}"),
            ("\u{212b}", "\u{c5}"),
            ("\u{1112}\u{1161}\u{11ab}", "\u{d55c}"),
            ("\u{200b}\u{301}", "\u{301}"),
            (" \u{200b} ", ""),
            ("bot\u{e000}\u{10fffd}", "bot"),
            ("run\u{2013}\u{200d}shell", "run\u{2013}shell"),
            ("a\u{b7}\u{fe0e}\u{fe0e}b", "a\u{b7}b"),
            ("\u{1f680}\u{fe0f}\u{fe0f}\u{200d}", "\u{1f680}\u{fe0f}"),
            ("x\u{fe0f}\u{200d}\u{1f680}", "x\u{1f680}"),
            ("\u{1f3f3}\u{fe0f}\u{200d}\u{1f308}", "\u{1f3f3}\u{fe0f}\u{200d}\u{1f308}"),
        ] {
            let one = unmistakable(name);
            assert_eq!(one, is, "{name:?}");
            assert_eq!(unmistakable(&one), is, "{name:?} twice");
        }
    }

    #[test]
    fn a_text_is_read_as_its_last_reader_reads_it() {
        for (text, reads) in [
            ("plain", None),
            ("a\u{200b}b\u{feff}", Some("ab")),
            (r"\u0061\u0062", Some("ab")),
            (r"\\\\u0061\x62\u{63}\U00000064", Some("abcd")),
            (r"\u005c\u005cu0061", Some("a")),
            (r"\u005c\u0075\u0030\u0030\u0036\u0031", Some("a")),
            ("\\u00\u{200b}61", Some("a")),
            (r"\u200bx", Some("x")),
            (r"\ud83d\ude00 \ud83d\\ude00", Some("\u{1f600} \u{1f600}")),
            (r"\ud800 \u0000", Some("\u{fffd} \u{fffd}")),
            (r"https:\/\/h\n", Some("https://h\n")),
            ("ghp%5Fx%255f%67?q=%C3%A9", Some("ghp_x_g?q=%C3%A9")),
            ("100% of %zz, %", None),
            (r"\u00 \q \u{} \x", Some("u00 q u{} x")),
            ("\\", Some("")),
            (r"\x1b[31mred\u001b[0m \e[1mbold\033[0m", Some("red bold")),
            ("\u{1b}[3\u{200b}1mred", Some("red")),
            ("&#92;u0061&amp;quot;", Some("a\"")),
            ("\u{ff50}\u{ff57}\u{ff1d}x\u{ff0c}", Some("pw=x,")),
            ("\u{5bc6}\u{7801}\u{ff1a}x\u{ff0c}", None),
        ] {
            assert_eq!(unveil(text).as_deref(), reads, "{text}");
        }
    }
}
