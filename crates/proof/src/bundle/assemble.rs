//! Making a bundle from what the store holds. Every record is written and hashed once.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    ADDED, Addendum, AfterHashes, AsOf, AuditProof, Checkpoints, Completeness, ContentsHashes, ContentsPart,
    Engine, Erased, FORMAT, LiveIncident, LiveRun, LogProof, Manifest, PARTS, PREDICATE_TYPE, ProofHashes,
    Receipt, Roots, SealedHashes, Snapshot,
};
use crate::{
    canonical::{self, Canonicalizer, NotCanonical},
    definitions::SnapshotDefinition,
    dsse::Envelope,
    hash::{self, Hash, sha256},
    keys::SigningKey,
    leaves::{AddendumLeaf, AuditLeaf, AuditRecord, OpenedLeaf, RunLeaf, SealedLeaf},
    records::{Record, RecordKind},
    run_ranges::RunRanges,
    segment::MissingSegment,
    statement::{Digest, PAYLOAD_TYPE, STATEMENT_TYPE, Statement, Subject},
    words::Action,
};

/// What a bundle is made of. It is bundled as given: what does not fit together shows when it is verified.
#[derive(Clone, Debug)]
pub struct Parts<'r> {
    /// The run's OPENED leaf.
    pub opened: OpenedLeaf,
    /// Its place in the run log.
    pub opened_proof: LogProof,
    /// None for a run that is not sealed.
    pub receipt: Option<ReceiptPart>,
    /// The rules and limits that the run is bound to.
    pub snapshot: SnapshotDefinition,
    /// Every record that the receipt covers. Kinds may be mixed; those of a kind are in the order of their place.
    pub records: &'r [Record],
    /// What came after the run was sealed, oldest first.
    pub addenda: Vec<AddendumPart<'r>>,
    /// The run as it stands now.
    pub run: LiveRun,
    /// Its incidents as they stand now, in the order in which they were opened.
    pub incidents: Vec<LiveIncident>,
    /// The texts that its records name.
    pub contents: ContentsPart,
    /// Its rows of the Audit Ledger, by `run_seq`.
    pub audit: Vec<AuditPart>,
    /// What of the records could not be read. None where they are all there.
    pub lost: Option<Lost<'r>>,
    /// Checkpoints that cover the leaves, and to whose sizes the proofs lead.
    pub checkpoints: Checkpoints,
    /// When this is, and the checkpoints' sizes.
    pub as_of: AsOf,
}

/// Of a run of which not all records could be read: which segments are missing, and what the run's trace knows of all
/// of them.
#[derive(Clone, Debug)]
pub struct Lost<'r> {
    /// The segments.
    pub missing: Vec<MissingSegment>,
    /// The trees over the records that the receipt covers, or will.
    pub ranges: &'r RunRanges,
    /// The hash of the last of its steps.
    pub chain_head: Hash,
    /// How many of its decisions answered what.
    pub verdict_tally: BTreeMap<Action, u64>,
    /// How many addenda there are.
    pub addenda: u64,
}

/// The run's SEALED leaf and its place in the run log.
#[derive(Clone, Debug)]
pub struct ReceiptPart {
    /// The receipt.
    pub leaf: SealedLeaf,
    /// Its place.
    pub proof: LogProof,
}

/// An ADDENDUM leaf, its place in the run log, and the records that it added.
#[derive(Clone, Debug)]
pub struct AddendumPart<'r> {
    /// The leaf.
    pub leaf: AddendumLeaf,
    /// Its place.
    pub proof: LogProof,
    /// The records, those of a kind in the order of their place.
    pub records: Vec<&'r Record>,
}

impl<'r> AddendumPart<'r> {
    /// Gives each addendum its part of the late records, which are in the order of their place.
    #[must_use]
    pub fn split(leaves: Vec<(AddendumLeaf, LogProof)>, late: &'r [Record]) -> Vec<Self> {
        let mut kinds: Vec<Vec<&Record>> = vec![Vec::new(); RecordKind::ALL.len()];
        for record in late {
            kinds[record.kind() as usize].push(record);
        }
        let mut taken = vec![0; kinds.len()];
        let mut parts = Vec::with_capacity(leaves.len());
        for (leaf, proof) in leaves {
            let mut records = Vec::new();
            for kind in RecordKind::ALL {
                let at = *kind as usize;
                let count = leaf.record_counts.get(kind).copied().unwrap_or(0);
                let end = usize::try_from(count).unwrap_or(usize::MAX).min(kinds[at].len());
                records.extend(kinds[at].get(taken[at]..end).unwrap_or_default());
                taken[at] = taken[at].max(end);
            }
            parts.push(Self { leaf, proof, records });
        }
        parts
    }

