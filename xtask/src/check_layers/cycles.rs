//! Which file names which within a crate. Imports never come round, neither by file nor by folder, so that a crate can
//! be read from one end.
//!
//! Tests are cut off. A name that a module only passes on (`pub use`) counts for the file that defines it. Naming a
//! module is nothing by itself: the names that are taken from it count. All files of a folder together count as one, so
//! folders name each other in one direction too. Methods are not seen: an `impl` block in another file than its type is
//! no edge.

use super::source::{How, SourceFile};
use crate::finding::Finding;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A module that has a file of its own, or a folder of such: its path from the crate's root.
pub(super) type Node<'a> = &'a [String];

/// Who names whom, and where this is done first.
pub(super) type Edges<'a> = BTreeMap<(Node<'a>, Node<'a>), (&'a str, usize)>;

/// How often a name is followed that is passed on from module to module.
const MOST_HOPS: usize = 16;

/// Where imports of a crate come round, by file and by folder.
pub(super) fn check(files: &[SourceFile]) -> Vec<Finding> {
    let by_file = edges(files);
    let by_folder = folders(&by_file);
    [&by_file, &by_folder].into_iter().flat_map(comes_round).collect()
}

/// The files of a crate without those of its tests.
pub(super) fn product(files: &[SourceFile]) -> Vec<&SourceFile> {
    let tests: BTreeSet<Node<'_>> =
        files.iter().flat_map(|file| &file.source.test_modules).map(Vec::as_slice).collect();
    let is_product = |file: &&SourceFile| {
        let module = file.place.module.as_slice();
        let in_tests = (1..=module.len()).any(|depth| tests.contains(&module[..depth]));
        file.place.in_src && !file.place.for_tests && !in_tests
    };
    files.iter().filter(is_product).collect()
}

/// All edges between the files of a crate.
pub(super) fn edges(files: &[SourceFile]) -> Edges<'_> {
    let product = product(files);
    let modules: BTreeSet<Node<'_>> = product.iter().map(|file| file.place.module.as_slice()).collect();
    let mut passed_on: BTreeMap<Vec<String>, &[String]> = BTreeMap::new();
    for import in product.iter().flat_map(|file| &file.source.imports) {
        let known_as = [import.module.as_slice(), std::slice::from_ref(&import.name)].concat();
        passed_on.entry(known_as).or_insert(&import.path);
    }
    let mut edges = Edges::new();
    for &file in &product {
        let from = file.place.module.as_slice();
        for mention in file.source.mentions.iter().filter(|mention| !mention.for_tests) {
            let to = match mention.how {
                How::BareMethod | How::Import { exported: true, .. } => None,
                How::Import { glob: true, .. } if modules.contains(mention.path.as_slice()) => {
                    modules.get(mention.path.as_slice()).copied()
                }
                _ => defined_in(&modules, &passed_on, &mention.path),
            };
            if let Some(to) = to.filter(|to| *to != from) {
                edges.entry((from, to)).or_insert((file.path.as_str(), mention.line));
            }
        }
    }
    edges
}

/// The module in which the item of a path is defined. None where that is in another crate, and where the path names a
/// module and no item of it.
fn defined_in<'a>(
    modules: &BTreeSet<Node<'a>>,
    passed_on: &BTreeMap<Vec<String>, &[String]>,
    path: &[String],
) -> Option<Node<'a>> {
    let mut path = path.to_vec();
    for _ in 0..MOST_HOPS {
        let depth = (1..=path.len()).rev().find(|depth| modules.contains(&path[..*depth]))?;
        if depth == path.len() {
            return None;
        }
        // A module may import another, and have an item of the same name: as the end of a path, that item is meant.
        let target = passed_on.get(&path[..=depth]).copied();
        let Some(target) = target.filter(|target| depth + 1 < path.len() || !modules.contains(*target))
        else {
            return modules.get(&path[..depth]).copied();
        };
        path = [target, &path[depth + 1..]].concat();
    }
    None
}

/// The same between folders: for each edge, the two things side by side that it goes between.
fn folders<'a>(edges: &Edges<'a>) -> Edges<'a> {
    let mut between = Edges::new();
    for (&(from, to), place) in edges {
        if let Some(edge) = siblings(from, to) {
            between.entry(edge).or_insert(*place);
        }
    }
    between
}

/// The two things in one folder in which an edge begins and ends. None where one of them is the folder's own file.
fn siblings<'a>(from: Node<'a>, to: Node<'a>) -> Option<(Node<'a>, Node<'a>)> {
    let common = from.iter().zip(to).take_while(|(a, b)| a == b).count();
    (common < from.len() && common < to.len()).then(|| (&from[..=common], &to[..=common]))
}

/// A finding for each cycle, shortest first, each told by its own way round.
fn comes_round(edges: &Edges<'_>) -> Vec<Finding> {
    let mut left = edges.clone();
    let mut findings = Vec::new();
    loop {
        let next = next(&left);
        let ways = left.keys().filter_map(|&(from, to)| Some(((from, to), way(&next, to, from)?)));
        let Some((edge, back)) = ways.min_by_key(|(_, back)| back.len()) else { return findings };
        let round: Vec<String> = std::iter::once(&edge.0).chain(&back).map(|node| node.join("::")).collect();
        let message = format!(
            "imports come round: {}; move what both sides need into a file that names neither",
            round.join(" names ")
        );
        if let Some((file, line)) = left.remove(&edge) {
            findings.push(Finding { file: file.to_owned(), line, rule: "cycle", message });
        }
    }
}

/// Whom each names.
fn next<'a>(edges: &Edges<'a>) -> BTreeMap<Node<'a>, Vec<Node<'a>>> {
    let mut next: BTreeMap<Node<'a>, Vec<Node<'a>>> = BTreeMap::new();
    for &(from, to) in edges.keys() {
        next.entry(from).or_default().push(to);
    }
    next
}

/// The shortest way along edges, both ends among its nodes.
fn way<'a>(next: &BTreeMap<Node<'a>, Vec<Node<'a>>>, from: Node<'a>, to: Node<'a>) -> Option<Vec<Node<'a>>> {
    let mut came_from: BTreeMap<Node<'a>, Node<'a>> = BTreeMap::new();
    let mut waiting = VecDeque::from([from]);
    while let Some(node) = waiting.pop_front() {
        if node == to {
            let (mut at, mut way) = (node, vec![node]);
            while at != from {
                let Some(&before) = came_from.get(at) else { break };
                way.push(before);
                at = before;
            }
            way.reverse();
            return Some(way);
        }
        for &step in next.get(node).into_iter().flatten() {
            if step != from && !came_from.contains_key(step) {
                came_from.insert(step, node);
                waiting.push_back(step);
            }
        }
    }
    None
}
