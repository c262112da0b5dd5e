//! Texts pressed by zstd, alone or against what the run said before: a conversation that is told again with each call
//! costs what is new of it.

use zstd_safe::{CCtx, CParameter, DCtx, DParameter, compress_bound, get_error_name};

/// The number of the codec that is written.
pub const NEWEST: i64 = 1;

/// Higher ones find little more where most is found in what was said before.
const LEVEL: i32 = 1;

/// Longer than the texts of any group are: a length that was tampered with is not believed.
const LONGEST: usize = 1 << 30;

/// How far back a match may lie, as a power of two: not less than this, for a small window saves nothing, and no more
/// than every reader takes.
const WINDOW: std::ops::RangeInclusive<u32> = 17..=27;

/// The places that are remembered while it is pressed, as a power of two.
const TABLE: std::ops::RangeInclusive<u32> = 14..=20;

/// The bytes of texts, pressed by the newest codec; where bytes are given that were said `before`, against those.
///
/// # Errors
/// What zstd says, which is that there is no memory.
pub fn press(texts: &[u8], before: Option<&[u8]>) -> Result<Vec<u8>, String> {
    let whole = texts.len() + before.map_or(0, <[u8]>::len);
    let window = whole.next_power_of_two().trailing_zeros().clamp(*WINDOW.start(), *WINDOW.end());
    // What was said before must live as long as the context: one for each body, which costs some microseconds.
    let mut context = CCtx::create();
    for parameter in [
        CParameter::CompressionLevel(LEVEL),
        CParameter::WindowLog(window),
        // A small table forgets what was said long before.
        CParameter::HashLog(window.saturating_sub(2).clamp(*TABLE.start(), *TABLE.end())),
        CParameter::ChecksumFlag(true),
    ] {
        context.set_parameter(parameter).map_err(said)?;
    }
    if let Some(before) = before {
        context.ref_prefix(before).map_err(said)?;
    }
    let mut body = Vec::with_capacity(compress_bound(texts.len()));
    context.compress2(&mut body, texts).map_err(said)?;
    body.shrink_to_fit();
    Ok(body)
}

/// The bytes of texts of a body, as long as they were; `before` is what they were pressed against.
///
/// # Errors
/// Why they are not what was pressed.
pub fn open(codec: i64, body: &[u8], length: usize, before: Option<&[u8]>) -> Result<Vec<u8>, String> {
    if codec != NEWEST {
        return Err(format!("no codec has the number {codec}"));
    }
    if length > LONGEST {
        return Err(format!("no texts are {length} bytes long"));
    }
    let mut context = DCtx::create();
    context.set_parameter(DParameter::WindowLogMax(*WINDOW.end())).map_err(said)?;
    if let Some(before) = before {
        context.ref_prefix(before).map_err(said)?;
    }
    let mut texts = Vec::with_capacity(length);
    context.decompress(&mut texts, body).map_err(said)?;
    if texts.len() != length {
        return Err(format!("{} bytes where {length} were written", texts.len()));
    }
    Ok(texts)
}

fn said(code: usize) -> String {
    get_error_name(code).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Text that hardly repeats itself.
    fn talk(length: usize, mut seed: u64) -> Vec<u8> {
        let mut next = || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            b'a' + u8::try_from(seed % 26).expect("a letter")
        };
        (0..length).map(|_| next()).collect()
    }

    #[test]
    fn what_was_said_before_costs_next_to_nothing() {
        for length in [17_000, 3_000_000] {
            let before = talk(length, 1);
            let mut now = before.clone();
            now.extend(talk(800, 2));
            let alone = press(&now, None).expect("pressed");
            let against = press(&now, Some(&before)).expect("pressed");
            assert!(against.len() < 1_000, "{length}: {}", against.len());
            assert!(alone.len() > length / 2, "{length}: {}", alone.len());
            assert_eq!(open(NEWEST, &against, now.len(), Some(&before)), Ok(now));
        }
    }

    #[test]
    fn a_body_that_is_changed_cut_or_of_another_does_not_open_to_something_else() {
        let (before, now) = (talk(300, 1), [talk(300, 1), talk(90, 2)].concat());
        let body = press(&now, Some(&before)).expect("pressed");
        let open = |body: &[u8], before: &[u8]| open(NEWEST, body, now.len(), Some(before));
        for at in 0..body.len() {
            for bit in 0..8 {
                let mut changed = body.clone();
                changed[at] ^= 1 << bit;
                let opened = open(&changed, &before);
                assert!(opened.is_err() || opened.as_ref() == Ok(&now), "byte {at}, bit {bit}");
            }
            assert!(open(&body[..at], &before).is_err(), "cut at {at}");
        }
        assert!(open(&body, &talk(300, 3)).is_err());
        assert!(super::open(NEWEST, &body, now.len(), None).is_err());
        for (codec, length) in [(NEWEST, 1), (NEWEST, usize::MAX), (0, now.len()), (NEWEST + 1, now.len())] {
            assert!(super::open(codec, &body, length, Some(&before)).is_err(), "{codec} {length}");
        }
    }
}
