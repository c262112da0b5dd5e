//! Texts out: those of a whole run, or those that some of its segments name. A body that does not open, or is not
//! there, is named beside the rest.

use std::collections::HashMap;

use entities::logs::run_contents::{self as contents, Column};
use models::{
    ids::{RunId, TenantId},
    logs::RunTexts,
};
use proof::{
    contents::{MissingContents, Salt},
    segment::MissingSegment,
};
use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryOrder as _, QueryTrait as _};

use super::{
    chains::rows_of,
    named::Named,
    open::{Asked, Opened, open},
    salt::{self, RunSalt},
};
use crate::{StoreError, conn::Conn, driver::of_tenant, keys, logs::TraceReads, tally};

of_tenant!(contents);

/// Texts of a run, and what of them is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldTexts {
    /// What they are hashed with: none where they were erased, or where it is lost.
    pub salt: Option<Salt>,
    /// Those that are named.
    pub texts: RunTexts,
    /// The bodies that are not there, or not what was recorded; or the salt.
    pub missing: Vec<MissingContents>,
}

impl HeldTexts {
    fn of(salt: Salt, opened: Opened) -> Self {
        let Opened { kept, missing, .. } = opened;
        Self { salt: Some(salt), texts: RunTexts::Kept(kept), missing }
    }

    fn none(texts: RunTexts) -> Self {
        Self { salt: None, texts, missing: Vec::new() }
    }

    fn lost(why: &str) -> Self {
        Self { missing: vec![RunSalt::lost(why)], ..Self::none(RunTexts::Lost) }
    }
}

/// Where texts of a run are kept at one moment, and what they are hashed with: for who reads them piece by piece.
#[derive(Debug)]
pub struct KeptTexts {
    salt: RunSalt,
    places: Vec<u64>,
}

impl KeptTexts {
    /// What they are hashed with: none where they were erased, or where it is lost.
    #[must_use]
    pub fn salt(&self) -> Option<&Salt> {
        match &self.salt {
            RunSalt::Kept(salt) => Some(salt),
            RunSalt::Erased { .. } | RunSalt::Lost(_) => None,
        }
    }

    /// What is kept where no step names any, or though it was erased; or that the salt is lost.
    #[must_use]
    pub fn out_of_place(&self, named: &Named, lost: &[MissingSegment]) -> Vec<MissingContents> {
        self.not_named(|place| named.by_place().contains_key(&place), lost)
    }

    /// The same, for who knows by itself in which places a segment names some.
    pub(super) fn not_named(
        &self,
        is_named: impl Fn(u64) -> bool,
        lost: &[MissingSegment],
    ) -> Vec<MissingContents> {
        match &self.salt {
            RunSalt::Kept(_) => strangers(&self.places, is_named, lost).collect(),
            RunSalt::Erased { is_there } => still_there(*is_there, &self.places),
            RunSalt::Lost(why) => vec![RunSalt::lost(why)],
        }
    }
}

impl TraceReads<'_> {
    /// Where the texts of a run are kept now, and what they are hashed with.
    pub async fn kept_texts(self, tenant: TenantId, run: RunId) -> Result<KeptTexts, StoreError> {
        let places = places_of(self.conn, tenant, run).await?;
        Ok(KeptTexts { salt: salt::of_run(self.conn, tenant, run).await?, places })
    }

    /// The texts that all steps of some segments name.
    pub async fn texts_of_segments(
        self,
        tenant: TenantId,
        run: RunId,
        named: &Named,
    ) -> Result<HeldTexts, StoreError> {
        some(self.conn, tenant, run, named, Asked::All).await
    }
}

/// The texts that some steps of a run name.
pub(crate) async fn of_steps(
    conn: &Conn,
    tenant: TenantId,
    run: RunId,
    named: &Named,
) -> Result<HeldTexts, StoreError> {
    some(conn, tenant, run, named, Asked::Some).await
}

async fn some(
    conn: &Conn,
    tenant: TenantId,
    run: RunId,
    named: &Named,
    asked: Asked,
) -> Result<HeldTexts, StoreError> {
    if named.by_place().is_empty() {
        return Ok(HeldTexts::none(RunTexts::Kept(HashMap::new())));
    }
    Ok(match salt::of_run(conn, tenant, run).await? {
        RunSalt::Kept(salt) => {
            let rows = rows_of(conn, tenant, run, named).await?;
            HeldTexts::of(salt.clone(), open(rows, &salt, named, asked))
        }
        RunSalt::Erased { .. } => HeldTexts::none(RunTexts::Erased),
        RunSalt::Lost(why) => HeldTexts::lost(&why),
    })
}

/// Where something of a run is kept.
async fn places_of(conn: &Conn, tenant: TenantId, run: RunId) -> Result<Vec<u64>, StoreError> {
    let mut query = of_run(tenant, run).into_query();
    query.clear_selects().column(Column::FirstRecord);
    let mut places = Vec::new();
    for row in conn.rows(conn.statement(&query)).await? {
        let place: i64 = tally::value("run_contents", &row, 0)?;
        places.push(u64::try_from(place).unwrap_or(0));
    }
    Ok(places)
}

/// More bytes no body can have.
pub(super) const LONGEST: u32 = 1 << 30;

/// How many bytes the bodies of runs have once they are opened, as far as they can be believed; a run without any is
/// not listed.
pub(crate) async fn bytes_of(
    conn: &Conn,
    tenant: TenantId,
    runs: &[RunId],
) -> Result<Vec<(RunId, u64)>, StoreError> {
    // It says so in the open, where somebody may have changed it.
    let believed = format!("CASE WHEN raw_length BETWEEN 0 AND {LONGEST} THEN raw_length ELSE 0 END");
    tally::sums_by_keys(conn, of(tenant), Column::RunId, &believed, keys::sorted(runs)).await
}

/// The bodies at no place where a segment names some. What was named by a segment that is lost, nobody knows.
fn strangers<'p>(
    places: &'p [u64],
    is_named: impl Fn(u64) -> bool + 'p,
    lost: &'p [MissingSegment],
) -> impl Iterator<Item = MissingContents> + 'p {
    let is_of_lost = move |place: u64| {
        let end = |one: &MissingSegment| one.first_record.saturating_add(one.record_count.max(1));
        lost.iter().any(|one| (one.first_record..end(one)).contains(&place))
    };
    let strange = places.iter().copied().filter(move |place| !is_named(*place) && !is_of_lost(*place));
    strange.map(|place| MissingContents {
        first_record: Some(place),
        why: "no step names what it holds".to_owned(),
    })
}

/// What is there of a run that was erased: its salt, and bodies.
fn still_there(salt: bool, places: &[u64]) -> Vec<MissingContents> {
    let why = || "its run was erased, and it is still there".to_owned();
    let rows = salt.then_some(None).into_iter().chain(places.iter().copied().map(Some));
    rows.map(|first_record| MissingContents { first_record, why: why() }).collect()
}

fn of_run(tenant: TenantId, run: RunId) -> sea_orm::Select<contents::Entity> {
    of(tenant).filter(Column::RunId.eq(run.0)).order_by_asc(Column::FirstRecord)
}
