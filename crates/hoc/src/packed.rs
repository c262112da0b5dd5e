//! Files that are packed by zstd or gzip: written so by the ending of their names, and told by how they begin when they
//! are read, whatever they are called.
//!
//! A few kilobytes may unpack to more than there is memory, so whoever reads says how much it may be.

use std::{
    ffi::OsStr,
    io::{self, Read},
    path::Path,
};

use anyhow::{Context as _, bail};
use api::Coding;
use flate2::bufread::MultiGzDecoder;

/// How each form begins.
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
const GZIP: &[u8] = &[0x1f, 0x8b];

/// How a file with this name is packed; none of a plain one. Whoever writes the ending out, or in capitals, means no
/// plain file.
pub(crate) fn coding_of(name: &Path) -> Option<Coding> {
    let ending = name.extension().and_then(OsStr::to_str).map(str::to_ascii_lowercase);
    match ending.as_deref() {
        Some("zst" | "zstd") => Some(Coding::Zstd),
        Some("gz" | "gzip") => Some(Coding::Gzip),
        _ => None,
    }
}

/// How a file is packed that begins so; none of a plain one.
fn coding_by(begin: &[u8]) -> Option<Coding> {
    if begin.starts_with(ZSTD) {
        Some(Coding::Zstd)
    } else if begin.starts_with(GZIP) {
        Some(Coding::Gzip)
    } else {
        None
    }
}

/// What is read where nobody says how much it may be. The page of bundles and the second verifier have the same three.
const MOST: u64 = 2048 << 20;

/// To how many times its own length a packed file may unpack then. A run whose calls repeat a long history packs a
/// hundred times.
const TIMES: u64 = 512;

/// What it may unpack to however short it is.
const LITTLE: u64 = 256 << 20;

/// Everything that can be read, unpacked where it is packed; an error where that is more than `most` bytes. `length` is
/// how much is there, as far as that is known. Where `most` is not given, a small file may not unpack to as much as a
/// large one: no bundle packs as well as a bomb.
pub(crate) fn read(from: impl Read, length: u64, most: Option<u64>) -> anyhow::Result<Vec<u8>> {
    let of_file = most.unwrap_or(MOST);
    let Some(bytes) = whole(from, length, of_file)? else {
        bail!("it is longer than {} MiB: --max-mib reads more", of_file >> 20);
    };
    let most = most.unwrap_or_else(|| believed(bytes.len() as u64));
    let Some(coding) = coding_by(&bytes) else { return Ok(bytes) };
    let by = coding.name();
    let plain = match coding {
        Coding::Zstd => from_zstd(&bytes, most),
        Coding::Gzip => whole(MultiGzDecoder::new(&bytes[..]), 0, most),
    };
    match plain {
        Ok(Some(plain)) => Ok(plain),
        Ok(None) => bail!(
            "it is packed by {by}, and longer than {} MiB when unpacked: --max-mib reads more, if you trust who made it",
            most >> 20
        ),
        Err(err) if err.kind() == io::ErrorKind::UnexpectedEof => {
            bail!("it is packed by {by} and cut short: copy it again, whole")
        }
        Err(err) => {
            Err(err).with_context(|| format!("it begins like {by} and does not unpack: copy it again, whole"))
        }
    }
}

/// The bounds in words, for `--max-mib`.
pub(crate) fn bounds() -> String {
    format!(
        "Read no bundle that is longer, unpacked: a few kilobytes may unpack to more than there is memory [default: {}; \
         of a packed file {TIMES} times its length, {} at least, if that is less]",
        MOST >> 20,
        LITTLE >> 20
    )
}

/// How much a packed file of this length may unpack to, where nobody says it.
fn believed(length: u64) -> u64 {
    length.saturating_mul(TIMES).clamp(LITTLE, MOST)
}

fn from_zstd(packed: &[u8], most: u64) -> io::Result<Option<Vec<u8>>> {
    whole(zstd::Decoder::with_buffer(packed)?, 0, most)
}

/// Everything; none where that is more than `most` bytes.
fn whole(from: impl Read, length: u64, most: u64) -> io::Result<Option<Vec<u8>>> {
    let room = usize::try_from(length.min(most)).unwrap_or_default();
    let mut bytes = Vec::with_capacity(room);
    from.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(Some(bytes).filter(|bytes| bytes.len() as u64 <= most))
}

#[cfg(test)]
mod tests {
    use api::Effort;

    use super::*;

    const ALLOWED: u64 = 2 << 20;
    const FORMS: [Option<Coding>; 3] = [None, Some(Coding::Zstd), Some(Coding::Gzip)];

    fn packed(form: Option<Coding>, plain: &[u8]) -> Vec<u8> {
        form.map_or_else(|| plain.to_vec(), |coding| coding.pack(plain, Effort::Usual).expect("it packs"))
    }

