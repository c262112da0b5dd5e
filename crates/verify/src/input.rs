//! Files that a caller brings along: step hashes that an agent kept, rows of a log.

use proof::hash::Hash;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::json::{Parser, Tree, Wrong};

/// A step that the agent was told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Which step; None if the agent kept only the hash.
    pub step_index: Option<u64>,
    /// What it hashed to.
    pub step_hash: Hash,
}

/// A leaf of a log with its address, as exports write it: one a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row<L> {
    /// The leaf.
    pub leaf: L,
    /// What it is said to hash to.
    pub leaf_hash: Hash,
    /// Its place in the log, from 0.
    pub leaf_index: u64,
}

/// A line that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct BadLine {
    /// From 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: String,
}

/// Reads lines of an agent's own record: a hash; an index and a hash; or a JSON object that has `step_index` and
/// `step_hash` among its members, such as the answer to a step. Empty lines are skipped.
pub fn seen(text: &str) -> Result<Vec<Seen>, BadLine> {
    lines(text, |line| {
        if line.starts_with('{') {
            let answer = parsed(line, Tree::read)?;
            let (Some(Tree::Integer(index)), Some(Tree::Text(hash))) =
                (answer.get("step_index"), answer.get("step_hash"))
            else {
                return Err("`step_index` and `step_hash` are not both there".to_owned());
            };
            return step(Some(&index.to_string()), hash);
        }
        match line.split_once(|c: char| c.is_ascii_whitespace() || c == ',') {
            Some((index, hash)) => step(Some(index), hash.trim()),
            None => step(None, line),
        }
    })
}

/// Reads rows of a log, one JSON object `{leaf, leaf_hash, leaf_index}` a line. Empty lines are skipped.
pub fn rows<L: DeserializeOwned>(text: &str) -> Result<Vec<Row<L>>, BadLine> {
    lines(text, |line| parsed(line, |parser| Row::deserialize(parser)))
}

fn step(index: Option<&str>, hash: &str) -> Result<Seen, String> {
    let index =
        index.map(|text| text.parse().map_err(|_| format!("`{text}` is no step index"))).transpose()?;
    Ok(Seen { step_index: index, step_hash: hash.parse().map_err(|why| format!("`{hash}`: {why}"))? })
}

/// Reads a whole line as JSON.
fn parsed<'l, T>(line: &'l str, read: impl FnOnce(&mut Parser<'l>) -> Result<T, Wrong>) -> Result<T, String> {
    let mut parser = Parser::new(line);
    read(&mut parser).and_then(|value| parser.end().map(|()| value)).map_err(|wrong| wrong.to_string())
}

fn lines<T>(text: &str, read: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, BadLine> {
    let filled = text
        .lines()
        .zip(1..)
        .map(|(line, number)| (line.trim(), number))
        .filter(|(line, _)| !line.is_empty());
    filled.map(|(line, number)| read(line).map_err(|why| BadLine { line: number, why })).collect()
}

#[cfg(test)]
mod tests {
    use proof::hash::sha256;

    use super::*;

    #[test]
    fn an_agent_may_keep_hashes_in_three_ways() {
        let hash = sha256(b"step");
        let text = format!(
            "{hash}\n\n3 {hash}\n4,{hash}\n{{\"step_index\":5,\"recorded\":true,\"step_hash\":\"{hash}\"}}\n"
        );
        let read: Vec<_> =
            seen(&text).expect("lines").into_iter().map(|it| (it.step_index, it.step_hash)).collect();
        assert_eq!(read, [(None, hash), (Some(3), hash), (Some(4), hash), (Some(5), hash)]);
        assert_eq!(seen("\nx").map_err(|bad| bad.line), Err(2));
        assert_eq!(seen(&format!("x {hash}")).map_err(|bad| bad.line), Err(1));
        assert_eq!(seen("{\"step_index\":1}").map_err(|bad| bad.line), Err(1));
    }
}
