//! A bundle: needs its file and a public key, and neither a store nor a configuration.

use std::{
    fmt::Write as _,
    fs,
    io::{self, Read},
    path::Path,
};

use anyhow::{Context as _, bail};
use serde::Deserialize;
use serde_json::{Value, json};
use verify::{NotRead, Options, Report, Seen, Word, canonical_time};

use super::{
    args::{Args, checks, public_keys},
    source::Source,
};
use crate::{
    out, packed,
    unpacking::Unpacking,
    whole::{MOST_KEPT, text_of},
};

/// Checks the bundle and prints what was found.
pub(super) fn check(path: &Path, args: &Args) -> anyhow::Result<Word> {
    let Some(key) = &args.key else { bail!("give the public key: --key PUB") };
    let keys = public_keys(key)?;
    let options = options(args)?;
    let name = if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() };
    let cannot = || format!("cannot read {name}");
    let mut source = Source::open(path).with_context(cannot)?;
    let (length, most) = (source.length().with_context(cannot)?, args.max_mib.map(|mib| mib << 20));
    let unpacking = || Unpacking::begin(source.read_again()?, length, most);
    let report = match verify::stream(unpacking, &keys, &options) {
        Ok(report) => report,
        Err(NotRead::Io(err)) => return Err(packed::does_not_read(err)).with_context(cannot),
        Err(NotRead::NotABundle(err)) => {
            // What it is taken for does not hang on whether it can be read once more.
            let begin = source.read_again().and_then(|from| begin(from, length, most)).unwrap_or_default();
            return Err(err).with_context(|| named(&name, &begin));
        }
        Err(NotRead::AsStream(_)) => {
            let from = source.read_again().with_context(cannot)?;
            let bytes = packed::read(from, length, most).with_context(cannot)?;
            verify::held(&bytes, &keys, &options).with_context(|| named(&name, &bytes))?
        }
    };
    if args.json {
        out::line(document(&report));
    } else {
        out::text(&report.to_string());
    }
    Ok(report.word)
}

/// How many bytes a byte order mark has at most.
const MARK: u64 = 3;

/// The first bytes of a file, unpacked.
fn begin(from: Box<dyn Read>, length: u64, most: Option<u64>) -> io::Result<Vec<u8>> {
    let mut begin = Vec::new();
    Unpacking::begin(from, length, most)?.take(MARK).read_to_end(&mut begin)?;
    Ok(begin)
}

/// What a file is called, and what it is, where that is known.
fn named(name: &str, bytes: &[u8]) -> String {
    what_else(bytes).map_or_else(|| name.to_owned(), |what| format!("{name}: {what}"))
}

/// A server's refusal is shorter. What is longer is read as nothing else than a bundle, which is read by its form: of
/// `[0,0,0` any other reader would make many times its length.
const REFUSAL: usize = 64 << 10;

/// What a refusal has that nothing else has.
#[derive(Deserialize)]
struct Refusal {
    status: u64,
    detail: String,
    #[serde(rename = "code")]
    _code: String,
}

/// What a file is that is often taken for a bundle.
fn what_else(bytes: &[u8]) -> Option<String> {
    if [&[0xef, 0xbb, 0xbf][..], &[0xff, 0xfe], &[0xfe, 0xff]].iter().any(|mark| bytes.starts_with(mark)) {
        return Some(
            "this begins with a byte order mark, as an editor or PowerShell's `>` writes one: save it as it came \
             (`curl -o`, `hoc bundle -o`)"
                .to_owned(),
        );
    }
    if bytes.len() > REFUSAL {
        return None;
    }
    let Refusal { status, detail, .. } = serde_json::from_slice(bytes).ok()?;
    Some(format!(
        "this is a server's refusal, {status}: {detail} (with `curl -f` it is not kept as a bundle)"
    ))
}

fn options(args: &Args) -> anyhow::Result<Options> {
    let most = args.max_mib.map_or(MOST_KEPT, |mib| mib << 20);
    let read = |path: &Path| {
        let read = fs::File::open(path).and_then(|file| text_of(file, most));
        read.with_context(|| format!("cannot read {}", path.display()))
    };
    let not_before = args.not_before.as_ref().map(|text| {
        canonical_time(text)
            .with_context(|| format!("--not-before {text}: write 2026-11-21 or 2026-11-21T08:00:00Z, in UTC"))
    });
    let seen = args.seen.as_deref().map(|path| -> anyhow::Result<Vec<Seen>> {
        let kept = kept_steps(&read(path)?).with_context(|| format!("--seen {}", path.display()))?;
        // What an agent failed to keep agrees with everything.
        if kept.is_empty() {
            bail!("--seen {}: there is no step hash in it", path.display());
        }
        Ok(kept)
    });
    let ledger = args.ledger.as_deref().map(|path| -> anyhow::Result<_> {
        let rows = verify::rows(&read(path)?).with_context(|| format!("--ledger {}", path.display()))?;
        // Nor does an export that failed leave anything out.
        if rows.is_empty() {
            bail!(
                "--ledger {}: there is no row in it; where the ledger has none yet, leave --ledger out",
                path.display()
            );
        }
        Ok(rows)
    });
    Ok(Options {
        not_before: not_before.transpose()?,
        seen: seen.transpose()?.unwrap_or_default(),
        ledger: ledger.transpose()?,
        reexecute: args.reexecute,
    })
}

/// Step hashes as an agent kept them. The API's answers to steps may be kept as they are, a line each: they hold more
/// than `verify` reads, such as money, so only the index and the hash are handed on.
pub(crate) fn kept_steps(text: &str) -> anyhow::Result<Vec<Seen>> {
    let mut lines = String::new();
    for (line, number) in text.lines().zip(1..) {
        let line = line.trim();
        if line.starts_with('{') {
            let answer: Value =
                serde_json::from_str(line).with_context(|| format!("line {number} is not JSON"))?;
            let (Some(index), Some(hash)) = (answer["step_index"].as_u64(), answer["step_hash"].as_str())
            else {
                bail!("line {number} has no step_index and step_hash");
            };
            let _ = writeln!(lines, "{index} {hash}");
        } else {
            let _ = writeln!(lines, "{line}");
        }
    }
    Ok(verify::seen(&lines)?)
}

/// What is told of it to a machine.
pub(crate) fn document(report: &Report) -> serde_json::Value {
    json!({
        "word": report.word,
        "exit_code": report.word.exit_code(),
        "tenant_id": report.tenant_id,
        "run_id": report.run_id,
        "grade": report.grade,
        "assurance": report.assurance,
        "assurance_with_addenda": report.assurance_with_addenda,
        "as_of": report.as_of,
        "key_id": report.key_id,
        "checks": checks(&report.checks),
    })
}

#[cfg(test)]
mod tests {
    use super::kept_steps;

    #[test]
    fn an_answer_is_kept_as_it_came() {
        let hash = "ab".repeat(32);
        let answer =
            format!("{{\"step_index\":4,\"step_hash\":\"{hash}\",\"run\":{{\"cost_usd\":0.000138}}}}");
        let kept = kept_steps(&format!("{answer}\n\n5 {hash}\n{hash}\n")).expect("three steps");
        assert_eq!(kept.iter().map(|step| step.step_index).collect::<Vec<_>>(), [Some(4), Some(5), None]);
        assert!(kept_steps(&format!("{hash}\n{{}}")).expect_err("no hash").to_string().contains("line 2"));
        assert!(kept_steps("\nx").expect_err("no hash").to_string().contains("line 2"));
    }
}
