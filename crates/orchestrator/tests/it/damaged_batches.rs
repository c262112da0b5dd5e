//! A run of batches of which one is damaged: it is named, and the steps of the others are on some page.

use std::collections::BTreeSet;

use kit::Kit;
use orchestrator::handlers::activity;
use testkit::{Damage, StoredSegment, on_both};
use verify::Word;

use crate::{
    agent::{Agent, llm},
    damaged::{paged, verified},
};

const BATCHES: u64 = 4;
const OF_EACH: u64 = 5;

on_both! {
    async fn no_page_loses_a_step_beside_a_damaged_batch(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        for batch in 0..BATCHES {
            let steps = (0..OF_EACH).map(|step| llm(1 + batch * OF_EACH + step)).collect();
            activity::record_batch(&kit.spine, &agent.ctx, run, steps).await.unwrap();
        }
        agent.complete(run).await.unwrap();
        let mut batches: Vec<StoredSegment> = db.segments_of(&run.to_string()).await;
        batches.retain(|segment| segment.counts[0] > 0);
        assert_eq!(batches.iter().map(|batch| batch.counts[0]).collect::<Vec<_>>(), [5; 4]);
        db.keep_segments().await;
        for (batch, segment) in (0..BATCHES).zip(&batches) {
            db.damage(&Damage::Put(segment.cut(segment.body.len() / 2))).await;
            let left: Vec<u64> = (0..BATCHES * OF_EACH).filter(|step| step / OF_EACH != batch).collect();
            let place = u64::try_from(segment.first_record).unwrap();
            for limit in [1, 2, 7, 19, 50] {
                let (steps, missing) = paged(&agent, run, limit).await;
                assert_eq!(steps, left, "pages of {limit} without batch {batch}");
                let named: BTreeSet<u64> = missing.into_iter().collect();
                assert_eq!(named, BTreeSet::from([place]), "pages of {limit} without batch {batch}");
            }
            let report = verified(&agent, run).await;
            assert_eq!(report.word, Word::Truncated, "without batch {batch}\n{report}");
            let name = format!("run_segments row {run}/{place}: ");
            assert!(report.checks.iter().any(|check| check.detail.contains(&name)), "without batch {batch}\n{report}");
            db.restore_segments().await;
        }
        assert_eq!(verified(&agent, run).await.word, Word::Complete);
    }
}
