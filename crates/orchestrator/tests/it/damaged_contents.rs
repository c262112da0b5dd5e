//! A run of which texts are damaged: whoever meets it names the body, and its records, the rest of its texts and all
//! other runs are served.

use std::collections::BTreeSet;

use kit::Kit;
use models::{
    ids::RunId,
    logs::{KeptText, StepTexts},
    page::PageRequest,
};
use orchestrator::{
    Error,
    background::checker::Checker,
    choke::call::StepReport,
    coordinators::{
        export_bundle, look_into,
        run_proof::{self, VerificationStatus},
    },
    handlers::activity,
};
use testkit::{ContentsDamage as Damage, StoredContents, on_both};
use tokio::join;
use verify::{Report, Word};

use crate::{
    agent::{Agent, llm},
    tampering::{failures, pass},
};

const NAMES: [&str; 3] = ["Ann", "Bob", "Cid"];

fn saying(prompt: &str, response: &str) -> StepReport {
    let mut report = llm(1);
    if let Some(llm) = &mut report.llm {
        llm.prompt = Some(prompt.to_owned());
        llm.response = Some(response.to_owned());
    }
    report
}

/// A run of three turns, each of which tells again what was said before: its body stands on the one before.
async fn talking(agent: &Agent<'_>, names: [&str; 3]) -> RunId {
    let run = agent.start().await;
    let mut history = String::new();
    for name in names {
        history.extend(["What of ", name, "? "]);
        agent.record(run, saying(&history, name)).await.unwrap();
        history.extend([name, " is well. "]);
    }
    run
}

pub(crate) async fn talked(agent: &Agent<'_>) -> RunId {
    let run = talking(agent, NAMES).await;
    agent.complete(run).await.unwrap();
    run
}

/// How one is named, whoever names it.
pub(crate) fn named(run: RunId, place: Option<i64>) -> String {
    match place {
        Some(place) => format!("run_contents row {run}/{place}: "),
        None => format!("run_salts row {run}: "),
    }
}

pub(crate) async fn verified(agent: &Agent<'_>, run: RunId) -> (String, Report) {
    let bundle = export_bundle::bundle(&agent.kit.spine, &agent.admin, run).await.unwrap();
    let options = verify::Options { reexecute: true, ..verify::Options::default() };
    let report = verify::bundle(&bundle, &[kit::signing_key().public()], &options).unwrap();
    (String::from_utf8(bundle).unwrap(), report)
}

/// What pages of `limit` steps say, and the places of the bodies that they name.
pub(crate) async fn paged(
    agent: &Agent<'_>,
    run: RunId,
    limit: u64,
) -> (Vec<StepTexts>, BTreeSet<Option<i64>>) {
    let (mut texts, mut missing) = (Vec::new(), BTreeSet::new());
    let mut cursor = None;
    loop {
        let request = PageRequest::new(Some(limit), cursor.as_deref(), false).unwrap();
        let page = activity::steps(&agent.kit.spine, &agent.admin, run, request).await.unwrap();
        texts.extend(page.items.into_iter().map(|step| step.texts));
        let place = |place: u64| i64::try_from(place).unwrap();
        missing.extend(page.missing_texts.iter().map(|one| one.first_record.map(place)));
        match page.next_cursor {
            Some(next) => cursor = Some(next.to_string()),
            None => return (texts, missing),
        }
    }
}

/// What of the run's three answers is served.
fn answers(texts: &[StepTexts]) -> Vec<Option<&str>> {
    let answer = |texts: &StepTexts| match &texts.response {
        Some(KeptText::Text(text)) => NAMES.into_iter().find(|name| name == text),
        Some(KeptText::Lost(3)) => None,
        other => panic!("{other:?}"),
    };
    texts.iter().map(answer).collect()
}

