//! A user and a password behind `-u`, as `curl` takes them. To other programs that flag is a format of dates, a user
//! and a group, a place on another machine: there only what looks like a password is one.

use regex::Captures;
use rules::facts::SecretKind as S;

use super::{
    findings::Class,
    forms::is_behind_a_user,
    nothing::stands_for_one,
    ruling::{Ruling, over},
};

/// `-u bob:..`
pub(super) const USER: &str =
    r#"(?:^|\s)(?:-[fikLsSv]{0,4}u|--user|--proxy-user)(?:[ \t]+|=)?["']?([^\s:"'<>]+):([^\s"'<>]+)"#;

/// Programs that take a password so.
const CLIENTS: &[&str] = &["curl", "curlie", "http", "https", "wget", "xh", "xhs"];

/// So far back from the flag the program is looked for.
const MAX_COMMAND: usize = 256;

/// Whether a word of a command is such a flag. Those of one letter stand together: `-su`.
pub(super) fn is_user_flag(word: &str) -> bool {
    let bundled = word.strip_prefix('-').and_then(|flags| flags.strip_suffix('u'));
    bundled.is_some_and(|flags| flags.len() <= 4 && flags.bytes().all(|byte| b"fikLsSv".contains(&byte)))
        || ["--user", "--proxy-user"].contains(&word)
}

/// Whether a word of a command is a program that takes a user and a password behind that flag: `/usr/bin/curl`.
pub(super) fn is_client(word: &str) -> bool {
    let name = word.rsplit(['/', '\\']).next().unwrap_or(word);
    CLIENTS.contains(&name.strip_suffix(".exe").unwrap_or(name))
}

/// Whether what stands behind the flag is a user and a password; `of_a_client` if it is told to a program that takes
/// them.
pub(super) fn is_of_a_user(user: &str, password: &str, of_a_client: bool) -> bool {
    let ids = [user, password].iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    let telling = of_a_client || is_behind_a_user(password) && !password.contains('%');
    !ids && !password.starts_with("//") && telling && !stands_for_one(password)
}

/// `curl -u name:password`, but not `docker run -u node:node`.
pub(super) fn user_and_password(text: &str, matched: &Captures<'_>) -> Ruling {
    let (Some(user), Some(password)) = (matched.get(1), matched.get(2)) else { return over(matched) };
    let flag = &text[matched.get_match().start()..user.start()];
    // `-subsystem:console` is a flag of its own.
    let apart = flag.ends_with([' ', '\t', '=', '"', '\'']);
    let is_one = |of_a_client| is_of_a_user(user.as_str(), password.as_str(), of_a_client);
    if apart && is_one(false) || is_told_to_a_client(text, matched.get_match().start()) && is_one(true) {
        return Ruling::Remove(vec![(password.range(), Class::Secret(S::UrlCredentials))]);
    }
    over(matched)
}

/// Whether one of the words of the command that goes on there is such a program.
fn is_told_to_a_client(text: &str, at: usize) -> bool {
    let before = &text[text.floor_char_boundary(at.saturating_sub(MAX_COMMAND))..at];
    // A line may go on in the next one.
    let before = before.replace("\\\r\n", " ").replace("\\\n", " ");
    let command = before.rsplit(['\n', ';', '|']).next().unwrap_or_default();
    let command = command.rsplit("&&").next().unwrap_or_default();
    command.split(|c: char| c.is_whitespace() || "\"'`()[],".contains(c)).any(is_client)
}
