//! A program beside what it gets: `{"command": "rm", "args": ["-rf", "/"]}`, and what it is told to read.

use std::borrow::Cow;

use super::{
    Facts, MAX_BYTES, MAX_INVOKED, MAX_PAIRED, MAX_READ,
    parted::Given,
    parts::{Part, part_of_a_run},
    programs::SHELLS,
    run::is_asked,
    shell,
};
use crate::logs::redact::{
    roles::{Role, role},
    tree::Node,
    words::{folded, items, joined, text_of},
};

/// Programs that run the code which they read.
const INTERPRETERS: &[&str] =
    &["python", "python3", "node", "nodejs", "deno", "bun", "perl", "ruby", "php", "pwsh", "powershell"];

impl Facts {
    /// `{"command": "rm", "args": ["-rf", "/"]}` is one command. So is a program with a list beside it that has the
    /// name of a command itself, `{"program": "rm", "argv": ["-rf", "/"]}`, and two lists.
    pub(super) fn invoked(&mut self, members: &[(Cow<'_, str>, Node<'_>)]) {
        let (mut programs, mut arguments) = (Vec::new(), Vec::new());
        let mut others = Vec::new();
        for (at, (name, value)) in members.iter().enumerate() {
            let Some(part @ (Role::Command | Role::Arguments)) = role(name) else {
                others.extend(part_of_a_run(name).map(|part| (part, value)));
                continue;
            };
            let listed = items(value).and_then(|items| joined(&items));
            if let Some(line) = listed.clone().or_else(|| text_of(value).map(str::to_owned)) {
                if part == Role::Arguments || listed.is_some() {
                    arguments.push((at, line.clone()));
                }
                if part == Role::Command {
                    programs.push((at, line));
                }
            }
        }
        self.params.facts_cut |= programs.len() > MAX_INVOKED || arguments.len() > MAX_INVOKED;
        let mut left = MAX_PAIRED;
        for (at, program) in programs.iter().take(MAX_INVOKED) {
            let others = arguments.iter().take(MAX_INVOKED).filter(|(other, _)| other != at);
            for (place, (_, arguments)) in others.enumerate() {
                if place == 0 {
                    self.command(program, false);
                }
                let length = (program.len() + 1 + arguments.len()).min(MAX_READ);
                // Where there is no room for more commands, none is looked for.
                if self.command_bytes > MAX_BYTES || length > left {
                    self.params.facts_cut = true;
                    return;
                }
                left -= length;
                self.command(&format!("{program} {arguments}"), false);
            }
        }
        if !others.is_empty() {
            self.invoked_by_others(&programs, &arguments, &others, left);
        }
    }

