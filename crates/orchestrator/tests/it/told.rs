//! Bundles as streams: no more of one is made than is taken, what comes later is not in it, and one that cannot go on
//! is cut.

use kit::Kit;
use models::ids::RunId;
use orchestrator::{
    choke::call::StepReport,
    coordinators::export_bundle::{self, BundleStream},
    handlers::logs,
};
use testkit::{Damage, on_both};
use verify::Word;

use crate::agent::{Agent, llm};

/// More than are read at once, each in a segment of its own.
const STEPS: u64 = 150;

fn keyed(step: u64) -> StepReport {
    let mut report = StepReport { idempotency_key: Some(format!("key {step}")), ..llm(1 + step) };
    if let Some(llm) = &mut report.llm {
        llm.prompt = Some(format!("step {step}: {}", "say more. ".repeat(60)));
    }
    report
}

async fn open(agent: &Agent<'_>) -> RunId {
    let run = agent.start().await;
    for step in 0..STEPS {
        agent.record(run, keyed(step)).await.unwrap();
    }
    run
}

async fn begun(agent: &Agent<'_>, run: RunId) -> BundleStream {
    export_bundle::stream(&agent.kit.spine, &agent.admin, run).await.unwrap()
}

fn word(bundle: &[u8]) -> Word {
    let report = verify::bundle(bundle, &[kit::signing_key().public()], &verify::Options::default()).unwrap();
    report.word
}

/// The rest of a stream.
async fn rest(mut first: Vec<u8>, stream: BundleStream) -> Vec<u8> {
    first.append(&mut stream.whole().await.unwrap());
    first
}

on_both! {
    async fn its_first_byte_comes_before_its_last_page_is_read(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = open(&agent).await;
        agent.complete(run).await.unwrap();
        let whole = begun(&agent, run).await.whole().await.unwrap();
        assert_eq!(word(&whole), Word::Complete);
        db.keep_segments().await;
        let last = db.segments_of(&run.to_string()).await.pop().unwrap();
        let mut stream = begun(&agent, run).await;
        let first = stream.piece().await.unwrap().unwrap();
        assert!(whole.starts_with(&first));
        // It was not read yet: whoever reads on finds that it is gone.
        db.damage(&Damage::Gone(last)).await;
        let report = rest(first, stream).await;
        assert_eq!(word(&report), Word::Truncated);
        db.restore_segments().await;
        assert_eq!(word(&begun(&agent, run).await.whole().await.unwrap()), Word::Complete);
    }

    async fn what_is_lost_while_it_is_told_cuts_it(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = open(&agent).await;
        agent.complete(run).await.unwrap();
        db.keep_segments().await;
        let last = db.segments_of(&run.to_string()).await.pop().unwrap();
        for damage in [Damage::Gone(last.clone()), Damage::Put(last.cut(last.body.len() / 2))] {
            let mut stream = begun(&agent, run).await;
            let mut taken = stream.piece().await.unwrap().unwrap();
            // All was looked at before anything behind the first kind is told.
            while !taken.windows(9).any(|told| told == b"\"opened\":") {
                taken.extend(stream.piece().await.unwrap().unwrap());
            }
            db.damage(&damage).await;
            let cut = loop {
                match stream.piece().await {
                    Some(Ok(piece)) => taken.extend(piece),
                    Some(Err(_)) => break true,
                    None => break false,
                }
            };
            assert!(cut, "{damage:?}");
            assert!(stream.piece().await.is_none());
            let kept = verify::bundle(&taken, &[kit::signing_key().public()], &verify::Options::default());
            assert!(!kept.is_ok_and(|report| report.word != Word::Tampered), "it is no bundle");
            db.restore_segments().await;
        }
    }

    async fn what_comes_while_it_is_told_is_not_in_it(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = open(&agent).await;
        let due = begun(&agent, run).await.whole().await.unwrap();
        assert_eq!(word(&due), Word::Open);
        let mut stream = begun(&agent, run).await;
        let first = stream.piece().await.unwrap().unwrap();
        agent.record(run, keyed(STEPS)).await.unwrap();
        agent.complete(run).await.unwrap();
        let told = rest(first, stream).await;
        assert_eq!(word(&told), Word::Open);
        assert!(told == due, "it is told as it was when it was begun");
        assert_eq!(word(&begun(&agent, run).await.whole().await.unwrap()), Word::Complete);
    }

    async fn a_run_that_is_erased_while_it_is_told_is_cut(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = open(&agent).await;
        agent.complete(run).await.unwrap();
        let mut stream = begun(&agent, run).await;
        stream.piece().await.unwrap().unwrap();
        let tenant = agent.admin.tenant.id;
        logs::erase_contents(&kit.spine, tenant, run, "ann", "its subject asked for it").await.unwrap();
        assert!(stream.whole().await.is_err());
        assert_eq!(word(&begun(&agent, run).await.whole().await.unwrap()), Word::Complete);
    }

    async fn a_stream_has_its_place_until_it_is_dropped(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        let mut streams = Vec::new();
        // A tenant has half of them.
        for _ in 0..4 {
            let mut stream = begun(&agent, run).await;
            stream.piece().await.unwrap().unwrap();
            streams.push(stream);
        }
        let refused = export_bundle::stream(&kit.spine, &agent.admin, run).await;
        assert!(matches!(refused, Err(orchestrator::Error::Busy)), "{refused:?}");
        streams.pop();
        begun(&agent, run).await;
    }
}
