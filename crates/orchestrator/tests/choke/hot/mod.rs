//! A run that a server remembers is not read again; and nothing that is done to it meanwhile is missed by that.

mod doubt;
mod keys;
mod others;

use kit::Kit;
use models::ids::RunId;
use orchestrator::{
    Error, Settings,
    background::sweeper,
    choke::call::{PermitRequest, StartRun, StepReport},
    handlers::{activity, policies},
};
use proof::words::{InterventionKind, LimitType};
use testkit::on_both;
use verify::Word;

use crate::{
    agent::{Agent, ask, keyed, llm, refused, tool},
    spans::{call, only_run, root, send},
};

/// The same callers at another server.
fn at<'k>(kit: &'k Kit, agent: &Agent<'_>) -> Agent<'k> {
    Agent { kit, ctx: agent.ctx.clone(), admin: agent.admin.clone() }
}

/// How many statements a step takes.
async fn step(agent: &Agent<'_>, run: RunId) -> u64 {
    let before = agent.kit.db.statements();
    agent.record(run, tool("read")).await.unwrap();
    agent.kit.db.statements() - before
}

/// All that was recorded of the run is there, and proves itself.
async fn is_whole(agent: &Agent<'_>, run: RunId, steps: u64) {
    assert_eq!(agent.complete(run).await.unwrap().step_count, steps);
    let (report, _) = agent.verified(run).await;
    assert_eq!(report.word, Word::Complete, "{report}");
}

fn held_back<T: std::fmt::Debug>(told: Result<T, Error>) -> String {
    match told {
        Err(Error::HeldBack(why)) => why,
        other => panic!("the store fell back: {other:?}"),
    }
}

/// What is gone of a run when its store fell back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gone {
    Step,
    /// No step came of it.
    Permit,
    /// A step, and a server that starts anew has written as often since.
    Overwritten,
    /// The same of a permit: the run has more steps than it had, and its version alone tells.
    PermitOverwritten,
}

