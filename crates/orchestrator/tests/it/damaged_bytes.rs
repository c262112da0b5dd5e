//! Each byte that is stored of a run counts to everybody who reads all of it: whoever proves it, whoever verifies its
//! bundle, and the background check name the segment, or the body of texts, of which one is another.

use kit::Kit;
use models::{
    ids::RunId,
    incidents::{Incident, IncidentFilter, LifecycleState, ResolutionType},
    page::PageRequest,
};
use orchestrator::{
    background::checker::Checker,
    coordinators::run_proof::{self, VerificationStatus},
    handlers::incidents::{self, Resolve},
};
use proof::words::IncidentCategory;
use testkit::{ContentsDamage, Damage, StoredContents, StoredSegment, on_both};
use verify::Word;

use crate::{
    agent::{Agent, llm},
    damaged::verified,
    tampering::pass,
};

/// The table and the row that are to be named; of a byte that says nothing there are none, for nothing is changed.
type Due = (&'static str, String);

/// Holds who proves the run, and who has its bundle, to it.
async fn is_proved(agent: &Agent<'_>, run: RunId, due: Option<&Due>, at: usize) {
    let proof = run_proof::proof(&agent.kit.spine, &agent.admin, run, false).await.unwrap();
    let report = verified(agent, run).await;
    if let Some((table, row)) = due {
        let name = format!("{table} row {row}: ");
        assert_eq!(proof.integrity.verification_status, VerificationStatus::Failed, "byte {at}");
        let why = proof.integrity.failure_reason.unwrap_or_default();
        assert!(why.contains(&name), "byte {at}: {why}");
        assert_eq!(report.word, Word::Truncated, "byte {at}\n{report}");
        assert!(report.checks.iter().any(|check| check.detail.contains(&name)), "byte {at}\n{report}");
    } else {
        assert_eq!(proof.integrity.failure_reason, None, "byte {at}");
        assert_eq!(report.word, Word::Complete, "byte {at}\n{report}");
    }
}

/// What nobody has said of yet that it is mended.
async fn open(agent: &Agent<'_>) -> Vec<Incident> {
    let filter = IncidentFilter {
        category: Some(IncidentCategory::IntegrityFailure),
        lifecycle_states: vec![LifecycleState::Active],
        ..IncidentFilter::default()
    };
    let page = PageRequest::new(Some(100), None, false).unwrap();
    incidents::list(&agent.kit.spine, &agent.admin, filter, page).await.unwrap().items
}

/// Somebody says that it is: what is found from now on is another incident.
async fn mend(agent: &Agent<'_>) {
    for incident in open(agent).await {
        let mended = Resolve { resolution_type: Some(ResolutionType::Fixed), note: None };
        incidents::resolve(&agent.kit.spine, &agent.admin, incident.id, mended).await.unwrap();
    }
}

/// Holds the background check to it.
async fn is_checked(agent: &Agent<'_>, checker: &Checker, due: Option<&Due>, at: usize) {
    pass(agent.kit, checker).await;
    let found = open(agent).await;
    let told: Vec<&str> = found.iter().map(|incident| incident.description.as_str()).collect();
    match (due, told.as_slice()) {
        (None, []) => {}
        (Some((table, row)), [why]) => {
            assert!(why.contains(&format!("Table {table}, row {row}, ")), "byte {at}: {why}");
        }
        _ => panic!("byte {at}, {due:?}: {told:#?}"),
    }
    mend(agent).await;
}

on_both! {
    async fn each_byte_of_a_segment_counts_to_all_who_read_it(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        agent.record(run, llm(1)).await.unwrap();
        agent.complete(run).await.unwrap();
        db.keep_segments().await;
        let all = db.segments_of(&run.to_string()).await;
        let short = all.iter().min_by_key(|segment| segment.body.len()).unwrap();
        let opened = |segment: &StoredSegment| {
            let length = usize::try_from(segment.raw_length).unwrap();
            proof::segment::open(segment.codec, &segment.body, length)
        };
        let row = format!("{run}/{}", short.first_record);
        let damage = |at: usize| {
            let flipped = short.flipped(at);
            let is_other = opened(&flipped) != opened(short);
            (Damage::Put(flipped), is_other.then(|| ("run_segments", row.clone())))
        };
        let bytes = 0..short.body.len();
        assert!(bytes.clone().filter(|at| damage(*at).1.is_some()).count() > bytes.len() / 2);
        for at in bytes.clone() {
            let (damage, due) = damage(at);
            db.damage(&damage).await;
            is_proved(&agent, run, due.as_ref(), at).await;
        }
        mend(&agent).await;
        let checker = Checker::default();
        for at in bytes {
            let (damage, due) = damage(at);
            db.damage(&damage).await;
            is_checked(&agent, &checker, due.as_ref(), at).await;
        }
    }

    async fn each_byte_of_a_body_counts_to_all_who_read_it(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        let mut report = llm(1);
        if let Some(llm) = &mut report.llm {
            llm.response = Some("Ann is well.".to_owned());
        }
        agent.record(run, report).await.unwrap();
        agent.complete(run).await.unwrap();
        db.keep_contents().await;
        let [body]: [StoredContents; 1] = db.contents_of(&run.to_string()).await.try_into().unwrap();
        let opened = |body: &StoredContents| {
            let length = usize::try_from(body.raw_length).unwrap();
            proof::contents::open(body.codec, &body.body, length, None)
        };
        let row = format!("{run}/{}", body.first_record);
        let damage = |at: usize| {
            let flipped = body.flipped(at);
            let is_other = opened(&flipped) != opened(&body);
            (ContentsDamage::Put(flipped), is_other.then(|| ("run_contents", row.clone())))
        };
        let bytes = 0..body.body.len();
        assert!(bytes.clone().filter(|at| damage(*at).1.is_some()).count() > bytes.len() / 2);
        for at in bytes.clone() {
            let (damage, due) = damage(at);
            db.damage_contents(&damage).await;
            is_proved(&agent, run, due.as_ref(), at).await;
        }
        mend(&agent).await;
        let checker = Checker::default();
        for at in bytes {
            let (damage, due) = damage(at);
            db.damage_contents(&damage).await;
            is_checked(&agent, &checker, due.as_ref(), at).await;
        }
    }
}
