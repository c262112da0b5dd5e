//! Who changes keys, tenants and the installation.

use crate::context::CallContext;

/// Who acts on the store itself, without a credential: whoever runs the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemCaller {
    /// As system records name them.
    pub name: String,
}

/// Who changes keys and tenants, and what ties the change to its cause.
pub(crate) struct Author {
    pub(crate) name: String,
    pub(crate) correlation_id: Option<String>,
}

impl From<&CallContext> for Author {
    fn from(ctx: &CallContext) -> Self {
        Self { name: ctx.actor_id.clone(), correlation_id: Some(ctx.correlation_id.clone()) }
    }
}

impl From<&SystemCaller> for Author {
    fn from(caller: &SystemCaller) -> Self {
        Self { name: caller.name.clone(), correlation_id: None }
    }
}
