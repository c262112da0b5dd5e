//! Writes the seeds of all targets under a folder: `seeds FOLDER`. `cargo xtask fuzz` begins with them.
#![expect(clippy::expect_used, reason = "a tool of one folder")]

use std::path::PathBuf;

use fuzz::Target;

fn main() {
    let root = PathBuf::from(std::env::args_os().nth(1).expect("seeds FOLDER"));
    for target in Target::ALL {
        let folder = root.join(target.name());
        std::fs::create_dir_all(&folder).expect("a folder");
        for (n, seed) in target.seeds().iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{n}")), seed).expect("a seed");
        }
    }
}
