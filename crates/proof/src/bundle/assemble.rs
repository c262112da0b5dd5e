//! A bundle in one piece, of records that are values: what a stream writes, written at once.

use super::{Manifest, Parts, RecordsWriter, Rest, kinds_in_order};
use crate::{
    canonical::NotCanonical,
    keys::SigningKey,
    records::{Record, RecordKind},
};

/// A signed bundle.
#[derive(Clone, Debug)]
pub struct Bundle {
    json: Vec<u8>,
    manifest: Manifest,
}

impl Bundle {
    /// The document.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.json
    }

    /// The document.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.json
    }

    /// What its statement says.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }
}

/// Builds and signs a bundle. Refused only if a number is beyond [`MAX_INTEGER`](crate::canonical::MAX_INTEGER).
pub fn assemble(parts: Parts<'_>, key: &SigningKey) -> Result<Bundle, NotCanonical> {
    let mut kinds: Vec<Vec<&Record>> = vec![Vec::new(); RecordKind::ALL.len()];
    for record in parts.records {
        kinds[record.kind() as usize].push(record);
    }
    // A record takes about a kilobyte; to grow a large buffer is to copy it.
    let json = Vec::with_capacity(64 * 1024 + 1300 * parts.records.len());
    let mut writer = RecordsWriter::begin(parts.opened, parts.snapshot, json)?;
    for kind in kinds_in_order() {
        for record in &kinds[kind as usize] {
            writer.record(record)?;
        }
    }
    let contents = parts.contents;
    let mut writer = writer.prove(Rest {
        opened_proof: parts.opened_proof,
        receipt: parts.receipt,
        addenda: parts.addenda,
        run: parts.run,
        incidents: parts.incidents,
        salt: contents.salt.clone(),
        erased: contents.erased.clone(),
        audit: parts.audit,
        lost: parts.lost,
        checkpoints: parts.checkpoints,
        as_of: parts.as_of,
    })?;
    for (name, text) in contents.named() {
        writer.text(name, text)?;
    }
    let mut writer = writer.sign(contents.missing, key)?;
    while writer.more() {}
    let (json, manifest) = writer.end();
    Ok(Bundle { json, manifest })
}