    /// The same of a run of which some records are missing: each record goes by its place, and an addendum of which not
    /// all are there is left out. `sealed` are the records that the receipt covers.
    #[must_use]
    pub fn whole(leaves: Vec<(AddendumLeaf, LogProof)>, late: &'r [Record], sealed: &RunRanges) -> Vec<Self> {
        let mut before: BTreeMap<RecordKind, u64> = BTreeMap::new();
        let mut parts = Vec::with_capacity(leaves.len());
        for (leaf, proof) in leaves {
            let mut records = Vec::new();
            let mut is_whole = true;
            for kind in RecordKind::ALL {
                let from = before.get(kind).copied().unwrap_or(0);
                let end = leaf.record_counts.get(kind).copied().unwrap_or(0).max(from);
                let place = |record: &Record| record.position()?.checked_sub(sealed.next(*kind));
                let is_of_it = |record: &&Record| {
                    record.kind() == *kind && place(record).is_some_and(|at| (from..end).contains(&at))
                };
                let known = records.len();
                records.extend(late.iter().filter(is_of_it));
                is_whole &= (records.len() - known) as u64 == end - from;
                before.insert(*kind, end);
            }
            if is_whole {
                parts.push(Self { leaf, proof, records });
            }
        }
        parts
    }

    fn piece(self) -> Addendum<'r> {
        let mut records: BTreeMap<RecordKind, Vec<&Record>> =
            ADDED.into_iter().map(|kind| (kind, Vec::new())).collect();
        for record in self.records {
            records.entry(record.kind()).or_default().push(record);
        }
        let LogProof { leaf_index, inclusion } = self.proof;
        Addendum { inclusion, leaf: RunLeaf::Addendum(self.leaf), leaf_index, records }
    }
}

/// A row of the Audit Ledger and its place there.
#[derive(Clone, Debug)]
pub struct AuditPart {
    /// The row.
    pub record: AuditRecord,
    /// Its place.
    pub proof: LogProof,
}

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
    document.json.reserve(64 * 1024 + 1300 * parts.records.len());
    let (tenant_id, run_id) = (parts.opened.tenant_id.clone(), parts.opened.run_id.clone());
    let assurance = parts.receipt.as_ref().map_or(parts.run.assurance, |receipt| receipt.leaf.assurance);
    let completeness = if parts.receipt.is_some() { Completeness::Sealed } else { Completeness::Open };
    let produced_at = parts.as_of.time.clone();
    let grade = parts.records.iter().rev().find_map(|record| match record {
        Record::Integrity(integrity) => Some(integrity.grade),
        _ => None,
    });
    // What is missing is told by what was made of it: the receipt, and the trace.
    let lost = parts.lost;
    let sealed_as = parts.receipt.as_ref().filter(|_| lost.is_some()).map(|receipt| receipt.leaf.grade);
    let grade = grade.or(sealed_as);
    let verdict_tally = match &lost {
        None => verdict_tally(parts.records),
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
    let sealed = document.part(|out| out.sealed(&opened, parts.snapshot, parts.records, lost.as_ref()))?;
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
fn verdict_tally(records: &[Record]) -> BTreeMap<Action, u64> {
    let mut tally = BTreeMap::new();
    for record in records {
        if let Record::Decision(decision) = record {
            *tally.entry(decision.action).or_default() += 1;
        }
    }
    tally
}

/// The engines that decisions name, each once.
fn engines(records: &[Record]) -> Vec<Engine> {
    let mut engines: Vec<Engine> = Vec::new();
    for record in records {
        if let Record::Decision(decision) = record {
            let known = |engine: &Engine| {
                engine.engine_version == decision.engine_version
                    && engine.schema_version == decision.schema_version
            };
            if !engines.iter().any(known) {
                engines.push(Engine {
                    engine_version: decision.engine_version.clone(),
                    schema_version: decision.schema_version.clone(),
                });
            }
        }
    }
    engines
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
        records: &[Record],
        lost: Option<&Lost<'_>>,
    ) -> Result<SealedHashes, NotCanonical> {
        let mut kinds: Vec<Vec<&Record>> = vec![Vec::new(); RecordKind::ALL.len()];
        for record in records {
            kinds[record.kind() as usize].push(record);
        }
        let snapshot =
            Snapshot { digest: snapshot.digest(), engines: engines(records), definition: snapshot };
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
                    let leaves = self.pieces(kinds[kind as usize].iter().copied())?;
                    for leaf in &leaves {
                        self.ranges.push_hash(kind, *leaf);
                    }
                    let leaves = leaves.into_iter().map(Some);
                    let listed = match lost {
                        None => leaves.collect(),
                        Some(lost) => {
                            let places = kinds[kind as usize].iter().map(|record| record.position());
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
