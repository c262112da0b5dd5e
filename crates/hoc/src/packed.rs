//! Files that are packed by zstd or gzip: written so by the ending of their names, and told by how they begin when they
//! are read, whatever they are called.
//!
//! A few kilobytes may unpack to more than there is memory, so whoever reads says how much it may be.

use std::{
    ffi::OsStr,
    io::{self, BufRead, Read},
    path::Path,
};

use anyhow::anyhow;
use api::Coding;
use zstd::zstd_safe::zstd_sys::ZSTD_ErrorCode;

use crate::{
    gzip::{Members, NotPacked},
    whole::whole,
};

/// How each form begins. Before the first frame of zstd there may be some that are to be skipped, as `pzstd` writes
/// them; their first byte is one of sixteen, and the rest is this.
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
const SKIPPED: &[u8] = &[0x2a, 0x4d, 0x18];
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
pub(crate) fn coding_by(begin: &[u8]) -> Option<Coding> {
    let is_skipped = matches!(begin, [0x50..=0x5f, rest @ ..] if rest.starts_with(SKIPPED));
    if is_skipped || begin.starts_with(ZSTD) {
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
/// large one: a bomb packs better than a bundle does.
pub(crate) fn read(from: impl Read, length: u64, most: Option<u64>) -> anyhow::Result<Vec<u8>> {
    let bounds = Bounds { length, most };
    let bytes = match whole(from, length, bounds.most_of_file()) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Err(bounds.too_long_a_file()),
        Err(err) => return Err(does_not_read(err)),
    };
    let most = bounds.most_unpacked(bytes.len() as u64);
    let Some(coding) = coding_by(&bytes) else { return Ok(bytes) };
    match unpacked(coding, &bytes, most) {
        Ok(Some(plain)) => Ok(plain),
        Ok(None) => Err(too_long_when_unpacked(coding, most)),
        Err(err) => Err(does_not_unpack(coding, err)),
    }
}

/// How much is read of a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// How long it is, as far as that is known.
    pub(crate) length: u64,
    /// What somebody says.
    pub(crate) most: Option<u64>,
}

impl Bounds {
    fn most_of_file(self) -> u64 {
        self.most.unwrap_or(MOST)
    }

    /// Of a packed file, of which so much has come.
    fn most_unpacked(self, came: u64) -> u64 {
        self.most.unwrap_or_else(|| believed(self.length.max(came)))
    }

    fn too_long_a_file(self) -> anyhow::Error {
        anyhow!("it is longer than {} MiB: --max-mib reads more", self.most_of_file() >> 20)
    }

    /// Whether so much of a file may be read.
    pub(crate) fn of_file(self, came: u64) -> io::Result<()> {
        if came > self.most_of_file() { Err(io::Error::other(self.too_long_a_file())) } else { Ok(()) }
    }

    /// Whether a packed file may unpack to so much, of which so much has come.
    pub(crate) fn when_unpacked(self, coding: Coding, unpacked: u64, came: u64) -> io::Result<()> {
        let most = self.most_unpacked(came);
        if unpacked > most {
            return Err(io::Error::other(too_long_when_unpacked(coding, most)));
        }
        Ok(())
    }
}

fn too_long_when_unpacked(coding: Coding, most: u64) -> anyhow::Error {
    anyhow!(
        "it is packed by {}, and longer than {} MiB when unpacked: --max-mib reads more, if you trust who made it",
        coding.name(),
        most >> 20
    )
}

/// What is said of a file that cannot be read.
pub(crate) fn does_not_read(err: io::Error) -> anyhow::Error {
    if is_for_memory(&err) { anyhow!("there is too little memory for it: {ELSEWHERE}") } else { err.into() }
}

/// What is said of a packed file that cannot be unpacked.
pub(crate) fn does_not_unpack(coding: Coding, err: io::Error) -> anyhow::Error {
    let by = coding.name();
    if is_for_memory(&err) {
        anyhow!("it is packed by {by}, and there is too little memory to unpack it: {ELSEWHERE}")
    } else if let Some(inner) = err.get_ref()
        && inner.is::<NotPacked>()
    {
        anyhow!("it begins like {by} and does not unpack: {err}. Take that away, or pack it anew")
    } else if err.kind() == io::ErrorKind::UnexpectedEof {
        anyhow!("it is packed by {by} and cut short: copy it again, whole")
    } else {
        let why = format!("it begins like {by} and does not unpack: copy it again, whole");
        anyhow::Error::from(err).context(why)
    }
}

/// What to do where there is too little memory: the file may be as good as any.
const ELSEWHERE: &str = "verify it where there is more, several times its length when unpacked";

