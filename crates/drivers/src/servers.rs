//! Who serves a Postgres. A server has sessions for as long as it lives, and Postgres says of each what it is called
//! and where it comes from, to whoever asks: so nothing has to be kept of servers that come and go.

use sea_orm::{DbBackend, Statement};

use crate::{Db, StoreError, config::SERVER, tally::value};

impl Db {
    /// The addresses from which servers have sessions in this Postgres, in order; an empty text for those that it does
    /// not tell, and those on its own machine. An embedded store says nothing of who has it open.
    pub async fn served_from(&self) -> Result<Vec<String>, StoreError> {
        if self.is_sqlite() {
            return Ok(Vec::new());
        }
        let store = self.read_first().await?;
        let ask = format!(
            "SELECT DISTINCT coalesce(host(client_addr), '') FROM pg_stat_activity \
             WHERE datname = current_database() AND application_name = '{SERVER}' ORDER BY 1"
        );
        let rows = store.conn.rows(Statement::from_string(DbBackend::Postgres, ask)).await?;
        rows.iter().map(|row| value("pg_stat_activity", row, 0)).collect()
    }
}
