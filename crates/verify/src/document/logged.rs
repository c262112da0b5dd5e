//! A leaf of the run log that a document has, with where it is there.

use proof::{bundle::LogProof, tagged::Tagged};

use crate::{
    json::Wrong,
    reader::{Held, Reader, present},
};

#[derive(Debug)]
pub(crate) struct Logged<T> {
    pub(crate) leaf: Held<T>,
    pub(crate) proof: LogProof,
}

pub(super) fn read_logged<R: Reader, T: Tagged>(reader: &mut R) -> Result<Logged<T>, Wrong> {
    let (mut leaf, mut leaf_index, mut inclusion) = (None, None, None);
    reader.members(&["inclusion", "leaf", "leaf_index"], &[], |reader, name| {
        match name {
            "inclusion" => inclusion = Some(reader.value()?),
            "leaf" => leaf = Some(reader.tagged()?),
            _ => leaf_index = Some(reader.value()?),
        }
        Ok(())
    })?;
    let proof = LogProof { leaf_index: present(leaf_index)?, inclusion: present(inclusion)? };
    Ok(Logged { leaf: present(leaf)?, proof })
}
