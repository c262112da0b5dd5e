//! Passwords among the arguments of well-known tools, whose flags have one letter and say nothing by themselves:
//! `sshpass -p ..`, `mysql -p..`. In a command that is a text, and in one that is a list of its words.

use std::ops::Range;

use regex::Captures;
use rules::facts::SecretKind as S;

use super::{
    findings::{Class, is_marker, marker_at},
    nothing::is_nothing,
    ruling::{Ruling, over},
    values::{until, value_at},
};

/// So many words of a command are looked at.
const MAX_WORDS: usize = 48;

/// How a flag is followed by its value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Follows {
    /// `-p..`; `-p ..` asks for it.
    Glued,
    /// `-a ..`
    Apart,
    /// Either of them.
    Both,
}

/// A tool that takes a password behind a flag.
pub(super) struct Tool {
    names: &'static [&'static str],
    /// The word that has to stand before the flag, as `login` does.
    command: Option<&'static str>,
    /// The longer ones first.
    flags: &'static [&'static str],
    follows: Follows,
    /// What comes behind the first word that is no flag belongs to another tool.
    runs_another: bool,
}

const PLAIN: Tool =
    Tool { names: &[], command: None, flags: &["-p"], follows: Follows::Both, runs_another: false };

const TOOLS: &[Tool] = &[
    Tool { names: &["sshpass"], runs_another: true, ..PLAIN },
    Tool {
        names: &[
            "mysql",
            "mysqldump",
            "mysqladmin",
            "mysqlimport",
            "mysqlcheck",
            "mysqlshow",
            "mariadb",
            "mariadb-dump",
            "mariadb-admin",
            "7z",
            "7za",
            "7zz",
        ],
        follows: Follows::Glued,
        ..PLAIN
    },
    Tool { names: &["mongo", "mongosh", "mongodump", "mongorestore", "mongoimport", "mongoexport"], ..PLAIN },
    Tool { names: &["redis-cli", "valkey-cli"], flags: &["-a"], follows: Follows::Apart, ..PLAIN },
    Tool {
        names: &[
            "useradd",
            "usermod",
            "twine",
            "cqlsh",
            "beeline",
            "rdesktop",
            "psexec",
            "evil-winrm",
            "crackmapexec",
            "nxc",
            "hydra",
        ],
        follows: Follows::Apart,
        ..PLAIN
    },
    Tool {
        names: &["ipmitool", "mosquitto_pub", "mosquitto_sub"],
        flags: &["-P"],
        follows: Follows::Apart,
        ..PLAIN
    },
    Tool { names: &["rar", "unrar"], flags: &["-hp", "-p"], follows: Follows::Glued, ..PLAIN },
    Tool { names: &["ssh-keygen"], flags: &["-N"], follows: Follows::Apart, ..PLAIN },
    Tool { names: &["openssl"], flags: &["-k", "-K"], follows: Follows::Apart, ..PLAIN },
    Tool {
        names: &["snmpget", "snmpset", "snmpwalk"],
        flags: &["-A", "-X"],
        follows: Follows::Apart,
        ..PLAIN
    },
    Tool { names: &["swaks"], flags: &["-ap"], follows: Follows::Apart, ..PLAIN },
    Tool { names: &["sqlcmd", "bcp", "osql"], flags: &["-P"], ..PLAIN },
    Tool { names: &["zip", "unzip"], flags: &["-P"], follows: Follows::Apart, ..PLAIN },
    Tool {
        names: &["ldapsearch", "ldapadd", "ldapmodify", "ldapdelete", "ldapwhoami", "ldappasswd"],
        flags: &["-w"],
        ..PLAIN
    },
    Tool {
        names: &["docker", "podman", "nerdctl", "buildah", "skopeo", "helm", "oc", "az"],
        command: Some("login"),
        ..PLAIN
    },
];

/// A tool that takes a password behind a flag of one letter.
pub(super) const TOOL: &str = r"(?-u:\b)((?&tools))(?:\.exe)?[ \t]+";

/// What a word of a command says of its password.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    /// The next word is one.
    Next,
    /// What is behind so many bytes of it is one.
    Behind(usize),
    Nothing,
}

/// A tool whose words are read one after the other.
#[derive(Clone, Copy)]
pub(super) struct Invoked {
    tool: &'static Tool,
    ready: bool,
}

impl Invoked {
    /// The tool of that name or path; `None` if it is not one that takes a password so.
    pub(super) fn by(name: &str) -> Option<Self> {
        let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
        let name = name.strip_suffix(".exe").unwrap_or(name);
        let tool = TOOLS.iter().find(|tool| tool.names.contains(&name))?;
        Some(Self { tool, ready: tool.command.is_none() })
    }

