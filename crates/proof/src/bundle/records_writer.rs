//! A bundle as it is written: first its records, of which none is kept but its hash.

use std::collections::BTreeMap;

use super::{
    FORMAT, ProofWriter, Rest, SealedHashes, Sink, Snapshot,
    placed::Placed,
    said::{Owner, Said},
    sink::Out,
};
use crate::{
    canonical::NotCanonical,
    definitions::SnapshotDefinition,
    hash::{self, Hash},
    leaves::{OpenedLeaf, RunLeaf},
    records::{Line, Record, RecordKind},
};

/// The kinds of record in the order in which a bundle has them, which is that of their names.
#[must_use]
pub fn kinds_in_order() -> Vec<RecordKind> {
    members().into_iter().filter_map(|(_, kind)| kind).collect()
}

/// The members of `records.sealed`: a kind's name, or one of the two beside them.
fn members() -> Vec<(&'static str, Option<RecordKind>)> {
    let kinds = RecordKind::ALL.iter().map(|kind| (kind.as_str(), Some(*kind)));
    let mut members: Vec<_> = kinds.chain([("opened", None), ("snapshot", None)]).collect();
    members.sort_unstable_by_key(|(name, _)| *name);
    members
}

/// Writes a bundle's records. Kinds come in the order of [`kinds_in_order`], and those of a kind in the order of their
/// place.
#[derive(Debug)]
pub struct RecordsWriter<S> {
    out: Out<S>,
    owner: Owner,
    opened: RunLeaf,
    snapshot: SnapshotDefinition,
    members: Vec<(&'static str, Option<RecordKind>)>,
    /// How many of the members are begun.
    begun: usize,
    /// The hashes of the two members that are no kind.
    of_opened: Option<Hash>,
    of_snapshot: Option<Hash>,
    kinds: BTreeMap<RecordKind, Placed>,
    said: Said,
}

impl<S: Sink> RecordsWriter<S> {
    /// Begins a bundle of the run that was opened so, and is bound to these rules and limits.
    pub fn begin(opened: OpenedLeaf, snapshot: SnapshotDefinition, sink: S) -> Result<Self, NotCanonical> {
        let mut out = Out::to(sink);
        out.text("{\"format\":");
        out.value(FORMAT)?;
        out.text(",\"records\":{\"sealed\":");
        out.begin_part();
        Ok(Self {
            out,
            owner: Owner { tenant_id: opened.tenant_id.clone(), run_id: opened.run_id.clone() },
            opened: RunLeaf::Opened(opened),
            snapshot,
            members: members(),
            begun: 0,
            of_opened: None,
            of_snapshot: None,
            kinds: BTreeMap::new(),
            said: Said::default(),
        })
    }

    /// Where it is written to: whoever empties it as it goes holds no more of the bundle than is new.
    pub fn sink(&mut self) -> &mut S {
        &mut self.out.sink
    }

    /// Writes a record.
    ///
    /// # Panics
    /// If a record was written of which the kind comes behind this one's.
    pub fn record(&mut self, record: &Record) -> Result<(), NotCanonical> {
        self.next(record.kind())?;
        let hash = self.out.piece(record)?;
        match record {
            Record::Decision(decision) => {
                self.said.decision(decision.action, (&decision.engine_version, &decision.schema_version));
            }
            Record::Integrity(integrity) => self.said.grade = Some(integrity.grade),
            _ => {}
        }
        self.note(record.kind(), record.position(), hash);
        Ok(())
    }

    /// Writes a record as it is stored.
    ///
    /// # Panics
    /// As [`Self::record`].
    pub fn line(&mut self, line: &Line<'_>) -> Result<(), NotCanonical> {
        self.next(line.kind())?;
        self.out.text(line.text());
        if let (Some(action), Some(engine)) = (line.action(), line.engine()) {
            self.said.decision(action, engine);
        }
        self.said.grade = line.grade().or(self.said.grade);
        self.note(line.kind(), Some(line.place()), hash::leaf(line.text().as_bytes()));
        Ok(())
    }

    /// Ends the records, and writes all but the texts that they name, which come next.
    pub fn prove(mut self, rest: Rest<'_>) -> Result<ProofWriter<S>, NotCanonical> {
        self.reach(self.members.len())?;
        self.close();
        self.out.text("}");
        let digest = self.out.end_part();
        let Self { out, owner, of_opened, of_snapshot, mut kinds, said, .. } = self;
        let nothing = Hash([0; 32]);
        let listed = |kind: &RecordKind| {
            let placed = kinds.remove(kind).unwrap_or_default();
            let count = rest.lost.as_ref().map(|lost| lost.ranges.next(*kind));
            (*kind, placed.listed(count))
        };
        let sealed = SealedHashes {
            records: RecordKind::ALL.iter().map(listed).collect(),
            opened: of_opened.unwrap_or(nothing),
            snapshot: of_snapshot.unwrap_or(nothing),
        };
        ProofWriter::begin(out, rest, owner, (sealed, digest), said)
    }

    /// One more of this kind comes.
    fn next(&mut self, kind: RecordKind) -> Result<(), NotCanonical> {
        let place = self.members.iter().position(|(_, of)| *of == Some(kind)).unwrap_or_default();
        assert!(self.begun <= place + 1, "{kind} comes before what was told already");
        self.reach(place + 1)?;
        if self.kinds.get(&kind).is_some_and(|known| known.count() > 0) {
            self.out.text(",");
        }
        Ok(())
    }

    fn note(&mut self, kind: RecordKind, place: Option<u64>, hash: Hash) {
        if kind == RecordKind::Step {
            self.said.newest_step = Some(hash);
        }
        self.said.ranges.push_hash(kind, hash);
        self.kinds.entry(kind).or_default().push(place, hash);
    }

    /// Begins members until so many are begun.
    fn reach(&mut self, count: usize) -> Result<(), NotCanonical> {
        while self.begun < count {
            self.close();
            let (name, kind) = self.members[self.begun];
            self.out.text(if self.begun == 0 { "{\"" } else { ",\"" });
            self.out.text(name);
            self.out.text("\":");
            self.begun += 1;
            match kind {
                Some(_) => self.out.text("["),
                None if name == "opened" => self.of_opened = Some(self.out.piece(&self.opened)?),
                None => {
                    // Its decisions have all come: they are before it by their names.
                    let snapshot = Snapshot {
                        digest: self.snapshot.digest(),
                        engines: std::mem::take(&mut self.said.engines),
                        definition: self.snapshot.clone(),
                    };
                    self.of_snapshot = Some(self.out.piece(&snapshot)?);
                }
            }
        }
        Ok(())
    }

    /// Ends the member that is begun last.
    fn close(&mut self) {
        let last = self.begun.checked_sub(1).and_then(|at| self.members.get(at));
        if last.is_some_and(|(_, kind)| kind.is_some()) {
            self.out.text("]");
        }
    }
}
