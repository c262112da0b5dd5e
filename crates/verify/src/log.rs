//! Verifying a whole log, row by row: the hashes, the order, the root, and that it grew from an older checkpoint.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
};

use proof::{
    checkpoint::{Checkpoint, CheckpointError, LogOrigin},
    hash::Hash,
    keys::PublicKey,
    leaves::{AuditLeaf, EpochLeaf, MarkLeaf, RunLeaf},
    merkle::Frontier,
    note::{Note, NoteError, key_hash},
    words::LogName,
};

use crate::{
    Row,
    checks::Worst,
    report::{Check, Finding, Findings, Word, write_checks, write_failed},
    shown,
};

/// The outcome of verifying a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogReport {
    /// COMPLETE, TRUNCATED, TAMPERED, or WRONG_KEY where nothing was held against the checkpoint.
    pub word: Word,
    /// In the order in which they were made.
    pub checks: Vec<Check>,
    /// How many rows there were.
    pub size: u64,
    /// Of these, how many no checkpoint covers yet.
    pub newer: u64,
    /// Runs that were opened and are gone. Always empty for the Audit Ledger.
    pub absent: Vec<String>,
    /// Runs that are not sealed. Always empty for the Audit Ledger.
    pub open: Vec<String>,
}

impl fmt::Display for LogReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_checks(f, &self.checks)?;
        if self.word == Word::WrongKey {
            return writeln!(f, "{}", self.word);
        }
        for run in &self.absent {
            writeln!(f, "absent {}", shown(run))?;
        }
        writeln!(f, "{} rows, {} newer than the checkpoint", self.size, self.newer)?;
        write_failed(f, &self.checks)?;
        writeln!(f, "{}", self.word)
    }
}

/// What the rows of a log are held against: a checkpoint, and an older one if there is one.
struct Tree {
    log: LogName,
    head: Result<Checkpoint, Finding>,
    since: Option<Result<Checkpoint, Finding>>,
    frontier: Frontier,
    head_root: Option<Hash>,
    since_root: Option<Hash>,
    rows: Worst,
    keys: Vec<PublicKey>,
    /// The epochs that the log says it began, each with its leaf and what was lost.
    epochs: Vec<(u64, EpochLeaf)>,
    marks: Worst,
    rotations: u64,
}

impl Tree {
    fn new(log: LogName, checkpoint: &str, since: Option<&str>, keys: &[PublicKey]) -> Self {
        let open = |note: &str| {
            let checkpoint = Checkpoint::open(note, keys).map_err(|why| not_opened(note, keys, &why))?;
            let origin =
                checkpoint.origin.parse::<LogOrigin>().map_err(|why| Finding::tampered(why.to_string()))?;
            if origin.log == log {
                Ok(checkpoint)
            } else {
                Err(Finding::tampered(format!("a checkpoint of {}", checkpoint.origin)))
            }
        };
        let mut tree = Self {
            log,
            head: open(checkpoint),
            // What is known of the log does not hang on it: by another key it is not what was kept of this log.
            since: since.map(|note| open(note).map_err(|finding| Finding::tampered(finding.detail))),
            frontier: Frontier::default(),
            head_root: None,
            since_root: None,
            rows: Worst::default(),
            keys: keys.to_vec(),
            epochs: Vec::new(),
            marks: Worst::default(),
            rotations: 0,
        };
        tree.note_roots();
        tree
    }

    /// Keeps the roots of the moments of which the checkpoints speak.
    fn note_roots(&mut self) {
        let reached = |checkpoint: &Checkpoint| checkpoint.size == self.frontier.size();
        if self.head.as_ref().is_ok_and(reached) {
            self.head_root = Some(self.frontier.root());
        }
        if matches!(&self.since, Some(Ok(since)) if reached(since)) {
            self.since_root = Some(self.frontier.root());
        }
    }

    fn push(&mut self, leaf_index: u64, stated: Hash, computed: Hash) {
        let next = self.frontier.size();
        self.rows.expect(leaf_index == next, || format!("row {leaf_index} comes where row {next} belongs"));
        self.rows.expect(stated == computed, || format!("row {leaf_index} is not what was hashed"));
        self.frontier.push(computed);
        self.note_roots();
    }

