//! The decisions of a document that was read before, gone through once more: as they are needed to be made again, they
//! are too many to be held.

use proof::{
    bundle::ADDED,
    hash::Hash,
    records::{DecisionRecord, RecordKind},
};

use super::{
    names::{ADDENDUM, AFTER, DOCUMENT, RECORDS},
    sealed::names_of_sealed,
};
use crate::{
    json::Wrong,
    reader::{Held, Reader},
};

/// Which decisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Sealed,
    /// Those of the addenda.
    Late,
}

/// Who is shown each decision, with its hash; and the number of its addendum, which is 0 of a sealed one.
pub(crate) type Each<'e> = dyn FnMut(usize, DecisionRecord, Hash) + 'e;

/// Shows each decision of a part, in the order of the document.
pub(crate) fn each_decision<R: Reader>(reader: &mut R, part: Part, each: &mut Each<'_>) -> Result<(), Wrong> {
    reader.members(&DOCUMENT, &[], |reader, name| {
        if name != "records" {
            return reader.skip();
        }
        reader.members(&RECORDS, &[], |reader, name| match (name, part) {
            ("sealed", Part::Sealed) => of_sealed(reader, each),
            ("after", Part::Late) => of_addenda(reader, each),
            _ => reader.skip(),
        })
    })?;
    reader.end()
}

fn of_sealed<R: Reader>(reader: &mut R, each: &mut Each<'_>) -> Result<(), Wrong> {
    reader.members(&names_of_sealed(), &[], |reader, name| of_kind(reader, name, 0, each))
}

fn of_addenda<R: Reader>(reader: &mut R, each: &mut Each<'_>) -> Result<(), Wrong> {
    reader.members(&AFTER, &[], |reader, name| {
        if name != "addenda" {
            return reader.skip();
        }
        let mut number = 0;
        reader.elements(|reader| {
            reader.members(&ADDENDUM, &[], |reader, name| {
                if name != "records" {
                    return reader.skip();
                }
                let names = ADDED.map(RecordKind::as_str);
                reader.members(&names, &[], |reader, name| of_kind(reader, name, number, each))
            })?;
            number += 1;
            Ok(())
        })?;
        Ok(())
    })
}

fn of_kind<R: Reader>(reader: &mut R, name: &str, number: usize, each: &mut Each<'_>) -> Result<(), Wrong> {
    if name != RecordKind::Decision.as_str() {
        return reader.skip();
    }
    reader.elements(|reader| {
        let Held { value, hash } = reader.tagged::<DecisionRecord>()?;
        each(number, value, hash);
        Ok(())
    })?;
    Ok(())
}
