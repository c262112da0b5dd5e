//! How the command line names itself in system records.

use orchestrator::handlers::account::SystemCaller;

/// Whoever changes something on the store itself.
pub(crate) fn command_line() -> SystemCaller {
    SystemCaller { name: "hoc command line".to_owned() }
}
