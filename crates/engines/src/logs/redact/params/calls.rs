//! Commands that a text of code runs by a call, where what it runs stands there as a text or as a list of them:
//! `subprocess.run(['rm', '-rf', '/'])`, `os.system("ls")`, `spawn('ls', ['-l'])`. What is put together is left.

use super::Facts;

/// Functions and methods that run what they are told.
#[rustfmt::skip]
const RUN: &[&str] = &[
    "system", "popen", "Popen", "check_call", "check_output", "getoutput", "getstatusoutput", "create_subprocess_shell",
    "create_subprocess_exec", "execSync", "execFile", "execFileSync", "spawn", "spawnSync", "execa", "shell_exec", "passthru",
    "proc_open", "execvp", "execv", "execlp", "execl",
];
/// Those that do where what they belong to is said, or whose names are those of other things as well.
const OF_A_MODULE: &[&str] =
    &["subprocess.run", "subprocess.call", "child_process.exec", "cp.exec", "Deno.run"];
/// Those that do only where they stand alone: to others of that name a text is a pattern.
const ALONE: &[&str] = &["exec"];
/// So many calls of one text, and words of one call, are read.
const MAX_CALLS: usize = 64;
const MAX_WORDS: usize = 256;

impl Facts {
    /// What a text of code runs.
    pub(super) fn code(&mut self, text: &str) {
        let text = self.bounded(text);
        let mut left = MAX_CALLS;
        for (at, _) in text.match_indices('(') {
            let Some(is_told) = runs(&text[..at]) else { continue };
            if left == 0 {
                self.params.facts_cut = true;
                return;
            }
            left -= 1;
            let words = literals(&text[at + 1..]);
            if !words.is_empty() {
                self.command(&words.join(" "), is_told && words.len() == 1);
            }
        }
    }
}

/// Whether what is called runs a command, and whether its name says so for certain; `None` for any other.
fn runs(before: &str) -> Option<bool> {
    let of_a_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '$');
    let name = before.rsplit(|c: char| !of_a_name(c)).next().unwrap_or_default();
    let last = name.rsplit('.').next().unwrap_or(name);
    let is_told = RUN.contains(&last) || OF_A_MODULE.iter().any(|known| name.ends_with(known));
    (is_told || ALONE.contains(&name)).then_some(is_told)
}

/// The texts at the start of what a call gets, and those of lists among them.
fn literals(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text;
    while words.len() < MAX_WORDS {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ',' | '[' | ']'));
        // `r'..'`, `b'..'`
        let plain = rest.strip_prefix(['r', 'b', 'R', 'B', 'u']).filter(|rest| rest.starts_with(['\'', '"']));
        let Some((word, behind)) = literal(plain.unwrap_or(rest)) else { break };
        let behind = behind.trim_start();
        // It goes on: `'rm ' + x`, `'rm %s' % x`, `'rm {}'.format(x)`.
        if !behind.is_empty() && !behind.starts_with([',', ']', ')']) {
            return Vec::new();
        }
        words.push(word);
        if behind.starts_with(')') {
            break;
        }
        rest = behind;
    }
    words
}

/// A text between quotes, without its escapes, and what stands behind it.
fn literal(text: &str) -> Option<(String, &str)> {
    let quote = ["'''", "\"\"\"", "'", "\"", "`"].into_iter().find(|quote| text.starts_with(quote))?;
    let within = &text[quote.len()..];
    let mut word = String::new();
    let mut letters = within.char_indices();
    while let Some((at, letter)) = letters.next() {
        if within[at..].starts_with(quote) {
            return Some((word, &within[at + quote.len()..]));
        }
        match letter {
            '\\' => match letters.next()?.1 {
                'n' => word.push('\n'),
                't' => word.push('\t'),
                '\n' => {}
                other => word.push(other),
            },
            // A template.
            '$' if quote == "`" && within[at + 1..].starts_with('{') => return None,
            other => word.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::facts;

    #[test]
    fn a_command_is_seen_in_code_that_runs_it() {
        for code in [
            "import subprocess\nsubprocess.run(['rm', '-rf', '/'])",
            "subprocess.run([\"rm\", r'-rf', \"/\"], check=True)",
            "subprocess.check_output('rm -rf /', shell=True)",
            "os.system(\"rm -rf /\")",
            "x = os.popen('''rm -rf /''').read()",
            "é(os.system('rm -rf /'))",
            "require('child_process').execSync('rm -rf /')",
            "spawn('rm', ['-rf', '/'])",
            "exec(\"rm -rf /\", done)",
            "os.execvp('rm', ['-rf', '/'])",
        ] {
            let facts = facts(&json!({ "code": code }));
            assert!(facts.commands.contains("rm -rf /") && !facts.facts_cut, "{code}: {facts:?}");
        }
        let reached = facts(&json!({"code": "os.system('curl evil.example')"}));
        assert!(reached.hosts.contains("evil.example"), "{reached:?}");
        assert!(facts(&json!({"code": "os.system('$x -rf /')"})).facts_cut);
        for code in [
            "print('rm -rf /')",
            "pattern.exec('a?b')",
            "subprocess.run(cmd)",
            "os.system('rm ' + x)",
            "os.system(f'rm {x}')",
            "app.run('x')",
            "spawn(`rm ${x}`)",
            "system('never closed",
            "{'a': 1}",
        ] {
            let facts = facts(&json!({ "code": code }));
            assert!(facts.commands.is_empty() && !facts.facts_cut, "{code}: {facts:?}");
        }
    }
}
