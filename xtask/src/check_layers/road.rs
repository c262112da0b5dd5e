//! The road of a folder: in which order its files and folders name each other. Each names only what comes before it.
//!
//! `cycles` holds that imports never come round; a road says which way they go, so that a reader knows at which end to
//! begin. It is whole: a file or folder that stands nowhere on it is a finding too.

use super::{cycles, source::SourceFile};
use crate::finding::Finding;
use std::collections::BTreeSet;

/// A folder, and the order of what lies in it.
pub(super) struct Road {
    /// The folder's path, from the crate's name downwards.
    pub(super) folder: &'static [&'static str],
    /// Its files and folders. Those that stand together do not name each other.
    pub(super) order: &'static [&'static [&'static str]],
}

/// The folders that have a road.
pub(super) const ROADS: &[Road] = &[
    Road {
        folder: &["orchestrator"],
        order: &[
            &["aside", "bridges", "clocks", "context", "fallen", "report", "secrets", "verdict"],
            &["credentials", "errors"],
            &["budget", "ports", "texts"],
            &["rejections"],
            &["spine"],
            &["clock_check"],
            &["bench", "checkpoints", "ledger", "once", "retrying", "streams", "tenants"],
            &["jobs"],
            &["consequences"],
            &["choke"],
            &["assembly", "repeats"],
            &["handlers"],
            &["coordinators"],
            &["background"],
        ],
    },
    Road {
        folder: &["orchestrator", "choke"],
        order: &[
            &["call"],
            &["prepare"],
            &["item", "races"],
            &["parts"],
            &["state"],
            &["judge", "load", "write"],
            &["follow"],
            &["decide"],
            &["seal"],
            &["outage"],
            &["group"],
            &["queue"],
        ],
    },
];

/// Where files of a crate name what comes later on their folder's road, and where a road and its folder differ.
pub(super) fn check(krate: &str, files: &[SourceFile], roads: &[Road]) -> Vec<Finding> {
    let of_crate = roads.iter().filter(|road| road.folder.first() == Some(&krate));
    of_crate.flat_map(|road| road.check(files)).collect()
}

impl Road {
    fn check(&self, files: &[SourceFile]) -> Vec<Finding> {
        let folder = self.folder.join("::");
        let there: BTreeSet<&str> =
            cycles::product(files).into_iter().filter_map(|file| self.part(&file.place.module)).collect();
        let listed: BTreeSet<&str> = self.order.iter().copied().flatten().copied().collect();
        let mut findings = Vec::new();
        for part in there.symmetric_difference(&listed) {
            let message = if listed.contains(part) {
                format!("{folder}::{part} is on the road of {folder} and not there: take it out")
            } else {
                format!("{folder}::{part} stands nowhere on the road of {folder}: say before what it comes")
            };
            let file = "xtask/src/check_layers/road.rs".to_owned();
            findings.push(Finding { file, line: 1, rule: "road", message });
        }
        for ((from, to), (file, line)) in cycles::edges(files) {
            let (Some(from), Some(to)) = (self.part(from), self.part(to)) else { continue };
            let (Some(here), Some(before)) = (self.place(from), self.place(to)) else { continue };
            if from != to && before >= here {
                let message = format!(
                    "{folder}::{from} names {folder}::{to}, which does not come before it: move what it needs of \
                     it further down"
                );
                findings.push(Finding { file: file.to_owned(), line, rule: "road", message });
            }
        }
        findings
    }

    /// The thing in the folder to which a module belongs. None where the module lies outside, or is the folder's own
    /// file.
    fn part<'a>(&self, module: &'a [String]) -> Option<&'a str> {
        let (folder, inside) = module.split_at_checked(self.folder.len())?;
        if folder == self.folder { inside.first().map(String::as_str) } else { None }
    }

    /// How far along the road a part lies.
    pub(super) fn place(&self, part: &str) -> Option<usize> {
        self.order.iter().position(|together| together.contains(&part))
    }
}
