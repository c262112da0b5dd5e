//! The texts of a whole run, looked at some segments at a time: whether what its steps name is there. None is kept.

use std::collections::BTreeSet;

use models::ids::{RunId, TenantId};
use proof::{contents::MissingContents, segment::MissingSegment};

use super::{
    chains::rows_of,
    named::Named,
    open::{Asked, open},
    read::KeptTexts,
};
use crate::{StoreError, conn::Conn, logs::TraceReads};

/// The texts of so many segments are looked at together.
const AT_ONCE: usize = 32;

/// What it came to that the texts of a run were looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LookedAtTexts {
    /// Whether they can be told by a salt: they were not erased, nor is it lost.
    pub are_kept: bool,
    /// The bodies that are not there, or not what was recorded; or the salt.
    pub missing: Vec<MissingContents>,
}

/// A look at the texts of a run, as far as it has come.
#[derive(Debug)]
pub struct TextsLook {
    kept: KeptTexts,
    /// The places where a segment names some.
    named: BTreeSet<u64>,
    missing: Vec<MissingContents>,
}

impl TextsLook {
    /// A look that begins.
    pub(crate) async fn begin(conn: &Conn, tenant: TenantId, run: RunId) -> Result<Self, StoreError> {
        let kept = TraceReads::new(conn).kept_texts(tenant, run).await?;
        Ok(Self { kept, named: BTreeSet::new(), missing: Vec::new() })
    }

    /// Looks at the texts that some segments name.
    pub(crate) async fn go_on(
        &mut self,
        conn: &Conn,
        tenant: TenantId,
        run: RunId,
        named: &Named,
    ) -> Result<(), StoreError> {
        self.named.extend(named.by_place().keys().copied());
        let Some(salt) = self.kept.salt() else { return Ok(()) };
        for part in named.in_parts(AT_ONCE) {
            let rows = rows_of(conn, tenant, run, &part).await?;
            self.missing.extend(open(rows, salt, &part, Asked::Whether).missing);
        }
        Ok(())
    }

    /// All segments were looked at but these, which are missing. What is kept that none names is told too, but where a
    /// segment is missing.
    #[must_use]
    pub fn end(self, lost: &[MissingSegment]) -> LookedAtTexts {
        let Self { kept, named, mut missing } = self;
        missing.extend(kept.not_named(|place| named.contains(&place), lost));
        // In the order of their places. What stands on a body that does not open may have been asked for with others.
        missing.sort_by_key(|one| one.first_record);
        missing.dedup_by_key(|one| one.first_record);
        LookedAtTexts { are_kept: kept.salt().is_some(), missing }
    }
}

impl TraceReads<'_> {
    /// Begins to look whether the texts that the steps of a run name are there.
    pub async fn begin_texts(self, tenant: TenantId, run: RunId) -> Result<TextsLook, StoreError> {
        TextsLook::begin(self.conn, tenant, run).await
    }

    /// Looks at those that some of its segments name.
    pub async fn look_at_texts(
        self,
        tenant: TenantId,
        run: RunId,
        look: &mut TextsLook,
        named: &Named,
    ) -> Result<(), StoreError> {
        look.go_on(self.conn, tenant, run, named).await
    }
}
