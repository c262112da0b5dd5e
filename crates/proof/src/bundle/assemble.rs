//! Making a bundle from what the store holds. Every record is written and hashed once.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    Addendum, AddendumPart, AfterHashes, AsOf, AuditPart, AuditProof, Checkpoints, Completeness,
    ContentsHashes, ContentsPart, Engine, Erased, FORMAT, LiveIncident, LiveRun, LogProof, Lost, Manifest,
    PARTS, PREDICATE_TYPE, Parts, ProofHashes, Receipt, Roots, SealedHashes, Snapshot,
};
use crate::{
    canonical::{self, Canonicalizer, NotCanonical},
    definitions::SnapshotDefinition,
    dsse::Envelope,
    hash::{self, Hash, sha256},
    keys::SigningKey,
    leaves::{AuditLeaf, RunLeaf},
    records::{Line, Record, RecordKind},
    run_ranges::RunRanges,
    statement::{Digest, PAYLOAD_TYPE, STATEMENT_TYPE, Statement, Subject},
    words::Action,
};

/// A signed bundle.
#[derive(Clone, Debug)]
pub struct Bundle {
    json: Vec<u8>,
    manifest: Manifest,
}

impl Bundle {
    /// The document.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.json
    }

    /// The document.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.json
    }

    /// What its statement says.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }
}

/// Builds and signs a bundle. Refused only if a number is beyond [`canonical::MAX_INTEGER`].
pub fn assemble(parts: Parts<'_>, key: &SigningKey) -> Result<Bundle, NotCanonical> {
    let mut document = Document::default();
    // A record takes about a kilobyte; to grow a large buffer is to copy it.
    let lines: usize = parts.lines.iter().map(|line| line.text().len() + 1).sum();
    document.json.reserve(64 * 1024 + 1300 * parts.records.len() + lines);
    let (tenant_id, run_id) = (parts.opened.tenant_id.clone(), parts.opened.run_id.clone());
    let assurance = parts.receipt.as_ref().map_or(parts.run.assurance, |receipt| receipt.leaf.assurance);
    let completeness = if parts.receipt.is_some() { Completeness::Sealed } else { Completeness::Open };
    let produced_at = parts.as_of.time.clone();
    let grade = parts.records.iter().rev().find_map(|record| match record {
        Record::Integrity(integrity) => Some(integrity.grade),
        _ => None,
    });
    let grade = grade.or_else(|| parts.lines.iter().rev().find_map(Line::grade));
    // What is missing is told by what was made of it: the receipt, and the trace.
    let lost = parts.lost;
    let sealed_as = parts.receipt.as_ref().filter(|_| lost.is_some()).map(|receipt| receipt.leaf.grade);
    let grade = grade.or(sealed_as);
    let verdict_tally = match &lost {
        None => verdict_tally(parts.records, parts.lines),
        Some(lost) => {
            lost.verdict_tally.iter().map(|(action, count)| (*action, *count)).filter(|of| of.1 > 0).collect()
        }
    };
    let (audit_records, audit_proofs): (Vec<_>, Vec<_>) = parts
        .audit
        .into_iter()
        .map(|AuditPart { record, proof }| {
            let proof = AuditProof::new(&record, proof);
            (AuditLeaf::Entry(record), proof)
        })
        .unzip();

    let numbers: Vec<u64> = parts.addenda.iter().map(|part| part.leaf.number).collect();
    let addenda: Vec<Addendum<'_>> = parts.addenda.into_iter().map(AddendumPart::piece).collect();
    let opened = RunLeaf::Opened(parts.opened);
    document.text("{\"format\":");
    document.value(FORMAT)?;
    document.text(",\"records\":{\"sealed\":");
    let sealed = document
        .part(|out| out.sealed(&opened, parts.snapshot, (parts.records, parts.lines), lost.as_ref()))?;
    document.text(",\"after\":");
    let mut after = document
        .part(|out| out.after(&addenda, &parts.run, &parts.incidents, &audit_records, &parts.as_of))?;
    if let Some(lost) = &lost {
        after.value.addenda = placed(numbers.into_iter().map(Some).zip(after.value.addenda), lost.addenda);
    }
    document.text("},\"proofs\":");
    let roots = document.roots(&sealed.value, lost.as_ref());
    let receipt = parts.receipt.map(|part| Receipt::new(part.leaf, part.proof));
    let proofs = document.part(|out| {
        out.proofs(&audit_proofs, &parts.checkpoints, &parts.opened_proof, receipt.as_ref(), &roots)
    })?;

    document.text(",\"contents\":");
    let texts = parts.contents;
    let contents = document.part(|out| out.contents(texts))?;

    let manifest = Manifest {
        after: after.value,
        assurance,
        completeness,
        contents: contents.value,
        grade,
        record_counts: lost.as_ref().map_or(&document.ranges, |lost| lost.ranges).counts(),
        missing: lost.map(|lost| lost.missing).unwrap_or_default(),
        produced_at,
        proofs: proofs.value,
        run_id,
        sealed: sealed.value,
        tenant_id,
        verdict_tally,
    };
    let digests = [sealed.digest, after.digest, proofs.digest, contents.digest];
    let subject = |(name, sha256): (&str, Hash)| Subject { name: name.to_owned(), digest: Digest { sha256 } };
    let statement = Statement {
        statement_type: STATEMENT_TYPE.to_owned(),
        subject: PARTS.into_iter().zip(digests).map(subject).collect(),
        predicate_type: PREDICATE_TYPE.to_owned(),
        predicate: &manifest,
    };
    let envelope = Envelope::sign(PAYLOAD_TYPE, &canonical::try_to_bytes(&statement)?, key);
    document.text(",\"statement\":");
    document.value(&envelope)?;
    document.text("}\n");
    Ok(Bundle { json: document.json, manifest })
}

