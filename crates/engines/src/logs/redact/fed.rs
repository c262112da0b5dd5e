//! What a command is given on its standard input, where that is a password: one member of a call is the command, and
//! another one what is piped to it. `{"cmd": "docker login --password-stdin", "stdin": ".."}` And what answers a
//! prompt.

use rules::facts::SecretKind as S;

use super::{commands::is_password, findings::Class, nothing::names_one, values::is_verdict};

/// Longer commands are not looked at, nor are longer prompts.
const MAX_COMMAND: usize = 1_024;
const MAX_PROMPT: usize = 128;

/// Flags that say that a password is read.
const FLAGS: &[&str] = &["--password-stdin", "--passphrase-fd", "--token-stdin", "--with-token"];

/// Whether a member is what is piped to a command.
pub(super) fn is_input(name: &str) -> bool {
    ["stdin", "std_in", "standard_input", "input"].iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Whether a member is a command or words of one.
pub(super) fn is_command(name: &str) -> bool {
    ["command", "cmd", "command_line", "args", "argv", "arguments", "program", "script", "shell"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
}

/// What a command reads from its standard input, if that is a password; of a list of its words as it stands in JSON.
pub(super) fn read_by(command: &str) -> Option<Class> {
    if command.len() > MAX_COMMAND {
        return None;
    }
    let (mut of_sudo, mut before) = (false, "");
    for word in command.split(|c: char| c.is_whitespace() || "\"'`,;|&[](){}".contains(c)) {
        let has_s = word
            .strip_prefix('-')
            .is_some_and(|flags| flags.contains('S') && flags.bytes().all(|byte| byte.is_ascii_alphabetic()));
        if FLAGS.contains(&word.split('=').next().unwrap_or_default())
            || matches!(word, "chpasswd" | "/usr/sbin/chpasswd")
            || matches!(word, "passwd" | "/usr/bin/passwd") && matches!(before, "" | "sudo")
            || of_sudo && has_s
        {
            return Some(Class::Secret(S::Password));
        }
        of_sudo |= word == "sudo";
        before = if word.is_empty() { before } else { word };
    }
    None
}

/// Whether a text can be what is piped there: one word a line, and no answer to a question.
pub(super) fn is_piped(text: &str) -> bool {
    let text = text.trim();
    !is_verdict(text) && is_password(text) && !text.contains([' ', '\t']) && !names_one(text)
}

/// Whether a member is what a person or a program is asked.
pub(super) fn is_prompt(name: &str) -> bool {
    ["prompt", "question"].iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Whether a member is what is answered.
pub(super) fn is_answer(name: &str) -> bool {
    ["answer", "input", "reply", "text", "value"].iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// What is asked for by a prompt, as programs write it: `Password:`, `[sudo] password for bob:`.
pub(super) fn asked(prompt: &str) -> Option<Class> {
    if prompt.len() > MAX_PROMPT {
        return None;
    }
    let lower = prompt.trim().to_ascii_lowercase();
    let words = ["password", "passphrase", "passcode"];
    let is_question = ["your", "the"]
        .iter()
        .any(|whose| words.iter().any(|word| lower == format!("what is {whose} {word}?")));
    let is_one =
        |line: &str| words.iter().any(|word| line.ends_with(word) || line.contains(&format!("{word} for ")));
    let is_prompt = lower.strip_suffix(':').is_some_and(is_one);
    (is_question || is_prompt).then_some(Class::Secret(S::Password))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_that_read_a_password_are_known() {
        for command in [
            "docker login -u bob --password-stdin",
            "[\"gh\",\"auth\",\"login\",\"--with-token\"]",
            "sudo -kS apt update",
            "sudo passwd bob",
            "chpasswd",
        ] {
            assert!(read_by(command).is_some(), "{command}");
        }
        for command in [
            "cat /etc/passwd",
            "sort -S 10",
            "sudo apt -y install x",
            "docker login",
            "ls --S",
            "grep passwd x",
        ] {
            assert!(read_by(command).is_none(), "{command}");
        }
        for prompt in ["Password:", "[sudo] password for bob: ", "What is your password?"] {
            assert!(asked(prompt).is_some(), "{prompt}");
        }
        for prompt in ["How do I reset a password?", "Forgot password", "Write a check of a password: go on"]
        {
            assert!(asked(prompt).is_none(), "{prompt}");
        }
    }
}
