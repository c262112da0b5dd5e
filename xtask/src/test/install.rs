//! Installing what the tests need, where the distribution's packages can be had without asking anybody.

use super::{
    browser, faketime,
    postgres::{Installed, OLDEST, POSTGRES_URL},
    python, redis,
};
use anyhow::{Context as _, bail, ensure};
use std::{
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
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

/// Installs Debian's `chromium`, or says what to install.
pub(crate) fn chromium() -> anyhow::Result<PathBuf> {
    let wanted = format!(
        "the console's test needs Chromium (Debian, Fedora, Homebrew: `chromium`), or the path of a Chrome in {}",
        browser::VARIABLE
    );
    let Some(apt) = Apt::find() else {
        bail!("{wanted}. Neither is here, and this user may not install packages with apt-get");
    };
    println!("xtask test: no Chromium here: installing the package `chromium` with apt-get");
    apt.get(&["update", "-qq"])?;
    apt.get(&["install", "-qq", "--yes", "--no-install-recommends", "chromium"])?;
    browser::find().with_context(|| format!("{wanted}. What apt-get installed is not in the search path"))
}

/// Installs Debian's `redis-server`, or says what to install.
pub(crate) fn redis() -> anyhow::Result<PathBuf> {
    let wanted = format!(
        "the tests need Redis (Debian and Ubuntu: package `redis-server`; Fedora, Homebrew: `redis` or `valkey`), or the path of a redis-server in {}",
        redis::VARIABLE
    );
    let Some(apt) = Apt::find() else {
        bail!("{wanted}. Neither is here, and this user may not install packages with apt-get");
    };
    println!("xtask test: no Redis here: installing the package `redis-server` with apt-get");
    apt.get(&["update", "-qq"])?;
    apt.get(&["install", "-qq", "--yes", "--no-install-recommends", "redis-server"])?;
    redis::find().with_context(|| format!("{wanted}. What apt-get installed is not in the search path"))
}

/// Installs Debian's `faketime`, or says what to install.
pub(crate) fn faketime() -> anyhow::Result<PathBuf> {
    let wanted = format!(
        "the test of a server with a wrong clock needs libfaketime (Debian and Ubuntu: package `faketime`; Fedora: `libfaketime`), or its path in {}",
        faketime::VARIABLE
    );
    let Some(apt) = Apt::find() else {
        bail!("{wanted}. Neither is here, and this user may not install packages with apt-get");
    };
    println!("xtask test: no libfaketime here: installing the package `faketime` with apt-get");
    apt.get(&["update", "-qq"])?;
    apt.get(&["install", "-qq", "--yes", "--no-install-recommends", "faketime"])?;
    faketime::find()
        .with_context(|| format!("{wanted}. What apt-get installed is not where it is looked for"))
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

/// Installs Debian's `python3-venv`, or says what to install.
pub(crate) fn python() -> anyhow::Result<()> {
    let wanted = format!(
        "the tests of a real OpenTelemetry SDK and of the OpenAPI document need Python 3.9 or newer with `venv` (Debian and Ubuntu: package `python3-venv`; Fedora: `python3`), or interpreters that have what they need in {}",
        python::ALL.map(|packages| packages.variable).join(" and ")
    );
    let Some(apt) = Apt::find() else {
        bail!("{wanted}. Neither is here, and this user may not install packages with apt-get");
    };
    println!("xtask test: no Python with `venv` here: installing the package `python3-venv` with apt-get");
    apt.get(&["update", "-qq"])?;
    apt.get(&["install", "-qq", "--yes", "--no-install-recommends", "python3-venv"])?;
    ensure!(python::is_there(), "{wanted}. What apt-get installed is older, or not in the search path");
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
