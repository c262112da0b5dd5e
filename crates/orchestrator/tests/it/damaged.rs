//! A run of which a segment is damaged: whoever meets it names it, and the rest of the run and all other runs are
//! served.

use std::collections::BTreeSet;

use kit::Kit;
use models::{ids::RunId, page::PageRequest};
use orchestrator::{
    Error,
    background::checker::Checker,
    choke::call::StepReport,
    coordinators::{
        export_bundle, look_into,
        run_evidence::{self, Part},
        run_proof::{self, VerificationStatus},
    },
    handlers::activity,
};
use proof::words::IntegrityStatus;
use testkit::{Damage, Store, StoredSegment, on_both};
use tokio::join;
use verify::{Report, Word};

use crate::{
    agent::{Agent, llm},
    tampering::{failures, pass},
};

/// How many steps each run has, each in a segment of its own.
const STEPS: u64 = 3;

fn keyed(step: u64) -> StepReport {
    StepReport { idempotency_key: Some(format!("key {step}")), ..llm(1 + step) }
}

/// A sealed run of five segments: its start, its steps, and its end.
async fn sealed(agent: &Agent<'_>) -> RunId {
    let run = agent.start().await;
    for step in 0..STEPS {
        agent.record(run, keyed(step)).await.unwrap();
    }
    agent.complete(run).await.unwrap();
    run
}

/// How one is named, whoever names it.
fn named(run: RunId, place: i64) -> String {
    format!("run_segments row {run}/{place}: ")
}

pub(crate) async fn verified(agent: &Agent<'_>, run: RunId) -> Report {
    let bundle = export_bundle::bundle(&agent.kit.spine, &agent.admin, run).await.unwrap();
    verify::bundle(&bundle, &[kit::signing_key().public()], &verify::Options::default()).unwrap()
}

/// The indices of the steps that pages of `limit` give, and the places of the segments that they name.
pub(crate) async fn paged(agent: &Agent<'_>, run: RunId, limit: u64) -> (Vec<u64>, Vec<u64>) {
    let (mut steps, mut missing) = (Vec::new(), Vec::new());
    let mut cursor = None;
    loop {
        let request = PageRequest::new(Some(limit), cursor.as_deref(), false).unwrap();
        let page = activity::steps(&agent.kit.spine, &agent.admin, run, request).await.unwrap();
        steps.extend(page.items.iter().map(|step| step.step.record.step_index));
        missing.extend(page.missing.iter().map(|one| one.first_record));
        assert_eq!(page.has_more, page.next_cursor.is_some());
        match page.next_cursor {
            Some(next) => cursor = Some(next.to_string()),
            None => return (steps, missing),
        }
    }
}

/// Holds everybody who reads a damaged run to it: `places` are the segments to be named, `lost` the steps in them.
async fn is_named(agent: &Agent<'_>, run: RunId, places: &[i64], lost: &[u64], what: &Damage) {
    let spine = &agent.kit.spine;
    let left: Vec<u64> = (0..STEPS).filter(|step| !lost.contains(step)).collect();
    for limit in [1, 2, 50] {
        let (steps, missing) = paged(agent, run, limit).await;
        assert_eq!(steps, left, "{what:?}");
        let known: BTreeSet<u64> = places.iter().map(|place| u64::try_from(*place).unwrap()).collect();
        assert!(missing.iter().all(|place| known.contains(place)), "{missing:?}: {what:?}");
        assert!(lost.is_empty() || missing.len() == places.len(), "{missing:?}: {what:?}");
    }
    let proof = run_proof::proof(spine, &agent.admin, run, false).await.unwrap();
    assert_eq!(proof.integrity.verification_status, VerificationStatus::Failed, "{what:?}");
    let steps: Vec<u64> = proof.aos_trace_steps.iter().map(|step| step.record.step_index).collect();
    assert_eq!(steps, left, "{what:?}");
    let report = verified(agent, run).await;
    assert_eq!(report.word, Word::Truncated, "{what:?}\n{report}");
    let looked = look_into::look_into(spine, agent.admin.tenant.id, None).await.unwrap();
    let [(found, doctor)] = looked.faults.as_slice() else { panic!("{:?}: {what:?}", looked.faults) };
    assert_eq!(*found, run);
    for place in places {
        let name = named(run, *place);
        assert!(
            proof.integrity.failure_reason.iter().any(|why| why.contains(&name)),
            "{:?}: {what:?}",
            proof.integrity
        );
        assert!(report.checks.iter().any(|check| check.detail.contains(&name)), "{what:?}\n{report}");
        assert!(doctor.contains(&name), "{doctor}: {what:?}");
    }
    let evidence = run_evidence::evidence(spine, &agent.admin, run).await.unwrap().0;
    assert!(matches!(evidence.completeness["decisions_made"], Part::Unavailable(_)), "{what:?}");
    assert_eq!(evidence.completeness["traces_linked"], Part::Complete, "{what:?}");
}

