//! `contents`: the texts that records name, each with the name that the salt gives it.

use proof::{
    bundle::LogProof,
    contents::{Content, Salt},
    hash::Hash,
    leaves::ErasedLeaf,
};
use serde::Deserialize;

use super::held::{Held, held, present, tagged};
use crate::json::{Parser, Wrong};

/// What is kept of a run's texts.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(crate) erased: Option<Held<Erased>>,
    /// The hash of the salt, as a piece.
    pub(crate) salt: Option<Hash>,
    /// The names of the texts.
    pub(crate) texts: Vec<Content>,
    /// How many texts there are that no salt names.
    pub(crate) nameless: usize,
}

/// That they were erased, and where the run log says so.
#[derive(Debug)]
pub(crate) struct Erased {
    pub(crate) leaf: Held<ErasedLeaf>,
    pub(crate) proof: LogProof,
}

pub(super) fn read_contents(parser: &mut Parser<'_>) -> Result<Contents, Wrong> {
    let (mut erased, mut salt, mut texts) = (None, None, None);
    parser.members(&["erased", "salt", "texts"], &[], |parser, name| {
        match name {
            "erased" | "salt" if parser.null()? => {}
            "erased" => erased = Some(held(parser, read_erased)?),
            "salt" => salt = Some(held(parser, |parser| Hash::deserialize(parser))?),
            // What they are hashed with may come after them.
            _ => texts = Some(parser.elements(Parser::string)?),
        }
        Ok(())
    })?;
    let texts = present(texts)?;
    let (names, nameless) = match &salt {
        None => (Vec::new(), texts.len()),
        Some(salt) => {
            let salt = Salt::new(salt.value.0);
            (texts.iter().map(|text| salt.name(text)).collect(), 0)
        }
    };
    Ok(Contents { erased, salt: salt.map(|salt| salt.hash), texts: names, nameless })
}

fn read_erased(parser: &mut Parser<'_>) -> Result<Erased, Wrong> {
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
    Ok(Erased { leaf: present(leaf)?, proof })
}