    fn refused(bytes: &[u8]) -> String {
        format!("{:#}", read(bytes, 0, Some(ALLOWED)).expect_err("it is refused"))
    }

    #[test]
    fn what_was_written_is_read_whatever_its_name_is() {
        for (name, form) in [
            ("run.json", None),
            ("zst", None),
            ("run.json.zst", Some(Coding::Zstd)),
            ("run.json.zstd", Some(Coding::Zstd)),
            ("a/run.gz", Some(Coding::Gzip)),
            ("RUN.JSON.GZ", Some(Coding::Gzip)),
            ("run.gzip", Some(Coding::Gzip)),
        ] {
            assert_eq!(coding_of(Path::new(name)), form, "{name}");
        }
        let long = "{\"a\":1}".repeat(10_000);
        for form in FORMS {
            for plain in ["", "{}", "{}\n\n\n", long.as_str()] {
                let bytes = packed(form, plain.as_bytes());
                let is_packed = !bytes.is_empty() && coding_by(&bytes) == form;
                assert!(is_packed || form.is_none(), "{form:?}");
                let length = bytes.len() as u64;
                assert_eq!(
                    read(&bytes[..], length, Some(ALLOWED)).expect("it reads"),
                    plain.as_bytes(),
                    "{form:?}"
                );
            }
            let twice = [packed(form, b"one, "), packed(form, b"two")].concat();
            assert_eq!(
                read(&twice[..], 0, Some(ALLOWED)).expect("it reads"),
                b"one, two",
                "{form:?}: two in one file"
            );
        }
    }

    #[test]
    fn a_file_that_unpacks_to_more_than_is_allowed_is_refused() {
        let room = usize::try_from(ALLOWED).expect("it fits");
        for form in FORMS {
            read(&packed(form, &vec![0; room])[..], 0, Some(ALLOWED)).expect("just as much as is allowed");
            let bomb = packed(form, &vec![0; room + 1]);
            assert!(form.is_none() || bomb.len() < 10_000, "{form:?}: {}", bomb.len());
            let why = refused(&bomb);
            assert!(why.contains("longer than 2 MiB") && why.contains("--max-mib"), "{form:?}: {why}");
        }
    }

    /// A bomb is short, and whoever has a long bundle has a file that is not.
    #[test]
    fn a_small_file_is_not_believed_to_be_a_large_one() {
        let part = packed(Some(Coding::Zstd), &vec![b' '; 1 << 20]);
        let bomb = part.repeat(257);
        assert!(bomb.len() < 100_000, "{}", bomb.len());
        let why = format!("{:#}", read(&bomb[..], 0, None).expect_err("it is refused"));
        assert!(why.contains("longer than 256 MiB") && why.contains("--max-mib"), "{why}");
        let asked = read(&bomb[..], 0, Some(257 << 20)).expect("as much as is allowed").len();
        assert_eq!(asked, 257 << 20);
        assert_eq!([0, 1 << 19, 1 << 20, 1 << 30].map(believed), [LITTLE, LITTLE, 512 << 20, MOST]);
    }

    #[test]
    fn the_page_and_the_second_verifier_have_the_same_bounds() {
        let page = include_str!("../../../docs/bundle.md").split_whitespace().collect::<Vec<_>>().join(" ");
        let [little, most] = [LITTLE, MOST].map(|bytes| bytes >> 20);
        for told in [
            format!("{most} MiB for any bundle"),
            format!("{TIMES} times the length of its file ({little} MiB at least)"),
        ] {
            assert!(page.contains(&told), "docs/bundle.md does not say: {told}");
        }
        let second = include_str!("../../../docs/examples/verify.py");
        let told = format!("TIMES, LITTLE, MOST = {TIMES}, {little} << 20, {most} << 20\n");
        assert!(second.contains(&told), "docs/examples/verify.py does not say: {told}");
    }

    #[test]
    fn a_packed_file_that_is_cut_or_damaged_is_no_file_at_all() {
        let plain = (0..5_000).map(|n| format!("{{\"step\":{n}}}")).collect::<Vec<_>>().concat();
        for form in [Some(Coding::Zstd), Some(Coding::Gzip)] {
            let whole = packed(form, plain.as_bytes());
            for length in [4, 5, 20, whole.len() / 2, whole.len() - 1] {
                let why = refused(&whole[..length]);
                assert!(why.contains("cut short"), "{form:?} cut at {length}: {why}");
            }
            let mut damaged = whole.clone();
            damaged[whole.len() / 2] ^= 0x10;
            let why = refused(&damaged);
            assert!(why.contains("does not unpack") || why.contains("cut short"), "{form:?}: {why}");
            let why = refused(&[&whole[..], b"something more"].concat());
            assert!(why.contains("does not unpack"), "{form:?}, and something behind it: {why}");
        }
    }
}
