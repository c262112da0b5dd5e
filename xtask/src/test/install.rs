//! Installing what the tests need, where the distribution's packages can be had without asking anybody.

use super::postgres::{Installed, OLDEST, POSTGRES_URL};
use anyhow::{Context as _, bail, ensure};
use std::{
    os::unix::fs::MetadataExt as _,
    path::Path,
    process::{Command, Stdio},
};

/// Installs Debian's `postgresql`, or says what to install.
pub(crate) fn postgres() -> anyhow::Result<Installed> {
    let wanted = format!(
        "the tests need Postgres {OLDEST} or newer (Debian and Ubuntu: package `postgresql`; Fedora: `postgresql-server`; Homebrew: `postgresql@17`), or the URL of a running one in {POSTGRES_URL}"
    );
    let Some(apt) = Apt::find() else {
        bail!("{wanted}. Neither is here, and this user may not install packages with apt-get");
    };
    println!(
        "xtask test: no Postgres {OLDEST} or newer here: installing the package `postgresql` with apt-get"
    );
    apt.get(&["update", "-qq"])?;
    let no_server = NoServer::ask(&apt)?;
    let installed = apt.get(&["install", "-qq", "--yes", "--no-install-recommends", "postgresql"]);
    no_server.withdraw(&apt)?;
    installed?;
    Installed::find().with_context(|| format!("{wanted}. What apt-get installed is older"))
}

/// Installs the package of something that was looked for and is not here, or says what is `wanted`.
pub(crate) fn missing(what: &str, package: &str, wanted: &str) -> anyhow::Result<()> {
    let Some(apt) = Apt::find() else {
        bail!("{wanted}. Neither is here, and this user may not install packages with apt-get");
    };
    println!("xtask test: no {what} here: installing the package `{package}` with apt-get");
    apt.get(&["update", "-qq"])?;
    apt.get(&["install", "-qq", "--yes", "--no-install-recommends", package])
}

/// Installs a package of that name with apt-get, or says that it is `wanted`.
pub(crate) fn package(name: &str, wanted: &str) -> anyhow::Result<()> {
    let Some(apt) = Apt::find() else {
        bail!("{wanted}. It is not here, and this user may not install packages with apt-get");
    };
    println!("xtask test: installing the package `{name}` with apt-get");
    apt.get(&["update", "-qq"])?;
    apt.get(&["install", "-qq", "--yes", "--no-install-recommends", name])
}

/// Installs Debian's `g++` unless there is a C++ compiler, or says what to install.
pub(crate) fn cxx() -> anyhow::Result<()> {
    let is_here = || Command::new("c++").arg("--version").output().is_ok_and(|out| out.status.success());
    if is_here() {
        return Ok(());
    }
    let wanted = "libFuzzer needs a C++ compiler (Debian: package `g++`)";
    let Some(apt) = Apt::find() else {
        bail!("{wanted}, and this user may not install packages with apt-get")
    };
    println!("xtask fuzz: no C++ compiler here: installing the package `g++` with apt-get");
    apt.get(&["update", "-qq"])?;
    apt.get(&["install", "-qq", "--yes", "--no-install-recommends", "g++"])?;
    ensure!(is_here(), "{wanted}, and apt-get's is not in the search path");
    Ok(())
}

/// `apt-get`, as root or through a `sudo` that asks for no password.
struct Apt {
    sudo: bool,
}

impl Apt {
    fn find() -> Option<Self> {
        let succeeds = |program: &str, args: &[&str]| {
            let quiet = Command::new(program)
                .args(args)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            quiet.is_ok_and(|status| status.success())
        };
        let root = std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
        (succeeds("apt-get", &["--version"]) && (root || succeeds("sudo", &["-n", "true"])))
            .then_some(Self { sudo: !root })
    }

    fn get(&self, args: &[&str]) -> anyhow::Result<()> {
        self.run("apt-get", args)
    }

    fn run(&self, program: &str, args: &[&str]) -> anyhow::Result<()> {
        let mut line = if self.sudo { vec!["sudo", "-n"] } else { Vec::new() };
        line.extend(["env", "DEBIAN_FRONTEND=noninteractive", program]);
        line.extend(args);
        let status = Command::new(line[0]).args(&line[1..]).stdin(Stdio::null()).status();
        ensure!(
            status.with_context(|| format!("starting {program}"))?.success(),
            "`{}` failed",
            line.join(" ")
        );
        Ok(())
    }
}

/// While it lies there, Debian's package makes and starts no server of its own.
struct NoServer {
    /// Whether the folder is ours to take away.
    made_folder: bool,
}

const FOLDER: &str = "/etc/postgresql-common/createcluster.d";
const FILE: &str = "/etc/postgresql-common/createcluster.d/hoc-tests.conf";

impl NoServer {
    fn ask(apt: &Apt) -> anyhow::Result<Self> {
        let made_folder = !Path::new(FOLDER).exists();
        apt.run("mkdir", &["-p", FOLDER])?;
        apt.run("sh", &["-c", &format!("echo 'create_main_cluster = false' >{FILE}")])?;
        Ok(Self { made_folder })
    }

    fn withdraw(self, apt: &Apt) -> anyhow::Result<()> {
        apt.run("rm", &["-f", FILE])?;
        if self.made_folder {
            apt.run("rmdir", &[FOLDER])?;
        }
        Ok(())
    }
}