    /// A leaf that the log has of itself.
    fn push_mark(&mut self, row: &Row<MarkLeaf>) {
        self.push(row.leaf_index, row.leaf_hash, row.leaf.hash());
        let at = row.leaf_index;
        match &row.leaf {
            MarkLeaf::Epoch(leaf) => {
                let before = self.epochs.last().map_or(0, |(_, leaf)| leaf.epoch);
                self.marks.expect(leaf.log == self.log, || format!("row {at} is of another log"));
                self.marks
                    .expect(leaf.epoch > before, || format!("row {at} begins epoch {} again", leaf.epoch));
                let lost = Checkpoint::open(&leaf.lost_checkpoint, &self.keys);
                self.marks
                    .expect(lost.is_ok(), || format!("row {at} names a checkpoint that no known key signed"));
                self.epochs.push((at, leaf.clone()));
            }
            MarkLeaf::SigningKey(leaf) => {
                self.rotations += 1;
                self.marks.expect(leaf.log == self.log, || format!("row {at} is of another log"));
                self.marks.expect(leaf.is_signed(&self.keys), || {
                    format!("row {at} changes the signing key, and key {} did not sign that", leaf.old_key_id)
                });
            }
        }
    }

    /// What the log says of itself, in words.
    fn told(&self) -> String {
        let epochs = self.epochs.iter().map(|(at, leaf)| {
            let was = Checkpoint::open(&leaf.lost_checkpoint, &self.keys).map_or(0, |lost| lost.size);
            format!(
                "row {at} begins epoch {}: {} accepted a restored backup at {}; there were {was} rows",
                leaf.epoch, leaf.accepted_by, leaf.accepted_at
            )
        });
        let rotations =
            (self.rotations > 0).then(|| format!("the signing key changed {} times", self.rotations));
        let told: Vec<String> = epochs.chain(rotations).collect();
        if told.is_empty() { "one epoch, one signing key".to_owned() } else { told.join("; ") }
    }

    /// Whether the checkpoint speaks of rows that a restore lost, as the log itself says.
    fn lost_with(&self, since: &Checkpoint) -> Option<u64> {
        let origin = since.origin.parse::<LogOrigin>().ok()?;
        let (at, _) = self.epochs.iter().find(|(_, leaf)| leaf.epoch > origin.epoch)?;
        (since.size > *at).then_some(*at)
    }

    /// The report on a log whose checkpoint another signed than whose keys were given: neither it nor what the log says
    /// of itself can be held against anything.
    fn by_another(&self) -> Option<LogReport> {
        let finding = self.head.as_ref().err().filter(|finding| finding.word == Word::WrongKey)?;
        let mut findings = Findings::default();
        findings.note("checkpoint", Err(finding.clone()));
        let size = self.frontier.size();
        let (absent, open) = (Vec::new(), Vec::new());
        Some(LogReport { word: finding.word, checks: findings.checks, size, newer: size, absent, open })
    }

    /// The checks of hashes, root and growth.
    fn finish(self, findings: &mut Findings) -> (u64, u64) {
        let size = self.frontier.size();
        let told = self.told();
        let head_epoch = self.head.as_ref().ok().and_then(|head| head.origin.parse::<LogOrigin>().ok());
        let covered = self.head.as_ref().map_or(0, |head| head.size);
        let covered_epochs = self.epochs.iter().rev().find(|(at, _)| *at < covered);
        let epoch = covered_epochs.map_or(0, |(_, leaf)| leaf.epoch);
        let lost = match &self.since {
            Some(Ok(since)) => self.lost_with(since),
            _ => None,
        };
        let mut marks = self.marks;
        marks.expect(head_epoch.is_none_or(|origin| origin.epoch == epoch), || {
            format!("the rows come to epoch {epoch}, the checkpoint is of another")
        });
        findings.note(
            "rows",
            self.rows.or_else(|| format!("{size} rows of the log {}, each as hashed", self.log)),
        );
        findings.note("marks", marks.or_else(|| told));
        findings.note("checkpoint", self.head.clone().and_then(|head| grown(&head, self.head_root, size)));
        if let Some(since) = self.since {
            findings.note(
                "since",
                since.and_then(|since| match &self.head {
                    _ if lost.is_some() => Err(Finding::truncated(format!(
                        "of {} rows, those from row {} on were lost with the restore that this row names",
                        since.size,
                        lost.unwrap_or_default()
                    ))),
                    Ok(head) if head.size < since.size => Err(Finding::truncated(format!(
                        "the log had {} rows once, its checkpoint has {}",
                        since.size, head.size
                    ))),
                    _ => grown(&since, self.since_root, size),
                }),
            );
        }
        (size, size.saturating_sub(covered))
    }
}

