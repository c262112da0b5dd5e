//! Pages of the documentation: their sections, their blocks of code, and whether an answer is as they say.

/// A block of code.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    /// The heading above it.
    pub(crate) heading: &'static str,
    pub(crate) language: &'static str,
    pub(crate) text: &'static str,
}

/// A section of a page, from its title to the next.
pub(crate) fn section(page: &'static str, title: &str) -> &'static str {
    let (_, from) = page.split_once(title).unwrap_or_else(|| panic!("no section {title}"));
    from.split_once("\n## ").map_or(from, |(section, _)| section)
}

/// The blocks of code of a page, or of a part of one.
pub(crate) fn blocks(page: &'static str) -> Vec<Block> {
    let mut heading = "";
    let mut blocks = Vec::new();
    for (place, part) in page.split("\n```").enumerate() {
        if place % 2 == 0 {
            heading = part.lines().rfind(|line| line.starts_with('#')).unwrap_or(heading);
        } else if let Some((language, text)) = part.split_once('\n') {
            blocks.push(Block { heading, language, text });
        }
    }
    blocks
}

/// Whether a line is as the page says, `…` standing for anything.
pub(crate) fn is_as_said(line: &str, said: &str) -> bool {
    let mut pieces = said.split('…');
    let Some(mut rest) = pieces.next().and_then(|first| line.strip_prefix(first)) else { return false };
    let mut last = None;
    for piece in pieces {
        last = Some(piece);
        let Some((_, after)) = rest.split_once(piece) else { return false };
        rest = if piece.is_empty() { rest } else { after };
    }
    rest.is_empty() || last == Some("")
}

#[test]
fn what_is_as_said_is_told_from_what_is_not() {
    assert!(is_as_said("{\"a\":1,\"b\":2}", "{\"a\":…\"b\":…"));
    assert!(is_as_said("COMPLETE", "COMPLETE") && is_as_said("run x, PASS", "run …, PASS"));
    for other in ["{\"b\":2,\"a\":1}", "x{\"a\":1,\"b\":2}", ""] {
        assert!(!is_as_said(other, "{\"a\":…\"b\":…"), "{other}");
    }
    assert!(!is_as_said("COMPLETE!", "COMPLETE") && !is_as_said("run x, PASSED", "run …, PASS"));
}
