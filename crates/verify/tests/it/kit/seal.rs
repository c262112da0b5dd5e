//! The end of a run, and its bundle as of now.

use std::collections::BTreeMap;

use proof::{
    bundle::{AsOf, AuditPart, Bundle, Checkpoints, ContentsPart, ErasedPart, Parts, ReceiptPart, assemble},
    leaves::{ErasedLeaf, RunLeaf, SealedLeaf},
    records::{IntegrityRecord, Record, RecordKind},
    words::{
        Action, ActorType, Asked, Assurance, IntegrityGrade, IntegrityState, IntegrityStatus, RunStatus,
    },
};

use super::{RUN, Scene, TENANT, TRACE, scene::salt, signing_key};

impl Scene {
    pub(crate) fn seal(&mut self, status: RunStatus) {
        if !self.records.iter().any(|record| matches!(record, Record::Prevention(_))) {
            let clean = self.prevention(None, None, None);
            self.push(clean);
        }
        let grade = if self.has_gap() { IntegrityGrade::Warn } else { IntegrityGrade::Pass };
        let integrity = Record::Integrity(IntegrityRecord {
            tenant_id: TENANT.to_owned(),
            run_id: RUN.to_owned(),
            evidence_id: self.id("evi_"),
            expected: "{\"A\":1}".to_owned(),
            observed: "{\"A\":1}".to_owned(),
            missing: String::new(),
            missing_reasons: "{}".to_owned(),
            capture_failures: self.next(RecordKind::CaptureFailure),
            score_permille: 1_000,
            state: IntegrityState::Sealed,
            grade,
            integrity_status: IntegrityStatus::Verified,
            explanation: "nothing is missing".to_owned(),
            computed_at: self.now(),
        });
        self.push(integrity);
        self.after.status = status;
        let completed_at = self.now();
        let run = Record::Run(self.run_record(completed_at.clone()));
        self.push(run);
        let mut verdict_tally: BTreeMap<Action, u64> =
            Action::ALL.iter().map(|action| (*action, 0)).collect();
        for record in &self.records {
            if let Record::Decision(decision) = record {
                *verdict_tally.entry(decision.action).or_default() += 1;
            }
        }
        let leaf = SealedLeaf {
            tenant_id: TENANT.to_owned(),
            run_id: RUN.to_owned(),
            trace_id: TRACE.to_owned(),
            root_hash: self.ranges.kind(RecordKind::Step).root().to_string(),
            chain_head: self.chain_head.to_string(),
            step_count: self.after.step_count,
            refused_count: self.after.refused_count,
            verdict_tally,
            records_root: self.ranges.records_root().to_string(),
            record_counts: self.ranges.counts(),
            snapshot_digest: self.snapshot.digest().to_string(),
            status,
            grade,
            assurance: self.assurance(),
            sealed_at: completed_at,
        };
        let RunLeaf::Sealed(leaf) = self.plant.leaf(RunLeaf::Sealed(leaf)) else {
            unreachable!("a plant leaves the kind")
        };
        let sealed = RunLeaf::Sealed(leaf.clone());
        let hash = sealed.hash();
        self.sealed = Some((leaf, self.runs.append(sealed, hash)));
        self.others(2);
    }

    fn has_gap(&self) -> bool {
        self.records.iter().any(|record| record.kind() == RecordKind::Gap)
    }

    /// What its steps and gaps leave of an ended run's assurance.
    pub(super) fn assurance(&self) -> Assurance {
        match self.unasked() {
            _ if self.has_gap() || self.reported => Assurance::Reported,
            0 => Assurance::Enforced,
            _ => Assurance::Recorded,
        }
    }

    /// How many of its own steps nobody asked for.
    pub(super) fn unasked(&self) -> u64 {
        let unasked = |record: &&Record| matches!(record, Record::Step(step) if step.asked == Asked::After);
        self.records.iter().filter(unasked).count() as u64
    }

    /// The parts of the bundle as of now. `records` are usually the scene's own.
    pub(crate) fn parts<'r>(&mut self, records: &'r [Record]) -> Parts<'r> {
        let key = signing_key();
        let run = self.live_run();
        let addenda = self.addenda();
        let audit = self
            .audit
            .iter()
            .map(|(record, index)| AuditPart { record: record.clone(), proof: self.ledger.proof(*index) });
        Parts {
            opened: self.opened.clone(),
            opened_proof: self.runs.proof(self.opened_index),
            receipt: self
                .sealed
                .as_ref()
                .map(|(leaf, index)| ReceiptPart { leaf: leaf.clone(), proof: self.runs.proof(*index) }),
            snapshot: self.snapshot.clone(),
            records,
            addenda,
            run,
            incidents: self.incidents.clone(),
            contents: self.contents(),
            audit: audit.collect(),
            lost: None,
            checkpoints: Checkpoints {
                audit: self.ledger.checkpoint(&key),
                runs: self.runs.checkpoint(&key),
            },
            as_of: AsOf { audit_size: self.ledger.size(), runs_size: self.runs.size(), time: self.now() },
        }
    }

    /// The texts that its records name, or that they were erased.
    fn contents(&self) -> ContentsPart {
        match &self.erased {
            None => ContentsPart { salt: Some(salt()), texts: self.texts.clone(), ..ContentsPart::default() },
            Some((leaf, index)) => {
                let erased = ErasedPart { leaf: leaf.clone(), proof: self.runs.proof(*index) };
                ContentsPart { erased: Some(erased), ..ContentsPart::default() }
            }
        }
    }

    /// Erases what is kept of its texts.
    pub(crate) fn erase(&mut self) {
        let (sealed, _) = self.sealed.as_ref().expect("a sealed run");
        let leaf = ErasedLeaf {
            tenant_id: TENANT.to_owned(),
            run_id: RUN.to_owned(),
            sealed_leaf: RunLeaf::Sealed(sealed.clone()).hash().to_string(),
            text_count: self.texts.len() as u64,
            text_bytes: self.texts.iter().map(|text| text.len() as u64).sum(),
            actor_type: ActorType::Human,
            actor_id: Some("ann".to_owned()),
            reason: "its subject asked for it".to_owned(),
            erased_at: self.now(),
        };
        let RunLeaf::Erased(leaf) = self.plant.leaf(RunLeaf::Erased(leaf)) else {
            unreachable!("a plant leaves the kind")
        };
        let erased = RunLeaf::Erased(leaf.clone());
        let hash = erased.hash();
        self.erased = Some((leaf, self.runs.append(erased, hash)));
        self.others(1);
    }

    /// The bundle as of now, signed.
    pub(crate) fn bundle(&mut self) -> Bundle {
        let records = self.records.clone();
        assemble(self.parts(&records), &signing_key()).expect("whole numbers")
    }

    /// The document as of now.
    pub(crate) fn json(&mut self) -> Vec<u8> {
        self.bundle().into_bytes()
    }
}
