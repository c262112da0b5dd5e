//! A bundle as it was read: its records typed, its pieces hashed. Nothing is believed yet.

mod addenda;
mod again;
mod bytes;
mod contents;
mod decision;
mod gist;
mod lines;
mod logged;
mod names;
mod packed;
mod sealed;
mod step;

use std::{io::Read, rc::Rc};

use proof::{
    bundle::{AsOf, AuditProof, Checkpoints, FORMAT, LiveIncident, LiveRun, LogProof, PARTS, Roots},
    dsse::{Payload, ReadEnvelope},
    hash::Hash,
    leaves::{AuditRecord, SealedLeaf},
};

pub(crate) use crate::reader::Held;
use crate::{
    json::Wrong,
    reader::{Reader, Streamed, Unread, Whole, present},
};
use addenda::read_addendum;
pub(crate) use addenda::{Added, Addendum};
pub(crate) use again::{Each, Part, each_decision};
use contents::read_contents;
pub(crate) use contents::{Contents, Erased};
pub(crate) use decision::{Decision, Effect};
pub(crate) use gist::Gist;
pub(crate) use lines::Lines;
use logged::{Logged, read_logged};
use names::{AFTER, DOCUMENT, RECORDS};
pub(crate) use packed::Packed;
pub(crate) use sealed::Sealed;
use sealed::read_sealed;
pub(crate) use step::{Step, Used};

#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) sealed: Sealed,
    pub(crate) after: After,
    pub(crate) proofs: Proofs,
    pub(crate) contents: Contents,
    pub(crate) statement: ReadEnvelope,
    /// SHA-256 of the canonical bytes of the four parts, in the order of [`PARTS`].
    pub(crate) digests: [Hash; PARTS.len()],
}

/// `records.after`.
#[derive(Debug)]
pub(crate) struct After {
    pub(crate) addenda: Vec<Held<Addendum>>,
    pub(crate) as_of: Held<AsOf>,
    pub(crate) audit: Vec<Held<AuditRecord>>,
    pub(crate) incidents: Vec<Held<LiveIncident>>,
    pub(crate) run: Held<LiveRun>,
}

/// `proofs`.
#[derive(Debug)]
pub(crate) struct Proofs {
    pub(crate) audit: Vec<Held<AuditProof>>,
    pub(crate) checkpoints: Held<Checkpoints>,
    pub(crate) opened: Held<LogProof>,
    pub(crate) receipt: Option<Held<Receipt>>,
    pub(crate) roots: Held<Roots>,
}

/// The receipt with its place in the run log.
pub(crate) type Receipt = Logged<SealedLeaf>;

/// Reads a document that is all in memory. Its records are hashed beside, on another core where there is one.
pub(crate) fn read(text: &str) -> Result<Document, Wrong> {
    document(&mut Whole::new(text), &mut None)
}

/// Reads a document as it comes, and holds no more of its text than the value that is being read.
pub(crate) fn read_stream(from: impl Read) -> Result<Document, Unread> {
    let mut reader = Streamed::new(from);
    let mut format = None;
    let read = document(&mut reader, &mut format);
    reader.over(read, format.is_some_and(|format| format == FORMAT))
}