/// A list of `count`, with each hash in its place; those that have none there come last.
fn placed(hashes: impl Iterator<Item = (Option<u64>, Option<Hash>)>, count: u64) -> Vec<Option<Hash>> {
    let mut listed = vec![None; usize::try_from(count).unwrap_or(0)];
    let mut others = Vec::new();
    for (place, hash) in hashes {
        let place = place.and_then(|place| usize::try_from(place).ok());
        match place.and_then(|place| listed.get_mut(place)).filter(|free| free.is_none()) {
            Some(free) => *free = hash,
            None => others.push(hash),
        }
    }
    listed.extend(others);
    listed
}

/// How many decisions answered what.
fn verdict_tally(records: &[Record], lines: &[Line<'_>]) -> BTreeMap<Action, u64> {
    let mut tally = BTreeMap::new();
    let told = records.iter().filter_map(|record| match record {
        Record::Decision(decision) => Some(decision.action),
        _ => None,
    });
    for action in told.chain(lines.iter().filter_map(Line::action)) {
        *tally.entry(action).or_default() += 1;
    }
    tally
}

/// The engines that decisions name, each once.
fn engines(records: &[Record], lines: &[Line<'_>]) -> Vec<Engine> {
    let told = records.iter().filter_map(|record| match record {
        Record::Decision(decision) => Some(Engine {
            engine_version: decision.engine_version.clone(),
            schema_version: decision.schema_version.clone(),
        }),
        _ => None,
    });
    let mut engines: Vec<Engine> = Vec::new();
    let of_lines = lines.iter().filter_map(Line::engine).map(|(engine_version, schema_version)| Engine {
        engine_version: engine_version.to_owned(),
        schema_version: schema_version.to_owned(),
    });
    for engine in told.chain(of_lines) {
        if !engines.contains(&engine) {
            engines.push(engine);
        }
    }
    engines
}

/// A record that the receipt covers.
#[derive(Clone, Copy)]
enum Told<'r> {
    Value(&'r Record),
    Line(&'r Line<'r>),
}

impl Told<'_> {
    fn kind(self) -> RecordKind {
        match self {
            Self::Value(record) => record.kind(),
            Self::Line(line) => line.kind(),
        }
    }

    fn position(self) -> Option<u64> {
        match self {
            Self::Value(record) => record.position(),
            Self::Line(line) => Some(line.place()),
        }
    }
}

/// A part that is written: what its pieces hash to, and its digest.
struct Part<T> {
    value: T,
    digest: Hash,
}

/// The document as far as it is written. Within a part, members are in canonical order.
#[derive(Default)]
struct Document {
    json: Vec<u8>,
    canonicalizer: Canonicalizer,
    ranges: RunRanges,
}

impl Document {
    fn text(&mut self, text: &str) {
        self.json.extend_from_slice(text.as_bytes());
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotCanonical> {
        self.canonicalizer.append(value, &mut self.json)
    }

    /// Writes a value and hashes what was written.
    fn piece<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<Hash, NotCanonical> {
        let start = self.json.len();
        self.value(value)?;
        Ok(hash::leaf(&self.json[start..]))
    }

    fn pieces<'t, T: Serialize + 't>(
        &mut self,
        values: impl IntoIterator<Item = &'t T>,
    ) -> Result<Vec<Hash>, NotCanonical> {
        self.text("[");
        let mut hashes = Vec::new();
        for value in values {
            if !hashes.is_empty() {
                self.text(",");
            }
            hashes.push(self.piece(value)?);
        }
        self.text("]");
        Ok(hashes)
    }

    /// Writes a list of records and hashes each.
    fn told(&mut self, records: &[Told<'_>]) -> Result<Vec<Hash>, NotCanonical> {
        self.text("[");
        let mut hashes = Vec::with_capacity(records.len());
        for told in records {
            self.text(if hashes.is_empty() { "" } else { "," });
            hashes.push(match told {
                Told::Value(record) => self.piece(*record)?,
                Told::Line(line) => {
                    self.text(line.text());
                    hash::leaf(line.text().as_bytes())
                }
            });
        }
        self.text("]");
        Ok(hashes)
    }

    fn part<T>(
        &mut self,
        write: impl FnOnce(&mut Self) -> Result<T, NotCanonical>,
    ) -> Result<Part<T>, NotCanonical> {
        let start = self.json.len();
        let value = write(self)?;
        Ok(Part { value, digest: sha256(&self.json[start..]) })
    }

    fn sealed(
        &mut self,
        opened: &RunLeaf,
        snapshot: SnapshotDefinition,
        (records, lines): (&[Record], &[Line<'_>]),
        lost: Option<&Lost<'_>>,
    ) -> Result<SealedHashes, NotCanonical> {
        let mut kinds: Vec<Vec<Told<'_>>> = vec![Vec::new(); RecordKind::ALL.len()];
        for told in records.iter().map(Told::Value).chain(lines.iter().map(Told::Line)) {
            kinds[told.kind() as usize].push(told);
        }
        let engines = engines(records, lines);
        let snapshot = Snapshot { digest: snapshot.digest(), engines, definition: snapshot };
        // A kind's name, or one of the two members beside them.
        let mut members: Vec<(&str, Option<RecordKind>)> =
            RecordKind::ALL.iter().map(|kind| (kind.as_str(), Some(*kind))).collect();
        members.extend([("opened", None), ("snapshot", None)]);
        members.sort_unstable();

        let mut hashes =
            SealedHashes { opened: Hash([0; 32]), records: BTreeMap::new(), snapshot: Hash([0; 32]) };
        for (at, (name, kind)) in members.into_iter().enumerate() {
            self.text(if at == 0 { "{\"" } else { ",\"" });
            self.text(name);
            self.text("\":");
            match kind {
                Some(kind) => {
                    let leaves = self.told(&kinds[kind as usize])?;
                    for leaf in &leaves {
                        self.ranges.push_hash(kind, *leaf);
                    }
                    let leaves = leaves.into_iter().map(Some);
                    let listed = match lost {
                        None => leaves.collect(),
                        Some(lost) => {
                            let places = kinds[kind as usize].iter().map(|told| told.position());
                            placed(places.zip(leaves), lost.ranges.next(kind))
                        }
                    };
                    hashes.records.insert(kind, listed);
                }
                None if name == "opened" => hashes.opened = self.piece(opened)?,
                None => hashes.snapshot = self.piece(&snapshot)?,
            }
        }
        self.text("}");
        Ok(hashes)
    }

    fn after(
        &mut self,
        addenda: &[Addendum<'_>],
        run: &LiveRun,
        incidents: &[LiveIncident],
        audit: &[AuditLeaf],
        as_of: &AsOf,
    ) -> Result<AfterHashes, NotCanonical> {
        self.text("{\"addenda\":");
        let addenda = self.pieces(addenda)?.into_iter().map(Some).collect();
        self.text(",\"as_of\":");
        let as_of = self.piece(as_of)?;
        self.text(",\"audit\":");
        let audit = self.pieces(audit)?;
        self.text(",\"incidents\":");
        let incidents = self.pieces(incidents)?;
        self.text(",\"run\":");
        let run = self.piece(run)?;
        self.text("}");
        Ok(AfterHashes { addenda, as_of, audit, incidents, run })
    }

    fn roots(&self, sealed: &SealedHashes, lost: Option<&Lost<'_>>) -> Roots {
        let ranges = lost.map_or(&self.ranges, |lost| lost.ranges);
        let newest = sealed.records[&RecordKind::Step].last().copied().flatten();
        Roots {
            chain_head: lost.map_or(newest.unwrap_or(sealed.opened), |lost| lost.chain_head),
            kinds: ranges.kind_roots(),
            records_root: ranges.records_root(),
            root_hash: ranges.kind(RecordKind::Step).root(),
        }
    }

    fn proofs(
        &mut self,
        audit: &[AuditProof],
        checkpoints: &Checkpoints,
        opened: &LogProof,
        receipt: Option<&Receipt>,
        roots: &Roots,
    ) -> Result<ProofHashes, NotCanonical> {
        self.text("{\"audit\":");
        let audit = self.pieces(audit)?;
        self.text(",\"checkpoints\":");
        let checkpoints = self.piece(checkpoints)?;
        self.text(",\"opened\":");
        let opened = self.piece(opened)?;
        self.text(",\"receipt\":");
        let receipt_hash = self.piece(&receipt)?;
        self.text(",\"roots\":");
        let roots = self.piece(roots)?;
        self.text("}");
        Ok(ProofHashes { audit, checkpoints, opened, receipt: receipt.map(|_| receipt_hash), roots })
    }

    fn contents(&mut self, part: ContentsPart) -> Result<ContentsHashes, NotCanonical> {
        let erased = part.erased.as_ref().map(Erased::from);
        self.text("{\"erased\":");
        let of_erased = self.piece(&erased)?;
        self.text(",\"salt\":");
        let of_salt = self.piece(&part.salt.as_ref().map(|salt| Hash(*salt.as_bytes())))?;
        self.text(",\"texts\":[");
        let mut texts = Vec::new();
        for (name, text) in part.named() {
            self.text(if texts.is_empty() { "" } else { "," });
            self.value(&text)?;
            texts.push(name);
        }
        self.text("]}");
        let (erased, salt) = (erased.map(|_| of_erased), part.salt.map(|_| of_salt));
        Ok(ContentsHashes { erased, missing: part.missing, salt, texts })
    }
}
