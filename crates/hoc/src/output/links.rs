//! The file that a name stands for, where links lead there.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rustix::io::Errno;

use crate::private;

/// So many links after each other are followed, as by Linux.
const MOST_LINKS: usize = 40;

/// The file that a name stands for, which need not be there.
pub(super) fn followed(name: &Path) -> io::Result<PathBuf> {
    let mut file = name.to_owned();
    for _ in 0..MOST_LINKS {
        let Ok(to) = fs::read_link(&file) else { return Ok(file) };
        file = private::folder_of(&file).join(to);
    }
    Err(Errno::LOOP.into())
}
