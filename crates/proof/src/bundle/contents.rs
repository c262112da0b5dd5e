//! The texts that records name, with the salt that shows it; or that they were erased.

use serde::{Deserialize, Serialize};

use super::LogProof;
use crate::{
    contents::{MissingContents, Salt},
    hash::Hash,
    leaves::{ErasedLeaf, RunLeaf},
};

/// What is kept of a run's texts.
#[derive(Clone, Debug, Default)]
pub struct ContentsPart {
    /// None where they were erased.
    pub salt: Option<Salt>,
    /// In any order; one that is there again is left out.
    pub texts: Vec<String>,
    /// That they were erased.
    pub erased: Option<ErasedPart>,
    /// What of them could not be read. None where they are all there.
    pub missing: Vec<MissingContents>,
}

impl ContentsPart {
    /// The texts by their names. Without a salt nothing names them: then there are none.
    pub(super) fn named(&self) -> impl Iterator<Item = (Hash, &str)> {
        let salts = self.salt.iter();
        salts.flat_map(|salt| self.texts.iter().map(|text| (salt.name(text).hash, text.as_str())))
    }
}

/// The run's ERASED leaf and its place in the run log.
#[derive(Clone, Debug)]
pub struct ErasedPart {
    /// Who erased how much, and why.
    pub leaf: ErasedLeaf,
    /// Its place.
    pub proof: LogProof,
}

/// The ERASED leaf and where it is in the run log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Erased {
    /// From the leaf upward.
    pub inclusion: Vec<Hash>,
    /// Always [`RunLeaf::Erased`].
    pub leaf: RunLeaf,
    /// From 0.
    pub leaf_index: u64,
}

impl From<&ErasedPart> for Erased {
    fn from(ErasedPart { leaf, proof: LogProof { inclusion, leaf_index } }: &ErasedPart) -> Self {
        let leaf = RunLeaf::Erased(leaf.clone());
        Self { inclusion: inclusion.clone(), leaf, leaf_index: *leaf_index }
    }
}

/// The pieces of `contents`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContentsHashes {
    /// The ERASED leaf with its proof. None where nothing was erased.
    pub erased: Option<Hash>,
    /// What the server itself could not read of the texts: none of it is in `texts`. Empty, as a rule.
    pub missing: Vec<MissingContents>,
    /// The salt. None where it was erased.
    pub salt: Option<Hash>,
    /// The texts, as records name them.
    pub texts: Vec<Hash>,
}
