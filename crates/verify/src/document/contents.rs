//! `contents`: the texts that records name, each with the name that the salt gives it.

use std::rc::Rc;

use proof::{
    bundle::LogProof,
    contents::{Content, Salt},
    hash::Hash,
    leaves::ErasedLeaf,
};

use crate::{
    json::{Parser, Wrong},
    reader::{Held, Reader, present},
};

/// What is kept of a run's texts.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(crate) erased: Option<Held<Erased>>,
    /// The hash of the salt, as a piece.
    pub(crate) salt: Option<Hash>,
    /// The names of the texts, and how long each is.
    pub(crate) names: Rc<Vec<Hash>>,
    pub(crate) lengths: Vec<u64>,
    /// How many texts there are that no salt names.
    pub(crate) nameless: usize,
}

/// That they were erased, and where the run log says so.
#[derive(Debug)]
pub(crate) struct Erased {
    pub(crate) leaf: Held<ErasedLeaf>,
    pub(crate) proof: LogProof,
}

/// The texts, as far as they have been read.
#[derive(Default)]
struct Texts {
    names: Vec<Hash>,
    lengths: Vec<u64>,
    /// Those that came before what they are named with.
    unnamed: Vec<String>,
}

impl Texts {
    fn push(&mut self, Content { hash, length }: Content) {
        self.names.push(hash);
        self.lengths.push(length);
    }
}

pub(super) fn read_contents<R: Reader>(reader: &mut R) -> Result<Contents, Wrong> {
    let (mut erased, mut salt, mut texts) = (None, None::<Held<Hash>>, None);
    reader.members(&["erased", "salt", "texts"], &[], |reader, name| {
        match name {
            "erased" | "salt" if reader.null()? => {}
            "erased" => erased = Some(reader.held(read_erased)?),
            "salt" => salt = Some(reader.plain()?),
            _ => texts = Some(read_texts(reader, salt.as_ref())?),
        }
        Ok(())
    })?;
    let mut texts = present(texts)?;
    let mut unnamed = std::mem::take(&mut texts.unnamed);
    if let Some(salt) = &salt {
        let salt = Salt::new(salt.value.0);
        unnamed.drain(..).for_each(|text| texts.push(salt.name(&text)));
    }
    let (names, lengths) = (Rc::new(texts.names), texts.lengths);
    Ok(Contents { erased, salt: salt.map(|salt| salt.hash), names, lengths, nameless: unnamed.len() })
}

fn read_texts<R: Reader>(reader: &mut R, salt: Option<&Held<Hash>>) -> Result<Texts, Wrong> {
    let mut texts = Texts::default();
    match salt.map(|salt| Salt::new(salt.value.0)) {
        Some(salt) => {
            reader.elements(|reader| {
                texts.push(reader.one(|parser| Ok(salt.name(&parser.string()?)))?);
                Ok(())
            })?;
        }
        None => texts.unnamed = reader.elements(|reader| reader.one(text))?,
    }
    Ok(texts)
}

fn text(parser: &mut Parser<'_>) -> Result<String, Wrong> {
    Ok(parser.string()?.into_owned())
}

fn read_erased<R: Reader>(reader: &mut R) -> Result<Erased, Wrong> {
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
    Ok(Erased { leaf: present(leaf)?, proof })
}
