//! Whether a call has shown a credential that is in force, and whose: before that nobody knows whose it is, and it is
//! waited for less long.

use std::sync::{Arc, OnceLock};

use models::ids::{KeyId, TenantId};

/// Whose call one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whose {
    /// The credential's tenant.
    pub tenant: TenantId,
    /// The credential.
    pub key: KeyId,
}

/// Whether a call has shown a credential that is in force, and whose. Who serves the router may put one into a
/// request's extensions, to know it while the call goes on.
#[derive(Clone, Debug, Default)]
pub struct Shown(Arc<OnceLock<Whose>>);

impl Shown {
    /// It has now.
    pub fn now(&self, whose: Whose) {
        // A call has one caller, whoever looks for it again.
        let _ = self.0.set(whose);
    }

    /// Whose call it is; none where it has shown nothing that is in force.
    #[must_use]
    pub fn whose(&self) -> Option<Whose> {
        self.0.get().copied()
    }
}
