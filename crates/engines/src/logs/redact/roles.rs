//! What the name of a parameter says that its value is, for the typed common parameters.

use super::fields::words;

/// What a value is by the name of its member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Url,
    Host,
    Command,
    /// What a command gets.
    Arguments,
    Table,
    /// A statement of SQL.
    Sql,
    /// What may be one.
    Query,
    /// What may be a host.
    Place,
    /// A connection by its parts.
    Connection,
    /// A mail or a request as text, which begins with its head.
    Head,
    Recipient,
    /// Somebody, to whom something goes where an address is told.
    Person,
    /// What may be a mail as text, or anything else.
    Data,
    /// A text of code, which may run commands.
    Code,
    /// What may be a table.
    Relation,
    /// Beside a command or a URL, and no part of it.
    Beside,
}

#[rustfmt::skip]
const URL: &[&str] = &[
    "url", "urls", "uri", "uris", "href", "hrefs", "endpoint", "endpoints", "link", "links", "webhook", "webhooks",
    "website",
];
#[rustfmt::skip]
const HOST: &[&str] = &[
    "host", "hosts", "hostname", "hostnames", "domain", "domains", "server", "servers", "fqdn", "ip", "ips",
    "ipaddress", "ipaddr", "servername", "dbhost", "smtphost", "remotehost", "targethost",
];
#[rustfmt::skip]
const COMMAND: &[&str] = &[
    "command", "commands", "cmd", "cmds", "commandline", "commandlines", "cmdline", "commandtext", "script",
    "scripts", "shellscript", "shell", "bash", "sh", "zsh", "powershell", "pwsh", "argv", "exec", "execute",
    "executable", "program", "entrypoint",
];
const ARGUMENTS: &[&str] =
    &["args", "arguments", "arglist", "argumentlist", "cmdargs", "commandargs", "flags"];
const TABLE: &[&str] = &["table", "tables", "tablename", "tablenames", "tableid", "tableids"];
const SQL: &[&str] = &["sql", "ddl", "dml"];
#[rustfmt::skip]
const QUERY: &[&str] = &[
    "query", "queries", "querytext", "querystring", "statement", "statements", "stmt", "stmts", "q",
];
#[rustfmt::skip]
const PLACE: &[&str] = &[
    "address", "addr", "origin", "site", "target", "targets", "remote", "registry", "image", "callback", "proxy", "peer", "upstream",
];
#[rustfmt::skip]
const CONNECTION: &[&str] = &["dsn", "connectionstring", "connstring", "connstr", "conninfo", "connection"];
#[rustfmt::skip]
const HEAD: &[&str] = &[
    "raw", "message", "mime", "eml", "rfc822", "mail", "rawmessage", "rawemail", "rawmail", "request", "rawrequest", "header", "headers",
];
#[rustfmt::skip]
const RECIPIENT: &[&str] = &[
    "to", "cc", "bcc", "recipient", "recipients", "email", "emails", "emailaddress", "emailaddresses", "toemail",
    "toaddress", "toaddresses", "emailto", "sendto", "mailto", "attendee", "attendees", "invitee", "invitees",
    "receiver", "receivers", "addressee", "addressees", "rcpt", "rcpts", "sharewith", "sharedwith",
];
#[rustfmt::skip]
const PERSON: &[&str] = &[
    "participant", "participants", "member", "members", "guest", "guests", "invite", "invites", "invited", "notify", "assignee",
    "assignees", "assignedto", "delegate", "delegates", "subscriber", "subscribers",
];
const DATA: &[&str] = &["data", "rawdata", "payload"];
#[rustfmt::skip]
const CODE: &[&str] =
    &["code", "python", "pythoncode", "javascript", "js", "node", "typescript", "ruby", "perl", "php", "sourcecode", "snippet"];
const RELATION: &[&str] =
    &["collection", "collections", "collectionname", "relation", "relations", "relname"];
/// What a statement has that is told by its parts, and the name beside them of what it reads or writes.
const OF_A_STATEMENT: &[&str] =
    &["select", "where", "columns", "values", "groupby", "orderby", "having", "join", "joins"];
const SOURCES: &[&str] = &["from", "into"];
const SENDER: &[&str] = &["from", "sender", "author", "reply"];
#[rustfmt::skip]
const BESIDE: &[&str] = &[
    "cwd", "workdir", "workingdirectory", "env", "envs", "environ", "environment", "envvars", "environmentvariables", "timeout",
    "description", "method",
];

/// What a text is called that a tool gets as its only one: by HOC, and by frameworks. `__arg1` is LangChain's word.
const NAMELESS: &[&str] =
    &["input", "inputs", "arg", "arg0", "arg1", "argument", "toolinput", "actioninput", "toolargs"];

/// Whether a name says nothing of what its value is.
pub(super) fn is_nameless(name: &str) -> bool {
    NAMELESS.contains(&words(name).concat().as_str())
}

