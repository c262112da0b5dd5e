//! What a file that takes the place of another keeps of it.

use std::{
    fs::{File, Metadata, Permissions},
    io,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown},
};

/// Whose a file is, and who may do what with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rights {
    owner: u32,
    group: u32,
    mode: u32,
}

impl Rights {
    pub(super) fn of(file: &Metadata) -> Self {
        Self { owner: file.uid(), group: file.gid(), mode: file.mode() & 0o777 }
    }

    /// Gives them to the file that takes the place.
    pub(super) fn give(self, file: &File) -> io::Result<()> {
        let Self { owner, group, mut mode } = self;
        let its = Self::of(&file.metadata()?);
        if (its.owner, its.group) != (owner, group) && fchown(file, Some(owner), Some(group)).is_err() {
            // What one group could do is not for another.
            mode &= !0o070;
        }
        file.set_permissions(Permissions::from_mode(mode))
    }
}
