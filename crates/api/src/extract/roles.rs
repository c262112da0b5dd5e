//! Who may: each route names one of these, and so does its `x-roles`. A test walks both.

use models::account::Role;

/// Which roles a route is for.
pub(crate) trait Need: Send + Sync + 'static {
    /// Those that may.
    const ROLES: &'static [Role];
}

macro_rules! needs {
    ($($(#[$doc:meta])* $name:ident = $($role:ident)+;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub(crate) struct $name;

        impl Need for $name {
            const ROLES: &'static [Role] = &[$(Role::$role),+];
        }
    )+};
}

// `admin` is all that any role may; `policy` and `auditor` include `viewer`.
needs! {
    /// Writes runs and steps.
    AgentWrites = Agent Admin;
    /// Reads runs: an agent its own.
    ReadsRuns = Agent Viewer Operator Policy Auditor Admin;
    /// Reads lists and details (O1 to O3).
    Views = Viewer Operator Policy Auditor Admin;
    /// Reads evidence and proof (O4, O5).
    Inspects = Operator Auditor Admin;
    /// Handles incidents and stops runs.
    Handles = Operator Admin;
    /// Changes rules and limits.
    SetsPolicy = Policy Admin;
    /// Changes keys and settings.
    Manages = Admin;
    /// Has any key at all.
    Anyone = Agent Viewer Operator Policy Auditor Admin;
}

/// As `x-roles` lists them.
pub(crate) fn names<N: Need>() -> Vec<&'static str> {
    N::ROLES.iter().map(|role| role.as_str()).collect()
}