/// Nothing is wrong with a run.
async fn is_whole(agent: &Agent<'_>, run: RunId) {
    assert_eq!(paged(agent, run, 2).await, ((0..STEPS).collect(), vec![]));
    let proof = run_proof::proof(&agent.kit.spine, &agent.admin, run, false).await.unwrap();
    assert_eq!(proof.integrity.failure_reason, None);
    let report = verified(agent, run).await;
    assert_eq!(report.word, Word::Complete, "{report}");
}

on_both! {
    async fn a_run_that_was_found_damaged_is_not_verified_by_its_end(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        for step in 0..STEPS {
            agent.record(run, keyed(step)).await.unwrap();
        }
        let all = db.segments_of(&run.to_string()).await;
        db.keep_segments().await;
        db.damage(&Damage::Put(all[2].cut(all[2].body.len() / 2))).await;
        assert_eq!(paged(&agent, run, 50).await.1.len(), 1, "whoever looks finds it");
        agent.record(run, keyed(STEPS)).await.unwrap();
        agent.complete(run).await.unwrap();
        let stored = activity::get(&kit.spine, &agent.admin, run).await.unwrap();
        assert_eq!(stored.integrity_status, IntegrityStatus::Failed, "{stored:?}");
    }

    async fn each_damage_is_named_by_whoever_meets_it_and_the_rest_is_served(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let (run, sound) = (sealed(&agent).await, sealed(&agent).await);
        let [all, others] = [db.segments_of(&run.to_string()).await, db.segments_of(&sound.to_string()).await];
        db.keep_segments().await;
        let checker = Checker::default();
        pass(&kit, &checker).await;
        assert_eq!(failures(&agent).await, [], "nothing was changed yet");
        let [start, first, middle, last, end] = all.as_slice() else { panic!("{} segments", all.len()) };
        let behind = end.first_record + end.record_count;
        let half = middle.body.len() / 2;
        let mut played = vec![
            (vec![Damage::Put(middle.cut(half))], vec![middle.first_record], vec![1]),
            (vec![Damage::Put(middle.cut(0))], vec![middle.first_record], vec![1]),
            (vec![Damage::Put(middle.holding(&others[2]))], vec![middle.first_record], vec![1]),
            (
                vec![Damage::Put(first.holding(middle)), Damage::Put(middle.holding(first))],
                vec![first.first_record, middle.first_record],
                vec![0, 1],
            ),
            (vec![Damage::Gone(start.clone())], vec![start.first_record], vec![]),
            (vec![Damage::Gone(first.clone())], vec![first.first_record], vec![0]),
            (vec![Damage::Gone(middle.clone())], vec![middle.first_record], vec![1]),
            (vec![Damage::Gone(last.clone())], vec![last.first_record], vec![2]),
            (vec![Damage::Gone(end.clone())], vec![end.first_record], vec![]),
            (vec![Damage::Gone(last.clone()), Damage::Gone(end.clone())], vec![last.first_record], vec![2]),
            (vec![Damage::Again(middle.clone(), middle.first_record + 1)], vec![middle.first_record + 1], vec![]),
            (vec![Damage::Again(middle.clone(), behind)], vec![behind], vec![]),
            // Further behind than any number that a bundle may hold. All of it is there.
            (vec![Damage::Gone(end.clone()), Damage::Again(end.clone(), i64::MAX)], vec![end.first_record], vec![]),
            // Moved: it is not where it was, and reaches into the next, which is where it was. All of both is there.
            (
                vec![Damage::Gone(middle.clone()), Damage::Again(middle.clone(), middle.first_record + 1)],
                vec![middle.first_record, last.first_record],
                vec![],
            ),
        ];
        for segment in &all {
            let step = [first, middle, last].iter().position(|of| of.first_record == segment.first_record);
            let flipped = Damage::Put(segment.flipped(segment.body.len() / 2));
            played.push((vec![flipped], vec![segment.first_record], step.map(|step| step as u64).into_iter().collect()));
        }
        let lies = middle.lies().into_iter().map(|lie| (vec![Damage::Put(lie)], vec![middle.first_record], vec![1]));
        played.extend(lies);
        for (damages, places, lost) in played {
            for damage in &damages {
                db.damage(damage).await;
            }
            is_named(&agent, run, &places, &lost, &damages[0]).await;
            pass(&kit, &checker).await;
            let found = failures(&agent).await;
            assert_eq!(found.len(), 1, "one incident of a run, whoever met what: {found:#?}");
            assert_eq!(found[0].cause_key, format!("runs/{run}"));
            is_whole(&agent, sound).await;
            db.restore_segments().await;
        }
        is_whole(&agent, run).await;
    }

    async fn each_byte_of_a_segment_counts(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = sealed(&agent).await;
        db.keep_segments().await;
        let middle = db.segments_of(&run.to_string()).await.remove(2);
        let place = u64::try_from(middle.first_record).unwrap();
        let opened = |segment: &StoredSegment| {
            let length = usize::try_from(segment.raw_length).unwrap();
            proof::segment::open(segment.codec, &segment.body, length)
        };
        for at in 0..middle.body.len() {
            let flipped = middle.flipped(at);
            // A byte that says nothing may be another: then nothing is changed.
            let due = if opened(&flipped) == opened(&middle) {
                (vec![0, 1, 2], vec![])
            } else {
                (vec![0, 2], vec![place])
            };
            db.damage(&Damage::Put(flipped)).await;
            assert_eq!(paged(&agent, run, 50).await, due, "byte {at}");
        }
        assert_eq!(failures(&agent).await.len(), 1, "one incident, however often it is met");
    }

    async fn a_repeat_whose_step_is_lost_is_refused_by_name_and_its_neighbours_are_answered(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let (run, sound) = (sealed(&agent).await, sealed(&agent).await);
        db.keep_segments().await;
        let all = db.segments_of(&run.to_string()).await;
        let middle = &all[2];
        let hurt = [
            Damage::Put(middle.flipped(middle.body.len() / 2)),
            Damage::Put(middle.lies().remove(1)),
            Damage::Gone(middle.clone()),
        ];
        for damage in hurt {
            db.damage(&damage).await;
            let (lost, own, others) =
                join!(agent.record(run, keyed(1)), agent.record(run, keyed(2)), agent.record(sound, keyed(1)));
            match lost {
                Err(Error::Damaged { table: "run_segments", row, .. }) => {
                    assert_eq!(row, format!("{run}/{}", middle.first_record), "{damage:?}");
                }
                other => panic!("{other:?}: {damage:?}"),
            }
            assert_eq!((own.unwrap().step_index, others.unwrap().step_index), (2, 1), "{damage:?}");
            assert_eq!(failures(&agent).await.len(), 1, "{damage:?}");
            db.restore_segments().await;
        }
        assert_eq!(agent.record(run, keyed(1)).await.unwrap().step_index, 1, "it is as it was");

        // No segment behind the last one shows that it is gone: what the run has counted does.
        let open = agent.start().await;
        for step in 0..STEPS {
            agent.record(open, keyed(step)).await.unwrap();
        }
        let last = db.segments_of(&open.to_string()).await.pop().unwrap();
        db.damage(&Damage::Gone(last.clone())).await;
        match agent.record(open, keyed(STEPS - 1)).await {
            Err(Error::Damaged { table: "run_segments", row, .. }) => {
                assert_eq!(row, format!("{open}/{}", last.first_record));
            }
            other => panic!("{other:?}"),
        }
    }

    async fn runs_without_any_record_show_without_opening_one(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let other = Agent::of(&kit, "other").await;
        let (first, second, of_other) = (sealed(&agent).await, sealed(&agent).await, sealed(&other).await);
        // These have no step: nothing says what they must have, and however many there are, the others are looked at.
        for _ in 0..51 {
            agent.start().await;
        }
        let glanced = async |agent: &Agent<'_>| {
            let glanced = look_into::glance(&kit.spine, agent.admin.tenant.id).await.unwrap();
            (glanced.runs, glanced.not_begun)
        };
        assert_eq!(glanced(&agent).await, (2, vec![]));
        db.keep_segments().await;
        let whole = db.segments_of(&first.to_string()).await;
        db.damage(&Damage::Put(whole[1].cut(1))).await;
        assert_eq!(glanced(&agent).await, (2, vec![]), "nothing is opened");
        db.tamper(&format!("DELETE FROM run_segments WHERE run_id = {}", db.id(&second.to_string()))).await.unwrap();
        assert_eq!(glanced(&agent).await, (2, vec![second]));
        db.tamper("DELETE FROM run_segments").await.unwrap();
        assert_eq!(glanced(&agent).await, (2, vec![second, first]), "the newest first");
        assert_eq!(glanced(&other).await, (1, vec![of_other]));
    }

    async fn keys_and_steps_are_held_against_each_other(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let (run, sound) = (sealed(&agent).await, sealed(&agent).await);
        let checker = Checker::default();
        pass(&kit, &checker).await;
        assert_eq!(failures(&agent).await, [], "nothing was changed yet");
        db.disarm("step_keys").await;
        let of_run = db.id(&run.to_string());
        let zeros = "0".repeat(32);
        let unknown = match db.store() {
            Store::Sqlite => format!("x'{zeros}'"),
            Store::Postgres => format!("'\\x{zeros}'::bytea"),
        };
        db.tamper("CREATE TABLE kept_keys AS SELECT * FROM step_keys").await.unwrap();
        for (change, says) in [
            (format!("DELETE FROM step_keys WHERE run_id = {of_run} AND step_index = 1"), "the key of step 1 is not there"),
            (format!("UPDATE step_keys SET step_index = 7 WHERE run_id = {of_run} AND step_index = 1"), "the key of step 1 names step 7"),
            (format!("UPDATE step_keys SET is_span = NOT is_span WHERE run_id = {of_run} AND step_index = 1"), "the key of step 1 is not there"),
            (
                format!(
                    "INSERT INTO step_keys (tenant_id, run_id, digest, step_index, is_span)
                     SELECT tenant_id, run_id, {unknown}, 1, is_span FROM kept_keys WHERE run_id = {of_run} AND step_index = 1"
                ),
                "a key names step 1, which has another",
            ),
        ] {
            db.tamper(&change).await.unwrap();
            let looked = look_into::look_into(&kit.spine, agent.admin.tenant.id, None).await.unwrap();
            let told: Vec<_> = looked.faults.iter().map(|(run, why)| (*run, why.contains(says))).collect();
            assert_eq!(told, [(run, true)], "{change}: {:?}", looked.faults);
            assert_eq!((looked.runs, looked.segments), (2, 10));
            pass(&kit, &checker).await;
            assert_eq!(failures(&agent).await.len(), 1, "{change}");
            db.tamper("DELETE FROM step_keys; INSERT INTO step_keys SELECT * FROM kept_keys").await.unwrap();
        }
        assert_eq!(paged(&agent, sound, 50).await, (vec![0, 1, 2], vec![]));
    }
}
