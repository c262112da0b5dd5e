//! The settings that have flags.

use std::path::PathBuf;

/// The settings that have flags, which every command takes.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Settings")]
pub(crate) struct Flags {
    /// Settings file [env: HOC_CONFIG] [default: hoc.toml, where there is one]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Folder of the embedded store and the keys [env: HOC_DATA_DIR] [default: ./hoc-data]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data_dir: Option<String>,
    /// sqlite://FILE or postgres://... [env: HOC_DATABASE_URL] [default: SQLite in the data folder]
    #[arg(long, global = true, value_name = "URL", hide_default_value = true)]
    pub(crate) database_url: Option<String>,
    /// Ed25519 key in PKCS#8 PEM [env: HOC_SIGNING_KEY_FILE] [default: keys/signing.pem in the data folder]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) signing_key_file: Option<String>,
    /// What to log, such as `warn,orchestrator=debug` [env: HOC_LOG] [default: info]
    #[arg(long, global = true, value_name = "FILTER")]
    pub(crate) log_filter: Option<String>,
    /// Only `serve` and `demo` listen; they put their flag here.
    #[arg(skip)]
    pub(crate) listen: Option<String>,
}