fn document<R: Reader>(reader: &mut R, format: &mut Option<String>) -> Result<Document, Wrong> {
    let (mut sealed, mut after, mut proofs, mut contents, mut statement) = (None, None, None, None, None);
    reader.members(&DOCUMENT, &[], |reader, name| {
        match name {
            "format" => *format = Some(reader.value()?),
            "records" => reader.members(&RECORDS, &[], |reader, name| {
                match name {
                    "sealed" => {
                        let (text, hashed) = reader.stretch(read_sealed)?;
                        let mut read = text.with(hashed.pieces);
                        read.press(&Rc::default());
                        sealed = Some((read, hashed.stretch));
                    }
                    _ => after = Some(reader.part(|reader| Ok((read_after(reader)?, None)))?),
                }
                Ok(())
            })?,
            "proofs" => proofs = Some(reader.part(read_proofs)?),
            "contents" => contents = Some(reader.part(|reader| Ok((read_contents(reader)?, None)))?),
            _ => {
                if let (Some((sealed, _)), Some((contents, _))) = (&mut sealed, &contents) {
                    sealed.press(&contents.names);
                }
                statement = Some(read_envelope(reader)?);
            }
        }
        Ok(())
    })?;
    reader.end()?;
    let format = present(format.as_ref())?;
    if format != FORMAT {
        return Err(Wrong::new(format!("`{format}` where `{FORMAT}` belongs")).within("format"));
    }
    let ((sealed, first), (after, second)) = (present(sealed)?, present(after)?);
    let ((proofs, third), (contents, fourth)) = (present(proofs)?, present(contents)?);
    let digests = [first, second, third, fourth];
    Ok(Document { sealed, after, proofs, contents, statement: present(statement)?, digests })
}

/// Of the payload no more is held than its bytes.
fn read_envelope<R: Reader>(reader: &mut R) -> Result<ReadEnvelope, Wrong> {
    let (mut payload, mut payload_type, mut signatures) = (None, None, None);
    reader.fields(&["payload", "payloadType", "signatures"], &[], |reader, name| {
        match name {
            "payload" => {
                let mut digits = Payload::default();
                if reader.next()? == b'"' {
                    reader.long_text(|text| digits.digits(text))?;
                } else {
                    digits.digits(&reader.value::<String>()?);
                }
                payload = Some(digits);
            }
            "payloadType" => payload_type = Some(reader.value()?),
            _ => signatures = Some(reader.value()?),
        }
        Ok(())
    })?;
    let (payload_type, signatures) = (present(payload_type)?, present(signatures)?);
    Ok(ReadEnvelope { payload: present(payload)?, payload_type, signatures })
}

fn read_after<R: Reader>(reader: &mut R) -> Result<After, Wrong> {
    let (mut addenda, mut as_of, mut audit, mut incidents, mut run) = (None, None, None, None, None);
    reader.members(&AFTER, &[], |reader, name| {
        match name {
            "addenda" => {
                addenda = Some(reader.elements(|reader| reader.held(read_addendum))?);
            }
            "as_of" => as_of = Some(reader.plain()?),
            "audit" => audit = Some(reader.elements(R::tagged::<AuditRecord>)?),
            "incidents" => incidents = Some(reader.elements(R::plain)?),
            _ => run = Some(reader.plain()?),
        }
        Ok(())
    })?;
    Ok(After {
        addenda: present(addenda)?,
        as_of: present(as_of)?,
        audit: present(audit)?,
        incidents: present(incidents)?,
        run: present(run)?,
    })
}

/// Also which member they lack. A receipt that is absent is one that is null.
fn read_proofs<R: Reader>(reader: &mut R) -> Result<(Proofs, Option<&'static str>), Wrong> {
    let mut receipt_is_named = false;
    let (mut audit, mut checkpoints, mut opened, mut receipt, mut roots) = (None, None, None, None, None);
    // A receipt that was taken away shows as missing, however it was taken.
    reader.members(
        &["audit", "checkpoints", "opened", "receipt", "roots"],
        &["receipt"],
        |reader, name| {
            receipt_is_named |= name == "receipt";
            match name {
                "audit" => audit = Some(reader.elements(R::plain)?),
                "checkpoints" => checkpoints = Some(reader.plain()?),
                "opened" => opened = Some(reader.plain()?),
                "receipt" if reader.null()? => {}
                "receipt" => receipt = Some(reader.held(read_logged)?),
                _ => roots = Some(reader.plain()?),
            }
            Ok(())
        },
    )?;
    let proofs = Proofs {
        audit: present(audit)?,
        checkpoints: present(checkpoints)?,
        opened: present(opened)?,
        receipt,
        roots: present(roots)?,
    };
    Ok((proofs, (!receipt_is_named).then_some("receipt")))
}
