//! Whole logs against their checkpoints.

use std::collections::HashSet;

use proof::leaves::{AuditLeaf, RunLeaf};
use verify::{
    Row, Word,
    log::{AuditLog, LogReport, RunLog},
};

use crate::kit;

fn existing(rows: &[Row<RunLeaf>]) -> HashSet<String> {
    rows.iter()
        .map(|row| match &row.leaf {
            RunLeaf::Opened(leaf) => leaf.run_id.clone(),
            RunLeaf::Sealed(leaf) => leaf.run_id.clone(),
            RunLeaf::Addendum(leaf) => leaf.run_id.clone(),
            RunLeaf::Erased(leaf) => leaf.run_id.clone(),
        })
        .collect()
}

fn runs(
    rows: &[Row<RunLeaf>],
    checkpoint: &str,
    since: Option<&str>,
    existing: &HashSet<String>,
) -> LogReport {
    let mut log = RunLog::new(checkpoint, since, &kit::keys());
    for row in rows {
        log.push(row);
    }
    log.finish(existing)
}

fn ledger(rows: &[Row<AuditLeaf>], checkpoint: &str) -> LogReport {
    let mut log = AuditLog::new(checkpoint, None, &kit::keys());
    for row in rows {
        log.push(row);
    }
    log.finish()
}

#[test]
fn whole_logs_are_complete_and_grew_from_their_older_checkpoints() {
    let scene = kit::everything();
    let key = kit::signing_key();
    let rows = &scene.runs.rows;
    let checkpoint = scene.runs.checkpoint(&key);
    for since in 0..=scene.runs.size() {
        let older = scene.runs.checkpoint_at(since, &key);
        let report = runs(rows, &checkpoint, Some(&older), &existing(rows));
        assert_eq!(report.word, Word::Complete, "{report}");
        assert_eq!((report.newer, report.absent.len()), (0, 0));
        assert_eq!(report.open.len(), existing(rows).len() - 1);

        // Rows that no checkpoint covers yet are told.
        let report = runs(rows, &older, None, &existing(rows));
        assert_eq!((report.word, report.newer), (Word::Complete, scene.runs.size() - since));
    }
    let report = ledger(&scene.ledger.rows, &scene.ledger.checkpoint(&key));
    assert_eq!(report.word, Word::Complete, "{report}");
}

#[test]
fn a_run_that_was_opened_and_is_gone_is_named() {
    let scene = kit::clean();
    let rows = &scene.runs.rows;
    let checkpoint = scene.runs.checkpoint(&kit::signing_key());
    let mut there = existing(rows);
    there.remove(kit::RUN);
    let report = runs(rows, &checkpoint, None, &there);
    assert_eq!((report.word, report.absent), (Word::Truncated, vec![kit::RUN.to_owned()]));
    there.insert(kit::RUN.to_owned());
    there.insert("run_never_opened".to_owned());
    assert_eq!(runs(rows, &checkpoint, None, &there).word, Word::Tampered);
}

#[test]
fn every_row_that_is_changed_dropped_added_or_swapped_shows() {
    let scene = kit::everything();
    let key = kit::signing_key();
    let (rows, checkpoint) = (&scene.runs.rows, scene.runs.checkpoint(&key));
    let there = existing(rows);
    let word = |rows: &[Row<RunLeaf>]| runs(rows, &checkpoint, None, &there).word;
    let renumbered = |rows: &mut Vec<Row<RunLeaf>>| {
        for (row, index) in rows.iter_mut().zip(0..) {
            row.leaf_index = index;
        }
    };
    for at in 0..rows.len() {
        let mut changed = rows.clone();
        match &mut changed[at].leaf {
            RunLeaf::Opened(leaf) => leaf.started_at.push('0'),
            RunLeaf::Sealed(leaf) => leaf.step_count += 1,
            RunLeaf::Addendum(leaf) => leaf.number += 1,
            RunLeaf::Erased(leaf) => leaf.text_count += 1,
        }
        assert_eq!(word(&changed), Word::Tampered);
        changed[at].leaf_hash = changed[at].leaf.hash();
        assert_eq!(word(&changed), Word::Tampered);

        let mut without = rows.clone();
        without.remove(at);
        assert!(word(&without) >= Word::Truncated);
        renumbered(&mut without);
        assert!(word(&without) >= Word::Truncated);

        let mut twice = rows.clone();
        twice.insert(at, rows[at].clone());
        renumbered(&mut twice);
        assert_eq!(word(&twice), Word::Tampered);

        for other in at + 1..rows.len() {
            let mut swapped = rows.clone();
            swapped.swap(at, other);
            assert_eq!(word(&swapped), Word::Tampered);
            renumbered(&mut swapped);
            assert_eq!(word(&swapped), Word::Tampered);
        }
    }
    let shorter = &rows[..rows.len() - 1];
    assert_eq!(runs(shorter, &checkpoint, None, &existing(shorter)).word, Word::Truncated);
}

