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
        let is_given =
            (its.owner, its.group) == (owner, group) || fchown(file, Some(owner), Some(group)).is_ok();
        // Only its owner cannot be given by who is in the group.
        if !is_given && its.group != group && fchown(file, None, Some(group)).is_err() {
            mode = of_another_group(mode);
        }
        file.set_permissions(Permissions::from_mode(mode))
    }
}

/// The mode of a file whose group is another now: that may do what others could, for it was among them; and who was in
/// the group is among the others now, and may do no more than before.
const fn of_another_group(mode: u32) -> u32 {
    let (owner, group, others) = (mode & 0o700, (mode >> 3) & 0o7, mode & 0o7);
    owner | (others << 3) | (others & group)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_may_do_more_or_is_shut_out_for_a_group_that_could_not_be_given() {
        for (mode, left) in [
            (0o644, 0o644),
            (0o640, 0o600),
            (0o600, 0o600),
            (0o604, 0o640),
            (0o664, 0o644),
            (0o666, 0o666),
            (0o606, 0o660),
        ] {
            assert_eq!(of_another_group(mode), left, "{mode:o}: {:o}", of_another_group(mode));
        }
    }
}
