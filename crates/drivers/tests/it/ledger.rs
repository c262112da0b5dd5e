//! The two logs as trees: heads, leaves, nodes, checkpoints.

use std::collections::BTreeMap;

use drivers::{Db, StoreError};
use models::{
    ids::{CheckpointId, RunId},
    ledger::{Checkpoint, LogHead, TreeNode},
    page::PageRequest,
};
use proof::{merkle::Frontier, words::LogName};
use testkit::Store;

use crate::{
    sample::{self, MOST, OTHER, TENANT, at, hash, uuid},
    whole::{checkpoint, opened},
};

fn grown(head: &LogHead, leaves: u64) -> (LogHead, Vec<TreeNode>) {
    let mut head = head.clone();
    let mut nodes = vec![];
    for n in 0..leaves {
        let done = head.frontier.append(hash(n));
        nodes.extend(done.iter().map(|node| TreeNode {
            log: head.log,
            level: node.level,
            index: node.index,
            hash: node.hash,
        }));
    }
    head.last_at = Some(at(1));
    (head, nodes)
}

testkit::on_both! {
    async fn a_head_is_made_once_and_only_grows(db: TestDatabase) {
        let (one, two) = (sample::store(db).await, sample::open(db).await);
        let tx = one.begin().await.expect("begin");
        assert_eq!(tx.ledger().head(TENANT, LogName::Audit).await.expect("none yet"), None);
        let head = tx.ledger().lock_head(TENANT, LogName::Audit).await.expect("made");
        assert_eq!(head, LogHead { tenant: TENANT, log: LogName::Audit, epoch: 0, frontier: Frontier::default(), last_at: None });
        let (longer, nodes) = grown(&head, 5);
        tx.ledger().append_nodes(TENANT, &nodes).await.expect("nodes");
        tx.ledger().save_head(&longer).await.expect("saved");
        tx.commit().await.expect("commit");
        let tx = two.begin().await.expect("begin");
        assert_eq!(tx.ledger().lock_head(TENANT, LogName::Audit).await.expect("locked"), longer);
        assert_eq!(tx.ledger().head(OTHER, LogName::Audit).await.expect("not theirs"), None);
        assert_eq!(tx.ledger().head(TENANT, LogName::Runs).await.expect("another log"), None);

        let wanted = [(0, 4), (2, 0), (1, 1), (2, 1), (0, 9)];
        let found = tx.ledger().nodes(TENANT, LogName::Audit, &wanted).await.expect("nodes");
        let expected: BTreeMap<_, _> = nodes.iter().map(|n| ((n.level, n.index), n.hash)).filter(|(place, _)| wanted.contains(place)).collect();
        assert_eq!((found.len(), found), (3, expected));
        assert!(tx.ledger().nodes(OTHER, LogName::Audit, &wanted).await.expect("not theirs").is_empty());
        assert!(tx.ledger().nodes(TENANT, LogName::Runs, &wanted).await.expect("another log").is_empty());
        let shorter = LogHead { frontier: Frontier::default(), ..longer };
        assert!(matches!(tx.ledger().save_head(&shorter).await, Err(StoreError::AppendOnly(_))));
    }

    async fn what_was_read_before_a_commit_is_not_held_against_it(db: TestDatabase) {
        let store = sample::store(db).await;
        let read = store.read().await.expect("a moment");
        let head = read.ledger().head(TENANT, LogName::Audit).await.expect("read");
        let head = head.unwrap_or_else(|| LogHead::empty(TENANT, LogName::Audit));
        let tx = store.begin().await.expect("begin");
        let (longer, nodes) = grown(&tx.ledger().lock_head(TENANT, LogName::Audit).await.expect("locked"), 2);
        tx.ledger().append_nodes(TENANT, &nodes).await.expect("appended");
        tx.ledger().save_head(&longer).await.expect("saved");
        tx.commit().await.expect("commit");
        read.ledger().compare(&head).await.expect("it is of an earlier moment, and the store did not fall back");
        assert_eq!(store.fell_back(), None);
    }

    async fn a_log_goes_on_from_what_this_process_saw_of_it(db: TestDatabase) {
        let (one, two) = (sample::store(db).await, sample::open(db).await);
        let append = async |to: &Db, leaves: u64| {
            let tx = to.begin().await?;
            let (longer, nodes) = grown(&tx.ledger().lock_head(TENANT, LogName::Audit).await?, leaves);
            tx.ledger().append_nodes(TENANT, &nodes).await?;
            tx.ledger().save_head(&longer).await?;
            tx.commit().await.map(|()| longer)
        };
        let before = append(&one, 3).await.expect("three leaves");
        append(&two, 2).await.expect("another process appends");
        let name = one.name();
        let after = append(&one, 1).await.expect("it goes on from there");
        let tx = one.begin().await.expect("begin");
        tx.account().bump_policy_generation(TENANT).await.expect("a freeze");
        tx.commit().await.expect("commit");
        assert!(name.is_some() && one.name() == name, "{name:?}");

        // As in a failover to a standby that lagged.
        let triggers = match db.store() {
            Store::Sqlite => "DROP TRIGGER log_heads_no_update",
            Store::Postgres => "ALTER TABLE log_heads DISABLE TRIGGER log_heads_no_update",
        };
        db.tamper(triggers).await.expect("the owner may");
        db.tamper("UPDATE tenants SET policy_generation = 0").await.expect("set back");
        let tx = two.begin().await.expect("begin");
        tx.ledger().save_head(&before).await.expect("set back");
        tx.commit().await.expect("commit");
        for _ in 0..2 {
            let refused = append(&one, 1).await.expect_err("leaves are gone");
            assert!(matches!(&refused, StoreError::ReadOnly(why) if why.contains("had 6 leaves")), "{refused}");
            let seen = one.fallen();
            assert_eq!((seen.len(), seen[0].size, seen[0].root), (1, 6, after.frontier.root()));
        }
        // And written on by somebody who does not know: as long as it was, and another.
        let tx = two.begin().await.expect("begin");
        let mut fork = LogHead { frontier: before.frontier.clone(), ..after.clone() };
        (0..3).for_each(|n| fork.frontier.push(hash(100 + n)));
        tx.ledger().save_head(&fork).await.expect("another history");
        tx.commit().await.expect("commit");
        append(&one, 1).await.expect_err("it is not the log that was seen");
        let read = one.read().await.expect("it is read");
        read.ledger().compare(&fork).await.expect_err("nor is it signed");
        assert!(one.compare_logs().await.is_err() && one.fell_back().is_some());

        // Somebody accepts it.
        let tx = two.begin().await.expect("begin");
        tx.ledger().save_head(&LogHead { epoch: 1, ..fork }).await.expect("a new epoch");
        tx.commit().await.expect("commit");
        one.compare_logs().await.expect("it was accepted");
        assert_eq!((one.fallen(), one.fell_back()), (vec![], None));
        assert_ne!(one.name(), name, "what it lost is not there again");
    }

    async fn what_did_not_commit_was_not_seen(db: TestDatabase) {
        let db = sample::store(db).await;
        let tx = db.begin().await.expect("begin");
        let (longer, nodes) = grown(&tx.ledger().lock_head(TENANT, LogName::Audit).await.expect("made"), 3);
        tx.ledger().append_nodes(TENANT, &nodes).await.expect("nodes");
        tx.ledger().save_head(&longer).await.expect("saved");
        tx.ledger().lock_head(TENANT, LogName::Audit).await.expect("its own may be locked again");
        tx.rollback().await.expect("undone");
        let tx = db.begin().await.expect("begin");
        tx.ledger().lock_head(TENANT, LogName::Audit).await.expect("nothing is missing");
    }

    async fn replicas_that_append_at_once_make_one_order(db: TestDatabase) {
        let (one, two) = (sample::store(db).await, sample::open(db).await);
        let mut writers = tokio::task::JoinSet::new();
        for n in 0..16 {
            let db = if n % 2 == 0 { one.clone() } else { two.clone() };
            writers.spawn(async move {
                let tx = db.begin().await?;
                let mut head = tx.ledger().lock_head(TENANT, LogName::Runs).await?;
                let index = head.frontier.size();
                let nodes: Vec<_> = head.frontier.append(hash(index)).iter()
                    .map(|node| TreeNode { log: head.log, level: node.level, index: node.index, hash: node.hash }).collect();
                tx.ledger().insert_run_leaves(&[opened(TENANT, index, n)]).await?;
                tx.ledger().append_nodes(TENANT, &nodes).await?;
                tx.ledger().save_head(&head).await?;
                tx.commit().await
            });
        }
        while let Some(written) = writers.join_next().await {
            written.expect("joined").expect("a turn for everyone");
        }
        let read = two.read().await.expect("read");
        let head = read.ledger().head(TENANT, LogName::Runs).await.expect("head").expect("there");
        let mut expected = Frontier::default();
        (0..16).for_each(|n| expected.push(hash(n)));
        assert_eq!(head.frontier, expected);
        let leaves = read.ledger().run_log_from(TENANT, 0, 100).await.expect("leaves");
        assert_eq!(leaves.iter().map(|leaf| leaf.leaf_index).collect::<Vec<_>>(), (0..16).collect::<Vec<_>>());
    }

    async fn leaves_are_found_by_place_and_by_run(db: TestDatabase) {
        let db = sample::store(db).await;
        let leaves = [opened(TENANT, 0, 1), opened(TENANT, 1, 2), opened(TENANT, MOST, 3)];
        let tx = db.begin().await.expect("begin");
        tx.ledger().insert_run_leaves(&leaves).await.expect("leaves");
        assert_eq!(tx.ledger().run_leaves(TENANT, RunId(uuid(2))).await.expect("of run"), leaves[1..2]);
        assert_eq!(tx.ledger().run_leaves(OTHER, RunId(uuid(2))).await.expect("not theirs"), []);
        assert_eq!(tx.ledger().run_log_from(TENANT, 1, 1).await.expect("from"), leaves[1..2]);
        assert_eq!(tx.ledger().run_log_from(TENANT, 1, 9).await.expect("from"), leaves[1..]);
        assert_eq!(tx.ledger().run_log_from(OTHER, 0, 9).await.expect("not theirs"), []);
        assert!(matches!(tx.ledger().insert_run_leaves(&[opened(TENANT, 9, 1)]).await, Err(StoreError::Conflict(_))), "one OPENED a run");
    }

    async fn the_newest_checkpoint_is_the_longest_of_the_last_epoch(db: TestDatabase) {
        let db = sample::store(db).await;
        let tx = db.begin().await.expect("begin");
        assert_eq!(tx.ledger().latest_checkpoint(TENANT, LogName::Runs).await.expect("none"), None);
        let epoch = Checkpoint { epoch: 1, tree_size: 2, created_at: at(0), ..checkpoint(TENANT, 9) };
        for checkpoint in [checkpoint(TENANT, 3), checkpoint(TENANT, 5), checkpoint(TENANT, 4)] {
            tx.ledger().insert_checkpoint(&checkpoint).await.expect("signed");
        }
        assert_eq!(tx.ledger().latest_checkpoint(TENANT, LogName::Runs).await.expect("found"), Some(checkpoint(TENANT, 5)));
        tx.ledger().insert_checkpoint(&epoch).await.expect("signed");
        assert_eq!(tx.ledger().latest_checkpoint(TENANT, LogName::Runs).await.expect("found"), Some(epoch.clone()));
        let listed = tx.ledger().list_checkpoints(TENANT, LogName::Runs, &PageRequest::default()).await.expect("listed");
        assert_eq!(listed.items, [checkpoint(TENANT, 5), checkpoint(TENANT, 4), checkpoint(TENANT, 3), epoch]);
        for (tenant, log) in [(OTHER, LogName::Runs), (TENANT, LogName::Audit)] {
            assert_eq!(tx.ledger().latest_checkpoint(tenant, log).await.expect("none"), None);
        }
    }

    async fn a_log_that_has_news_wants_a_checkpoint(db: TestDatabase) {
        let db = sample::store(db).await;
        let tx = db.begin().await.expect("begin");
        let news = tx.ledger().heads_with_news(at(0)).await.expect("none");
        assert_eq!(news, []);
        for (tenant, log) in [(TENANT, LogName::Runs), (TENANT, LogName::Audit), (OTHER, LogName::Runs)] {
            let head = tx.ledger().lock_head(tenant, log).await.expect("made");
            tx.ledger().save_head(&grown(&head, 4).0).await.expect("grown");
        }
        let all = [(TENANT, LogName::Audit), (TENANT, LogName::Runs), (OTHER, LogName::Runs)];
        assert_eq!(tx.ledger().heads_with_news(at(0)).await.expect("all"), all);
        tx.ledger().insert_checkpoint(&checkpoint(TENANT, 4)).await.expect("signed");
        tx.ledger().insert_checkpoint(&Checkpoint { id: CheckpointId(uuid(7)), ..checkpoint(OTHER, 3) }).await.expect("signed");
        assert_eq!(tx.ledger().heads_with_news(at(0)).await.expect("unsigned"), [all[0], all[2]]);
        assert_eq!(tx.ledger().heads_with_news(at(4)).await.expect("signed then"), [all[0], all[2]]);
        assert_eq!(tx.ledger().heads_with_news(at(5)).await.expect("signed long ago"), all);
    }
}
