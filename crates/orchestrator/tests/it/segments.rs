//! The segments of a run are a place where somebody can tamper. Whatever is done to them past HOC is found, and named.

use kit::Kit;
use models::{
    activity::RunState,
    ids::RunId,
    page::{Cursor, PageRequest},
};
use orchestrator::{
    background::checker::Checker,
    coordinators::{
        export_bundle,
        run_proof::{self, VerificationStatus},
    },
    handlers::activity,
};
use proof::{segment, words::IntegrityStatus};
use testkit::{StoredSegment, TestDatabase, on_both};
use verify::Word;

use crate::{
    agent::{Agent, llm},
    tampering::{failures, pass},
};

/// So many bytes of a body are tried. All of them are, without a store, where bodies are made and opened
/// (`proof::segment`).
const TRIED: usize = 24;

/// A run of four segments: its start, two steps, and its end.
async fn sealed(agent: &Agent<'_>) -> RunId {
    let run = agent.start().await;
    for cost in [1, 2] {
        agent.record(run, llm(cost)).await.unwrap();
    }
    assert_eq!(agent.complete(run).await.unwrap().state, RunState::Completed);
    run
}

/// The segments of a run, which from now on anybody can change.
async fn segments(db: &TestDatabase, run: RunId) -> Vec<StoredSegment> {
    db.disarm("run_segments").await;
    let mut segments = db.segments().await;
    segments.retain(|segment| segment.run == run.0.simple().to_string());
    segments
}

/// Why the proof of a sealed run fails; none where it is verified.
async fn failure(agent: &Agent<'_>, run: RunId) -> Option<String> {
    let proof = run_proof::proof(&agent.kit.spine, &agent.admin, run, false).await.unwrap();
    let is_verified = proof.integrity.verification_status == VerificationStatus::Verified;
    assert_eq!(is_verified, proof.integrity.failure_reason.is_none(), "{:?}", proof.integrity);
    proof.integrity.failure_reason
}

/// Whether there is a bundle of the run, and a stranger finds it as it was sealed.
async fn is_certified(agent: &Agent<'_>, run: RunId) -> bool {
    let Ok(bundle) = export_bundle::bundle(&agent.kit.spine, &agent.admin, run).await else { return false };
    let options = verify::Options::default();
    let report = verify::bundle(&bundle, &[kit::signing_key().public()], &options).unwrap();
    report.word == Word::Complete
}

/// How a segment is named.
fn named(run: RunId, segment: &StoredSegment) -> String {
    format!("run_segments row {run}/{}:", segment.first_record)
}

fn opened(segment: &StoredSegment) -> Result<Vec<u8>, String> {
    let length = usize::try_from(segment.raw_length).map_err(|err| err.to_string())?;
    segment::open(segment.codec, &segment.body, length)
}

/// A segment in its place with what another one holds.
fn holding(segment: &StoredSegment, other: &StoredSegment) -> StoredSegment {
    let mut changed = segment.clone();
    changed.body.clone_from(&other.body);
    changed.raw_length = other.raw_length;
    changed.record_count = other.record_count;
    changed.counts = other.counts;
    changed
}