/// What a member of that name holds, in any of the usual spellings: `toAddress`, `to_address`, `To-Address`.
pub(super) fn role(name: &str) -> Option<Role> {
    let words = words(name);
    let last = words.last()?.as_str();
    let joined = words.concat();
    let is = |known: &[&str]| known.contains(&last) || known.contains(&joined.as_str());
    let ends = |suffixes: &[&str]| suffixes.iter().any(|suffix| joined.ends_with(suffix));
    if BESIDE.contains(&joined.as_str()) {
        Some(Role::Beside)
    } else if is(COMMAND) || ["curl", "run"].contains(&joined.as_str()) || ends(&["command", "cmd"]) {
        Some(Role::Command)
    } else if is(URL) || ends(&["url", "urls", "uri", "uris", "href"]) {
        Some(Role::Url)
    } else if is(HOST) || ends(&["hostname"]) {
        Some(Role::Host)
    } else if ARGUMENTS.contains(&joined.as_str()) {
        Some(Role::Arguments)
    } else if is(TABLE) || ends(&["tablename", "tableid"]) {
        Some(Role::Table)
    } else if is(SQL) || ends(&["sql", "sqlquery", "sqlstatement", "sqlstatements", "sqltext"]) {
        Some(Role::Sql)
    } else if is(QUERY) {
        Some(Role::Query)
    } else if joined == "replyto"
        || is(RECIPIENT) && !words.iter().any(|word| SENDER.contains(&word.as_str()))
    {
        // Whom an answer goes to learns what it answers.
        Some(Role::Recipient)
    } else if PLACE.contains(&joined.as_str()) {
        Some(Role::Place)
    } else if CONNECTION.contains(&joined.as_str()) {
        Some(Role::Connection)
    } else if HEAD.contains(&joined.as_str()) {
        Some(Role::Head)
    } else if is(PERSON) {
        Some(Role::Person)
    } else if DATA.contains(&joined.as_str()) {
        Some(Role::Data)
    } else if CODE.contains(&joined.as_str()) {
        Some(Role::Code)
    } else if RELATION.contains(&joined.as_str()) {
        Some(Role::Relation)
    } else {
        None
    }
}

impl Role {
    /// Whether a member of another one, or of its lists, says something of its own by this: what a thing is made of
    /// says no more than that it is a part of it.
    pub(super) fn may_be_in(self, outer: Option<Role>) -> bool {
        let is_part = matches!(outer, Some(Role::Url | Role::Host | Role::Command | Role::Table));
        match self {
            Role::Query | Role::Place | Role::Head | Role::Relation => !is_part,
            Role::Person | Role::Data | Role::Code => {
                !is_part
                    && !matches!(outer, Some(Role::Sql | Role::Query | Role::Connection | Role::Recipient))
            }
            _ => true,
        }
    }
}

/// Whether a name is that of a part of a statement.
pub(super) fn is_of_a_statement(name: &str) -> bool {
    OF_A_STATEMENT.contains(&words(name).concat().as_str())
}

/// Whether a name is that of what a statement reads or writes, where others of its parts are beside it.
pub(super) fn is_source(name: &str) -> bool {
    SOURCES.contains(&words(name).concat().as_str())
}

/// Whether a member of that name may hold several.
pub(super) fn is_plural(name: &str) -> bool {
    words(name).last().is_some_and(|last| last.ends_with('s'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_their_role_in_any_spelling() {
        #[rustfmt::skip]
        let table = [
            ("url", Role::Url), ("URL", Role::Url), ("targetUrl", Role::Url), ("image-urls", Role::Url),
            ("redirect_uri", Role::Url), ("baseurl", Role::Url), ("u\u{200b}rl", Role::Url),
            ("Host", Role::Host), ("dbHost", Role::Host), ("server_name", Role::Host), ("domain", Role::Host),
            ("COMMAND", Role::Command), ("shellCommand", Role::Command), ("argv", Role::Command),
            ("bash_script", Role::Command), ("runcmd", Role::Command), ("run", Role::Command), ("args", Role::Arguments),
            ("Table", Role::Table), ("table_name", Role::Table), ("sourceTable", Role::Table),
            ("sql", Role::Sql), ("rawSql", Role::Sql), ("sql_query", Role::Sql), ("query", Role::Query),
            ("db_statement", Role::Query), ("target", Role::Place), ("connectionString", Role::Connection),
            ("headers", Role::Head), ("reply_to", Role::Recipient), ("shareWith", Role::Recipient),
            ("to", Role::Recipient), ("To-Addresses", Role::Recipient), ("BCC", Role::Recipient),
            ("working_directory", Role::Beside), ("chatMembers", Role::Person), ("assignee", Role::Person), ("data", Role::Data),
            ("python_code", Role::Code), ("collectionName", Role::Relation),
        ];
        for (name, expected) in table {
            assert_eq!(role(name), Some(expected), "{name}");
        }
        #[rustfmt::skip]
        let others = [
            "", "__", "ghost", "dry_run", "runId", "description_text", "from_email", "tablet", "total", "body",
        ];
        for name in others {
            assert_eq!(role(name), None, "{name}");
        }
    }
}