/// Holds everybody who reads a damaged run to it: `places` are the bodies to be named, `lost` the steps whose texts are
/// in them.
async fn is_named(agent: &Agent<'_>, run: RunId, places: &[Option<i64>], lost: &[usize], what: &Damage) {
    let spine = &agent.kit.spine;
    let due: Vec<_> =
        NAMES.iter().enumerate().map(|(at, name)| (!lost.contains(&at)).then_some(*name)).collect();
    let known: BTreeSet<Option<i64>> = places.iter().copied().collect();
    for limit in [1, 2, 50] {
        let (texts, missing) = paged(agent, run, limit).await;
        assert_eq!(answers(&texts), due, "{what:?}");
        assert!(lost.is_empty() || missing == known, "{missing:?}: {what:?}");
    }
    let proof = run_proof::proof(spine, &agent.admin, run, false).await.unwrap();
    assert_eq!(proof.integrity.verification_status, VerificationStatus::Failed, "{what:?}");
    assert!(proof.integrity.root_hash.is_some(), "its records are all there: {what:?}");
    assert_eq!(proof.aos_trace_steps.len(), NAMES.len(), "{what:?}");
    let (bundle, report) = verified(agent, run).await;
    assert_eq!(report.word, Word::Truncated, "{what:?}\n{report}");
    let others =
        report.checks.iter().filter(|check| !check.passed && !["manifest", "contents"].contains(&check.name));
    assert_eq!(others.count(), 0, "{what:?}\n{report}");
    for (name, due) in NAMES.iter().zip(&due) {
        assert_eq!(bundle.contains(&format!("\"{name}\"")), due.is_some(), "{name}: {what:?}");
    }
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
}

/// Nothing is wrong with a run.
async fn is_whole(agent: &Agent<'_>, run: RunId) {
    let (texts, missing) = paged(agent, run, 2).await;
    assert_eq!((answers(&texts), missing), (NAMES.map(Some).to_vec(), BTreeSet::new()));
    let proof = run_proof::proof(&agent.kit.spine, &agent.admin, run, false).await.unwrap();
    assert_eq!(proof.integrity.failure_reason, None);
    let (_, report) = verified(agent, run).await;
    assert_eq!(report.word, Word::Complete, "{report}");
}

type Played = (Vec<Damage>, Vec<Option<i64>>, Vec<usize>);

/// Each damage, with the places that are to be named and the steps whose texts are lost. What stands on a body is lost
/// with it.
fn damages(run: RunId, own: [&StoredContents; 3], others: &[StoredContents]) -> Vec<Played> {
    let places = own.map(|body| Some(body.first_record));
    let [first, middle, last] = own;
    let (half, behind) = (middle.body.len() / 2, last.first_record + 100);
    let swapped = vec![Damage::Put(first.holding(middle)), Damage::Put(middle.holding(first))];
    let mut all = vec![
        (vec![Damage::Put(middle.cut(half))], places[1..].to_vec(), vec![1, 2]),
        (vec![Damage::Put(middle.cut(0))], places[1..].to_vec(), vec![1, 2]),
        (vec![Damage::Put(middle.holding(&others[1]))], places[1..].to_vec(), vec![1, 2]),
        // It opens, to what others said.
        (vec![Damage::Put(first.holding(&others[0]))], places.to_vec(), vec![0, 1, 2]),
        (swapped, places.to_vec(), vec![0, 1, 2]),
        (vec![Damage::Gone(first.clone())], places.to_vec(), vec![0, 1, 2]),
        (vec![Damage::Gone(middle.clone())], places[1..].to_vec(), vec![1, 2]),
        (vec![Damage::Gone(last.clone())], places[2..].to_vec(), vec![2]),
        (
            vec![Damage::Again(middle.clone(), middle.first_record + 1)],
            vec![Some(middle.first_record + 1)],
            vec![],
        ),
        (vec![Damage::Again(middle.clone(), behind)], vec![Some(behind)], vec![]),
        (vec![Damage::NoSalt(run.0.simple().to_string())], vec![None], vec![0, 1, 2]),
    ];
    for (at, body) in own.iter().enumerate() {
        let flipped = Damage::Put(body.flipped(body.body.len() / 2));
        all.push((vec![flipped], places[at..].to_vec(), (at..NAMES.len()).collect()));
    }
    let lies = middle.lies().into_iter();
    all.extend(lies.map(|lie| (vec![Damage::Put(lie)], places[1..].to_vec(), vec![1, 2])));
    all
}

