//! A bundle as it was read: its records typed, its pieces hashed. Nothing is believed yet.

mod addenda;
mod contents;
mod gist;
mod held;
mod sealed;

use proof::{
    bundle::{AsOf, AuditProof, Checkpoints, FORMAT, LiveIncident, LiveRun, LogProof, PARTS, Roots},
    dsse::Envelope,
    hash::Hash,
    leaves::{AuditRecord, SealedLeaf},
};
use serde::Deserialize;

use crate::{
    beside::Beside,
    json::{Parser, Piece, Wrong},
};
pub(crate) use addenda::Addendum;
use addenda::read_addendum;
use contents::read_contents;
pub(crate) use contents::{Contents, Erased};
pub(crate) use gist::{Decision, Effect, Gist, Line, Step, Used};
pub(crate) use held::Held;
use held::{held, plain, present, tagged};
pub(crate) use sealed::Sealed;
use sealed::{SealedText, read_sealed};

#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) sealed: Sealed,
    pub(crate) after: After,
    pub(crate) proofs: Proofs,
    pub(crate) contents: Contents,
    pub(crate) statement: Envelope,
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
#[derive(Debug)]
pub(crate) struct Receipt {
    pub(crate) leaf: Held<SealedLeaf>,
    pub(crate) proof: LogProof,
}

/// Reads a document. Its records are hashed beside, on another core where there is one.
pub(crate) fn read(text: &str, whole_decisions: bool) -> Result<Document, Wrong> {
    let (parts, hashed) = Beside::with(text, |beside| parts(text, beside, whole_decisions));
    let Parts { sealed, after, proofs, receipt_is_named, contents, statement, pieces } = parts?;
    let [first, rest @ ..] = pieces;
    // The stretch is the first part, as it stands.
    let digest = hashed.stretch.filter(|_| first.is_canonical()).unwrap_or_else(|| first.digest());
    let [after_piece, proofs_piece, contents_piece] = rest;
    // A receipt that is absent is one that is null.
    let third =
        if receipt_is_named { proofs_piece.digest() } else { proofs_piece.digest_with_null("receipt") };
    Ok(Document {
        sealed: sealed.with(&hashed.pieces),
        after,
        proofs,
        contents,
        statement,
        digests: [digest, after_piece.digest(), third, contents_piece.digest()],
    })
}

/// A document while its records are still being hashed.
struct Parts<'a> {
    sealed: SealedText,
    after: After,
    proofs: Proofs,
    receipt_is_named: bool,
    contents: Contents,
    statement: Envelope,
    pieces: [Piece<'a>; PARTS.len()],
}

fn parts<'a>(text: &'a str, beside: &mut Beside<'a>, whole_decisions: bool) -> Result<Parts<'a>, Wrong> {
    let (mut format, mut sealed, mut after, mut proofs) = (None, None, None, None);
    let (mut contents, mut statement) = (None, None);
    let mut parser = Parser::new(text);
    parser.members(&["format", "records", "proofs", "contents", "statement"], &[], |parser, name| {
        match name {
            "format" => format = Some(String::deserialize(parser)?),
            "records" => parser.members(&["sealed", "after"], &[], |parser, name| {
                match name {
                    "sealed" => {
                        let read = |parser: &mut Parser<'a>| {
                            beside.begin(parser.at());
                            let sealed = read_sealed(parser, beside, whole_decisions)?;
                            beside.end(parser.at());
                            Ok(sealed)
                        };
                        sealed = Some(parser.piece(read)?);
                    }
                    _ => after = Some(parser.piece(|parser| read_after(parser, whole_decisions))?),
                }
                Ok(())
            })?,
            "proofs" => proofs = Some(parser.piece(read_proofs)?),
            "contents" => contents = Some(parser.piece(read_contents)?),
            _ => statement = Some(Envelope::deserialize(parser)?),
        }
        Ok(())
    })?;
    parser.end()?;
    let format = present(format)?;
    if format != FORMAT {
        return Err(Wrong::new(format!("`{format}` where `{FORMAT}` belongs")).within("format"));
    }
    let (sealed, sealed_piece) = present(sealed)?;
    let (after, after_piece) = present(after)?;
    let ((proofs, receipt_is_named), proofs_piece) = present(proofs)?;
    let (contents, contents_piece) = present(contents)?;
    let pieces = [sealed_piece, after_piece, proofs_piece, contents_piece];
    Ok(Parts { sealed, after, proofs, receipt_is_named, contents, statement: present(statement)?, pieces })
}

fn read_after(parser: &mut Parser<'_>, whole_decisions: bool) -> Result<After, Wrong> {
    let (mut addenda, mut as_of, mut audit, mut incidents, mut run) = (None, None, None, None, None);
    parser.members(&["addenda", "as_of", "audit", "incidents", "run"], &[], |parser, name| {
        match name {
            "addenda" => {
                addenda = Some(
                    parser
                        .elements(|parser| held(parser, |parser| read_addendum(parser, whole_decisions)))?,
                );
            }
            "as_of" => as_of = Some(plain(parser)?),
            "audit" => audit = Some(parser.elements(tagged::<AuditRecord>)?),
            "incidents" => incidents = Some(parser.elements(plain)?),
            _ => run = Some(plain(parser)?),
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

/// Also whether the receipt is named, if only as null.
fn read_proofs(parser: &mut Parser<'_>) -> Result<(Proofs, bool), Wrong> {
    let mut receipt_is_named = false;
    let (mut audit, mut checkpoints, mut opened, mut receipt, mut roots) = (None, None, None, None, None);
    // A receipt that was taken away shows as missing, however it was taken.
    parser.members(
        &["audit", "checkpoints", "opened", "receipt", "roots"],
        &["receipt"],
        |parser, name| {
            receipt_is_named |= name == "receipt";
            match name {
                "audit" => audit = Some(parser.elements(plain)?),
                "checkpoints" => checkpoints = Some(plain(parser)?),
                "opened" => opened = Some(plain(parser)?),
                "receipt" if parser.null()? => {}
                "receipt" => receipt = Some(held(parser, read_receipt)?),
                _ => roots = Some(plain(parser)?),
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
    Ok((proofs, receipt_is_named))
}

fn read_receipt(parser: &mut Parser<'_>) -> Result<Receipt, Wrong> {
    let (mut leaf, mut leaf_index, mut inclusion) = (None, None, None);
    parser.members(&["inclusion", "leaf", "leaf_index"], &[], |parser, name| {
        match name {
            "inclusion" => inclusion = Some(Vec::deserialize(parser)?),
            "leaf" => leaf = Some(tagged(parser)?),
            _ => leaf_index = Some(u64::deserialize(parser)?),
        }
        Ok(())
    })?;
    let proof = LogProof { leaf_index: present(leaf_index)?, inclusion: present(inclusion)? };
    Ok(Receipt { leaf: present(leaf)?, proof })
}
