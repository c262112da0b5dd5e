//! A trace of which a segment is damaged, of its sealed spans or of those that came late: it is named, what it held is
//! left out, and all else of the run is proven.

use chrono::Duration;
use kit::{Kit, signing_key};
use models::{ids::RunId, page::PageRequest};
use orchestrator::{background::sweeper, coordinators::export_bundle, handlers::activity};
use serde_json::Value;
use testkit::{Damage, StoredSegment, on_both};
use verify::{Options, Report, Word};

use crate::{
    agent::Agent,
    spans::{call, only_run, root, send},
};

/// How many spans were sealed, and how many there are with those that came late.
const SEALED: u64 = 2;
const ALL: u64 = 5;

/// The bundle of a run, and what whoever verifies it is told.
async fn bundle(agent: &Agent<'_>, run: RunId) -> (Value, Report) {
    let bundle = export_bundle::bundle(&agent.kit.spine, &agent.admin, run).await.unwrap();
    let report = verify::bundle(&bundle, &[signing_key().public()], &Options::default()).unwrap();
    (serde_json::from_slice(&bundle).unwrap(), report)
}

async fn shown(agent: &Agent<'_>, run: RunId) -> Vec<u64> {
    let page = activity::steps(&agent.kit.spine, &agent.admin, run, PageRequest::default()).await.unwrap();
    page.items.iter().map(|step| step.step.record.step_index).collect()
}

on_both! {
    async fn a_damaged_segment_of_spans_costs_what_it_holds_and_its_addendum(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        send(&agent, &[call(1, 1), root(1, false)]).await;
        kit.clock.advance(Duration::seconds(30));
        assert_eq!(sweeper::tick(&kit.spine).await.unwrap(), 1);
        let run = only_run(&agent).await.id;
        send(&agent, &[call(1, 2)]).await;
        send(&agent, &[call(1, 3), call(1, 4)]).await;
        let mut segments: Vec<StoredSegment> = db.segments_of(&run.to_string()).await;
        segments.retain(|segment| segment.counts[0] > 0);
        assert!(segments.len() >= 3, "one of the sealed spans at least, and one of each addendum");
        db.keep_segments().await;
        for segment in &segments {
            db.damage(&Damage::Put(segment.cut(segment.body.len() / 2))).await;
            let [first, count] = [segment.first_step, segment.counts[0]].map(|n| u64::try_from(n).unwrap());
            let lost = first..first + count;
            let left: Vec<u64> = (0..ALL).filter(|step| !lost.contains(step)).collect();
            assert_eq!(shown(&agent, run).await, left);
            let (document, report) = bundle(&agent, run).await;
            assert_eq!(report.word, Word::Truncated, "{lost:?}\n{report}");
            let name = format!("run_segments row {run}/{}: ", segment.first_record);
            assert!(report.checks.iter().any(|check| check.detail.contains(&name)), "{lost:?}\n{report}");
            let addenda = document["records"]["after"]["addenda"].as_array().map(Vec::len);
            assert_eq!(addenda, Some(2 - usize::from(first >= SEALED)), "{lost:?}");
            db.restore_segments().await;
        }
        assert_eq!(shown(&agent, run).await, (0..ALL).collect::<Vec<_>>());
        let (_, report) = bundle(&agent, run).await;
        assert_eq!(report.word, Word::Complete, "{report}");
    }
}
