//! Whose a job is, and who acts on it: what the command line says, which has the store itself and no credential.

use engines::check::Check;
use models::ids::{JobId, TenantId};

use crate::{errors::Error, spine::Spine};

/// The tenant that has a job; none where nobody has.
pub async fn tenant_of_job(spine: &Spine, job: JobId) -> Result<Option<TenantId>, Error> {
    Ok(spine.read().await?.jobs().tenant_of(job).await?)
}

/// Refuses a name that is none.
pub(super) fn named(by: &str) -> Result<(), Error> {
    let mut check = Check::default();
    check.required("/by", by);
    check.identity("/by", Some(by));
    Ok(check.done()?)
}
