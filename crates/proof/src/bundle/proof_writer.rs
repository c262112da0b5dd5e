//! A bundle as it is written: behind its records all that proves them, then the texts that they name, and at the end
//! the statement over all of it.

use std::collections::HashSet;

use super::{
    AddendumPart, AfterHashes, AsOf, AuditPart, AuditProof, Checkpoints, Completeness, ContentsHashes,
    Erased, ErasedPart, LiveIncident, LiveRun, LogProof, Lost, Manifest, PARTS, PREDICATE_TYPE, ProofHashes,
    Receipt, ReceiptPart, Roots, SealedHashes, Sink,
    placed::placed,
    said::{Owner, Said},
    sink::Out,
};
use crate::{
    canonical::{self, NotCanonical},
    contents::{MissingContents, Salt},
    dsse::LongEnvelope,
    hash::Hash,
    keys::SigningKey,
    leaves::AuditLeaf,
    records::RecordKind,
    statement::{Digest, PAYLOAD_TYPE, STATEMENT_TYPE, Statement, Subject},
};

/// What stands behind the records of a bundle, but for the texts that they name; as in [`Parts`](super::Parts).
#[derive(Clone, Debug)]
pub struct Rest<'r> {
    /// The place of the run's OPENED leaf in the run log.
    pub opened_proof: LogProof,
    /// None for a run that is not sealed.
    pub receipt: Option<ReceiptPart>,
    /// What came after the run was sealed, oldest first.
    pub addenda: Vec<AddendumPart<'r>>,
    /// The run as it stands now.
    pub run: LiveRun,
    /// Its incidents as they stand now, in the order in which they were opened.
    pub incidents: Vec<LiveIncident>,
    /// What its texts are hashed with. None where they were erased.
    pub salt: Option<Salt>,
    /// That they were erased.
    pub erased: Option<ErasedPart>,
    /// Its rows of the Audit Ledger, by `run_seq`.
    pub audit: Vec<AuditPart>,
    /// What of the records could not be read. None where they are all there.
    pub lost: Option<Lost<'r>>,
    /// Checkpoints that cover the leaves, and to whose sizes the proofs lead.
    pub checkpoints: Checkpoints,
    /// When this is, and the checkpoints' sizes.
    pub as_of: AsOf,
}

/// Writes the texts of a bundle of which everything before is written.
#[derive(Debug)]
pub struct ProofWriter<S> {
    out: Out<S>,
    /// What its statement says, but for the texts.
    manifest: Manifest,
    /// The digests of the parts that are written.
    digests: [Hash; 3],
    known: HashSet<Hash>,
}

impl<S: Sink> ProofWriter<S> {
    /// Writes what stands behind the records: `sealed` are their hashes and their digest.
    pub(super) fn begin(
        mut out: Out<S>,
        mut rest: Rest<'_>,
        owner: Owner,
        (sealed, of_sealed): (SealedHashes, Hash),
        said: Said,
    ) -> Result<Self, NotCanonical> {
        let receipt = rest.receipt.as_ref().map(|receipt| &receipt.leaf);
        let assurance = receipt.map_or(rest.run.assurance, |receipt| receipt.assurance);
        let completeness = if receipt.is_some() { Completeness::Sealed } else { Completeness::Open };
        // What is missing is told by what was made of it: the receipt, and the trace.
        let sealed_as = receipt.filter(|_| rest.lost.is_some()).map(|receipt| receipt.grade);
        let verdict_tally = match &rest.lost {
            None => said.verdict_tally,
            Some(lost) => {
                let counted = lost.verdict_tally.iter().map(|(action, count)| (*action, *count));
                counted.filter(|(_, count)| *count > 0).collect()
            }
        };
        let ranges = rest.lost.as_ref().map_or(&said.ranges, |lost| lost.ranges);
        let newest = said.newest_step.unwrap_or(sealed.opened);
        let roots = Roots {
            chain_head: rest.lost.as_ref().map_or(newest, |lost| lost.chain_head),
            kinds: ranges.kind_roots(),
            records_root: ranges.records_root(),
            root_hash: ranges.kind(RecordKind::Step).root(),
        };
        let record_counts = ranges.counts();
        let (audit, audit_proofs): (Vec<_>, Vec<_>) = std::mem::take(&mut rest.audit)
            .into_iter()
            .map(|AuditPart { record, proof }| {
                let proof = AuditProof::new(&record, proof);
                (AuditLeaf::Entry(record), proof)
            })
            .unzip();
        let (after, of_after) = after(&mut out, &mut rest, &audit)?;
        let (proofs, of_proofs) = proofs(&mut out, &mut rest, &audit_proofs, &roots)?;
        let contents = contents(&mut out, &rest)?;
        let manifest = Manifest {
            after,
            assurance,
            completeness,
            contents,
            grade: said.grade.or(sealed_as),
            record_counts,
            missing: rest.lost.map(|lost| lost.missing).unwrap_or_default(),
            produced_at: rest.as_of.time,
            proofs,
            run_id: owner.run_id,
            sealed,
            tenant_id: owner.tenant_id,
            verdict_tally,
        };
        Ok(Self { out, manifest, digests: [of_sealed, of_after, of_proofs], known: HashSet::new() })
    }

    /// Where it is written to.
    pub fn sink(&mut self) -> &mut S {
        &mut self.out.sink
    }