on_both! {
    async fn what_is_remembered_is_not_read_again(db: TestDatabase) {
        let (one, two) = (Kit::replica(db, 1).await, Kit::replica(db, 2).await);
        let here = Agent::of(&one, "acme").await;
        let there = at(&two, &here);
        let run = here.start().await;
        step(&there, run).await;
        let hot = step(&there, run).await;
        assert_eq!(step(&there, run).await, hot, "however often");
        step(&here, run).await;
        let cold = step(&there, run).await;
        assert_eq!(cold - hot, 1, "another wrote it: the run with its trace and its salt are read");
        assert_eq!(step(&there, run).await, hot, "and it is remembered again");
        is_whole(&there, run, 6).await;
    }

    /// Where all of them are known: the run began here, or they were read, and nobody else has written it since.
    async fn nor_is_it_asked_for_keys_that_are_new(db: TestDatabase) {
        let (one, two) = (Kit::replica(db, 1).await, Kit::replica(db, 2).await);
        let here = Agent::of(&one, "acme").await;
        let there = at(&two, &here);
        let run = here.start().await;
        let record = async |agent: &Agent<'_>, key: &str| {
            let before = agent.kit.db.statements();
            let recorded = agent.record(run, keyed(key, tool("read"))).await;
            (recorded, agent.kit.db.statements() - before)
        };
        let leave = |key: &str| PermitRequest { idempotency_key: Some(key.to_owned()), ..ask("read") };
        record(&here, "a").await.0.unwrap();
        let (first, known) = record(&here, "b").await;
        let first = first.unwrap();
        let again = record(&here, "b").await.0.unwrap();
        assert_eq!((again.step_index, again.step_hash), (first.step_index, first.step_hash), "it is told again");
        let granted = here.permit(run, leave("c")).await.unwrap();
        assert_eq!(here.permit(run, leave("c")).await.unwrap(), granted);
        let taken = record(&here, "c").await.0;
        assert!(matches!(taken, Err(Error::IdempotencyConflict { .. })), "{taken:?}");
        assert_eq!(record(&here, "d").await.1, known);

        record(&there, "e").await.0.unwrap();
        let (first, there_known) = record(&there, "f").await;
        first.unwrap();
        assert_eq!(there_known, known, "they were read with the run, and are known from then on");
        let (first, cold) = record(&here, "g").await;
        first.unwrap();
        assert_eq!(cold, known + 3, "the run with its trace and its salt, its rules, and all its keys are read");
        for agent in [&there, &here] {
            for key in ["a", "b", "d", "e", "f", "g"] {
                record(agent, key).await.0.unwrap();
            }
            let taken = record(agent, "c").await.0;
            assert!(matches!(taken, Err(Error::IdempotencyConflict { .. })), "{taken:?}");
        }
        is_whole(&here, run, 6).await;
    }

    async fn nor_is_what_its_open_permits_hold(db: TestDatabase) {
        let (one, two) = (Kit::replica(db, 1).await, Kit::replica(db, 2).await);
        let here = Agent::of(&one, "acme").await;
        here.limit(LimitType::RunSteps, 20).await;
        let there = at(&two, &here);
        let run = here.start().await;
        for n in 0..18 {
            let agent = if n % 3 == 0 { &there } else { &here };
            agent.permit(run, ask("read")).await.unwrap();
        }
        for agent in [&here, &there] {
            step(agent, run).await;
        }
        for agent in [&here, &there, &here] {
            refused(agent.permit(run, ask("read")).await);
        }
        for kit in [&one, &two] {
            kit.clock.advance(chrono::Duration::seconds(61));
        }
        // Whoever comes first releases what has lapsed.
        for agent in [&here, &there, &there] {
            step(agent, run).await;
        }
        let hot = step(&there, run).await;
        assert_eq!(step(&there, run).await, hot);
        step(&here, run).await;
        let cold = step(&there, run).await;
        assert_eq!(cold - hot, 2, "the run with its trace and its salt, and its open permits are read");
        assert_eq!(step(&there, run).await, hot);
        is_whole(&there, run, 10).await;
    }

    async fn nor_is_a_trace(db: TestDatabase) {
        let (one, two) = (Kit::replica(db, 1).await, Kit::replica(db, 2).await);
        let here = Agent::of(&one, "acme").await;
        let there = at(&two, &here);
        let sent = async |agent: &Agent<'_>, span: u64| {
            let before = agent.kit.db.statements();
            assert_eq!(send(agent, &[call(1, span)]).await.count, 0);
            agent.kit.db.statements() - before
        };
        for span in [1, 2] {
            sent(&there, span).await;
        }
        let hot = sent(&there, 3).await;
        assert_eq!(sent(&there, 4).await, hot, "however often");
        sent(&here, 5).await;
        let cold = sent(&there, 6).await;
        assert!(cold >= hot + 3, "{cold}, {hot}: another wrote it");
        assert_eq!(sent(&there, 7).await, hot, "and it is remembered again, with all its keys");
        let run = only_run(&here).await;
        assert_eq!((run.step_count, run.input_tokens), (7, 7 * 21));
        send(&there, &[root(1, false)]).await;
        for kit in [&one, &two] {
            kit.clock.advance(chrono::Duration::seconds(30));
        }
        assert_eq!(sweeper::tick(&two.spine).await.unwrap(), 1);
        let (report, _) = here.verified(run.id).await;
        assert_eq!(report.word, Word::Complete, "{report}");
    }

    async fn a_run_for_which_there_is_no_room_is_read_each_time(db: TestDatabase) {
        let settings = Settings { installation: "test".to_owned(), max_remembered_bytes: 128 << 10, ..Settings::default() };
        let kit = Kit::with(db, settings).await;
        let agent = Agent::of(&kit, "acme").await;
        let goal = Some("to find a word ".repeat(4_000));
        let long = StartRun { agent_id: "researcher".to_owned(), goal, ..StartRun::default() };
        let long = activity::start(&kit.spine, &agent.ctx, long).await.unwrap().run.id;
        let short = agent.start().await;
        // A run that is remembered has its keys beside it; of another they are read with each call that has one.
        let record = async |run: RunId, key: &str| {
            let before = agent.kit.db.statements();
            agent.record(run, keyed(key, tool("read"))).await.unwrap();
            agent.kit.db.statements() - before
        };
        let mut counts = Vec::new();
        for run in [long, short] {
            record(run, "a").await;
            let second = record(run, "b").await;
            assert_eq!(record(run, "c").await, second);
            counts.push(second);
        }
        assert!(counts[0] > counts[1], "{counts:?}: a quarter is for runs, and the long one has more than that");
    }

    async fn what_another_server_does_to_it_is_met(db: TestDatabase) {
        let (one, two) = (Kit::replica(db, 1).await, Kit::replica(db, 2).await);
        let here = Agent::of(&one, "acme").await;
        let there = at(&two, &here);
        let remembered = async || {
            let run = here.start().await;
            here.record(run, llm(1)).await.unwrap();
            run
        };
        let run = remembered().await;
        activity::kill(&two.spine, &there.admin, run, Some("stop it".to_owned())).await.unwrap();
        let told = here.record(run, llm(1)).await;
        assert!(matches!(told, Err(Error::RunKilled { .. })), "{told:?}");

        let run = remembered().await;
        there.complete(run).await.unwrap();
        let told = here.permit(run, ask("read")).await;
        assert!(matches!(told, Err(Error::RunNotRunning { .. })), "{told:?}");

        let run = remembered().await;
        activity::abort(&two.spine, &there.ctx, run, None).await.unwrap();
        let told = here.record(run, llm(1)).await;
        assert!(matches!(told, Err(Error::RunNotRunning { .. })), "{told:?}");

        let run = remembered().await;
        assert_eq!(there.record(run, llm(2)).await.unwrap().step_index, 1);
        assert_eq!(here.record(run, llm(3)).await.unwrap().step_index, 2, "it comes after the other's");
        let granted = there.permit(run, ask("read")).await.unwrap();
        let report = StepReport { permit_id: Some(granted.permit_id), ..tool("read") };
        assert_eq!(here.record(run, report).await.unwrap().step_index, 3);
        is_whole(&here, run, 4).await;

        let run = remembered().await;
        let frozen = Some("researcher".to_owned());
        policies::freeze(&two.spine, &there.admin, frozen.clone(), "stop it".to_owned()).await.unwrap();
        let halted = refused(here.record(run, llm(1)).await);
        assert_eq!(halted.verdict.intervention.unwrap().kind, InterventionKind::Freeze);
        policies::unfreeze(&two.spine, &there.admin, frozen, None).await.unwrap();
        assert_eq!(here.record(run, llm(1)).await.unwrap().step_index, 2, "behind what was refused until it is lifted");
        is_whole(&here, run, 2).await;
    }

    async fn a_store_that_fell_back_under_it_is_noticed(db: TestDatabase) {
        for (n, gone) in (1..).zip([Gone::Step, Gone::Permit, Gone::Overwritten, Gone::PermitOverwritten]) {
            let kit = Kit::replica(db, 2 * n).await;
            let agent = Agent::of(&kit, "acme").await;
            let run = agent.start().await;
            agent.record(run, llm(1)).await.unwrap();
            db.keep().await;
            match gone {
                Gone::Step | Gone::Overwritten => drop(agent.record(run, llm(1)).await.unwrap()),
                Gone::Permit | Gone::PermitOverwritten => drop(agent.permit(run, ask("read")).await.unwrap()),
            }
            db.put_back().await;
            let anew = Kit::replica(db, 2 * n + 1).await;
            let is_overwritten = matches!(gone, Gone::Overwritten | Gone::PermitOverwritten);
            if is_overwritten {
                at(&anew, &agent).record(run, llm(2)).await.unwrap();
            }
            let why = held_back(agent.record(run, llm(1)).await);
            assert!(why.contains("fell back under the server"), "{gone:?}: {why}");
            assert_eq!(why.contains("as often now, the last time by another"), is_overwritten, "{gone:?}: {why}");
            let index = if is_overwritten { 2 } else { 1 };
            let next = at(&anew, &agent).record(run, llm(1)).await.unwrap();
            assert_eq!(next.step_index, index, "{gone:?}: who starts anew goes on with what there is");
        }
    }
}
