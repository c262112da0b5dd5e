//! `[store]`: where the records are.

use std::path::{Path, PathBuf};

use anyhow::bail;
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    Flags, Shown,
    origin::{Name, Setting, Sources, at_least_one},
    quoted,
};

pub(super) static DATA_DIR: Name =
    Name { section: "store", key: "data_dir", variable: "HOC_DATA_DIR", flag: Some("--data-dir") };
pub(super) static DATABASE_URL: Name = Name {
    section: "store",
    key: "database_url",
    variable: "HOC_DATABASE_URL",
    flag: Some("--database-url"),
};
pub(super) static MAX_CONNECTIONS: Name =
    Name { section: "store", key: "max_connections", variable: "HOC_MAX_CONNECTIONS", flag: None };
pub(super) static REDIS_URL: Name =
    Name { section: "store", key: "redis_url", variable: "HOC_REDIS_URL", flag: None };

/// The section.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    /// Holds the embedded store and the key files.
    pub(crate) data_dir: Setting<PathBuf>,
    /// May hold a password, so it does not print.
    pub(crate) database_url: Setting<SecretString>,
    /// To Postgres; or readers of the embedded store.
    pub(crate) max_connections: Setting<u32>,
    /// Empty where there is none. May hold a password, so it does not print.
    pub(crate) redis_url: Setting<SecretString>,
}

impl Store {
    pub(super) fn read(sources: &Sources, flags: &Flags, default_dir: &Path) -> anyhow::Result<Self> {
        let dir = flags.data_dir.as_deref();
        let data_dir =
            sources.setting(&DATA_DIR, dir, default_dir.to_owned(), |text| Ok(PathBuf::from(text)))?;
        let embedded = SecretString::from(sqlite_url(&data_dir.value.join("hoc.db"))?);
        let url = flags.database_url.as_deref();
        Ok(Self {
            database_url: sources.setting(&DATABASE_URL, url, embedded, database_url)?,
            max_connections: sources.setting(&MAX_CONNECTIONS, None, 16, at_least_one)?,
            redis_url: sources.setting(&REDIS_URL, None, SecretString::from(String::new()), redis_url)?,
            data_dir,
        })
    }

    /// The URL, for whoever connects.
    pub(crate) fn url(&self) -> &str {
        self.database_url.value.expose_secret()
    }

    /// Whether this is the embedded store.
    pub(crate) fn is_sqlite(&self) -> bool {
        self.url().starts_with("sqlite:")
    }

    /// The file of the embedded store; none for Postgres, and for a store in memory.
    pub(crate) fn sqlite_file(&self) -> Option<PathBuf> {
        let rest = self.url().strip_prefix("sqlite:")?;
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        let (path, options) = rest.split_once('?').unwrap_or((rest, ""));
        let in_memory = path.is_empty() || path == ":memory:" || options.contains("mode=memory");
        (!in_memory).then(|| PathBuf::from(percent_decoded(path)))
    }

    /// The URL of Redis, where one is to be used.
    pub(crate) fn redis(&self) -> Option<&str> {
        Some(self.redis_url.value.expose_secret()).filter(|url| !url.is_empty())
    }

    /// That URL as it may be shown.
    pub(crate) fn shown_redis(&self) -> Option<String> {
        self.redis().map(without_password)
    }

    /// The URL as it may be shown: without a password.
    pub(crate) fn shown_url(&self) -> String {
        without_password(self.url())
    }

    /// Whether somebody said where the store is.
    pub(crate) fn is_named(&self) -> bool {
        self.data_dir.is_given() || self.database_url.is_given()
    }

    /// The flags that name the same store again. A URL with a password stands for itself by its variable.
    pub(super) fn repeated(&self) -> Vec<(&'static str, String)> {
        let mut flags = Vec::new();
        if self.data_dir.is_said() {
            flags.push(("--data-dir", quoted(&self.data_dir.value.display().to_string())));
        }
        if self.database_url.is_said() {
            let shown = self.shown_url();
            let url = if shown == self.url() { quoted(&shown) } else { "\"$HOC_DATABASE_URL\"".to_owned() };
            flags.push(("--database-url", url));
        }
        flags
    }

