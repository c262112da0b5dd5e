//! Reading all of something that may be longer than there is memory.

use std::{
    fs::File,
    io::{self, Read},
};

/// More than any settings or keys are.
pub(crate) const MOST_SAID: u64 = 1 << 20;

/// More than anybody keeps of one log.
pub(crate) const MOST_KEPT: u64 = 1 << 30;

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

/// The text of a file that somebody named, which may be a pipe, or a device that has no end.
pub(crate) fn text_of(file: File, most: u64) -> io::Result<String> {
    let wrong = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
    let there = file.metadata()?;
    let known = if there.is_file() { there.len() } else { 0 };
    let bytes = whole(file, known, most)?.ok_or_else(|| wrong(format!("it is longer than {most} bytes")))?;
    String::from_utf8(bytes).map_err(|_| wrong("it is no text in UTF-8".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_end_is_left() {
        let endless =
            text_of(File::open("/dev/zero").expect("it is there"), 1 << 20).expect_err("it is too long");
        assert_eq!(endless.to_string(), "it is longer than 1048576 bytes");
        let (reader, mut writer) = io::pipe().expect("a pipe");
        io::Write::write_all(&mut writer, b"a key").expect("it is written");
        drop(writer);
        let pipe = File::from(std::os::fd::OwnedFd::from(reader));
        assert_eq!(text_of(pipe, 5).expect("it reads"), "a key");
    }

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
