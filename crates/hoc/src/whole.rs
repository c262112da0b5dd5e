//! Reading all of something that may be longer than there is memory.

use std::io::{self, Read};

/// For how much more room is made at least.
const PART: usize = 1 << 20;

/// Everything; none where that is more than `most` bytes. There is room at once for as many as are known to come, and
/// for a quarter more each time where more come: for twice as many, as a vector makes by itself, there may be none.
pub(crate) fn whole(from: impl Read, known: u64, most: u64) -> io::Result<Option<Vec<u8>>> {
    let mut from = from.take(most.saturating_add(1));
    let mut bytes = Vec::new();
    // One more, which shows that nothing follows.
    let mut more = usize::try_from(known.min(most)).unwrap_or(usize::MAX).saturating_add(1);
    loop {
        bytes.try_reserve_exact(more)?;
        let room = bytes.capacity() - bytes.len();
        let came = from.by_ref().take(room as u64).read_to_end(&mut bytes)?;
        if came < room || bytes.len() as u64 > most {
            return Ok(Some(bytes).filter(|bytes| bytes.len() as u64 <= most));
        }
        more = (bytes.len() / 4).max(PART);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_read_and_held_once_or_nothing() {
        let all = vec![b' '; (5 << 20) + 1];
        let length = all.len() as u64;
        for (known, spare) in [(0, all.len() / 4 + PART), (length, 1), (length / 2, all.len() / 4 + PART)] {
            let held = whole(&all[..], known, length).expect("it reads").expect("it is no more");
            assert_eq!(held.len(), all.len());
            assert!(held.capacity() <= all.len() + spare, "{known}: {}", held.capacity());
            assert_eq!(whole(&all[..], known, length - 1).expect("it is left unread"), None, "{known}");
        }
        assert_eq!(whole(&b""[..], 0, 0).expect("it reads"), Some(Vec::new()));
    }
}
