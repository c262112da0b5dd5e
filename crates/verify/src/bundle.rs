//! Verifying a bundle: reading it, opening its statement, and every check in its order.

use std::{
    cell::Cell,
    io::{self, Read},
    mem,
};

use proof::{
    bundle::{Completeness, PREDICATE_TYPE},
    dsse::{DsseError, ReadEnvelope},
    keys::PublicKey,
    leaves::AuditLeaf,
    statement::{PAYLOAD_TYPE, STATEMENT_TYPE},
};

use crate::{
    Row, Seen,
    checks::{self, Case, addenda, audit, chain, contents, counts, links, logs, manifest, outside, roots},
    document::{self, Document, Each, Part, each_decision},
    first::Noting,
    reader::{Streamed, Unread, Whole},
    report::{Finding, Findings, Report, Word},
    shown,
    statement::{self, Stated},
};

/// What to ask beyond the bundle itself. By default nothing.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Refuse a bundle that was made before this; as [`crate::canonical_time`] writes it.
    pub not_before: Option<String>,
    /// Step hashes that the agent kept.
    pub seen: Vec<Seen>,
    /// An export of the tenant's Audit Ledger.
    pub ledger: Option<Vec<Row<AuditLeaf>>>,
    /// Decide every decision again.
    pub reexecute: bool,
}

/// The bytes are no bundle at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no run evidence bundle: {0}")]
pub struct NotABundle(String);

/// A stream was not read to its end as a bundle.
#[derive(Debug, thiserror::Error)]
pub enum NotRead {
    /// It broke off.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// What it begins with is no object, so it is no bundle, whatever follows.
    #[error(transparent)]
    NotABundle(NotABundle),
    /// It may be a bundle whose members are in another order, or none at all: [`held`] can tell.
    #[error("it cannot be verified as it comes: {0}")]
    AsStream(String),
}

/// Verifies a bundle with keys that came another way: those inside it are never trusted.
///
/// # Errors
/// Only if the bytes are no bundle at all. Anything wrong inside one is in the report.
pub fn bundle(bytes: &[u8], keys: &[PublicKey], options: &Options) -> Result<Report, NotABundle> {
    stream(|| Ok(bytes), keys, options).or_else(|_| held(bytes, keys, options))
}

/// The same of a bundle that is read from its beginning as often as is asked, and of whose text no more is held than
/// the value that is being read.
///
/// # Errors
/// If the stream breaks off, if it begins as no bundle does, or if only who has all of it can tell what it is: [`held`]
/// does.
pub fn stream<R: Read>(
    mut read_again: impl FnMut() -> io::Result<R>,
    keys: &[PublicKey],
    options: &Options,
) -> Result<Report, NotRead> {
    let first = Cell::new(None);
    match document::read_stream(Noting { from: read_again()?, first: &first }) {
        Ok(document) => read(document, keys, options, &mut |part, each| {
            let mut reader = Streamed::new(read_again()?);
            let read = each_decision(&mut reader, part, each);
            reader.over(read, true).map_err(|unread| match unread {
                Unread::Io(err) => NotRead::Io(err),
                Unread::Wrong(_) | Unread::NotAsStream(_) => changed(),
            })
        }),
        Err(Unread::Wrong(why)) => Ok(unreadable(why)),
        Err(Unread::NotAsStream(why)) => {
            let why = shown(&why).into_owned();
            let may_be_one = first.get() == Some(b'{');
            Err(if may_be_one { NotRead::AsStream(why) } else { NotRead::NotABundle(NotABundle(why)) })
        }
        Err(Unread::Io(err)) => Err(NotRead::Io(err)),
    }
}

/// What was read once comes out otherwise when it is read again.
fn changed() -> NotRead {
    NotRead::Io(io::Error::other("it has changed while it was read"))
}

/// The same of a bundle that is all in memory, whatever the order of its members. What it finds is what [`stream`]
/// finds of what that can read.
///
/// # Errors
/// Only if the bytes are no bundle at all. Anything wrong inside one is in the report.
pub fn held(bytes: &[u8], keys: &[PublicKey], options: &Options) -> Result<Report, NotABundle> {
    let read_all = || {
        let text = std::str::from_utf8(bytes).map_err(|why| why.to_string())?;
        document::read(text).map(|document| (document, text)).map_err(|wrong| wrong.to_string())
    };
    match read_all() {
        Ok((document, text)) => {
            let report = read(document, keys, options, &mut |part, each| {
                each_decision(&mut Whole::new(text), part, each).map_err(|_| changed())
            });
            report.map_err(|err| NotABundle(err.to_string()))
        }
        Err(why) if !resembles_a_bundle(bytes) => Err(NotABundle(shown(&why).into_owned())),
        Err(why) => Ok(unreadable(why)),
    }
}

/// Shows each decision of a part of the document once more.
type Again<'a> = dyn FnMut(Part, &mut Each<'_>) -> Result<(), NotRead> + 'a;

/// What is said of a bundle that cannot be read.
fn unreadable(why: String) -> Report {
    let mut findings = Findings::default();
    findings.note("format", Err(Finding::tampered(why)));
    unsigned(findings)
}

/// The checks of a document that could be read.
fn read(
    mut document: Document,
    keys: &[PublicKey],
    options: &Options,
    again: &mut Again<'_>,
) -> Result<Report, NotRead> {
    let mut findings = Findings::default();
    let records = document.sealed.lines.len();
    findings.note("format", Ok(format!("one document of {records} records, each of its type")));
    let envelope = mem::take(&mut document.statement);
    let (stated, key_id) = match open(&document, envelope, keys) {
        Ok(opened) => opened,
        Err(finding) => {
            findings.note("signature", Err(finding));
            return Ok(unsigned(findings));
        }
    };
    findings.note("signature", Ok(format!("the statement is signed by key {key_id}")));
    signed(&document, &stated, key_id, (keys, options), findings, again)
}

