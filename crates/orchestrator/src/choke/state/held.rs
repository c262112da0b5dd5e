//! Permits that a group holds locked: only these may be used or released.
//!
//! A permit that was merely read, because a call repeats its key, is a plain [`Permit`]: another replica may release it
//! at any moment, so nothing is concluded from where it stands.

use std::collections::HashMap;

use models::{
    ids::PermitId,
    policies::{Permit, PermitStatus},
};

/// By id.
pub(in crate::choke) type HeldPermits = HashMap<PermitId, HeldPermit>;

/// A permit that is locked until the group ends, or that the group grants.
pub(in crate::choke) struct HeldPermit {
    row: Permit,
    write: Write,
}

/// What the store must be told of a permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::choke) enum Write {
    /// It stands as it stood.
    Nothing,
    /// The group grants it.
    New,
    /// It stood there when it was locked.
    From(PermitStatus),
}

impl HeldPermit {
    /// One that was locked. Without the store, one that is remembered: nothing is written then.
    pub(in crate::choke) fn locked(row: Permit) -> Self {
        Self { row, write: Write::Nothing }
    }

    /// One that the group grants.
    pub(in crate::choke) fn granted(row: Permit) -> Self {
        Self { row, write: Write::New }
    }

    pub(in crate::choke) fn row(&self) -> &Permit {
        &self.row
    }

    pub(in crate::choke) fn into_row(self) -> Permit {
        self.row
    }

    pub(in crate::choke) fn to_write(&self) -> Write {
        self.write
    }

    /// What it held is given back.
    pub(in crate::choke) fn lapse(&mut self) {
        self.change().status = PermitStatus::Lapsed;
    }

    /// The step was done by its leave.
    pub(in crate::choke) fn use_by(&mut self, step_index: u64) {
        let row = self.change();
        row.status = PermitStatus::Used;
        row.used_by_step = Some(step_index);
    }

    fn change(&mut self) -> &mut Permit {
        if self.write == Write::Nothing {
            self.write = Write::From(self.row.status);
        }
        &mut self.row
    }
}
