//! Each write of a run's row raises the run's version, whoever writes: by it a server knows that what it remembers of
//! the run is what the store has.

use std::{collections::HashMap, fs, path::Path};

use drivers::{StoreError, Tx, activity::DecidedRun};
use models::{
    activity::{RiskLevel, Run, RunVersion, Stalls},
    ids::RunId,
};

use crate::{
    sample::{self, TENANT, at, uuid},
    whole,
};

fn ids() -> [RunId; 2] {
    [1, 2].map(|n| RunId(uuid(n)))
}

async fn versions(tx: &Tx) -> Vec<RunVersion> {
    let states = tx.run_locks().lock_states(TENANT, &ids(), at(0)).await.expect("locked");
    states.into_iter().map(|state| state.version).collect()
}

/// What was just done has raised the version of the first run, once, and not that of the second.
async fn raised(tx: &Tx, known: &mut Vec<RunVersion>, what: &str) {
    let now = versions(tx).await;
    assert_eq!(now[0].count, known[0].count + 1, "{what}");
    assert_ne!(now[0].mark, known[0].mark, "{what}");
    assert_eq!(now[1], known[1], "{what}: nobody wrote the other");
    *known = now;
}

testkit::on_both! {
    async fn whoever_writes_a_run_raises_its_version_and_that_of_no_other(db: TestDatabase) {
        let db = sample::store(db).await;
        whole::start(&db, 1..3).await;
        let tx = db.begin().await.expect("begin");
        let (run, of) = (ids()[0], &ids()[..1]);
        let mut known = versions(&tx).await;
        assert_eq!(known, ids().map(RunVersion::first));

        tx.activity().put_off_sealing(TENANT, of, at(70)).await.expect("put off");
        raised(&tx, &mut known, "sealing was put off").await;
        tx.run_metrics().mark_violated(TENANT, of).await.expect("marked");
        raised(&tx, &mut known, "it has violated a policy").await;
        tx.run_metrics().mark_violated(TENANT, of).await.expect("marked");
        assert_eq!(versions(&tx).await, known, "it had before");
        tx.run_metrics().add_draft(TENANT, of).await.expect("counted");
        raised(&tx, &mut known, "a draft was made of it").await;
        tx.run_signals().raise_risk(TENANT, &[(run, RiskLevel::AtRisk)]).await.expect("raised");
        raised(&tx, &mut known, "its risk was raised").await;
        tx.run_signals().raise_risk(TENANT, &[(run, RiskLevel::NearThreshold)]).await.expect("no lower");
        assert_eq!(versions(&tx).await, known, "it was no lower before");

        let stored = tx.activity().lock_runs(TENANT, of).await.expect("locked");
        tx.activity().save_runs(&stored, &HashMap::new()).await.expect("saved");
        raised(&tx, &mut known, "it was written back as it was").await;
        let stood = HashMap::from([(run, stored[0].standing())]);
        let moved = [Run { risk_level: RiskLevel::Violated, ..stored[0].clone() }];
        tx.activity().save_runs(&moved, &stood).await.expect("saved");
        raised(&tx, &mut known, "it stands elsewhere in lists").await;

        let stalls = Stalls { now: at(1_000_000), silent_since: at(1_000_000), expected_ms: 1, factor: 5 };
        assert_eq!(tx.activity().mark_stalled(stalls).await.expect("marked").marked, 2);
        let now = versions(&tx).await;
        assert!(now.iter().zip(&known).all(|(now, known)| now.count == known.count + 1 && now.mark != known.mark));
    }

    async fn a_run_is_written_where_it_is_in_the_state_that_was_decided_on(db: TestDatabase) {
        let db = sample::store(db).await;
        whole::start(&db, 1..3).await;
        let tx = db.begin().await.expect("begin");
        let locked = tx.run_locks().lock_whole(TENANT, &ids(), at(0)).await.expect("locked");
        let after = |run: &Run| Run { step_count: 7, risk_level: RiskLevel::AtRisk, ..run.clone() };
        let (runs, stood): (Vec<Run>, Vec<_>) =
            locked.iter().map(|locked| (after(&locked.run), locked.run.standing())).unzip();
        let decided: Vec<DecidedRun<'_>> = runs
            .iter()
            .zip(&stood)
            .zip(&locked)
            .map(|((run, stood), locked)| DecidedRun { run, stood, version: locked.version })
            .collect();
        tx.activity().save_decided(&decided, uuid(77)).await.expect("nobody wrote them since");
        assert_eq!(tx.activity().find_runs(TENANT, &ids()).await.expect("found"), runs);
        let now = versions(&tx).await;
        assert_eq!(now, locked.iter().map(|locked| locked.version.next(uuid(77))).collect::<Vec<_>>());

        for one in &decided {
            let late = tx.activity().save_decided(&[*one], uuid(78)).await;
            assert!(matches!(late, Err(StoreError::Retry(_))), "{late:?}: it was written since");
        }
        // As in a store that fell back and was written as often since.
        let another = RunVersion { mark: uuid(79), ..now[0] };
        let late = tx.activity().save_decided(&[DecidedRun { version: another, ..decided[0] }], uuid(78)).await;
        assert!(matches!(late, Err(StoreError::Retry(_))), "{late:?}: another wrote it last");
        assert_eq!(versions(&tx).await, now);
        let stands = runs[0].standing();
        let again = DecidedRun { run: &runs[0], stood: &stands, version: now[0] };
        tx.activity().save_decided(&[again], uuid(80)).await.expect("nobody wrote it since");
        assert_eq!(versions(&tx).await, [now[0].next(uuid(80)), now[1]]);
        assert_eq!(tx.activity().find_runs(TENANT, &ids()).await.expect("found"), runs, "their traces are theirs");
    }
}

/// An update that begins elsewhere than in `version.rs` would not raise it. (Rows that are written back and do not are
/// refused.)
#[test]
fn no_update_of_runs_begins_elsewhere() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut folders, mut begin) = (vec![src.clone()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder is there") {
            let path = entry.expect("it can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if begins_one(&fs::read_to_string(&path).expect("it is text")) {
                begin.push(path.strip_prefix(&src).expect("it is in there").to_owned());
            }
        }
    }
    assert_eq!(begin, [Path::new("version.rs")]);
}

/// Whether a file begins an update of runs or of traces, or one of which it does not say of what.
fn begins_one(text: &str) -> bool {
    let text: String =
        text.chars().filter(|sign| !sign.is_whitespace() && !['"', '\\'].contains(sign)).collect();
    let unnamed = text.match_indices("Entity::update").any(|(at, _)| !text[..at].ends_with("::"));
    let of = |table: &str, stored: &str| {
        let begins = [
            format!("{table}::Entity::update"),
            format!("{table}::Entityas"),
            format!(".table({table}::Entity"),
            format!("UPDATE{stored}"),
        ];
        begins.iter().any(|begin| text.contains(begin))
    };
    unnamed || of("runs", "runs") || of("traces", "aos_traces")
}

#[test]
fn each_way_to_begin_one_is_found() {
    for begins in [
        "let update = runs::Entity::update_many()",
        "runs::Entity::update_many()",
        "<runs::Entity as EntityTrait>::update_many()",
        "Entity::update_many().filter(",
        "Query::update().table(runs::Entity)",
        "UPDATE runs SET",
        "UPDATE \\\"runs\\\" SET",
        "aos_traces::Entity::update_many()",
        "UPDATE aos_traces SET",
    ] {
        assert!(begins_one(begins), "{begins}");
    }
    assert!(!begins_one("permits::Entity::update_many(); runs::Entity::find(); UPDATE installation"));
}
