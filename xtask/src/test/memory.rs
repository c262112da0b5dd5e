//! Memory for the files of tests. Each commit of an embedded store waits until its disk has it, and tests lose nothing
//! when the power goes.

use crate::settings::env;
use anyhow::{Context as _, ensure};
use std::{
    fs::{self, Permissions},
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// The variable by which programs are told where files go that nobody keeps.
pub(super) const TMPDIR: &str = "TMPDIR";

/// Where Linux has files in memory.
const PLACE: &str = "/dev/shm";

/// So many bytes must be free there, and of memory itself: a folder may promise more than there is. What stores and
/// browsers of a run have at a time is some of it.
const ROOM: u64 = 4 << 30;

/// Removes a folder when its standard input ends, which is a pipe that we hold: however we end, the pipe closes. Tests
/// that we leave behind may still write once.
const KEEPER: &str = r#"trap '' HUP INT TERM; cat >/dev/null; rm -rf "$1" || { sleep 1; rm -rf "$1"; }"#;

/// The place in memory, where it has room and nobody has said where files are to go. Its path is short enough for the
/// unix sockets that tests make below it.
pub(super) fn place() -> Option<&'static Path> {
    let mounts = fs::read_to_string("/proc/mounts").ok()?;
    let memory = fs::read_to_string("/proc/meminfo").ok()?;
    let has_room = || Some(free()? >= ROOM && available(&memory)? >= ROOM);
    (env(TMPDIR).is_none() && is_in_memory(&mounts) && has_room()?).then_some(Path::new(PLACE))
}

/// Whether files there are in memory, and may be made and started, as far as the table of mounts says.
fn is_in_memory(mounts: &str) -> bool {
    let mut mounts = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    // The last one lies on top.
    let top = mounts.rfind(|mount| mount.get(1) == Some(&PLACE));
    top.is_some_and(|mount| {
        let options = mount.get(3).copied().unwrap_or_default();
        mount.get(2) == Some(&"tmpfs") && !options.split(',').any(|option| ["noexec", "ro"].contains(&option))
    })
}

/// Bytes that are free there.
fn free() -> Option<u64> {
    let told = Command::new("df").args(["-P", "-k", PLACE]).stdin(Stdio::null()).output().ok()?;
    of_df(&String::from_utf8(told.stdout).ok()?)
}

fn of_df(told: &str) -> Option<u64> {
    let kilobytes: u64 = told.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()?;
    Some(kilobytes << 10)
}

/// Bytes of memory that programs may have.
fn available(memory: &str) -> Option<u64> {
    let line = memory.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes << 10)
}

/// A folder that goes when this value does or when this process does, however it does.
pub(super) struct Folder {
    path: PathBuf,
    keeper: Child,
}

impl Folder {
    /// Makes one in that place.
    pub(super) fn make(place: &Path) -> anyhow::Result<Self> {
        let path = tempfile::Builder::new().prefix("hoc-tests-").tempdir_in(place)?.keep();
        // As /tmp is: a test starts the product as another user, who has to get to his place.
        fs::set_permissions(&path, Permissions::from_mode(0o1777))?;
        let mut keeper = Command::new("sh");
        keeper.args(["-c", KEEPER, "keeper"]).arg(&path).current_dir(place);
        // A group of its own: Ctrl-C is for us, and the keeper acts when we are gone.
        keeper.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null());
        let keeper = keeper.spawn().context("starting sh")?;
        Ok(Self { path, keeper })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it.
    pub(super) fn remove(mut self) -> anyhow::Result<()> {
        self.end();
        ensure!(!self.path.exists(), "{} is still there", self.path.display());
        Ok(())
    }

    fn end(&mut self) {
        drop(self.keeper.stdin.take());
        // An error here means that it has ended already.
        let _ = self.keeper.wait();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_what_lies_on_top_and_may_be_written() {
        let root = "/dev/vda / ext4 rw,relatime 0 0\ntmpfs /run tmpfs rw,nosuid 0 0\n";
        let on = |mount: &str| is_in_memory(&format!("{root}{mount} 0 0\n"));
        assert!(on("tmpfs /dev/shm tmpfs rw,nosuid,nodev,relatime,size=24684092k"));
        assert!(!is_in_memory(root), "there is none");
        assert!(!on("/dev/vdb /dev/shm ext4 rw,relatime"));
        assert!(!on("shm /dev/shm tmpfs rw,nosuid,nodev,noexec,relatime,size=65536k"));
        assert!(!on("shm /dev/shm tmpfs ro,nosuid"));
        assert!(!on("shm /dev/shm tmpfs rw 0 0\n/dev/vdb /dev/shm ext4 rw"), "another lies on it");
    }

    #[test]
    fn room_is_told_in_kilobytes() {
        let df = "Filesystem     1024-blocks  Used Available Capacity Mounted on\n\
                  tmpfs             24684092  1000  24683092       1% /dev/shm\n";
        assert_eq!(of_df(df), Some(24_683_092 * 1024));
        assert_eq!(of_df("df: /dev/shm: No such file or directory\n"), None);
        assert_eq!(available("MemTotal:  9 kB\nMemAvailable:   4194304 kB\n"), Some(ROOM));
    }

    #[test]
    fn the_folder_goes_with_what_is_in_it() {
        let place = tempfile::tempdir().expect("a folder");
        let folder = Folder::make(place.path()).expect("it is made");
        let path = folder.path().to_owned();
        fs::write(path.join("store.db"), "rows").expect("it is written");
        folder.remove().expect("it goes");
        assert!(!path.exists());
        let folder = Folder::make(place.path()).expect("it is made");
        let path = folder.path().to_owned();
        drop(folder);
        assert!(!path.exists());
    }
}
