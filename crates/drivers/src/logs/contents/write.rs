//! Texts in. What does not come back as it was pressed is not stored.

use std::collections::HashMap;

use entities::logs::{run_contents as contents, run_salts as salts};
use models::ids::{RunId, TenantId};
use proof::contents::{self as codec, Salt, Texts};

use super::salt::{self, RunSalt};
use crate::{
    StoreError, bulk,
    field::{Field as _, corrupt},
    logs::TraceStore,
};

/// So many bodies stand on each other at most: whoever reads one reads no more than these before it.
pub const DEEPEST: u64 = 15;

/// A body that another may be pressed against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// Its place.
    pub place: u64,
    /// The place of the one that its chain begins with.
    pub key_place: u64,
    /// How many stand before it in that chain.
    pub depth: u64,
    /// What it opens to.
    pub bytes: Vec<u8>,
}

/// The texts that a group's records of a run name.
#[derive(Clone, Copy, Debug)]
pub struct NewContents<'r> {
    /// The texts.
    pub texts: &'r Texts,
    /// What the run said before; with fewer than [`DEEPEST`] before it.
    pub base: Option<&'r Base>,
}

impl TraceStore<'_> {
    /// Keeps the salts of runs that begin.
    pub async fn insert_salts(self, tenant: TenantId, of_runs: &[(RunId, Salt)]) -> Result<(), StoreError> {
        let row = |(run, salt): &(RunId, Salt)| salts::Model {
            tenant_id: entities::Id(tenant),
            run_id: entities::Id(*run),
            salt: salt.as_bytes().to_vec(),
        };
        bulk::insert::<salts::Entity>(self.conn, of_runs.iter().map(row).collect()).await
    }

    /// What the texts of these runs are hashed with: something of each of them, also where it was erased or is lost.
    pub async fn salts(
        self,
        tenant: TenantId,
        runs: &[RunId],
    ) -> Result<HashMap<RunId, RunSalt>, StoreError> {
        salt::of_runs(self.conn, tenant, runs).await
    }
}

/// The row of a body at this place.
pub(crate) fn row(
    tenant: TenantId,
    run: RunId,
    first_record: u64,
    new: NewContents<'_>,
) -> Result<contents::Model, StoreError> {
    let refused =
        |column: &str, why: &str| corrupt(&contents::Entity, format!("{run}/{first_record}"), column, why);
    let raw = new.texts.as_bytes();
    let before = new.base.map(|base| base.bytes.as_slice());
    let body = codec::press(raw, before).map_err(|why| refused("body", &why))?;
    let opened = codec::open(codec::NEWEST, &body, raw.len(), before).map_err(|why| refused("body", &why))?;
    if opened != raw {
        return Err(refused("body", "it does not open to what was pressed"));
    }
    let place = |column: &str, value: u64| i64::put(&value).map_err(|why| refused(column, &why));
    Ok(contents::Model {
        tenant_id: entities::Id(tenant),
        run_id: entities::Id(run),
        first_record: place("first_record", first_record)?,
        key_record: place("key_record", new.base.map_or(first_record, |base| base.key_place))?,
        base_record: new.base.map(|base| place("base_record", base.place)).transpose()?,
        text_count: place("text_count", new.texts.count())?,
        codec: codec::NEWEST,
        raw_length: place("raw_length", raw.len() as u64)?,
        body,
    })
}
