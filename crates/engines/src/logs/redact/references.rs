//! Character references of HTML and XML: `&quot;password&quot;`, `&#103;&#104;p_..`.

/// Names of what stands in names and values, and around them. A document may use any of the two thousand others; they
/// stand for letters of no secret.
const NAMES: &[(&str, char)] = &[
    ("quot", '"'),
    ("apos", '\''),
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("nbsp", ' '),
    ("colon", ':'),
    ("semi", ';'),
    ("comma", ','),
    ("equals", '='),
    ("commat", '@'),
    ("lowbar", '_'),
    ("UnderBar", '_'),
    ("period", '.'),
    ("sol", '/'),
    ("bsol", '\\'),
    ("plus", '+'),
    ("dash", '-'),
    ("hyphen", '-'),
    ("dollar", '$'),
    ("num", '#'),
    ("percnt", '%'),
    ("ast", '*'),
    ("excl", '!'),
    ("quest", '?'),
    ("lpar", '('),
    ("rpar", ')'),
    ("lbrack", '['),
    ("lsqb", '['),
    ("rbrack", ']'),
    ("rsqb", ']'),
    ("lbrace", '{'),
    ("lcub", '{'),
    ("rbrace", '}'),
    ("rcub", '}'),
    ("vert", '|'),
    ("verbar", '|'),
    ("grave", '`'),
    ("Tab", '\t'),
    ("NewLine", '\n'),
];

/// The longest of them, and of numbers, with what ends it.
const LONGEST: usize = 10;

/// The text with its references read; `None` if it has none.
pub(super) fn read(text: &str) -> Option<String> {
    let (mut decoded, mut copied) = (String::new(), 0);
    for (at, _) in text.match_indices('&') {
        let rest = &text.as_bytes()[at + 1..];
        let end = rest.iter().take(LONGEST).position(|byte| *byte == b';');
        let read = end.and_then(|end| text.get(at + 1..at + 1 + end)).and_then(character);
        let (Some(character), Some(end)) = (read, end) else { continue };
        decoded.push_str(&text[copied..at]);
        decoded.push(character);
        copied = at + 1 + end + 1;
    }
    (copied > 0).then(|| decoded + &text[copied..])
}

/// What a reference stands for, without `&` and `;`.
fn character(reference: &str) -> Option<char> {
    let Some(number) = reference.strip_prefix('#') else {
        return NAMES.iter().find(|(name, _)| *name == reference).map(|(_, character)| *character);
    };
    let code = match number.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => number.parse(),
    };
    // U+0000 is kept by neither store.
    code.ok().and_then(char::from_u32).filter(|character| *character != '\0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read() {
        for (text, is) in [
            ("&quot;a&quot;&#58;&#x20;&#X42;", Some("\"a\": B")),
            ("a&#64;b.example &amp;amp;", Some("a@b.example &amp;")),
            ("?a=1&b=2;c &; &# &#; &#x; &#0; &#xd800; &none; &#99999999999;", None),
            ("&\u{e9};&lowbar", None),
        ] {
            assert_eq!(read(text).as_deref(), is, "{text}");
        }
    }
}
