//! What may be configured: flags before `HOC_*` variables before hoc.toml before defaults, a file a section.
//!
//! Each value knows where it came from; `hoc serve --print-config` shows them as a hoc.toml that would give the
//! same. Relative paths start at the working directory, wherever they are written.

pub(crate) mod duration;
mod environment;
mod flags;
pub(crate) mod governance;
pub(crate) mod installation;
pub(crate) mod keys;
pub(crate) mod log;
mod origin;
pub(crate) mod server;
mod shown;
pub(crate) mod store;

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use anyhow::bail;

pub(crate) use self::{flags::Flags, server::Most};
use self::{
    governance::Governance,
    installation::{Environment, Installation},
    keys::Keys,
    log::Log,
    origin::{Name, Sources},
    server::Server,
    shown::{Shown, quoted},
    store::Store,
};

/// Every setting there is.
static NAMES: [&Name; 27] = [
    &installation::NAME,
    &installation::ENV,
    &server::LISTEN,
    &server::PUBLIC_URL,
    &server::STOP_WITHIN,
    &server::HEAD_WITHIN,
    &server::IDLE_WITHIN,
    &server::MAX_CLIENTS,
    &server::MAX_CLIENTS_PER_PEER,
    &store::DATA_DIR,
    &store::DATABASE_URL,
    &store::MAX_CONNECTIONS,
    &store::REDIS_URL,
    &keys::SIGNING_KEY_FILE,
    &keys::CHECKPOINT_FOLDERS,
    &governance::PERMIT_TTL,
    &governance::STOP_GRACE,
    &governance::RUN_ABANDON_AFTER,
    &governance::OUTAGE_MEMORY,
    &governance::CHECK_EVERY,
    &governance::TRACE_QUIET,
    &governance::MAX_WAITING,
    &governance::MAX_HELD_MIB,
    &governance::MAX_REMEMBERED_MIB,
    &governance::MAX_STREAMS,
    &log::FILTER,
    &log::FORMAT,
];

/// All settings.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) installation: Installation,
    pub(crate) server: Server,
    pub(crate) store: Store,
    pub(crate) keys: Keys,
    pub(crate) governance: Governance,
    pub(crate) log: Log,
    /// The settings file, where somebody named one.
    pub(crate) named_file: Option<PathBuf>,
    /// `HOC_*` variables that are no setting.
    pub(crate) unknown_variables: Vec<String>,
}

impl Config {
    /// Reads flags, the environment and the file. `default_dir` is the data folder where nobody names one.
    pub(crate) fn load(flags: &Flags, default_dir: &str) -> anyhow::Result<Self> {
        let sources = Sources::read(environment::variables()?, flags.config.as_deref())?;
        Self::from_sources(&sources, flags, Path::new(default_dir))
    }

    fn from_sources(sources: &Sources, flags: &Flags, default_dir: &Path) -> anyhow::Result<Self> {
        sources.refuse_unknown(&NAMES)?;
        let store = Store::read(sources, flags, default_dir)?;
        let config = Self {
            installation: Installation::read(sources)?,
            server: Server::read(sources, flags)?,
            keys: Keys::read(sources, flags, &store.data_dir.value)?,
            governance: Governance::read(sources)?,
            log: Log::read(sources, flags)?,
            named_file: sources.named_file().map(Path::to_owned),
            unknown_variables: sources.unknown_variables(&NAMES),
            store,
        };
        if config.installation.env.value == Environment::Production && config.store.is_sqlite() {
            bail!(
                "HOC_ENV=production refuses SQLite, which serves one machine: set HOC_DATABASE_URL to \
                 postgres://USER@HOST/DATABASE (docs/operations.md says how to set one up)"
            );
        }
        Ok(config)
    }

    /// The same where only so many clients have room: streams of events take no more than a quarter of it.
    pub(crate) fn with_room_for(mut self, clients: usize) -> Self {
        let streams = &mut self.governance.max_streams.value;
        *streams = (*streams).min(clients / 4).max(1);
        self
    }

