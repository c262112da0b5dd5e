//! What comes to a run after its texts were erased, and what is told of it then: nothing is kept, and no answer says
//! whether two texts are the same.

use chrono::Duration;
use futures::join;
use kit::Kit;
use models::{
    ids::RunId,
    logs::{KeptText, LlmRunFilter},
    page::PageRequest,
};
use orchestrator::{
    Error,
    background::sweeper,
    choke::call::StepReport,
    coordinators::run_proof,
    handlers::{activity, logs},
};
use proof::hash::Hash;
use serde_json::Value;
use testkit::{Store, TestDatabase, on_both};
use verify::Word;

use crate::{
    agent::{Agent, llm},
    spans::{call, only_run, root, send},
};

const WORDS: &str = "Quetzal and Umbra";

/// A span of a model call that was asked this.
fn asked(id: u64, words: &str) -> Value {
    let mut span = call(1, id);
    let attributes = span["attributes"].as_array_mut().unwrap();
    let prompt = attributes.iter_mut().find(|one| one["key"] == "gen_ai.prompt.0.content").unwrap();
    prompt["value"]["stringValue"] = words.into();
    span
}

fn saying(prompt: &str) -> StepReport {
    let mut report = llm(1);
    report.idempotency_key = Some("once".to_owned());
    if let Some(llm) = &mut report.llm {
        llm.prompt = Some(prompt.to_owned());
    }
    report
}

async fn erase(agent: &Agent<'_>, run: RunId) {
    let tenant = agent.admin.tenant.id;
    logs::erase_contents(&agent.kit.spine, tenant, run, "ann", "its subject asked for it").await.unwrap();
}

/// The hash of what the only call of a run was asked, and the checksum of its record.
async fn prompt_of(agent: &Agent<'_>, run: RunId) -> (Option<Hash>, Hash) {
    let filter = LlmRunFilter { run_id: Some(run), ..LlmRunFilter::default() };
    let page = PageRequest::default();
    let mut calls = logs::list_llm_runs(&agent.kit.spine, &agent.admin, filter, page).await.unwrap().items;
    assert_eq!(calls.len(), 1);
    let listed = calls.remove(0);
    let one = logs::get_llm_run(&agent.kit.spine, &agent.admin, listed.record.id).await.unwrap();
    assert_eq!(one, listed, "alone as in the list");
    (one.record.prompt_hash, one.metadata.checksum)
}

/// A trace that is over.
async fn sealed_trace(agent: &Agent<'_>) -> RunId {
    send(agent, &[call(1, 1), root(1, false)]).await;
    agent.kit.clock.advance(Duration::seconds(30));
    assert_eq!(sweeper::tick(&agent.kit.spine).await.unwrap(), 1);
    only_run(agent).await.id
}

/// The steps that came late to a run, of whose texts nothing is kept.
async fn late_and_erased(agent: &Agent<'_>, run: RunId) -> Vec<activity::StepView> {
    let page = PageRequest::default();
    let mut steps = activity::steps(&agent.kit.spine, &agent.admin, run, page).await.unwrap().items;
    steps.retain(|step| step.is_late);
    for step in &steps {
        assert!(matches!(step.texts.prompt, Some(KeptText::Erased(_))), "{:?}", step.texts);
    }
    steps
}

/// The late span waits for the run that is being erased: when it asked, the texts and the salt were still there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_kept_of_what_waited_for_the_erasure() {
    let Some(db) = TestDatabase::migrated(Store::Postgres).await else { return };
    let kit = Kit::on(&db).await;
    let agent = Agent::of(&kit, "acme").await;
    let run = sealed_trace(&agent).await;
    let stranger = db.stranger("SELECT * FROM log_heads FOR UPDATE").await;
    let ((), rejected, ()) = join!(
        erase(&agent, run),
        async {
            db.until_blocked(1).await;
            send(&agent, &[asked(5, WORDS)]).await
        },
        async {
            db.until_blocked(2).await;
            stranger.let_go().await;
        },
    );
    assert_eq!(rejected.count, 0);
    assert_eq!(late_and_erased(&agent, run).await.len(), 1);
    assert!(db.contents_of(&run.to_string()).await.is_empty());
    let (report, bundle) = agent.verified(run).await;
    assert_eq!(report.word, Word::Complete, "{report}");
    assert!(!bundle.to_string().contains(WORDS));
}

on_both! {
    async fn nothing_is_kept_of_what_comes_late(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = sealed_trace(&agent).await;
        erase(&agent, run).await;
        assert_eq!(send(&agent, &[asked(5, WORDS), asked(6, WORDS)]).await.count, 0);
        let late = late_and_erased(&agent, run).await;
        assert_eq!(late.len(), 2);
        let [one, other] = [&late[0], &late[1]].map(|step| step.step.record.prompt);
        assert_ne!(one.unwrap().hash, other.unwrap().hash, "nobody can tell that they are the same");
        assert!(db.contents_of(&run.to_string()).await.is_empty());
        assert_eq!(agent.run(run).await.late.unwrap().addenda, 1);
        let proof = run_proof::proof(&kit.spine, &agent.admin, run, false).await.unwrap();
        assert_eq!(proof.integrity.failure_reason, None);
        let (report, bundle) = agent.verified(run).await;
        assert_eq!(report.word, Word::Complete, "{report}");
        assert!(!bundle.to_string().contains(WORDS));
    }

    async fn an_erasure_lets_go_of_no_other_run(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let (agent, another) = (Agent::of(&kit, "acme").await, Agent::of(&kit, "other").await);
        let run = agent.start().await;
        agent.record(run, saying(WORDS)).await.unwrap();
        agent.complete(run).await.unwrap();
        for (neighbour, left) in [(&another, 1), (&agent, 2)] {
            let other = neighbour.start().await;
            if left == 1 {
                erase(&agent, run).await;
            }
            neighbour.record(other, saying(WORDS)).await.unwrap();
            for table in ["run_contents", "run_salts"] {
                assert!(db.tamper(&format!("DELETE FROM {table}")).await.is_err(), "{table}");
                assert_eq!(db.number(&format!("SELECT count(*) FROM {table}")).await, left, "{table}");
            }
        }
    }

    async fn no_answer_of_an_erased_run_says_what_a_text_was(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let (run, guess) = (agent.start().await, agent.start().await);
        for run in [run, guess] {
            agent.record(run, saying(WORDS)).await.unwrap();
            agent.complete(run).await.unwrap();
        }
        let ((of_run, before), (of_guess, _)) = (prompt_of(&agent, run).await, prompt_of(&agent, guess).await);
        assert!(of_run.is_some() && of_run == of_guess, "as long as it is kept, they are compared");
        let other = agent.record(run, saying("another thing")).await;
        assert!(matches!(other, Err(Error::IdempotencyConflict { .. })), "{other:?}");
        erase(&agent, run).await;
        let (of_run, after) = prompt_of(&agent, run).await;
        assert_eq!(of_run, None);
        assert_ne!(before, after, "nor is it in the checksum");
        assert_eq!(prompt_of(&agent, guess).await.0, of_guess);
        for words in [WORDS, "another thing"] {
            assert_eq!(agent.record(run, saying(words)).await.unwrap().step_index, 0, "as a repeat, whatever it says");
        }
    }
}
