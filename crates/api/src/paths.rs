//! Where the routes of each domain are, and the pages.

pub(crate) const ACCOUNT: &str = "/api/v1/account";
pub(crate) const ACTIVITY: &str = "/api/v1/runtime/activity";
pub(crate) const INCIDENTS: &str = "/api/v1/runtime/incidents";
pub(crate) const JOBS: &str = "/api/v1/runtime/jobs";
pub(crate) const LOGS: &str = "/api/v1/runtime/logs";
pub(crate) const OVERVIEW: &str = "/api/v1/runtime/overview";
pub(crate) const POLICIES: &str = "/api/v1/runtime/policies";
pub(crate) const CONSOLE: &str = "/console";