    /// Writes a text under its name. One that is there already is left out; without a salt nothing names one, and all
    /// are.
    pub fn text(&mut self, name: Hash, text: &str) -> Result<(), NotCanonical> {
        if self.manifest.contents.salt.is_none() || !self.known.insert(name) {
            return Ok(());
        }
        let texts = &mut self.manifest.contents.texts;
        self.out.text(if texts.is_empty() { "" } else { "," });
        texts.push(name);
        self.out.value(text)
    }

    /// Ends the texts, of which these could not be read, and signs all of it. What is signed is as long as the list of
    /// all hashes, which it is: it is written piece by piece.
    pub fn sign(
        mut self,
        missing: Vec<MissingContents>,
        key: &SigningKey,
    ) -> Result<SignedWriter<S>, NotCanonical> {
        self.out.text("]}");
        let of_contents = self.out.end_part();
        let Self { mut out, mut manifest, digests: [sealed, after, proofs], known } = self;
        drop(known);
        manifest.contents.missing = missing;
        let digests = [sealed, after, proofs, of_contents];
        let subject =
            |(name, sha256): (&str, Hash)| Subject { name: name.to_owned(), digest: Digest { sha256 } };
        let statement = Statement {
            statement_type: STATEMENT_TYPE.to_owned(),
            subject: PARTS.into_iter().zip(digests).map(subject).collect(),
            predicate_type: PREDICATE_TYPE.to_owned(),
            predicate: &manifest,
        };
        let payload = canonical::try_to_bytes(&statement)?;
        out.text(",\"statement\":");
        Ok(SignedWriter { out, envelope: LongEnvelope::sign(PAYLOAD_TYPE, payload, key), manifest })
    }
}

/// Writes `records.after`.
fn after<S: Sink>(
    out: &mut Out<S>,
    rest: &mut Rest<'_>,
    audit: &[AuditLeaf],
) -> Result<(AfterHashes, Hash), NotCanonical> {
    out.text(",\"after\":");
    out.begin_part();
    out.text("{\"addenda\":[");
    let (mut places, mut addenda) = (Vec::new(), Vec::new());
    for part in std::mem::take(&mut rest.addenda) {
        out.text(if addenda.is_empty() { "" } else { "," });
        places.push(Some(part.leaf.number));
        addenda.push(Some(out.piece(&part.piece())?));
    }
    if let Some(lost) = &rest.lost {
        addenda = placed(places.into_iter().zip(addenda), lost.addenda);
    }
    out.text("],\"as_of\":");
    let as_of = out.piece(&rest.as_of)?;
    out.text(",\"audit\":");
    let audit = out.pieces(audit)?;
    out.text(",\"incidents\":");
    let incidents = out.pieces(&rest.incidents)?;
    out.text(",\"run\":");
    let run = out.piece(&rest.run)?;
    out.text("}");
    Ok((AfterHashes { addenda, as_of, audit, incidents, run }, out.end_part()))
}

/// Writes `proofs`.
fn proofs<S: Sink>(
    out: &mut Out<S>,
    rest: &mut Rest<'_>,
    audit: &[AuditProof],
    roots: &Roots,
) -> Result<(ProofHashes, Hash), NotCanonical> {
    out.text("},\"proofs\":");
    out.begin_part();
    let receipt = rest.receipt.take().map(|part| Receipt::new(part.leaf, part.proof));
    out.text("{\"audit\":");
    let audit = out.pieces(audit)?;
    out.text(",\"checkpoints\":");
    let checkpoints = out.piece(&rest.checkpoints)?;
    out.text(",\"opened\":");
    let opened = out.piece(&rest.opened_proof)?;
    out.text(",\"receipt\":");
    let of_receipt = out.piece(&receipt)?;
    out.text(",\"roots\":");
    let roots = out.piece(roots)?;
    out.text("}");
    let receipt = receipt.map(|_| of_receipt);
    Ok((ProofHashes { audit, checkpoints, opened, receipt, roots }, out.end_part()))
}

/// Begins `contents`: the texts come next.
fn contents<S: Sink>(out: &mut Out<S>, rest: &Rest<'_>) -> Result<ContentsHashes, NotCanonical> {
    out.text(",\"contents\":");
    out.begin_part();
    let erased = rest.erased.as_ref().map(Erased::from);
    out.text("{\"erased\":");
    let of_erased = out.piece(&erased)?;
    out.text(",\"salt\":");
    let of_salt = out.piece(&rest.salt.as_ref().map(|salt| Hash(*salt.as_bytes())))?;
    out.text(",\"texts\":[");
    Ok(ContentsHashes {
        erased: erased.map(|_| of_erased),
        missing: Vec::new(),
        salt: rest.salt.as_ref().map(|_| of_salt),
        texts: Vec::new(),
    })
}

/// Writes the statement of a bundle, which is its end.
#[derive(Debug)]
pub struct SignedWriter<S> {
    out: Out<S>,
    envelope: LongEnvelope,
    manifest: Manifest,
}

impl<S: Sink> SignedWriter<S> {
    /// Where it is written to.
    pub fn sink(&mut self) -> &mut S {
        &mut self.out.sink
    }

    /// Writes some of it, and says whether more is to come.
    pub fn more(&mut self) -> bool {
        if let Some(piece) = self.envelope.next() {
            self.out.text(&piece);
            true
        } else {
            self.out.text("}\n");
            false
        }
    }

    /// What was written to, and what the statement says.
    pub fn end(self) -> (S, Manifest) {
        (self.out.sink, self.manifest)
    }
}
