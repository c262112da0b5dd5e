//! How far runs are: the few columns by which one sees that something has happened in a run, without its texts.

use entities::{
    Id,
    activity::runs::{self, Column},
};
use models::{
    activity::Pulse,
    ids::{KeyId, RunId, TenantId},
};
use sea_orm::{QueryFilter as _, QueryTrait as _, sea_query::SelectStatement};

use super::{ActivityReads, of};
use crate::{
    StoreError, dialect,
    field::Field as _,
    keys::{self, transposed},
    tally::{number, value},
};

const TABLE: &str = "runs";

impl ActivityReads<'_> {
    /// How far the runs among `ids` are that there are.
    pub async fn pulses(self, tenant: TenantId, ids: &[RunId]) -> Result<Vec<Pulse>, StoreError> {
        let mut pulses = Vec::with_capacity(ids.len());
        for chunk in keys::sorted(ids).chunks(dialect::keys_at_once(self.conn.backend(), 1)) {
            let among = dialect::among(self.conn.backend(), &[Column::Id], transposed(chunk));
            let mut query: SelectStatement = of(tenant).filter(among).into_query();
            query.clear_selects();
            for column in [Column::Id, Column::KeyId, Column::State, Column::StepCount, Column::RefusedCount]
            {
                query.column((runs::Entity, column));
            }
            for row in self.conn.rows(self.conn.statement(&query)).await? {
                let Id(run): Id<RunId> = value(TABLE, &row, 0)?;
                let corrupt = |why: String| StoreError::Corrupt { table: TABLE, row: run.to_string(), why };
                let state: String = value(TABLE, &row, 2)?;
                pulses.push(Pulse {
                    run,
                    key: value::<Id<KeyId>>(TABLE, &row, 1)?.0,
                    state: state.get().map_err(corrupt)?,
                    steps: number(TABLE, Some(&row), 3)?,
                    refused: number(TABLE, Some(&row), 4)?,
                });
            }
        }
        Ok(pulses)
    }
}
