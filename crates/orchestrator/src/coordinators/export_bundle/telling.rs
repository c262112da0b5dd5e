//! What a bundle tells, from its beginning to its end, and none of it longer than it takes.

use std::collections::HashMap;

use drivers::logs::{HeldTexts, Named, RunLines};
use models::logs::RunTexts;
use proof::{
    bundle::{AddendumPart, Lost, ProofWriter, RecordsWriter, Rest, kinds_in_order},
    hash::Hash,
};

use super::{
    head::{Head, Leaves},
    segments::Segments,
    teller::{PIECE, Teller},
};
use crate::{
    aside::aside,
    consequences::{
        found::{of_contents, of_segments},
        mismatches::tell,
    },
    coordinators::sealed_records::in_order,
    errors::Error,
};

/// The texts of so many segments are read at once.
const TEXTS_AT_ONCE: usize = 32;

/// Tells all of a bundle that is begun so.
pub(super) async fn tell_all(teller: &Teller<'_>, mut head: Head) -> Result<(), Error> {
    let opened = head.leaves.opened.clone();
    let mut writer = RecordsWriter::begin(opened, head.snapshot.clone(), Vec::new()).map_err(teller.why())?;
    teller.hand_on(writer.sink(), 1).await?;
    let mut segments = Segments::of(teller, RunLines::of(head.sealed.take()), head.segments);
    segments.first(&mut writer).await?;
    for kind in kinds_in_order() {
        for record in head.records.iter().filter(|record| record.kind() == kind) {
            writer.record(record).map_err(teller.why())?;
            teller.hand_on(writer.sink(), PIECE).await?;
        }
        segments.of_kind(&mut writer, kind).await?;
        teller.hand_on(writer.sink(), PIECE).await?;
    }
    let (mut lines, kept) = (segments.into_lines(), head.texts);
    let mut late = std::mem::take(&mut head.late);
    late.extend(lines.take_late());
    in_order(&mut late);
    // What is known of the records that are missing is what the run's trace made of them.
    let trace = head.trace.as_ref().filter(|_| !lines.missing().is_empty());
    if trace.is_none() && !lines.missing().is_empty() {
        return Err(Error::Internal(format!("the trace {} of {} is gone", head.run.trace_id, teller.run)));
    }
    let Leaves { opened_proof, receipt, addenda, erased, .. } = head.leaves;
    let lost = trace.map(|trace| Lost {
        missing: lines.missing().to_vec(),
        ranges: &trace.ranges,
        chain_head: trace.chain_head,
        verdict_tally: trace.tally.clone(),
        addenda: addenda.len() as u64,
    });
    let addenda = match trace {
        None => AddendumPart::split(addenda, &late),
        Some(trace) => AddendumPart::whole(addenda, &late, &trace.ranges),
    };
    let rest = Rest {
        opened_proof,
        receipt,
        addenda,
        run: head.run,
        incidents: head.incidents,
        salt: kept.salt().cloned(),
        erased,
        audit: head.audit,
        lost,
        checkpoints: head.checkpoints,
        as_of: head.as_of,
    };
    let mut writer = writer.prove(rest).map_err(teller.why())?;
    drop(late);
    teller.hand_on(writer.sink(), PIECE).await?;
    let mut missing = kept.out_of_place(lines.named(), lines.missing());
    if kept.salt().is_some() {
        for part in lines.named().in_parts(TEXTS_AT_ONCE) {
            let HeldTexts { texts, missing: not_there, .. } = texts_of(teller, &part).await?;
            missing.extend(not_there);
            let RunTexts::Kept(texts) = texts else {
                return Err(Error::Internal(format!("the texts of {} were erased meanwhile", teller.run)));
            };
            tell_texts(teller, &mut writer, &part, texts)?;
            teller.hand_on(writer.sink(), PIECE).await?;
        }
    }
    missing.sort_by_key(|one| one.first_record);
    // What stands on a body that does not open may have been asked for with others.
    missing.dedup_by_key(|one| one.first_record);
    let mut found = of_segments(teller.run, lines.missing());
    found.extend(of_contents(teller.run, &missing));
    tell(teller.spine, teller.tenant, &found).await;
    drop(lines);
    let mut writer = writer.sign(missing, teller.spine.signing_key()).map_err(teller.why())?;
    while writer.more() {
        teller.hand_on(writer.sink(), PIECE).await?;
    }
    teller.hand_on(writer.sink(), 1).await
}

/// The texts that the steps of some segments name.
async fn texts_of(teller: &Teller<'_>, named: &Named) -> Result<HeldTexts, Error> {
    let store = teller.spine.read().await?;
    Ok(store.traces().texts_of_segments(teller.tenant, teller.run, named).await?)
}

/// Tells texts in the order in which they are named.
fn tell_texts(
    teller: &Teller<'_>,
    writer: &mut ProofWriter<Vec<u8>>,
    named: &Named,
    mut kept: HashMap<Hash, String>,
) -> Result<(), Error> {
    aside(kept.values().map(String::len).sum(), || {
        for name in named.all() {
            if let Some(text) = kept.remove(&name.hash) {
                writer.text(name.hash, &text).map_err(teller.why())?;
            }
        }
        Ok(())
    })
}