fn is_for_memory(err: &io::Error) -> bool {
    let of_zstd = err.get_ref().and_then(|err| err.downcast_ref::<zstd::Error>());
    err.kind() == io::ErrorKind::OutOfMemory
        || of_zstd.is_some_and(|err| err.is(ZSTD_ErrorCode::ZSTD_error_memory_allocation))
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

/// The plain bytes; none where they are more than `most`.
fn unpacked(coding: Coding, packed: &[u8], most: u64) -> io::Result<Option<Vec<u8>>> {
    counted_first(|| unpacker(coding, packed), most)
}

/// All that can be read of what is begun; none where that is more than `most` bytes. They are counted before any is
/// kept, so just as much is held as there is, and of a bomb nothing. An unpacker may hold as much as it has unpacked,
/// so the first is gone when the second begins.
fn counted_first<R: Read>(begin: impl Fn() -> io::Result<R>, most: u64) -> io::Result<Option<Vec<u8>>> {
    let length = io::copy(&mut begin()?.take(most.saturating_add(1)), &mut io::sink())?;
    if length > most {
        return Ok(None);
    }
    whole(begin()?, length, most)
}

/// How far back a frame of zstd may point, as a power of two: `zstd --long=31`, the most that there is. Memory is used
/// for it as far as something was unpacked.
const WINDOW_LOG: u32 = 31;

pub(crate) fn unpacker<'p>(coding: Coding, packed: impl BufRead + 'p) -> io::Result<Box<dyn Read + 'p>> {
    match coding {
        Coding::Zstd => {
            let mut unpacker = zstd::Decoder::with_buffer(packed)?;
            unpacker.window_log_max(WINDOW_LOG)?;
            Ok(Box::new(unpacker))
        }
        Coding::Gzip => Ok(Box::new(Members::of(packed))),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

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

    /// As an agent's calls are, each of which says again all that was said before it.
    #[test]
    fn a_run_that_repeats_its_history_is_believed() {
        let mut seed = 1_u64;
        let mut words = |count: usize| -> String {
            let mut word = || {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                format!("{:06x} ", seed >> 40)
            };
            (0..count).map(|_| word()).collect::<Vec<_>>().concat()
        };
        let mut history = words(20_000);
        let mut plain = String::new();
        for _ in 0..100 {
            history += &words(60);
            plain += &history;
        }
        let times = plain.len() / packed(Some(Coding::Zstd), plain.as_bytes()).len();
        assert!(times > 100, "it is no such run: {times}");
        assert!(times as u64 * 2 < TIMES, "{times}");
    }

    #[test]
    fn zstd_is_read_with_whatever_frames_it_is_written() {
        let usual = packed(Some(Coding::Zstd), b"{}");
        let skipped = [&[0x5a][..], SKIPPED, &[3, 0, 0, 0], b"any"].concat();
        // One block, of two bytes as they are, in a window of 2 GiB: as `zstd --long=31` writes what comes by a pipe.
        let wide = [ZSTD, &[0x00, 0xa8, 0x11, 0x00, 0x00], b"{}"].concat();
        let many = [&skipped[..], &skipped[..], &wide[..], &skipped[..]].concat();
        for file in [[&skipped[..], &usual[..]].concat(), wide, many] {
            assert_eq!(read(&file[..], 0, Some(ALLOWED)).expect("it reads"), b"{}", "{file:x?}");
        }
    }

    #[test]
    fn no_more_is_held_than_was_packed() {
        let plain = vec![b' '; (5 << 20) + 1];
        for coding in [Coding::Zstd, Coding::Gzip] {
            let held = read(&packed(Some(coding), &plain)[..], 0, Some(ALLOWED * 4)).expect("it reads");
            assert_eq!(held.len(), plain.len(), "{coding:?}");
            assert!(held.capacity() <= plain.len() + 1, "{coding:?}: {}", held.capacity());
        }
    }

    /// One of which there may be no other meanwhile.
    struct Alone<'a>(&'a [u8], &'a Cell<bool>);

    impl Read for Alone<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.0.read(into)
        }
    }

    impl Drop for Alone<'_> {
        fn drop(&mut self) {
            self.1.set(false);
        }
    }

    #[test]
    fn there_are_never_two_unpackers_at_once() {
        let (is_begun, times) = (Cell::new(false), Cell::new(0));
        let begin = || {
            assert!(!is_begun.replace(true), "another is there");
            times.set(times.get() + 1);
            Ok(Alone(b"plain", &is_begun))
        };
        assert_eq!(counted_first(begin, 5).expect("it reads").as_deref(), Some(&b"plain"[..]));
        assert_eq!(counted_first(begin, 4).expect("it is no error"), None);
        assert_eq!((is_begun.get(), times.get()), (false, 3));
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
        let whole = packed(Some(Coding::Gzip), plain.as_bytes());
        for behind in [&b"x"[..], b"x\n", b"\0", b"something more"] {
            let why = refused(&[&whole[..], behind].concat());
            assert!(why.contains("stands behind it") && !why.contains("cut short"), "{behind:?}: {why}");
        }
        for cut in [&[0x1f][..], &[0x1f, 0x8b, 8]] {
            let why = refused(&[&whole[..], cut].concat());
            assert!(why.contains("cut short"), "another begins: {why}");
        }
    }
}