on_both! {
    async fn what_was_changed_or_cut_is_named(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = sealed(&agent).await;
        assert!(is_certified(&agent, run).await);
        let all = segments(db, run).await;
        assert_eq!(all.len(), 4);
        let of_step = &all[1];
        let name = named(run, of_step);
        let mut tried = Vec::new();
        for at in (0..of_step.body.len()).step_by(of_step.body.len().div_ceil(TRIED)) {
            let mut flipped = of_step.clone();
            flipped.body[at] ^= 0xff;
            let mut cut = of_step.clone();
            cut.body.truncate(at);
            tried.extend([flipped, cut]);
        }
        let lies: [fn(&mut StoredSegment); 9] = [
            |it| it.raw_length -= 1,
            |it| it.raw_length += 1,
            |it| it.raw_length = i64::MAX,
            |it| it.codec += 1,
            |it| it.record_count += 1,
            |it| it.first_step += 1,
            |it| it.counts[0] += 1,
            |it| it.counts[0] = 0,
            |it| it.counts[1] += 1,
        ];
        for lie in lies {
            let mut changed = of_step.clone();
            lie(&mut changed);
            tried.push(changed);
        }
        for changed in tried {
            // A bit that says nothing may be another: then nothing is changed.
            let in_the_open = |it: &StoredSegment| (it.record_count, it.first_step, it.counts);
            let says_the_same = in_the_open(&changed) == in_the_open(of_step) && opened(&changed) == opened(of_step);
            db.put_segment(&changed).await;
            let why = failure(&agent, run).await;
            assert_eq!(why.is_none(), says_the_same, "{changed:?}: {why:?}");
            assert!(why.as_ref().is_none_or(|why| why.starts_with(&name)), "{changed:?}: {why:?}");
        }
        assert!(!is_certified(&agent, run).await);
        db.put_segment(of_step).await;
        assert_eq!(failure(&agent, run).await, None, "it is as it was");
    }

    /// A page opens the segments that hold its steps, and no others; of those that it meets it names what is damaged.
    async fn a_page_is_served_whatever_became_of_segments(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        for _ in 0..3 {
            let reports = (0..20).map(|_| llm(1)).collect();
            activity::record_batch(&kit.spine, &agent.ctx, run, reports).await.unwrap();
        }
        let all = segments(db, run).await;
        assert_eq!(all.len(), 4, "its start, and one a batch");
        let mut cut = all[2].clone();
        cut.body.truncate(cut.body.len() / 2);
        db.put_segment(&cut).await;
        let steps = async |page: PageRequest| {
            let page = activity::steps(&kit.spine, &agent.admin, run, page).await.unwrap();
            (page.items.len(), page.missing.iter().map(|one| (one.first_step, one.step_count)).collect::<Vec<_>>())
        };
        assert_eq!(steps(PageRequest::new(Some(10), None, true).unwrap()).await, (10, vec![]));
        assert_eq!(steps(PageRequest::from(Cursor::After(39))).await, (20, vec![]));
        assert_eq!(steps(PageRequest::from(Cursor::After(9))).await, (30, vec![(20, 20)]));
        // The last segment that a stretch meets reaches behind it.
        for limit in [1, 7, 24, 50] {
            let (mut given, mut cursor) = (Vec::new(), None::<String>);
            loop {
                let request = PageRequest::new(Some(limit), cursor.as_deref(), false).unwrap();
                let page = activity::steps(&kit.spine, &agent.admin, run, request).await.unwrap();
                given.extend(page.items.iter().map(|step| step.step.record.step_index));
                match page.next_cursor {
                    Some(next) => cursor = Some(next.to_string()),
                    None => break,
                }
            }
            assert_eq!(given, (0..20).chain(40..60).collect::<Vec<u64>>(), "{limit} at once");
        }
    }

    async fn what_two_segments_hold_cannot_be_swapped(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let runs = [sealed(&agent).await, sealed(&agent).await];
        let [own, others] = [segments(db, runs[0]).await, segments(db, runs[1]).await];
        assert_eq!(own.len(), others.len());
        for (one, other) in own.iter().zip(&others) {
            db.put_segment(&holding(one, other)).await;
            db.put_segment(&holding(other, one)).await;
            for (run, segment) in runs.into_iter().zip([one, other]) {
                let why = failure(&agent, run).await.unwrap_or_default();
                assert!(why.starts_with(&named(run, segment)) && why.contains("of another run"), "{why}");
                assert!(!is_certified(&agent, run).await);
            }
            db.put_segment(one).await;
            db.put_segment(other).await;
        }
        // Those of the two steps of one run.
        db.put_segment(&holding(&own[1], &own[2])).await;
        db.put_segment(&holding(&own[2], &own[1])).await;
        let why = failure(&agent, runs[0]).await.unwrap_or_default();
        assert!(why.starts_with(&named(runs[0], &own[1])) && why.contains("step 1 is in the place of step 0"), "{why}");
        db.put_segment(&own[1]).await;
        db.put_segment(&own[2]).await;
        for run in runs {
            assert_eq!(failure(&agent, run).await, None, "they are as they were");
        }
    }

    async fn a_segment_that_is_gone_or_there_twice_is_found(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = sealed(&agent).await;
        assert!(is_certified(&agent, run).await);
        let all = segments(db, run).await;
        let run_id = db.id(&run.to_string());
        db.tamper("CREATE TABLE kept AS SELECT * FROM run_segments").await.unwrap();
        let as_it_was = format!(
            "DELETE FROM run_segments WHERE run_id = {run_id};
             INSERT INTO run_segments SELECT * FROM kept WHERE run_id = {run_id}"
        );
        for segment in &all {
            let gone = format!("DELETE FROM run_segments WHERE run_id = {run_id} AND first_record = {}", segment.first_record);
            db.tamper(&gone).await.unwrap();
            let why = failure(&agent, run).await.unwrap_or_default();
            assert!(why.starts_with(&named(run, segment)) && why.contains("are not there"), "{why}");
            assert!(!is_certified(&agent, run).await);
            db.tamper(&as_it_was).await.unwrap();
        }
        let end = all.iter().map(|segment| segment.record_count).sum::<i64>();
        for segment in &all {
            let columns = "record_count, first_step, step_count, decision_count, environment_count, activity_count, \
                           provider_count, codec, raw_length, body";
            // Behind the last, and among the records of the segment itself.
            for place in [end, segment.first_record + 1] {
                if all.iter().any(|other| other.first_record == place) {
                    continue;
                }
                let again = format!(
                    "INSERT INTO run_segments (tenant_id, run_id, first_record, {columns}) \
                     SELECT tenant_id, run_id, {place}, {columns} FROM kept \
                     WHERE run_id = {run_id} AND first_record = {}",
                    segment.first_record
                );
                db.tamper(&again).await.unwrap();
                let why = failure(&agent, run).await.expect("it is there twice");
                assert!(place == end || why.starts_with(&format!("run_segments row {run}/{place}:")), "{why}");
                assert!(!is_certified(&agent, run).await);
                db.tamper(&as_it_was).await.unwrap();
            }
        }
        db.tamper(&format!("DELETE FROM run_segments WHERE run_id = {run_id}")).await.unwrap();
        assert!(failure(&agent, run).await.is_some(), "nothing of it is there");
        db.tamper(&as_it_was).await.unwrap();
        assert_eq!(failure(&agent, run).await, None, "it is as it was");
    }

    async fn the_background_check_names_run_and_segment(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let (sound, damaged) = (sealed(&agent).await, sealed(&agent).await);
        let [shortened, damaged_open] = [agent.start().await, agent.start().await];
        for run in [shortened, damaged_open] {
            agent.record(run, llm(1)).await.unwrap();
        }
        let checker = Checker::default();
        pass(&kit, &checker).await;
        assert_eq!(failures(&agent).await, [], "nothing was changed yet");

        let mut due = vec![(shortened, format!("Table run_segments, row {shortened}/"))];
        for run in [damaged, damaged_open] {
            let mut segment = segments(db, run).await.remove(1);
            let middle = segment.body.len() / 2;
            segment.body[middle] ^= 0xff;
            db.put_segment(&segment).await;
            due.push((run, format!("Table run_segments, row {run}/{}, ", segment.first_record)));
        }
        let run_id = db.id(&shortened.to_string());
        db.tamper(&format!("DELETE FROM run_segments WHERE first_record > 0 AND run_id = {run_id}")).await.unwrap();
        for _ in 0..2 {
            pass(&kit, &checker).await;
            let found = failures(&agent).await;
            assert_eq!(found.len(), due.len(), "{found:#?}");
            for (run, what) in &due {
                let of_run = found.iter().find(|incident| incident.source_run_id == Some(*run)).unwrap();
                assert_eq!((of_run.cause_key.clone(), of_run.occurrences), (format!("runs/{run}"), 1));
                assert!(of_run.description.contains(what), "{}", of_run.description);
                let run = activity::get(&kit.spine, &agent.admin, *run).await.unwrap();
                assert_eq!(run.integrity_status, IntegrityStatus::Failed);
            }
        }
        assert_eq!(failure(&agent, sound).await, None);
    }
}
