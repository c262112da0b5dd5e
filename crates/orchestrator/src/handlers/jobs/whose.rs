//! Whose a job is, and who acts on it: what the command line says, which has the store itself and no credential.

use engines::check::Check;
use models::{account::Tenant, ids::JobId};

use crate::{errors::Error, spine::Spine};

/// The tenant that has a job; none where nobody has.
pub async fn tenant_of_job(spine: &Spine, job: JobId) -> Result<Option<Tenant>, Error> {
    let store = spine.read().await?;
    for tenant in store.account().list_tenants().await? {
        if store.jobs().find_job(tenant.id, job).await?.is_some() {
            return Ok(Some(tenant));
        }
    }
    Ok(None)
}

/// Refuses a name that is none.
pub(super) fn named(by: &str) -> Result<(), Error> {
    let mut check = Check::default();
    check.required("/by", by);
    check.identity("/by", Some(by));
    Ok(check.done()?)
}
