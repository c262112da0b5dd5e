//! Bodies with those that they stand on, and no others: what lies between them is said by columns in the open, which
//! somebody may have changed, and may be all of a long run.

use std::{
    collections::{BTreeSet, HashMap},
    ops::Range,
};

use entities::logs::run_contents::{self as contents, Column, Model};
use models::ids::{RunId, TenantId};
use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryTrait as _};

use super::named::Named;
use crate::{StoreError, conn::Conn, driver::of_tenant, read, tally};

of_tenant!(contents);

/// Where bodies are, and on which each of them stands.
type Links = HashMap<i64, Option<i64>>;

/// The bodies at the places where some are named, and those that they stand on.
pub(super) async fn rows_of(
    conn: &Conn,
    tenant: TenantId,
    run: RunId,
    named: &Named,
) -> Result<Vec<Model>, StoreError> {
    let places = named.by_place().keys().filter_map(|place| i64::try_from(*place).ok());
    let mut rows = at(conn, tenant, run, places).await?;
    let own: Links = rows.iter().map(|row| (row.first_record, row.base_record)).collect();
    let stands = |row: &&Model| row.base_record.is_some_and(|base| !own.contains_key(&base));
    let first = rows.iter().filter(stands).map(|row| row.key_record).min();
    let last = rows.iter().filter(stands).map(|row| row.first_record).max();
    if let (Some(first), Some(last)) = (first, last) {
        let between = links(conn, tenant, run, first..last).await?;
        rows.extend(at(conn, tenant, run, stood_on(&own, &between)).await?);
    }
    Ok(rows)
}

/// The places of those that these stand on and that are not among them, one behind another. Each stands on one that is
/// before it: what says otherwise leads nowhere.
fn stood_on(own: &Links, between: &Links) -> BTreeSet<i64> {
    let mut found = BTreeSet::new();
    for (place, base) in own {
        let (mut above, mut next) = (*place, *base);
        while let Some(base) = next.filter(|base| *base < above && !own.contains_key(base)) {
            let Some(below) = between.get(&base) else { break };
            if !found.insert(base) {
                break;
            }
            (above, next) = (base, *below);
        }
    }
    found
}

/// The bodies at these places.
async fn at(
    conn: &Conn,
    tenant: TenantId,
    run: RunId,
    places: impl IntoIterator<Item = i64>,
) -> Result<Vec<Model>, StoreError> {
    let keys: Vec<_> = places.into_iter().map(|place| [place.into()]).collect();
    let of_run = of(tenant).filter(Column::RunId.eq(run.0));
    read::by_keys(conn, of_run, [Column::FirstRecord], keys).await
}

/// What stands on what among these places. No body is read.
async fn links(conn: &Conn, tenant: TenantId, run: RunId, places: Range<i64>) -> Result<Links, StoreError> {
    let of_run = of(tenant).filter(Column::RunId.eq(run.0));
    let of_places =
        of_run.filter(Column::FirstRecord.gte(places.start)).filter(Column::FirstRecord.lt(places.end));
    let mut query = of_places.into_query();
    query.clear_selects().column(Column::FirstRecord).column(Column::BaseRecord);
    let mut found = Links::new();
    for row in conn.rows(conn.statement(&query)).await? {
        let place: i64 = tally::value("run_contents", &row, 0)?;
        found.insert(place, tally::value("run_contents", &row, 1)?);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(of: &[(i64, Option<i64>)]) -> Links {
        of.iter().copied().collect()
    }

    #[test]
    fn only_what_is_stood_on_is_read() {
        let between = links(&[(0, None), (2, Some(0)), (4, None), (6, Some(2)), (8, Some(9))]);
        let of = |own: &[(i64, Option<i64>)]| stood_on(&links(own), &between).into_iter().collect::<Vec<_>>();
        assert_eq!(of(&[(10, Some(6))]), [0, 2, 6], "and not 4, which lies between them");
        assert_eq!(of(&[(10, Some(6)), (6, Some(2))]), [0, 2], "one that is there is not read again");
        assert_eq!(of(&[(10, Some(4)), (12, Some(10))]), [4]);
        assert_eq!(of(&[(10, None)]), [0_i64; 0]);
        for astray in [10, 11, 7] {
            assert_eq!(of(&[(10, Some(astray))]), [0_i64; 0], "{astray}");
        }
        assert_eq!(of(&[(10, Some(8))]), [8], "what that one stands on is behind it");
    }
}
