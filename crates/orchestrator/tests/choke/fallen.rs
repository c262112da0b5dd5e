//! A store that is put back in place, under the server that uses it: what the server answered of a halt holds from the
//! first call on, and nothing passes in between.

use kit::Kit;
use models::ids::RunId;
use orchestrator::{
    Error,
    background::remembered,
    choke::call::Recorded,
    handlers::{activity, policies},
};
use proof::words::EnforcementMode;
use testkit::on_both;

use crate::{
    agent::{Agent, ask, llm, tool},
    gaps::going_on,
};

/// What halts a run, or ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Halt {
    Kill,
    Freeze,
    Rule,
    End,
}

impl Halt {
    const ALL: [Self; 4] = [Self::Kill, Self::Freeze, Self::Rule, Self::End];

    async fn of(self, agent: &Agent<'_>, run: RunId) {
        let (spine, admin) = (&agent.kit.spine, &agent.admin);
        match self {
            Self::Kill => _ = activity::kill(spine, admin, run, Some("stop it".to_owned())).await.unwrap(),
            Self::Freeze => {
                let target = Some("researcher".to_owned());
                policies::freeze(spine, admin, target, "stop it".to_owned()).await.map(drop).unwrap();
            }
            Self::Rule => _ = agent.record(run, tool("delete")).await.unwrap_err(),
            Self::End => _ = agent.complete(run).await.unwrap(),
        }
    }
}

fn held_back(told: Result<Recorded, Error>) -> String {
    match told {
        Err(Error::HeldBack(why)) => why,
        other => panic!("the store fell back: {other:?}"),
    }
}

on_both! {
    async fn no_step_passes_that_this_server_has_told_to_be_halted(db: TestDatabase) {
        for (n, halt) in (1..).zip(Halt::ALL) {
            let kit = Kit::replica(db, n).await;
            let agent = Agent::of(&kit, "acme").await;
            if n == 1 {
                agent.rule(EnforcementMode::Stop, "context.step.skill == \"delete\"").await;
            }
            let run = agent.start().await;
            agent.record(run, llm(1)).await.unwrap();
            db.keep().await;
            halt.of(&agent, run).await;
            agent.record(run, llm(1)).await.unwrap_err();

            db.put_back().await;
            let why = held_back(agent.record(run, llm(1)).await);
            assert!(why.contains("fell back under the server"), "{halt:?}: {why}");
            let leave = agent.permit(run, ask("x")).await;
            assert!(matches!(leave, Err(Error::HeldBack(_))), "{halt:?}: {leave:?}");
            assert_eq!(agent.run(run).await.step_count, 1, "{halt:?}: it is read as it is");

            // Who starts anew goes on with what there is.
            let anew = Kit::replica(db, 10 + n).await;
            let agent = Agent::of(&anew, "acme").await;
            agent.record(agent.start().await, llm(1)).await.unwrap();
        }
    }

    async fn nor_one_that_this_server_has_learnt_of_by_a_look(db: TestDatabase) {
        let (one, two) = (Kit::replica(db, 1).await, Kit::replica(db, 2).await);
        let here = going_on(&one).await;
        let there = Agent { kit: &two, ctx: here.ctx.clone(), admin: here.admin.clone() };
        let run = here.start().await;
        for agent in [&here, &there] {
            agent.record(run, llm(1)).await.unwrap();
        }
        db.keep().await;
        Halt::Kill.of(&here, run).await;
        remembered::tick(&two.spine).await.unwrap();
        db.put_back().await;
        let why = held_back(there.record(run, llm(1)).await);
        assert!(why.contains("was halted"), "{why}");
    }
}
