//! Runs of bytes that are of some.

/// Whether so many bytes that are of some stand beside each other. Every run of them has a byte at a place that their
/// number divides, so most of a text need not be looked at.
pub(super) fn has_run(text: &[u8], count: usize, is_of: impl Fn(u8) -> bool) -> bool {
    run_from(text, 0, count, is_of).is_some()
}

/// Where the first run of so many such bytes begins, from there on.
pub(super) fn run_from(text: &[u8], from: usize, count: usize, is_of: impl Fn(u8) -> bool) -> Option<usize> {
    let mut begin = from;
    while begin + count <= text.len() {
        // Backwards, so that what is none of them is met with most of the others passed over.
        match text[begin..begin + count].iter().rposition(|byte| !is_of(*byte)) {
            Some(at) => begin += at + 1,
            None => return Some(begin),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_found_where_it_begins() {
        for (text, from, run) in [
            ("ab abc abcd", 0, Some(3)),
            ("ab abc abcd", 4, Some(7)),
            ("ab ab", 0, None),
            ("abc", 0, Some(0)),
            ("", 0, None),
        ] {
            let found = run_from(text.as_bytes(), from, 3, |byte| byte.is_ascii_alphabetic());
            assert_eq!(found, run, "{text} from {from}");
        }
        assert!(has_run(b"", 0, |_| true));
    }
}