/// The statement, once a trusted key is known to have signed it.
fn open(
    document: &Document,
    envelope: ReadEnvelope,
    keys: &[PublicKey],
) -> Result<(Stated, String), Finding> {
    let (payload, key) = envelope.open(PAYLOAD_TYPE, keys).map_err(|why| match &why {
        DsseError::Untrusted(named) if keys.iter().all(|key| key.id() != *named) => {
            let given: Vec<_> = keys.iter().map(PublicKey::id).collect();
            Finding::wrong_key(format!(
                "it names key {named} as its signer, and what was given is {}: get that key from whoever runs the \
                 installation; if they have no such key, somebody else made this",
                given.join(", ")
            ))
        }
        _ => Finding::tampered(why.to_string()),
    })?;
    let (lines, names) = (&document.sealed.lines, &document.contents.names);
    let stated = statement::read(payload, lines, names).map_err(Finding::tampered)?;
    let statement = &stated.statement;
    for (stated, known) in
        [(&statement.statement_type, STATEMENT_TYPE), (&statement.predicate_type, PREDICATE_TYPE)]
    {
        if stated != known {
            return Err(Finding::tampered(format!("the statement is of type `{stated}`, not `{known}`")));
        }
    }
    Ok((stated, key.id()))
}

/// The checks of what a trusted key signed.
fn signed(
    document: &Document,
    Stated { statement, shared }: &Stated,
    key_id: String,
    (keys, options): (&[PublicKey], &Options),
    mut findings: Findings,
    again: &mut Again<'_>,
) -> Result<Report, NotRead> {
    let stated = &statement.predicate;
    let (matched, outcome) = manifest::compare(document, stated, shared);
    let case = Case { document, manifest: stated, shared, subjects: &statement.subject, keys, matched };
    findings.note("manifest", outcome);
    findings.note("parts", manifest::parts(&case));
    findings.note("identity", chain::identity(&case));
    findings.note("chain", chain::steps(&case));
    findings.note("places", chain::places(&case));
    let (mut known, mut totals) = (links::Known::default(), None);
    findings.note("links", links::links(&case, &mut known));
    findings.note("counts", counts::counts(&case, &mut totals));
    findings.note("roots", roots::roots(&case));
    findings.note("receipt", roots::receipt(&case));
    findings.note("addenda", addenda::addenda(&case, known, totals));
    findings.note("contents", contents::contents(&case));
    match logs::heads(&case) {
        Err(finding) => findings.note("checkpoints", Err(finding)),
        Ok(heads) => {
            findings.note("checkpoints", Ok(format!("{} and {}", heads.runs.origin, heads.audit.origin)));
            findings.note("run log", logs::run_log(&case, &heads));
            findings.note("audit", audit::audit(&case, &heads));
            findings.note("as of", logs::as_of(&case, &heads));
            if let Some(rows) = &options.ledger {
                findings.note("ledger", outside::ledger(&case, &heads, rows));
            }
        }
    }
    if let Some(time) = &options.not_before {
        findings.note("not before", outside::not_before(&case, time));
    }
    if !options.seen.is_empty() {
        findings.note("seen", outside::seen(&case, &options.seen));
    }
    if options.reexecute {
        made_again(&case, again)?.note(&mut findings);
    }
    let otherwise = match stated.completeness {
        Completeness::Open => Word::Open,
        Completeness::Sealed => Word::Complete,
    };
    Ok(Report {
        word: findings.word(otherwise),
        checks: findings.checks,
        tenant_id: Some(stated.tenant_id.clone()),
        run_id: Some(stated.run_id.clone()),
        grade: stated.grade,
        assurance: Some(stated.assurance),
        assurance_with_addenda: Some(document.after.run.value.assurance),
        as_of: Some(document.after.as_of.value.clone()),
        key_id: Some(key_id),
    })
}

/// Every decision is made again: the sealed ones, and those that came late.
fn made_again<'c>(case: &'c Case<'c>, again: &mut Again<'_>) -> Result<checks::Again<'c>, NotRead> {
    let mut checks = checks::Again::begin(case);
    again(Part::Sealed, &mut |_, decision, hash| checks.decision(None, &decision, hash))?;
    if !case.document.after.addenda.is_empty() {
        again(Part::Late, &mut |number, decision, hash| checks.decision(Some(number), &decision, hash))?;
    }
    if checks.over() { Ok(checks) } else { Err(changed()) }
}

/// What can be said where no trusted key has signed.
fn unsigned(findings: Findings) -> Report {
    Report {
        word: findings.word(Word::Tampered),
        checks: findings.checks,
        tenant_id: None,
        run_id: None,
        grade: None,
        assurance: None,
        assurance_with_addenda: None,
        as_of: None,
        key_id: None,
    }
}

/// Whether broken bytes were once a bundle: an object that has the names of a bundle's members in it.
fn resembles_a_bundle(bytes: &[u8]) -> bool {
    let has = |name: &[u8]| bytes.windows(name.len()).any(|window| window == name);
    let members: [&[u8]; 4] = [b"\"format\"", b"\"records\"", b"\"proofs\"", b"\"statement\""];
    bytes.trim_ascii_start().first() == Some(&b'{')
        && (has(b"hoc/run-evidence-bundle/") || members.into_iter().filter(|name| has(name)).count() >= 2)
}
