//! Installing what is not here, where the distribution's packages can be had without asking anybody.

use super::tool::Tool;
use anyhow::{Context as _, bail, ensure};
use std::{
    os::unix::fs::MetadataExt as _,
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

/// What is not here, and may be installed.
pub(super) struct Missing {
    tools: Vec<&'static Tool>,
    apt: Apt,
}

/// Installs what is not here of these, or says what to install.
pub(crate) fn missing(tools: &[&'static Tool]) -> anyhow::Result<()> {
    if let Some(missing) = Missing::of(tools)? {
        missing.install()?;
    }
    Ok(())
}

impl Missing {
    /// What of these is not here; none where all are. Where this user may not install them, it says what to install.
    pub(super) fn of(tools: &[&'static Tool]) -> anyhow::Result<Option<Self>> {
        let tools = not_here(tools);
        if tools.is_empty() {
            return Ok(None);
        }
        let Some(apt) = Apt::find() else {
            bail!(
                "{}. That is not here, and this user may not install packages with apt-get",
                wanted(&tools)
            );
        };
        Ok(Some(Self { tools, apt }))
    }

    /// Installs them, in one go.
    pub(super) fn install(&self) -> anyhow::Result<()> {
        let names: Vec<&str> = self.tools.iter().map(|tool| tool.name).collect();
        let packages: Vec<&str> = self.tools.iter().map(|tool| tool.package).collect();
        println!("xtask: not here: {}; installing with apt-get: {}", names.join(", "), packages.join(", "));
        let started = Instant::now();
        self.apt.get(&["update", "-qq"]).with_context(|| wanted(&self.tools))?;
        let mut failed = self.apt.install(&packages).err();
        if failed.is_some() && packages.len() > 1 {
            // One that cannot be had takes no other with it, and is told alone.
            failed = None;
            for package in &packages {
                failed = self.apt.install(&[*package]).err().or(failed);
            }
        }
        println!("xtask: installing took {} s", started.elapsed().as_secs());
        let still = not_here(&self.tools);
        match failed {
            Some(err) if still.is_empty() => Err(err),
            Some(err) => Err(err.context(wanted(&still))),
            None if still.is_empty() => Ok(()),
            None => {
                bail!("{}. What apt-get installed is older, or not where it is looked for", wanted(&still))
            }
        }
    }
}

fn not_here(tools: &[&'static Tool]) -> Vec<&'static Tool> {
    tools.iter().copied().filter(|tool| (tool.find)().is_none()).collect()
}

fn wanted(tools: &[&'static Tool]) -> String {
    tools.iter().map(|tool| (tool.wanted)()).collect::<Vec<_>>().join(";\n")
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

    fn install(&self, packages: &[&str]) -> anyhow::Result<()> {
        let no_server = packages.contains(&SERVER).then(|| NoServer::ask(self)).transpose()?;
        let args = [&["install", "-qq", "--yes", "--no-install-recommends"][..], packages].concat();
        let installed = self.get(&args);
        if let Some(no_server) = no_server {
            no_server.withdraw(self)?;
        }
        installed
    }

    fn get(&self, args: &[&str]) -> anyhow::Result<()> {
        self.run("apt-get", args)
    }

    /// What it says is told where it fails: somebody else may be talking meanwhile.
    fn run(&self, program: &str, args: &[&str]) -> anyhow::Result<()> {
        let mut line = if self.sudo { vec!["sudo", "-n"] } else { Vec::new() };
        line.extend(["env", "DEBIAN_FRONTEND=noninteractive", program]);
        line.extend(args);
        let ran = Command::new(line[0]).args(&line[1..]).stdin(Stdio::null()).output();
        let ran = ran.with_context(|| format!("starting {program}"))?;
        let said = String::from_utf8_lossy(&ran.stderr);
        ensure!(ran.status.success(), "`{}` failed:\n{}", line.join(" "), said.trim_end());
        Ok(())
    }
}

/// Debian's package that makes a server and starts it, as long as nothing says that it is not to.
const SERVER: &str = "postgresql";

/// While it lies there, that package makes and starts no server of its own.
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    static HERE: Tool = Tool {
        name: "One",
        package: "one",
        find: || Some(PathBuf::from("one")),
        wanted: || "somebody needs One".to_owned(),
        variable: None,
    };

    static GONE: Tool = Tool {
        name: "Two",
        package: "two",
        find: || None,
        wanted: || "all need Two".to_owned(),
        variable: None,
    };

    #[test]
    fn what_is_here_is_neither_installed_nor_asked_for() {
        assert!(Missing::of(&[&HERE, &HERE]).expect("all is here").is_none());
        let gone = not_here(&[&HERE, &GONE, &GONE]);
        assert_eq!(gone.iter().map(|tool| tool.name).collect::<Vec<_>>(), ["Two", "Two"]);
        assert_eq!(wanted(&gone), "all need Two;\nall need Two");
    }
}
