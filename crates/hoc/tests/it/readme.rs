//! What the README says is done as it stands there, and answers as it says.

use std::process::Command;

use crate::{
    chrome::variable,
    harness::Place,
    pages::{Block, blocks, is_as_said, section},
};

const README: &str = include_str!("../../../../README.md");
/// Where the pages say that the server is.
const WRITTEN: &str = "127.0.0.1:8080";

#[test]
fn the_first_section_does_what_it_says() {
    let place = Place::sqlite();
    let server = place.serve();
    let blocks = blocks(section(README, "## Five minutes to a governed agent"));
    let shell: Vec<&Block> = blocks.iter().filter(|block| block.language == "sh").collect();
    // The first builds the binary and starts the server: here both are done already.
    assert!(
        shell[0].text.contains("cargo build --release") && shell[0].text.ends_with("hoc serve"),
        "{}",
        shell[0].text
    );
    let script: Vec<&str> = shell[1..]
        .iter()
        .flat_map(|block| block.text.lines())
        .filter(|line| !line.starts_with("export PATH="))
        .collect();
    let script =
        script.join("\n").replace("export KEY=hoc_...", &format!("export KEY={}", server.admin_key()));
    let script = script.replace(WRITTEN, &server.address);
    let mut command = place.command(&[]);
    let binary = std::path::Path::new(command.get_program()).parent().expect("a folder").to_owned();
    let path = format!("{}:{}", binary.display(), variable("PATH").expect("a PATH"));
    let settings: Vec<_> =
        command.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect();
    command = Command::new("sh");
    command
        .args(["-c", &script])
        .env_clear()
        .envs(settings)
        .env("PATH", path)
        .current_dir(place.folder.path());
    let ran = command.output().expect("a shell");
    let printed = String::from_utf8_lossy(&ran.stdout).into_owned();
    let told = String::from_utf8_lossy(&ran.stderr).into_owned();
    let mut rest: Vec<&str> = printed.lines().collect();
    let said = blocks.iter().filter(|block| block.language == "text").flat_map(|block| block.text.lines());
    let mut count = 0;
    for said in said {
        let said = said.replace(WRITTEN, &server.address);
        let at = rest.iter().position(|line| is_as_said(line, &said));
        let at = at.unwrap_or_else(|| panic!("nothing is as said: {said}\nin: {rest:#?}\n{told}"));
        rest.drain(..=at);
        count += 1;
    }
    assert!(count > 8, "the README says what to expect");
    assert!(ran.status.success(), "{printed}{told}");
}
