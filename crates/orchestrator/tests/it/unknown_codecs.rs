//! A body of a codec that this server does not know, as a newer one may have written it: it is refused, and named with
//! the codec's number, to whoever reads it, and the rest of its run is served.

use kit::Kit;
use models::{ids::RunId, logs::KeptText};
use orchestrator::{Error, choke::call::StepReport, coordinators::run_proof};
use proof::segment;
use testkit::{ContentsDamage, Damage, StoredContents, on_both};
use verify::{Report, Word};

use crate::{
    agent::{Agent, llm},
    damaged, damaged_contents,
};

/// Beside the one that is written there is none.
const UNKNOWN: [i64; 3] = [0, segment::NEWEST + 1, i64::MAX];

fn keyed(step: u64) -> StepReport {
    StepReport { idempotency_key: Some(format!("key {step}")), ..llm(1 + step) }
}

/// Holds who proves the run, and who has its bundle, to saying this.
async fn is_told(agent: &Agent<'_>, run: RunId, report: &Report, says: &str) {
    let proof = run_proof::proof(&agent.kit.spine, &agent.admin, run, false).await.unwrap();
    let why = proof.integrity.failure_reason.unwrap_or_default();
    assert!(why.contains(says), "{why}");
    assert_eq!(report.word, Word::Truncated, "{report}");
    assert!(report.checks.iter().any(|check| check.detail.contains(says)), "{report}");
}

on_both! {
    async fn a_segment_of_an_unknown_codec_is_refused_and_named(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        for step in 0..3 {
            agent.record(run, keyed(step)).await.unwrap();
        }
        agent.complete(run).await.unwrap();
        db.keep_segments().await;
        let middle = db.segments_of(&run.to_string()).await.remove(2);
        let row = format!("{run}/{}", middle.first_record);
        let place = u64::try_from(middle.first_record).unwrap();
        for codec in UNKNOWN {
            let mut newer = middle.clone();
            newer.codec = codec;
            db.damage(&Damage::Put(newer)).await;
            assert_eq!(damaged::paged(&agent, run, 50).await, (vec![0, 2], vec![place]), "codec {codec}");
            let report = damaged::verified(&agent, run).await;
            let says = format!("run_segments row {row}: body: no codec has the number {codec}");
            is_told(&agent, run, &report, &says).await;
            match agent.record(run, keyed(1)).await {
                Err(Error::Damaged { table: "run_segments", row: named, .. }) => assert_eq!(named, row),
                other => panic!("codec {codec}: {other:?}"),
            }
            assert_eq!(agent.record(run, keyed(2)).await.unwrap().step_index, 2, "codec {codec}");
        }
        db.restore_segments().await;
        assert_eq!(damaged::paged(&agent, run, 50).await, (vec![0, 1, 2], vec![]), "nothing of it was written anew");
        assert_eq!(agent.record(run, keyed(1)).await.unwrap().step_index, 1);
    }

    async fn a_body_of_texts_of_an_unknown_codec_is_refused_and_named(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = damaged_contents::talked(&agent).await;
        db.keep_contents().await;
        // Each stands on the one before: on the last stands none.
        let [_, _, last]: [StoredContents; 3] = db.contents_of(&run.to_string()).await.try_into().unwrap();
        for codec in UNKNOWN {
            let mut newer = last.clone();
            newer.codec = codec;
            db.damage_contents(&ContentsDamage::Put(newer)).await;
            let (texts, missing) = damaged_contents::paged(&agent, run, 50).await;
            let answers: Vec<_> = texts.into_iter().map(|texts| texts.response).collect();
            let said = |name: &str| Some(KeptText::Text(name.to_owned()));
            assert_eq!(answers, [said("Ann"), said("Bob"), Some(KeptText::Lost(3))], "codec {codec}");
            assert_eq!(missing.into_iter().collect::<Vec<_>>(), [Some(last.first_record)], "codec {codec}");
            let (_, report) = damaged_contents::verified(&agent, run).await;
            let row = damaged_contents::named(run, Some(last.first_record));
            is_told(&agent, run, &report, &format!("{row}body: no codec has the number {codec}")).await;
        }
        db.restore_contents().await;
        assert_eq!(damaged_contents::verified(&agent, run).await.1.word, Word::Complete);
    }
}
