//! Bytes that are stored of a run count to everybody who reads all of it: whoever proves it, whoever verifies its
//! bundle, and the background check name the segment, or the body of texts, of which one is another. That each byte
//! counts to whoever opens a segment is in `damaged.rs`; here they are many, and those that are asked after take long.

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
use testkit::{ContentsDamage, Damage, StoredContents, StoredSegment, TestDatabase, on_both};
use verify::Word;

use crate::{
    agent::{Agent, llm},
    damaged::verified,
};

/// The table and the row that are to be named; of a byte that says nothing there are none, for nothing is changed.
type Due = (&'static str, String);

/// What a run has stored, pressed.
enum Stored {
    Segment(StoredSegment),
    Texts(StoredContents),
}

impl Stored {
    /// The shortest of the run's segments, which anybody can change from now on.
    async fn segment(db: &TestDatabase, run: RunId) -> Self {
        db.keep_segments().await;
        let all = db.segments_of(&run.to_string()).await;
        Self::Segment(all.into_iter().min_by_key(|segment| segment.body.len()).unwrap())
    }

    /// The only one of its bodies of texts, which anybody can change from now on.
    async fn texts(db: &TestDatabase, run: RunId) -> Self {
        db.keep_contents().await;
        let [body]: [StoredContents; 1] = db.contents_of(&run.to_string()).await.try_into().unwrap();
        Self::Texts(body)
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Segment(segment) => segment.body.len(),
            Self::Texts(body) => body.body.len(),
        }
    }

    /// How it is named.
    fn name(&self, run: RunId) -> Due {
        match self {
            Self::Segment(segment) => ("run_segments", format!("{run}/{}", segment.first_record)),
            Self::Texts(body) => ("run_contents", format!("{run}/{}", body.first_record)),
        }
    }

    fn opened(&self) -> Result<Vec<u8>, String> {
        match self {
            Self::Segment(StoredSegment { codec, body, raw_length, .. }) => {
                proof::segment::open(*codec, body, usize::try_from(*raw_length).unwrap())
            }
            Self::Texts(StoredContents { codec, body, raw_length, .. }) => {
                proof::contents::open(*codec, body, usize::try_from(*raw_length).unwrap(), None)
            }
        }
    }

    fn flipped(&self, at: usize) -> Self {
        match self {
            Self::Segment(segment) => Self::Segment(segment.flipped(at)),
            Self::Texts(body) => Self::Texts(body.flipped(at)),
        }
    }

    /// Whether another byte there is another text. Of one that says nothing, nothing is changed.
    fn counts(&self, at: usize) -> bool {
        self.flipped(at).opened() != self.opened()
    }

    /// From now on it is what is stored.
    async fn put(&self, db: &TestDatabase) {
        match self {
            Self::Segment(segment) => db.damage(&Damage::Put(segment.clone())).await,
            Self::Texts(body) => db.damage_contents(&ContentsDamage::Put(body.clone())).await,
        }
    }
}

/// A sealed run of one call to a model, whose answer is kept.
async fn sealed(agent: &Agent<'_>) -> RunId {
    let run = agent.start().await;
    let mut report = llm(1);
    if let Some(llm) = &mut report.llm {
        llm.response = Some("Ann is well.".to_owned());
    }
    agent.record(run, report).await.unwrap();
    agent.complete(run).await.unwrap();
    run
}

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

/// Holds the background check to it, one that begins now: so it is due, and the clock need not go on. Behind it
/// somebody says that it is mended: what is found from then on is another incident.
async fn is_checked(agent: &Agent<'_>, due: Option<&Due>, at: usize) {
    let checker = Checker::of_stored(agent.admin.tenant.id);
    while checker.tick(&agent.kit.spine).await.unwrap() {}
    let found = open(agent).await;
    let told: Vec<&str> = found.iter().map(|incident| incident.description.as_str()).collect();
    match (due, told.as_slice()) {
        (None, []) => {}
        (Some((table, row)), [why]) => {
            assert!(why.contains(&format!("Table {table}, row {row}, ")), "byte {at}: {why}");
        }
        _ => panic!("byte {at}, {due:?}: {told:#?}"),
    }
    for incident in found {
        let mended = Resolve { resolution_type: Some(ResolutionType::Fixed), note: None };
        incidents::resolve(&agent.kit.spine, &agent.admin, incident.id, mended).await.unwrap();
    }
}

/// The first bytes and the last, which say how it was pressed and what the sum of it is, and one of `every` between.
fn some(bytes: usize, every: usize) -> impl Iterator<Item = usize> {
    (0..bytes).filter(move |at| *at < 12 || at + 4 >= bytes || at.is_multiple_of(every))
}

async fn who_proves_names_it(db: &TestDatabase, agent: &Agent<'_>, run: RunId, stored: &Stored) {
    let bytes = stored.bytes();
    assert!((0..bytes).filter(|at| stored.counts(*at)).count() > bytes / 2);
    for at in some(bytes, 3) {
        stored.flipped(at).put(db).await;
        let due = stored.counts(at).then(|| stored.name(run));
        is_proved(agent, run, due.as_ref(), at).await;
    }
    stored.put(db).await;
    is_proved(agent, run, None, bytes).await;
}

async fn the_check_names_it(db: &TestDatabase, agent: &Agent<'_>, run: RunId, stored: &Stored) {
    let bytes = stored.bytes();
    // A dozen of them: a check reads all that the tenant has. In between there is none, so each is found for itself.
    for at in (0..bytes).step_by((bytes / 10).max(1)).chain([bytes - 1]) {
        stored.flipped(at).put(db).await;
        let due = stored.counts(at).then(|| stored.name(run));
        is_checked(agent, due.as_ref(), at).await;
        stored.put(db).await;
        is_checked(agent, None, at).await;
    }
}

on_both! {
    async fn a_byte_of_a_segment_counts_to_who_proves_a_run_and_who_has_its_bundle(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = sealed(&agent).await;
        let segment = Stored::segment(db, run).await;
        who_proves_names_it(db, &agent, run, &segment).await;
    }

    async fn a_byte_of_a_segment_counts_to_the_background_check(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = sealed(&agent).await;
        let segment = Stored::segment(db, run).await;
        the_check_names_it(db, &agent, run, &segment).await;
    }

    async fn a_byte_of_texts_counts_to_who_proves_a_run_and_who_has_its_bundle(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = sealed(&agent).await;
        let texts = Stored::texts(db, run).await;
        who_proves_names_it(db, &agent, run, &texts).await;
    }

    async fn a_byte_of_texts_counts_to_the_background_check(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = sealed(&agent).await;
        let texts = Stored::texts(db, run).await;
        the_check_names_it(db, &agent, run, &texts).await;
    }
}