    /// Reads the next word. `None` if no more words are this tool's.
    pub(super) fn read(&mut self, word: &str) -> Option<Says> {
        if !self.ready {
            self.ready = self.tool.command == Some(word);
            return Some(Says::Nothing);
        }
        match self.tool.flags.iter().find_map(|flag| word.strip_prefix(flag)) {
            Some("") if self.tool.follows != Follows::Glued => Some(Says::Next),
            Some(glued) if !glued.is_empty() && self.tool.follows != Follows::Apart => {
                Some(Says::Behind(word.len() - glued.len()))
            }
            None if self.tool.runs_another && !word.starts_with('-') => None,
            _ => Some(Says::Nothing),
        }
    }
}

/// The password in the command that a shape has found the tool of.
pub(super) fn command(text: &str, matched: &Captures<'_>) -> Ruling {
    let invoked = matched.get(1).and_then(|name| Invoked::by(name.as_str()));
    let Some(mut invoked) = invoked else { return over(matched) };
    let mut at = matched.get_match().end();
    let mut awaited = false;
    for _ in 0..MAX_WORDS {
        at = past_blanks(text, at);
        let Some(word) = Word::at(text, at) else { break };
        let bare = &text[word.bare.clone()];
        let value = if awaited {
            Some(word.quoted.clone().unwrap_or_else(|| word.bare.clone()))
        } else {
            match invoked.read(bare) {
                None => break,
                // `-p".."`
                Some(Says::Next | Says::Nothing)
                    if invoked.ready && word.quoted.is_some() && invoked.tool.flags.contains(&bare) =>
                {
                    word.quoted.clone()
                }
                Some(Says::Behind(flag)) => Some(word.bare.start + flag..word.bare.end),
                Some(Says::Next) => {
                    awaited = true;
                    None
                }
                Some(Says::Nothing) => None,
            }
        };
        if let Some(value) = value {
            let literal = word.single || !text[value.clone()].starts_with(['$', '%']);
            if literal && is_password(&text[value.clone()]) {
                return Ruling::Remove(vec![(value, Class::Secret(S::Password))]);
            }
            // Behind one that is gone already there may be another.
            if !is_marker(&text[value]) {
                break;
            }
            awaited = false;
        }
        at = word.next;
    }
    over(matched)
}

/// Whether what stands where a password does is one: not the next flag, what says that there is none, or what stands
/// for one in a manual.
pub(super) fn is_password(value: &str) -> bool {
    !is_nothing(value) && !value.starts_with(['-', '<', '[', '{'])
}

/// A word of a command.
struct Word {
    /// What is not in quotes of it, up to the first that is.
    bare: Range<usize>,
    /// What is in quotes.
    quoted: Option<Range<usize>>,
    /// Those quotes are single ones, in which a shell puts nothing in the place of `$x`.
    single: bool,
    /// Where the next one may begin.
    next: usize,
}

impl Word {
    /// The word that begins there; `None` where the command is over.
    fn at(text: &str, start: usize) -> Option<Self> {
        let ends = |c: char| {
            c.is_whitespace()
                || matches!(c, '"' | '\'' | '`' | '\\' | '|' | ';' | '&' | '<' | '>' | '(' | ')')
        };
        let mut end = until(text, start, ends);
        while let Some(marker) = marker_at(&text[end..]) {
            end = until(text, end + marker, ends);
        }
        let bare = &text[start..end];
        let takes_quotes = bare.is_empty() || bare.ends_with('=') || bare.starts_with('-') && bare.len() == 2;
        let slashes = text[end..].bytes().take_while(|byte| *byte == b'\\').count();
        let quote = text[end + slashes..].chars().next().filter(|quote| matches!(quote, '"' | '\''));
        if let (Some(quote), true) = (quote, takes_quotes) {
            let (inner, _) = value_at(text, end, false)?;
            let next = (inner.end + slashes + 1).min(text.len());
            let next = if text.is_char_boundary(next) { next } else { inner.end };
            return Some(Self { bare: start..end, quoted: Some(inner), single: quote == '\'', next });
        }
        (end > start).then_some(Self { bare: start..end, quoted: None, single: false, next: end })
    }
}

/// Behind blanks, and behind ends of lines that are escaped.
fn past_blanks(text: &str, from: usize) -> usize {
    let mut rest = &text[from..];
    loop {
        let next = rest.trim_start_matches([' ', '\t']);
        let next = next.strip_prefix("\\\r\n").or_else(|| next.strip_prefix("\\\n")).unwrap_or(next);
        if next.len() == rest.len() {
            return text.len() - rest.len();
        }
        rest = next;
    }
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;
    use crate::logs::redact::pieces::whole;

    #[test]
    fn the_shape_has_the_name_of_every_tool_and_no_other() {
        let shape = Regex::new(&whole("^(?:(?&tools))$")).expect("a shape");
        for name in TOOLS.iter().flat_map(|tool| tool.names) {
            assert!(shape.is_match(name) && Invoked::by(name).is_some(), "{name}");
        }
        assert!(!shape.is_match("psql") && Invoked::by("psql").is_none());
        assert!(Invoked::by("/usr/bin/mysql").is_some() && Invoked::by("C:\\bin\\mysql.exe").is_some());
    }
}
