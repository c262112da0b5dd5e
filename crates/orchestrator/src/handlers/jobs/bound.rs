//! How many jobs of a tenant wait to be done, at most.

use drivers::Tx;
use models::ids::TenantId;

use crate::errors::{ConflictCode, Error};

/// So many that people ordered and that are not over: a row of `jobs` and its chain are never deleted, and servers do
/// one after the other.
const MOST: u64 = 100;

/// Refuses one more where the tenant has too many. Two that ask at once may both be let in.
pub(super) async fn one_more(tx: &Tx, tenant: TenantId) -> Result<(), Error> {
    if tx.jobs().unfinished(tenant, MOST).await? < MOST {
        return Ok(());
    }
    let detail = format!("{MOST} jobs of this tenant are not over: wait for one, or cancel some");
    Err(Error::Conflict { code: ConflictCode::TooManyJobs, detail })
}