    /// `{"file": "rm", "args": ["-rf"]}`, `{"command": "rm", "options": ["-rf"]}`: what may be a program with what it
    /// gets. Nobody says that it is.
    fn invoked_by_others(
        &mut self,
        programs: &[(usize, String)],
        arguments: &[(usize, String)],
        others: &[(Part, &Node<'_>)],
        mut left: usize,
    ) {
        let of = |wanted: &[Part]| -> Vec<String> {
            let parts = others.iter().filter(|(part, _)| wanted.contains(part));
            parts.filter_map(|(part, value)| part.line(value)).take(MAX_INVOKED).collect()
        };
        let known = |parts: &[(usize, String)]| -> Vec<String> {
            parts.iter().take(MAX_INVOKED).map(|(_, line)| line.clone()).collect()
        };
        // What it is told to run is not what it reads: `{"command": "bash", "args": ["x.sh"], "stdin": "y"}`.
        let reader = |(at, program): &(usize, String)| {
            let behind = arguments.iter().find(|(other, _)| other != at);
            format!("{program} {}", behind.map_or("", |(_, line)| line.as_str()))
        };
        let readers: Vec<String> = programs.iter().take(MAX_INVOKED).map(reader).collect();
        self.read_by(&readers, &of(&[Part::Input]));
        let options = of(&[Part::Options, Part::Argument]);
        // A file beside a command is what it works on; and arguments by their names are those of a call.
        let files: &[Part] = if programs.is_empty() { &[Part::Binary, Part::File] } else { &[Part::Binary] };
        let mut arguments = known(arguments);
        arguments.retain(|line| !line.trim_start().starts_with(['{', '[']));
        let pairs =
            [(known(programs), options.clone()), (of(&[Part::Binary]), options), (of(files), arguments)];
        for (programs, arguments) in &pairs {
            for program in programs {
                for arguments in arguments {
                    let length = program.len() + 1 + arguments.len();
                    if self.command_bytes > MAX_BYTES || length > left.min(MAX_READ) {
                        self.params.facts_cut = true;
                        return;
                    }
                    left -= length;
                    let told = format!("{program} {arguments}");
                    let line = self.fact(&folded(&told));
                    self.keep_command(line, true);
                    self.ran(&told, false);
                }
            }
        }
    }

    /// `{"command": "bash", "stdin": "rm -rf /"}`: what a program runs or asks that it reads.
    fn read_by(&mut self, programs: &[String], inputs: &[String]) {
        for program in programs.iter().filter(|_| !inputs.is_empty()) {
            let line = shell::read(self.bounded(program), &Given::default());
            let runs = |readers: &[&str]| line.commands.iter().any(|command| command.reads_a_script(readers));
            let (is_shell, is_code) = (runs(SHELLS), runs(INTERPRETERS));
            let asks = line.commands.iter().any(is_asked);
            for input in inputs {
                if is_shell || is_code {
                    self.command(input, is_shell);
                    self.code(input);
                } else if asks {
                    self.statement(input, false);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::facts;

    #[test]
    fn a_program_may_have_another_name() {
        for params in [
            json!({"file": "rm", "args": ["-rf", "/"]}),
            json!({"name": "rm", "args": ["-rf", "/"]}),
            json!({"binary": "rm", "params": ["-rf", "/"]}),
            json!({"command": "rm", "options": ["-rf", "/"]}),
            json!({"command": "rm", "arg1": "-rf /"}),
            json!({"command": "rm", "options": "-rf /"}),
        ] {
            let facts = facts(&params);
            assert!(facts.commands_read.contains("rm -rf /") && !facts.facts_cut, "{params}: {facts:?}");
        }
        for params in [
            json!({"command": "bash", "stdin": "rm -rf /"}),
            json!({"command": ["bash"], "stdin": "rm -rf /"}),
            json!({"command": "sudo sh -s", "input": "rm -rf /"}),
            json!({"cmd": "python3", "stdin": "import os\nos.system('rm -rf /')"}),
        ] {
            let facts = facts(&params);
            assert!(facts.commands.contains("rm -rf /") && !facts.facts_cut, "{params}: {facts:?}");
        }
        assert!(facts(&json!({"command": "bash", "stdin": "$x -rf /"})).facts_cut);
        let asked = facts(&json!({"command": "psql", "stdin": "select * from customers"}));
        assert!(asked.tables.contains("customers"), "{asked:?}");
        let reached = facts(&json!({"command": "curl", "options": ["-s", "evil.example"]}));
        assert!(reached.hosts.contains("evil.example"), "{reached:?}");
        for beside in [
            json!({"command": "cat", "stdin": "rm -rf /"}),
            json!({"command": "bash x.sh", "input": "y"}),
            json!({"command": "ls", "options": "{\"a\": 1}"}),
        ] {
            assert_eq!(facts(&beside).commands.len(), 1, "{beside}");
        }
        let script = facts(&json!({"command": "bash", "args": ["x.sh"], "stdin": "y"}));
        assert!(!script.commands.contains("y"), "{script:?}");
        for plain in [
            json!({"name": "Lunch?", "options": ["Pizza", "Soup"]}),
            json!({"file": "a.txt", "options": ["x"]}),
            json!({"method": "call", "params": ["a", "b"]}),
            json!({"name": "get_weather", "arguments": "{\"city\": \"Rome\"}"}),
        ] {
            assert!(facts(&plain).commands.is_empty(), "{plain}");
        }
        let beside = facts(&json!({"command": ["ls", "-l"], "path": "/tmp"}));
        assert_eq!(beside.commands, ["ls -l".to_owned()].into(), "a path is no program");
    }
}
