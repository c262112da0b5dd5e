//! Cursors: what reads back is what was written, and no two texts mean the same place.

use models::{
    ids::RunId,
    page::{Cursor, PageRequest},
};

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let run: RunId = "run_01a1fe94ca22711a855a5c085fe8e23e".parse().expect("an id");
    let before = Cursor::Before { at: testkit::time::beginning(), id: run.0 };
    [Cursor::After(0), Cursor::After(u64::MAX), before].map(|cursor| cursor.to_string().into_bytes()).into()
}

pub(crate) fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let asked = PageRequest::new(None, Some(text), false);
    let Ok(cursor) = text.parse::<Cursor>() else {
        assert!(asked.is_err());
        return;
    };
    assert_eq!(cursor.to_string(), text);
    assert_eq!(asked.expect("a cursor").cursor, Some(cursor));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seeds_are_cursors() {
        for seed in seeds() {
            let text = String::from_utf8(seed).expect("UTF-8");
            assert!(text.parse::<Cursor>().is_ok(), "{text}");
        }
    }
}
