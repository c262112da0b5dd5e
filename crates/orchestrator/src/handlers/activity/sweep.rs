//! Ending runs that nobody ends.

use std::sync::Arc;

use models::{activity::Run, ids::RunId};

use super::submit::ended;
use crate::{
    choke::{MAX_GROUP, call::EndRun, prepare::Call},
    context::TenantSettings,
    errors::Error,
    spine::Spine,
};

/// Ends runs that nobody ends, for the sweeper: through the choke point, like every end. Gives an answer for each.
pub(crate) async fn sweep(
    spine: &Spine,
    tenant: &Arc<TenantSettings>,
    ends: &[(RunId, EndRun)],
) -> Result<Vec<Result<Run, Error>>, Error> {
    let mut ended_runs = Vec::with_capacity(ends.len());
    for some in ends.chunks(MAX_GROUP) {
        let calls = some.iter().map(|(run, how)| Call::sweep(*run, how.clone())).collect();
        let answers = spine.choke().submit_each(spine, tenant, calls).await?;
        let none = || Err(Error::Internal("the sweep got no answer".to_owned()));
        ended_runs.extend(answers.into_iter().map(|answer| ended(answer.unwrap_or_else(none))));
    }
    Ok(ended_runs)
}