    /// A command as somebody is to type it, with what leads it to the same store as this one: without that it would be
    /// the store of another folder, or none.
    pub(crate) fn command(&self, command: &str) -> String {
        let mut typed = command.to_owned();
        if let Some(file) = &self.named_file {
            let _ = write!(typed, " --config {}", quoted(&file.display().to_string()));
        }
        for (flag, value) in self.store.repeated().into_iter().chain(self.keys.repeated()) {
            let _ = write!(typed, " {flag} {value}");
        }
        typed
    }

    /// Every value with its origin, as a hoc.toml that would give the same; passwords are left out.
    pub(crate) fn to_toml(&self) -> String {
        let mut text = String::new();
        for shown in self.shown() {
            let header = format!("[{}]\n", shown.name.section);
            if !text.contains(&header) {
                let gap = if text.is_empty() { "" } else { "\n" };
                let _ = write!(text, "{gap}{header}");
            }
            let entry = format!("{} = {}", shown.name.key, shown.value);
            let _ = writeln!(text, "{entry:<58} # {}", shown.origin);
        }
        text
    }

    /// The same for machines.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        let settings = self.shown().into_iter().map(|shown| {
            serde_json::json!({
                "setting": format!("{}.{}", shown.name.section, shown.name.key),
                "variable": shown.name.variable,
                "value": shown.value.json(),
                "origin": shown.origin.to_string(),
            })
        });
        settings.collect()
    }

    fn shown(&self) -> Vec<Shown> {
        [
            self.installation.show(),
            self.server.show(),
            self.store.show(),
            self.keys.show(),
            self.governance.show(),
            self.log.show(),
        ]
        .concat()
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs};

    use super::*;

    fn config(variables: &[(&str, &str)], file: Option<&Path>) -> anyhow::Result<Config> {
        let variables: BTreeMap<String, String> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        // A folder without a hoc.toml: the working directory's must not matter to a test.
        let flags = Flags::default();
        let empty = tempfile::NamedTempFile::new()?;
        let sources = Sources::read(variables, Some(file.unwrap_or(empty.path())))?;
        Config::from_sources(&sources, &flags, Path::new("./hoc-data"))
    }

    #[test]
    fn the_printed_configuration_reads_back_as_the_same() {
        let given = [
            ("HOC_LISTEN", "0.0.0.0:9000"),
            ("HOC_DATABASE_URL", "postgres://hoc@db/hoc"),
            ("HOC_ENV", "production"),
            ("HOC_PERMIT_TTL", "90s"),
            ("HOC_CHECKPOINT_FOLDERS", "/a:/b"),
        ];
        let first = config(&given, None).expect("a configuration");
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(file.path(), first.to_toml()).expect("it is written");
        let again = config(&[], Some(file.path())).expect("the same configuration");
        let values = |config: &Config| -> Vec<String> {
            config.shown().iter().map(|shown| format!("{}={}", shown.name.key, shown.value)).collect()
        };
        assert_eq!(values(&again), values(&first));
        assert_eq!(first.shown().len(), NAMES.len(), "every setting is shown");
        assert!(first.to_toml().contains("# environment HOC_LISTEN"), "{}", first.to_toml());
    }

    #[test]
    fn a_password_is_in_no_form_of_the_configuration() {
        let config = config(&[("HOC_DATABASE_URL", "postgres://hoc:s3cr3t@db/hoc")], None).expect("one");
        assert!(!format!("{config:?}{}{}", config.to_toml(), config.to_json()).contains("s3cr3t"));
    }

    #[test]
    fn production_refuses_sqlite() {
        let refused = config(&[("HOC_ENV", "production")], None).expect_err("SQLite in production");
        assert!(refused.to_string().contains("set HOC_DATABASE_URL"), "{refused}");
    }

    #[test]
    fn a_named_key_file_has_its_wrapping_key_beside_it() {
        let named = config(&[("HOC_SIGNING_KEY_FILE", "/etc/hoc/key.pem")], None).expect("one");
        assert_eq!(named.keys.wrapping_key_file(), Path::new("/etc/hoc/key.pem.wrap"));
        assert_eq!(named.keys.checkpoint_folders.value, [Path::new("/etc/hoc/checkpoints")]);
        let made = config(&[], None).expect("one");
        assert_eq!(made.keys.wrapping_key_file(), Path::new("./hoc-data/keys/wrapping.key"));
    }
}