#[test]
fn the_ledger_shows_what_happens_to_its_rows() {
    let scene = kit::everything();
    let (rows, checkpoint) = (&scene.ledger.rows, scene.ledger.checkpoint(&kit::signing_key()));
    for at in 0..rows.len() {
        let mut changed = rows.clone();
        let AuditLeaf::Entry(entry) = &mut changed[at].leaf;
        entry.actor_id = Some("nobody".to_owned());
        assert_eq!(ledger(&changed, &checkpoint).word, Word::Tampered);
        changed[at].leaf_hash = changed[at].leaf.hash();
        assert_eq!(ledger(&changed, &checkpoint).word, Word::Tampered);
    }
    assert_eq!(ledger(&rows[..rows.len() - 1], &checkpoint).word, Word::Truncated);
    assert_eq!(ledger(&[], &checkpoint).word, Word::Truncated);
}

/// Order within the ledger, even where a key holder signed a checkpoint over it.
#[test]
fn time_and_numbers_of_the_ledger_run_forward() {
    for change in [
        (|entry: &mut proof::leaves::AuditRecord| entry.created_at = "2020-01-01T00:00:00.000000Z".to_owned())
            as fn(&mut proof::leaves::AuditRecord),
        |entry| entry.run_seq = Some(7),
        |entry| entry.run_seq = None,
        |entry| entry.run_id = None,
    ] {
        let scene = kit::everything();
        let mut forged = kit::Log::new(proof::words::LogName::Audit);
        for row in &scene.ledger.rows {
            let mut leaf = row.leaf.clone();
            let AuditLeaf::Entry(entry) = &mut leaf;
            if entry.run_seq == Some(2) {
                change(entry);
            }
            let hash = leaf.hash();
            forged.append(leaf, hash);
        }
        let report = ledger(&forged.rows, &forged.checkpoint(&kit::signing_key()));
        assert_eq!(report.word, Word::Tampered, "{report}");
        let failed: Vec<_> =
            report.checks.iter().filter(|check| !check.passed).map(|check| check.name).collect();
        assert_eq!(failed, ["order"]);
    }
}

#[test]
fn a_checkpoint_is_of_this_log_and_by_a_known_key() {
    let scene = kit::clean();
    let other = proof::keys::SigningKey::from_seed(&[1; 32]);
    let there = existing(&scene.runs.rows);
    let unknown = scene.runs.checkpoint(&other);
    let told = runs(&scene.runs.rows, &unknown, None, &there);
    assert_eq!(
        (told.word, told.checks.len()),
        (Word::WrongKey, 1),
        "nothing was checked, and nothing is said of it"
    );
    let [signer, given] = [other.public(), kit::signing_key().public()].map(|key| {
        let hash = proof::note::key_hash(unknown.lines().next().expect("an origin"), &key);
        format!("{:08x}", u32::from_be_bytes(hash))
    });
    let both = format!("the key of hash {signer} signed it in the name ");
    let own = format!("{} (hash {given})", kit::signing_key().public().id());
    assert!(told.checks[0].detail.starts_with(&both) && told.checks[0].detail.contains(&own), "{told}");
    assert!(told.to_string().ends_with("WRONG_KEY\n"), "{told}");
    assert_eq!(ledger(&scene.ledger.rows, &scene.ledger.checkpoint(&other)).word, Word::WrongKey);
    let known = scene.runs.checkpoint(&kit::signing_key());
    assert_eq!(
        runs(&scene.runs.rows, &known, Some(&unknown), &there).word,
        Word::Tampered,
        "never of this log"
    );
    // A false signature in the name of a known key is no other key.
    let forged = unknown.replacen(unknown.lines().next().expect("an origin"), "x/y/runs/0", 1);
    assert_eq!(
        runs(&scene.runs.rows, &forged, None, &there).word,
        Word::Tampered,
        "nobody signed it in its name"
    );
    let of_the_ledger = scene.ledger.checkpoint(&kit::signing_key());
    assert_eq!(runs(&scene.runs.rows, &of_the_ledger, None, &there).word, Word::Tampered);
    assert_eq!(runs(&scene.runs.rows, "no note", None, &there).word, Word::Tampered);

    // An older checkpoint than the log's own, from a longer log: the store is behind.
    let head = scene.runs.checkpoint_at(2, &kit::signing_key());
    let longer = scene.runs.checkpoint(&kit::signing_key());
    assert_eq!(runs(&scene.runs.rows, &head, Some(&longer), &there).word, Word::Truncated);
}