    pub(super) fn show(&self) -> Vec<Shown> {
        vec![
            Shown::text(&DATA_DIR, self.data_dir.value.display(), &self.data_dir.origin),
            Shown::text(&DATABASE_URL, self.shown_url(), &self.database_url.origin),
            Shown::number(&MAX_CONNECTIONS, self.max_connections.value, &self.max_connections.origin),
            Shown::text(&REDIS_URL, self.shown_redis().unwrap_or_default(), &self.redis_url.origin),
        ]
    }
}

fn database_url(text: &str) -> anyhow::Result<SecretString> {
    if !["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme)) {
        // Without the text, which may hold a password.
        bail!("must begin with sqlite:// or postgres://");
    }
    Ok(SecretString::from(text.to_owned()))
}

/// Empty for none, so that a file's value can be taken back.
fn redis_url(text: &str) -> anyhow::Result<SecretString> {
    if !["redis://", "rediss://", "redis+unix://"].iter().any(|scheme| text.starts_with(scheme))
        && !text.is_empty()
    {
        bail!("must begin with redis://, rediss:// or redis+unix://");
    }
    Ok(SecretString::from(text.to_owned()))
}

/// What a URL would take for something else is escaped.
fn sqlite_url(file: &Path) -> anyhow::Result<String> {
    let Some(path) = file.to_str() else { bail!("the path {} is not UTF-8", file.display()) };
    let escaped: Vec<String> = path
        .chars()
        .map(|c| if matches!(c, '%' | '?' | '#') { format!("%{:02X}", u32::from(c)) } else { c.to_string() })
        .collect();
    Ok(format!("sqlite://{}", escaped.concat()))
}

fn percent_decoded(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escaped = after.get(..2).filter(|_| first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        if let Some(byte) = escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            bytes.push(byte);
            rest = &after[2..];
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn without_password(url: &str) -> String {
    let (url, options) = url.split_once('?').map_or((url, None), |(url, options)| (url, Some(options)));
    let options = options.map(|options| {
        let secret = |option: &&str| {
            ["password=", "passfile=", "sslpassword="].iter().any(|key| option.starts_with(key))
        };
        options
            .split('&')
            .map(|option| if secret(&option) { "password=***" } else { option })
            .collect::<Vec<_>>()
    });
    let place = match url.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?)))
    {
        Some((scheme, (user, host))) => match user.split_once(':') {
            Some((user, _)) => format!("{scheme}://{user}:***@{host}"),
            None => format!("{scheme}://{user}@{host}"),
        },
        None => url.to_owned(),
    };
    options.map_or(place.clone(), |options| format!("{place}?{}", options.join("&")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_shown() {
        for (url, shown) in [
            ("postgres://hoc:s3cr3t@db:5432/hoc", "postgres://hoc:***@db:5432/hoc"),
            ("postgres://hoc:s3c@r3t@db/hoc", "postgres://hoc:***@db/hoc"),
            ("postgres://hoc@localhost/hoc?host=/run", "postgres://hoc@localhost/hoc?host=/run"),
            ("redis://:s3cr3t@cache:6379/0", "redis://:***@cache:6379/0"),
            ("postgres://db/hoc?user=a&password=s3cr3t", "postgres://db/hoc?user=a&password=***"),
            ("sqlite://hoc-data/hoc.db", "sqlite://hoc-data/hoc.db"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }

    #[test]
    fn the_file_of_a_url_is_the_file_it_was_made_of() {
        for path in ["hoc-data/hoc.db", "/a b/c%20d/what?/#1.db"] {
            let url = sqlite_url(Path::new(path)).expect("a path");
            let store = Store {
                data_dir: Setting { value: PathBuf::new(), origin: crate::config::origin::Origin::Default },
                database_url: Setting { value: url.into(), origin: crate::config::origin::Origin::Default },
                max_connections: Setting { value: 1, origin: crate::config::origin::Origin::Default },
                redis_url: Setting {
                    value: String::new().into(),
                    origin: crate::config::origin::Origin::Default,
                },
            };
            assert_eq!(store.sqlite_file(), Some(PathBuf::from(path)));
        }
    }
}