/// Why a checkpoint is not believed. That its signer's key is not among those that were given is no forgery: both are
/// named, the signer as its line does.
fn not_opened(note: &str, keys: &[PublicKey], why: &CheckpointError) -> Finding {
    let signer = || {
        let note = Note::parse(note).ok()?;
        let origin = Checkpoint::from_text(&note.text).ok()?.origin;
        let line = note.signatures.iter().find(|line| line.name == origin)?;
        Some((line.key_hash, origin))
    };
    let Some((signer, origin)) = signer().filter(|_| *why == CheckpointError::Note(NoteError::Unsigned))
    else {
        return Finding::tampered(why.to_string());
    };
    let hash = |hash: [u8; 4]| format!("{:08x}", u32::from_be_bytes(hash));
    let given = keys.iter().map(|key| format!("{} (hash {})", key.id(), hash(key_hash(&origin, key))));
    let given: Vec<String> = given.collect();
    Finding::wrong_key(format!(
        "the key of hash {} signed it in the name {origin}, and what was given is {}: get that key from whoever runs the \
         installation; if they have no such key, somebody else made this",
        hash(signer),
        given.join(", ")
    ))
}

/// Whether the rows, when they were as many as the checkpoint says, led to its root.
fn grown(checkpoint: &Checkpoint, root: Option<Hash>, size: u64) -> Result<String, Finding> {
    match root {
        Some(root) if root == checkpoint.root => {
            Ok(format!("{} at size {}", checkpoint.origin, checkpoint.size))
        }
        Some(_) => {
            Err(Finding::tampered(format!("at size {} the rows lead to another root", checkpoint.size)))
        }
        None => {
            Err(Finding::truncated(format!("the checkpoint has {} rows, here are {size}", checkpoint.size)))
        }
    }
}

/// The run log, row by row.
pub struct RunLog {
    tree: Tree,
    /// Whether each run that was opened is sealed.
    runs: BTreeMap<String, bool>,
    /// How many addenda each run has that has one.
    addenda: HashMap<String, u64>,
    /// Whose texts were erased.
    erased: HashSet<String>,
    order: Worst,
}

impl RunLog {
    /// Begins. The checkpoint, and an older one from which the log must have grown, are signed notes.
    #[must_use]
    pub fn new(checkpoint: &str, since: Option<&str>, keys: &[PublicKey]) -> Self {
        let tree = Tree::new(LogName::Runs, checkpoint, since, keys);
        Self {
            tree,
            runs: BTreeMap::new(),
            addenda: HashMap::new(),
            erased: HashSet::new(),
            order: Worst::default(),
        }
    }

    /// The next row, in the order of the log.
    pub fn push(&mut self, row: &Row<RunLeaf>) {
        self.tree.push(row.leaf_index, row.leaf_hash, row.leaf.hash());
        match &row.leaf {
            RunLeaf::Opened(leaf) => {
                let first = self.runs.insert(leaf.run_id.clone(), false).is_none();
                self.order.expect(first, || format!("{} was opened twice", leaf.run_id));
            }
            RunLeaf::Sealed(leaf) => {
                let before = self.runs.insert(leaf.run_id.clone(), true);
                self.order
                    .expect(before.is_some(), || format!("{} was sealed and never opened", leaf.run_id));
                self.order.expect(before != Some(true), || format!("{} was sealed twice", leaf.run_id));
            }
            RunLeaf::Addendum(leaf) => {
                let sealed = self.runs.get(&leaf.run_id) == Some(&true);
                self.order.expect(sealed, || format!("{} has an addendum and is not sealed", leaf.run_id));
                let next = self.addenda.entry(leaf.run_id.clone()).or_default();
                self.order.expect(leaf.number == *next, || {
                    format!("{} has addendum {} where {next} belongs", leaf.run_id, leaf.number)
                });
                *next = leaf.number.saturating_add(1);
            }
            RunLeaf::Erased(leaf) => {
                let sealed = self.runs.get(&leaf.run_id) == Some(&true);
                self.order.expect(sealed, || format!("{} was erased and is not sealed", leaf.run_id));
                let first = self.erased.insert(leaf.run_id.clone());
                self.order.expect(first, || format!("{} was erased twice", leaf.run_id));
            }
        }
    }

