//! Where a value came from, and the order in which places are asked: flag, environment, file, default.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use anyhow::{Context as _, bail};

use crate::whole::{MOST_SAID, text_of};

/// One setting: its place in hoc.toml, its variable, and its flag where it has one.
#[derive(Debug)]
pub(crate) struct Name {
    pub(crate) section: &'static str,
    pub(crate) key: &'static str,
    pub(crate) variable: &'static str,
    pub(crate) flag: Option<&'static str>,
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Flag(&'static str),
    Variable(&'static str),
    File(PathBuf),
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(f, "flag {name}"),
            Self::Variable(name) => write!(f, "environment {name}"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A value and where it came from.
#[derive(Clone, Debug)]
pub(crate) struct Setting<T> {
    pub(crate) value: T,
    pub(crate) origin: Origin,
}

impl<T> Setting<T> {
    /// Whether somebody chose it.
    pub(crate) fn is_given(&self) -> bool {
        self.origin != Origin::Default
    }

    /// Whether it was said to this command alone, by a flag or a variable: the next one would not know it.
    pub(crate) fn is_said(&self) -> bool {
        matches!(self.origin, Origin::Flag(_) | Origin::Variable(_))
    }
}

/// The environment and the file, read once.
#[derive(Debug)]
pub(crate) struct Sources {
    variables: BTreeMap<String, String>,
    file: Option<(PathBuf, toml::Table)>,
    /// The file was named, and not only found.
    is_named: bool,
}

impl Sources {
    /// `file` is read where it is named, and must be there then; else `hoc.toml` where there is one.
    pub(crate) fn read(variables: BTreeMap<String, String>, file: Option<&Path>) -> anyhow::Result<Self> {
        let named = file.map(Path::to_owned).or_else(|| variables.get("HOC_CONFIG").map(PathBuf::from));
        let path = named.clone().unwrap_or_else(|| PathBuf::from("hoc.toml"));
        let file = match std::fs::File::open(&path).and_then(|file| text_of(file, MOST_SAID)) {
            Ok(text) => {
                let table = text.parse().with_context(|| format!("{} is not TOML", path.display()))?;
                Some((path, table))
            }
            Err(err) if named.is_none() && err.kind() == std::io::ErrorKind::NotFound => None,
            Err(err) => return Err(err).with_context(|| format!("cannot read {}", path.display())),
        };
        Ok(Self { variables, file, is_named: named.is_some() })
    }

    /// The file, where somebody named it.
    pub(crate) fn named_file(&self) -> Option<&Path> {
        self.file.as_ref().filter(|_| self.is_named).map(|(path, _)| path.as_path())
    }

    /// The value of a setting by the first place that names it.
    pub(crate) fn setting<T>(
        &self,
        name: &'static Name,
        flag: Option<&str>,
        default: T,
        parse: impl Fn(&str) -> anyhow::Result<T>,
    ) -> anyhow::Result<Setting<T>> {
        let Some((text, origin)) = self.find(name, flag)? else {
            return Ok(Setting { value: default, origin: Origin::Default });
        };
        let value = parse(&text).with_context(|| format!("{}.{} ({origin})", name.section, name.key))?;
        Ok(Setting { value, origin })
    }

    fn find(&self, name: &'static Name, flag: Option<&str>) -> anyhow::Result<Option<(String, Origin)>> {
        if let (Some(text), Some(flag)) = (flag, name.flag) {
            return Ok(Some((text.to_owned(), Origin::Flag(flag))));
        }
        if let Some(text) = self.variables.get(name.variable) {
            return Ok(Some((text.clone(), Origin::Variable(name.variable))));
        }
        let Some((path, table)) = &self.file else { return Ok(None) };
        let Some(value) = table.get(name.section).and_then(|section| section.get(name.key)) else {
            return Ok(None);
        };
        let text = plain(value).with_context(|| {
            format!("{}: {}.{} must be a text or a number", path.display(), name.section, name.key)
        })?;
        Ok(Some((text, Origin::File(path.clone()))))
    }

    /// Refuses a file that names what is no setting: a misspelt limit is no limit.
    pub(crate) fn refuse_unknown(&self, known: &[&'static Name]) -> anyhow::Result<()> {
        let Some((path, table)) = &self.file else { return Ok(()) };
        for (section, entries) in table {
            let keys: Vec<_> =
                known.iter().filter(|name| name.section == section).map(|name| name.key).collect();
            if keys.is_empty() {
                let sections: BTreeSet<_> = known.iter().map(|name| name.section).collect();
                let sections = Vec::from_iter(sections).join(", ");
                bail!("{}: there is no section [{section}]; there are {sections}", path.display());
            }
            let Some(entries) = entries.as_table() else {
                bail!("{}: `{section}` must be a section, [{section}]", path.display());
            };
            if let Some(odd) = entries.keys().find(|key| !keys.contains(&key.as_str())) {
                bail!("{}: there is no {section}.{odd}; [{section}] has {}", path.display(), keys.join(", "));
            }
        }
        Ok(())
    }

    /// Variables that look like ours and are not: most likely misspelt.
    pub(crate) fn unknown_variables(&self, known: &[&'static Name]) -> Vec<String> {
        let ours =
            |variable: &str| variable == "HOC_CONFIG" || known.iter().any(|name| name.variable == variable);
        let odd =
            self.variables.keys().filter(|variable| !ours(variable) && !variable.starts_with("HOC_TEST_"));
        odd.cloned().collect()
    }
}

fn plain(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(flag) => Some(flag.to_string()),
        toml::Value::Array(items) => {
            items.iter().map(plain).collect::<Option<Vec<_>>>().map(|items| items.join(":"))
        }
        _ => None,
    }
}

/// Parses what parses itself.
pub(crate) fn parsed<T: FromStr<Err: fmt::Display>>(text: &str) -> anyhow::Result<T> {
    text.trim().parse().map_err(|err| anyhow::anyhow!("`{text}`: {err}"))
}

/// More than any machine has of anything that is counted here.
const MOST: u64 = 100_000;

/// Parses how many there may be of something.
pub(crate) fn at_least_one<T: FromStr<Err: fmt::Display> + Copy + TryInto<u64>>(
    text: &str,
) -> anyhow::Result<T> {
    let number = parsed::<T>(text).ok();
    match number.map(|number| (number, number.try_into())) {
        Some((number, Ok(1..=MOST))) => Ok(number),
        _ => bail!("`{text}` must be a whole number, 1 to {MOST}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTEN: Name =
        Name { section: "server", key: "listen", variable: "HOC_LISTEN", flag: Some("--listen") };
    static NAME: Name = LISTEN;

    fn sources(variables: &[(&str, &str)], file: &str) -> Sources {
        let variables =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Sources {
            variables,
            file: Some((PathBuf::from("hoc.toml"), file.parse().expect("TOML"))),
            is_named: false,
        }
    }

    fn value(sources: &Sources, flag: Option<&str>) -> (u16, String) {
        let setting = sources.setting(&NAME, flag, 1, parsed).expect("a number");
        (setting.value, setting.origin.to_string())
    }

    #[test]
    fn a_flag_is_before_the_environment_before_the_file_before_the_default() {
        let all = sources(&[("HOC_LISTEN", "3")], "[server]\nlisten = 2");
        assert_eq!(value(&all, Some("4")), (4, "flag --listen".to_owned()));
        assert_eq!(value(&all, None), (3, "environment HOC_LISTEN".to_owned()));
        assert_eq!(value(&sources(&[], "[server]\nlisten = 2"), None), (2, "file hoc.toml".to_owned()));
        assert_eq!(value(&sources(&[], ""), None), (1, "default".to_owned()));
    }

    #[test]
    fn a_wrong_value_names_its_setting_and_its_place() {
        let wrong =
            sources(&[("HOC_LISTEN", "x")], "").setting(&NAME, None, 1u16, parsed).expect_err("no number");
        assert_eq!(
            format!("{wrong:#}"),
            "server.listen (environment HOC_LISTEN): `x`: invalid digit found in string"
        );
    }

    #[test]
    fn a_number_that_no_machine_has_is_refused() {
        assert_eq!(at_least_one::<usize>("4096").expect("a number"), 4_096);
        for odd in ["0", "100001", "18446744073709551615", "many", "-1", "1.5", ""] {
            let said = at_least_one::<usize>(odd).expect_err("too many, or none").to_string();
            assert_eq!(said, format!("`{odd}` must be a whole number, 1 to 100000"));
        }
    }

    #[test]
    fn a_misspelt_name_is_refused_with_those_that_are() {
        let said = |file: &str| sources(&[], file).refuse_unknown(&[&NAME]).expect_err("unknown").to_string();
        assert_eq!(said("[servre]\nlisten = 1"), "hoc.toml: there is no section [servre]; there are server");
        assert_eq!(said("[server]\nlissen = 1"), "hoc.toml: there is no server.lissen; [server] has listen");
        assert_eq!(said("server = 1"), "hoc.toml: `server` must be a section, [server]");
        let odd = sources(&[("HOC_LISTEM", "1"), ("HOC_LISTEN", "1"), ("HOC_TEST_X", "1")], "");
        assert_eq!(odd.unknown_variables(&[&NAME]), ["HOC_LISTEM"]);
    }
}
