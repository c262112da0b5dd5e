//! Cursors: what reads back is what was written, no two texts mean the same place, and each is of one list.

use models::{
    ids::RunId,
    page::{Cursor, ListCursor, ListId, PageRequest},
};

/// The list that is asked for.
fn asked() -> ListId {
    ListId::of(&["a list"])
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let run: RunId = "run_01a1fe94ca22711a855a5c085fe8e23e".parse().expect("an id");
    let before = Cursor::Before { at: kit::time::beginning(), id: run.0 };
    let ranked = Cursor::Ranked { rank: 1, at: kit::time::beginning(), id: run.0 };
    let places = [Cursor::After(0), Cursor::After(u64::MAX), before, ranked];
    let lists = [asked(), ListId::default()];
    let text = |place, list| ListCursor { place, list }.to_string().into_bytes();
    lists.into_iter().flat_map(|list| places.map(|place| text(place, list))).collect()
}

pub(crate) fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let page = PageRequest::of(asked(), None, Some(text), false).ok();
    let cursor = text.parse::<ListCursor>().ok();
    let its_own = cursor.filter(|cursor| cursor.list == asked());
    assert_eq!(page.and_then(|page| page.cursor), its_own.map(|cursor| cursor.place));
    assert_eq!(page.is_some(), its_own.is_some());
    if let Some(cursor) = cursor {
        assert_eq!(cursor.to_string(), text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seeds_are_cursors() {
        for seed in seeds() {
            let text = String::from_utf8(seed).expect("UTF-8");
            assert!(text.parse::<ListCursor>().is_ok(), "{text}");
        }
    }
}