    /// What the log says of itself: it comes before every row with a greater index.
    pub fn push_mark(&mut self, row: &Row<MarkLeaf>) {
        self.tree.push_mark(row);
    }

    /// Ends; `existing` are the runs whose records the store has.
    #[must_use]
    pub fn finish(self, existing: &HashSet<String>) -> LogReport {
        if let Some(report) = self.tree.by_another() {
            return report;
        }
        let mut findings = Findings::default();
        let (size, newer) = self.tree.finish(&mut findings);
        findings.note(
            "order",
            self.order.or_else(|| "every run was opened once and sealed at most once".to_owned()),
        );
        let absent: Vec<String> = self.runs.keys().filter(|run| !existing.contains(*run)).cloned().collect();
        let mut unknown: Vec<&String> = existing.iter().filter(|run| !self.runs.contains_key(*run)).collect();
        unknown.sort_unstable();
        let outcome = match (absent.as_slice(), unknown.as_slice()) {
            ([], []) => Ok(format!("{} runs were opened, and are here", self.runs.len())),
            (_, [first, ..]) => Err(Finding::tampered(format!(
                "{} runs were never opened, the first is {first}",
                unknown.len()
            ))),
            ([first, ..], _) => Err(Finding::truncated(format!(
                "{} runs were opened and are gone, the first is {first}",
                absent.len()
            ))),
        };
        findings.note("runs", outcome);
        let open = self.runs.into_iter().filter(|(_, sealed)| !sealed).map(|(run, _)| run).collect();
        LogReport { word: findings.word(Word::Complete), checks: findings.checks, size, newer, absent, open }
    }
}

/// The Audit Ledger, row by row.
pub struct AuditLog {
    tree: Tree,
    /// The last `run_seq` of each run.
    seqs: HashMap<String, u64>,
    last_at: String,
    order: Worst,
}

impl AuditLog {
    /// Begins. The checkpoint, and an older one from which the ledger must have grown, are signed notes.
    #[must_use]
    pub fn new(checkpoint: &str, since: Option<&str>, keys: &[PublicKey]) -> Self {
        let tree = Tree::new(LogName::Audit, checkpoint, since, keys);
        Self { tree, seqs: HashMap::new(), last_at: String::new(), order: Worst::default() }
    }

    /// The next row, in the order of the ledger.
    pub fn push(&mut self, row: &Row<AuditLeaf>) {
        self.tree.push(row.leaf_index, row.leaf_hash, row.leaf.hash());
        let AuditLeaf::Entry(entry) = &row.leaf;
        self.order
            .expect(self.last_at <= entry.created_at, || format!("row {} runs back in time", row.leaf_index));
        self.last_at.clone_from(&entry.created_at);
        match (&entry.run_id, entry.run_seq) {
            (None, None) => {}
            (Some(run), Some(seq)) => {
                let last = self.seqs.entry(run.clone()).or_default();
                self.order.expect(last.checked_add(1) == Some(seq), || {
                    format!("row {} is number {seq} of {run}, after number {last}", row.leaf_index)
                });
                *last = seq;
            }
            _ => {
                self.order
                    .expect(false, || format!("row {} has a run or a number, not both", row.leaf_index));
            }
        }
    }

    /// What the ledger says of itself: it comes before every row with a greater index.
    pub fn push_mark(&mut self, row: &Row<MarkLeaf>) {
        self.tree.push_mark(row);
    }

    /// Ends.
    #[must_use]
    pub fn finish(self) -> LogReport {
        if let Some(report) = self.tree.by_another() {
            return report;
        }
        let mut findings = Findings::default();
        let (size, newer) = self.tree.finish(&mut findings);
        findings.note(
            "order",
            self.order.or_else(|| {
                format!("time never runs back; the numbers of {} runs have no holes", self.seqs.len())
            }),
        );
        let word = findings.word(Word::Complete);
        LogReport { word, checks: findings.checks, size, newer, absent: Vec::new(), open: Vec::new() }
    }
}
