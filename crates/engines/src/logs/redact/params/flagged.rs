//! Flags and variables of programs that say a host or an address, by one table: `ssh -J`, `--registry`, `http_proxy=`.

use super::programs::program;

/// What stands behind the flags of some programs.
struct Flagged {
    /// Of all programs where none is named.
    programs: &'static [&'static str],
    flags: &'static [&'static str],
}

const HOSTS: &[Flagged] = &[
    Flagged {
        programs: &[],
        flags: &[
            "--server",
            "--endpoint",
            "--endpoint-url",
            "--registry",
            "--index-url",
            "--extra-index-url",
            "--proxy",
            "--proxy-server",
            "--http-proxy",
            "--https-proxy",
        ],
    },
    Flagged {
        programs: &["ssh", "scp", "sftp", "autossh", "sshfs", "ssh-copy-id"],
        flags: &["-J", "-W", "-L", "-R", "-oProxyJump", "-oHostName", "-oHostname"],
    },
    Flagged { programs: &["openssl"], flags: &["-connect", "-proxy"] },
    Flagged { programs: &["kubectl", "oc", "swaks"], flags: &["-s"] },
    Flagged { programs: &["iperf", "iperf3"], flags: &["-c", "--client"] },
    Flagged { programs: &["sqlcmd"], flags: &["-S"] },
    Flagged {
        programs: &[
            "psql",
            "pg_dump",
            "pg_dumpall",
            "pg_restore",
            "pg_isready",
            "mysql",
            "mysqladmin",
            "mysqldump",
            "mysqlimport",
            "mariadb",
            "mariadb-dump",
            "redis-cli",
            "mongosh",
            "mongo",
            "clickhouse-client",
            "ldapsearch",
            "ldapmodify",
            "mosquitto_pub",
            "mosquitto_sub",
        ],
        flags: &["-h", "--host"],
    },
];

/// Programs that send mail to each address among their words.
const MAILERS: &[&str] =
    &["mail", "mailx", "s-nail", "nail", "sendmail", "ssmtp", "msmtp", "mutt", "neomutt", "exim", "exim4"];
/// Their flags behind which no recipient stands: a subject, a sender, a file, an option.
const NOT_TO: &[&str] = &["-s", "-r", "-f", "-F", "-a", "-A", "-S", "-e", "-q", "-u"];
const RECIPIENTS: &[Flagged] = &[
    Flagged { programs: &[], flags: &["--mail-rcpt"] },
    Flagged {
        programs: &["swaks", "sendemail"],
        flags: &["-t", "--to", "-to", "--cc", "-cc", "--bcc", "-bcc"],
    },
];

/// Variables through which programs are told what to reach, besides those that end as `http_proxy` and `http.proxy` do.
const VARIABLES: &[&str] =
    &["pip_index_url", "npm_config_registry", "aws_endpoint_url", "pghost", "mysql_host", "docker_host"];

impl Flagged {
    fn is_of(&self, name: &str) -> bool {
        self.programs.is_empty() || self.programs.contains(&name)
    }
}

/// Whether a variable of that name says what to reach.
pub(super) fn is_reaching(name: &str) -> bool {
    let name = name.trim_start_matches('-').to_ascii_lowercase();
    name.ends_with("_proxy") && name != "no_proxy"
        || name.rsplit_once('.').is_some_and(|(_, last)| last == "proxy")
        || VARIABLES.contains(&name.as_str())
}

/// What flags and variables of a program tell it to reach, and whether it can be nothing else.
pub(super) fn hosts<'w>(words: &[&'w str], mut each: impl FnMut(&'w str, bool)) {
    behind(words, HOSTS, |value, is_sure| {
        // Jumps, one after the other.
        for value in value.strip_prefix("tcp:").unwrap_or(value).split(',') {
            each(value, is_sure);
        }
    });
    for word in words {
        if let Some((name, value)) = word.split_once('=')
            && (is_reaching(name) || matches!(name, "ProxyJump" | "HostName" | "Hostname"))
        {
            for value in value.split(',') {
                each(value, false);
            }
        }
    }
}

/// What may have the address of a recipient in it.
pub(super) fn recipients<'w>(words: &[&'w str], mut each: impl FnMut(&'w str)) {
    let Some((first, others)) = words.split_first() else { return };
    behind(words, RECIPIENTS, |value, _| each(value));
    if !is_mailer(first) {
        return;
    }
    let mut is_other = false;
    for word in others.iter().copied() {
        if std::mem::take(&mut is_other) {
            continue;
        }
        is_other = NOT_TO.contains(&word);
        // `-c a@h.example`, `-ca@h.example`
        let word = word.strip_prefix("-c").or_else(|| word.strip_prefix("-b")).unwrap_or(word);
        if !word.starts_with('-') && word.contains('@') {
            each(word);
        }
    }
}

/// Whether it sends a mail.
pub(super) fn is_mailer(word: &str) -> bool {
    MAILERS.contains(&program(word))
}

/// What stands behind flags: in the next word, behind `=`, or right behind one that has one letter; and whether it is
/// the value of a flag that only this program has.
fn behind<'w>(words: &[&'w str], table: &[Flagged], mut each: impl FnMut(&'w str, bool)) {
    let Some((first, others)) = words.split_first() else { return };
    let name = program(first);
    for (at, word) in others.iter().copied().enumerate().filter(|(_, word)| word.starts_with('-')) {
        let flagged = table.iter().filter(|flagged| flagged.is_of(name));
        let flags = flagged.flat_map(|flagged| {
            let is_own = !flagged.programs.is_empty();
            flagged.flags.iter().map(move |flag| (*flag, is_own))
        });
        for (flag, is_own) in flags {
            let Some(rest) = word.strip_prefix(flag) else { continue };
            let value = match rest.strip_prefix('=') {
                Some(value) => Some(value),
                None if rest.is_empty() => others.get(at + 1).copied(),
                None => Some(rest).filter(|_| flag.len() == 2),
            };
            if let Some(value) = value {
                each(value, is_own && (rest.is_empty() || rest.starts_with('=')));
            }
        }
    }
}