on_both! {
    async fn each_damage_to_texts_is_named_by_whoever_meets_it_and_the_rest_is_served(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let (agent, another) = (Agent::of(&kit, "acme").await, Agent::of(&kit, "other").await);
        let (run, sound) = (talked(&agent).await, talked(&agent).await);
        let theirs = talking(&another, ["Dan", "Eve", "Flo"]).await;
        let own = db.contents_of(&run.to_string()).await;
        let others = db.contents_of(&theirs.to_string()).await;
        db.keep_contents().await;
        let checker = Checker::default();
        pass(&kit, &checker).await;
        assert_eq!(failures(&agent).await, [], "nothing was changed yet");
        let [first, middle, last] = own.as_slice() else { panic!("{} bodies", own.len()) };
        assert_eq!((middle.base_record, last.base_record), (Some(first.first_record), Some(middle.first_record)));
        for (damages, places, lost) in damages(run, [first, middle, last], &others) {
            for damage in &damages {
                db.damage_contents(damage).await;
            }
            is_named(&agent, run, &places, &lost, &damages[0]).await;
            pass(&kit, &checker).await;
            let found = failures(&agent).await;
            assert_eq!(found.len(), 1, "one incident of a run, whoever met what: {found:#?}");
            assert_eq!(found[0].cause_key, format!("runs/{run}"));
            is_whole(&agent, sound).await;
            db.restore_contents().await;
        }
        is_whole(&agent, run).await;
        assert_eq!(failures(&another).await, []);
    }

    async fn each_byte_of_a_body_counts(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = talked(&agent).await;
        db.keep_contents().await;
        let [first, middle, last]: [StoredContents; 3] = db.contents_of(&run.to_string()).await.try_into().unwrap();
        let opened = |body: &StoredContents, before| {
            let length = usize::try_from(body.raw_length).unwrap();
            proof::contents::open(body.codec, &body.body, length, before)
        };
        let before = opened(&first, None).unwrap();
        for at in 0..middle.body.len() {
            let flipped = middle.flipped(at);
            // A byte that says nothing may be another: then nothing is changed.
            let (due, places) = if opened(&flipped, Some(&before)) == opened(&middle, Some(&before)) {
                (NAMES.map(Some), vec![])
            } else {
                ([Some("Ann"), None, None], vec![Some(middle.first_record), Some(last.first_record)])
            };
            db.damage_contents(&Damage::Put(flipped)).await;
            let (texts, missing) = paged(&agent, run, 50).await;
            assert_eq!((answers(&texts).as_slice(), missing.into_iter().collect()), (due.as_slice(), places), "byte {at}");
        }
        assert_eq!(failures(&agent).await.len(), 1, "one incident, however often it is met");
    }

    async fn a_run_whose_salt_is_lost_takes_no_text_and_its_neighbours_do(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let (run, sound) = (talking(&agent, NAMES).await, talking(&agent, NAMES).await);
        db.keep_contents().await;
        db.damage_contents(&Damage::NoSalt(run.0.simple().to_string())).await;
        let proof = run_proof::proof(&kit.spine, &agent.admin, run, false).await.unwrap();
        assert_eq!(proof.integrity.verification_status, VerificationStatus::Failed, "open as it is");
        let (lost, others) = join!(agent.record(run, saying("x", "y")), agent.record(sound, saying("x", "y")));
        match lost {
            Err(Error::Damaged { table: "run_salts", row, .. }) => assert_eq!(row, run.to_string()),
            other => panic!("{other:?}"),
        }
        assert_eq!(others.unwrap().step_index, 3);
        assert_eq!(failures(&agent).await.len(), 1);
        db.restore_contents().await;
        assert_eq!(agent.record(run, saying("x", "y")).await.unwrap().step_index, 3, "it is as it was");
    }
}
