//! A run's texts are apart from its records: whatever is done to them past HOC is found and named; a conversation that
//! is told again with each call costs little; and what is erased is gone, while everything proves what it proved.

use kit::Kit;
use models::{
    activity::RunState,
    ids::RunId,
    logs::{KeptText, StepTexts},
    page::PageRequest,
};
use orchestrator::{
    choke::call::StepReport,
    coordinators::{
        export_bundle,
        run_proof::{self, VerificationStatus},
    },
    handlers::{activity, logs},
};
use proof::words::ActorType;
use testkit::on_both;
use verify::{Options, Report, Word};

use crate::agent::{Agent, llm};

/// What people and models talk of.
const WORDS: &str = "order parcel weather refund please the a of customer shipment address late delivered tomorrow and is was not why \
                     because warehouse system shows status number there under email phone would like to return item blue size \
                     large price invoice paid card bank transfer account holder city street house door left right bell \
                     neighbour thank you for waiting moment look into this with colleague again";

fn saying(prompt: &str, response: &str) -> StepReport {
    let mut report = llm(1);
    if let Some(llm) = &mut report.llm {
        llm.prompt = Some(prompt.to_owned());
        llm.response = Some(response.to_owned());
    }
    report.params = Some(format!(r#"{{"about":"{response}"}}"#));
    report
}

/// A run of three turns, each of which tells again what was said before.
async fn talked(agent: &Agent<'_>, names: [&str; 3]) -> RunId {
    let run = agent.start().await;
    let mut history = String::new();
    for name in names {
        history.extend(["What of ", name, "? "]);
        agent.record(run, saying(&history, name)).await.unwrap();
        history.extend([name, " is well. "]);
    }
    assert_eq!(agent.complete(run).await.unwrap().state, RunState::Completed);
    run
}

async fn failure(agent: &Agent<'_>, run: RunId) -> Option<String> {
    let proof = run_proof::proof(&agent.kit.spine, &agent.admin, run, false).await.unwrap();
    let is_verified = proof.integrity.verification_status == VerificationStatus::Verified;
    assert_eq!(is_verified, proof.integrity.failure_reason.is_none(), "{:?}", proof.integrity);
    proof.integrity.failure_reason
}

async fn verified(agent: &Agent<'_>, run: RunId) -> Option<(Vec<u8>, Report)> {
    let bundle = export_bundle::bundle(&agent.kit.spine, &agent.admin, run).await.ok()?;
    let options = Options { reexecute: true, ..Options::default() };
    let report = verify::bundle(&bundle, &[kit::signing_key().public()], &options).unwrap();
    Some((bundle, report))
}

async fn texts(agent: &Agent<'_>, run: RunId) -> Vec<StepTexts> {
    let page = PageRequest::new(Some(200), None, false).unwrap();
    let steps = activity::steps(&agent.kit.spine, &agent.admin, run, page).await.unwrap();
    steps.items.into_iter().map(|step| step.texts).collect()
}

on_both! {
    async fn texts_come_back_with_their_steps_and_in_the_bundle(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = talked(&agent, ["Ann", "Bob", "Cid"]).await;
        let kept = texts(&agent, run).await;
        let text = |text: &str| Some(KeptText::Text(text.to_owned()));
        assert_eq!(kept[1].prompt, text("What of Ann? Ann is well. What of Bob? "));
        assert_eq!(kept[2].response, text("Cid"));
        assert_eq!(kept[0].params, text(r#"{"about":"Ann"}"#));
        let (bundle, report) = verified(&agent, run).await.unwrap();
        assert_eq!(report.word, Word::Complete, "{report}");
        assert!(report.to_string().contains("texts are those that records name"), "{report}");
        assert!(String::from_utf8(bundle).unwrap().contains("What of Ann? Ann is well. What of Bob? "));
        assert_eq!(failure(&agent, run).await, None);
    }

    async fn what_is_erased_is_gone_and_everything_proves_what_it_proved(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = talked(&agent, ["Xanthippe", "Yorick", "Zenobia"]).await;
        let other = talked(&agent, ["Ann", "Bob", "Cid"]).await;
        let reason = "its subject asked for it";
        let live = agent.start().await;
        let tenant = agent.ctx.tenant.id;
        let refused = logs::erase_contents(&kit.spine, tenant, live, "ann", reason).await;
        assert!(refused.is_err(), "a run that goes on");
        for (by, reason) in [("ann", " "), (" ", reason)] {
            let refused = logs::erase_contents(&kit.spine, tenant, run, by, reason).await;
            assert!(refused.is_err(), "without a reason, or nobody's");
        }
        let leaf = logs::erase_contents(&kit.spine, tenant, run, "ann", reason).await.unwrap();
        assert_eq!((leaf.text_count, leaf.reason.as_str()), (9, reason));
        assert_eq!((leaf.actor_type, leaf.actor_id.as_deref()), (ActorType::Human, Some("ann")));
        let again = logs::erase_contents(&kit.spine, tenant, run, "ann", reason).await;
        assert!(again.is_err(), "twice");
        assert_eq!(failure(&agent, run).await, None);
        let (bundle, report) = verified(&agent, run).await.unwrap();
        assert_eq!(report.word, Word::Complete, "{report}");
        assert!(report.to_string().contains("cannot be looked at"), "{report}");
        let bundle = String::from_utf8(bundle).unwrap();
        for name in ["Xanthippe", "Yorick", "Zenobia"] {
            assert!(!bundle.contains(name), "{name}");
        }
        let kept = texts(&agent, run).await;
        assert_eq!(kept[0].response, Some(KeptText::Erased(9)));
        assert!(kept.iter().all(|of| of.params.is_some() && of.prompt.is_some()));
        assert!(db.run_contents().await.iter().all(|body| body.run != run.0.simple().to_string()));
        // Nothing of another run is.
        assert_eq!(texts(&agent, other).await[0].response, Some(KeptText::Text("Ann".to_owned())));
        assert_eq!(failure(&agent, other).await, None);
    }

    async fn a_conversation_that_is_told_again_with_each_call_costs_what_is_new_of_it(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        let (mut history, mut wire, mut seed) = (String::new(), 0, 88_172_645_463_325_252_u64);
        let words: Vec<&str> = WORDS.split(' ').collect();
        let mut talk = |length: usize| {
            let mut said = String::new();
            while said.len() < length {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                said.push_str(words[usize::try_from(seed % words.len() as u64).unwrap()]);
                said.push(if seed % 11 == 0 { '.' } else { ' ' });
            }
            said
        };
        for _ in 0..20 {
            history.push_str(&talk(900));
            let answer = talk(800);
            let mut report = llm(1);
            if let Some(llm) = &mut report.llm {
                llm.prompt = Some(history.clone());
                llm.response = Some(answer.clone());
            }
            wire += history.len() + answer.len();
            agent.record(run, report).await.unwrap();
            history.push_str(&answer);
        }
        let contents = db.run_contents().await;
        assert!(contents.iter().filter(|body| body.base_record.is_none()).count() >= 2, "none stands on too many");
        let segments = db.segments().await;
        let kept = contents.iter().map(|body| body.body.len()).sum::<usize>()
            + segments.iter().map(|segment| segment.body.len()).sum::<usize>();
        assert!(wire / 20 > 16_000, "{wire}");
        assert!(kept * 100 <= wire * 15, "{kept} bytes are kept of {wire}");
        assert_eq!(texts(&agent, run).await.len(), 20);
    }
}
