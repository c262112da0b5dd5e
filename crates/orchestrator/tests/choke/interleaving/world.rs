//! One seed: what is asked of the replicas, from its beginning until all of it is answered and read again.

mod answers;
mod beginning;
mod faults;
mod turns;

use chrono::{DateTime, TimeDelta, Utc};
use models::{
    ids::{RunId, TenantId},
    policies::LimitDraft,
};
use orchestrator::{CallContext, background::overdue, coordinators::check_memory};
use proof::words::{Consequence, LimitType};
use testkit::wire::{self, Line};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{
    books,
    calls::{Asked, Told},
    dice::Dice,
    evidence,
    played::Played,
    seen::Seen,
    stage::Stage,
};
use crate::agent::Agent;

/// How many calls a seed makes, and how many of them may be under way.
const CALLS: usize = 26;
const CROWD: usize = 8;

/// A call that was made: of what, at which replica, and whether it is still under way.
struct Call {
    asked: usize,
    replica: usize,
    open: bool,
}

pub(super) struct World<'s> {
    pub(super) stage: &'s mut Stage,
    pub(super) ctx: CallContext,
    pub(super) admin: CallContext,
    asked: Vec<Asked>,
    skews: Vec<i64>,
    runs: Vec<RunId>,
    calls: Vec<Call>,
    /// What is to be asked next, at once: of which replica, and which of all that is asked.
    meeting: Vec<(usize, usize)>,
    answers: UnboundedReceiver<(usize, Told)>,
    answer: UnboundedSender<(usize, Told)>,
    /// Calls that are to come together, and the replica of most of them.
    burst: u64,
    favourite: usize,
    /// Sessions of connections that were lost, which Postgres has yet to end.
    leaving: Vec<i32>,
    /// Whose turn it is, and for how many statements more.
    turn: usize,
    turns_left: u64,
    committing: bool,
    seen: Seen,
    /// What is asked by the calls from this one on meets a freeze: one was answered, and none asked since to lift it.
    frozen_from: Option<usize>,
    dice: Dice,
    played: Played,
    schedule: Vec<String>,
}

impl<'s> World<'s> {
    /// A tenant with three runs and two traces, two budgets whose passing is an incident, in every other seed a limit
    /// on the steps of each run, a few permits that were granted, and two or three replicas.
    pub(super) async fn new(stage: &'s mut Stage, seed: u64) -> Self {
        let mut dice = Dice::of(seed);
        let agent = Agent::of(&stage.kit, &format!("seed-{seed}")).await;
        let opens = |limit_type, max| LimitDraft {
            consequence: Some(Consequence::Incident),
            ..kit::limit(limit_type, max)
        };
        agent.limit_as(opens(LimitType::TokensTotal, 90 + 20 * dice.roll(8))).await;
        agent.limit_as(opens(LimitType::Steps, 10 + dice.roll(12))).await;
        if dice.chance(50) {
            agent.limit_as(kit::limit(LimitType::RunSteps, 2 + dice.roll(4))).await;
        }
        let (ctx, admin) = (agent.ctx.clone(), agent.admin.clone());
        let (answer, answers) = unbounded_channel();
        let among = if dice.chance(70) { 2 } else { 3 };
        let skews = (0..among).filter_map(|_| dice.pick(&[0, 0, 400, -400]).copied()).collect();
        let mut world = Self {
            stage,
            ctx,
            admin,
            asked: Vec::new(),
            skews,
            runs: Vec::new(),
            calls: Vec::new(),
            meeting: Vec::new(),
            answers,
            answer,
            burst: 0,
            favourite: 0,
            leaving: Vec::new(),
            turn: 0,
            turns_left: 0,
            committing: false,
            seen: Seen::default(),
            frozen_from: None,
            dice,
            played: Played { seeds: 1, ..Played::default() },
            schedule: Vec::new(),
        };
        world.prepare().await;
        world
    }

    pub(super) fn tenant(&self) -> TenantId {
        self.ctx.tenant.id
    }

    /// No replica's clock is past this.
    fn latest(&self) -> DateTime<Utc> {
        self.stage.kit.spine.now() + TimeDelta::seconds(1)
    }

    /// Plays until everything is answered, and looks at what it came to.
    pub(super) async fn play(&mut self) -> Result<Played, String> {
        loop {
            self.settle().await?;
            if std::mem::take(&mut self.committing) {
                self.check_books().await?;
            }
            let held = self.lines(wire::Stage::Held);
            let under_way = self.calls.iter().filter(|call| call.open).count();
            let may_call = self.calls.len() < CALLS && under_way < CROWD;
            if held.is_empty() && !may_call {
                if under_way == 0 {
                    break;
                }
                self.wait_for_locks().await?;
            } else if let Some((number, at)) = self.meeting.pop() {
                self.ask(number, at).await;
            } else if may_call && (held.is_empty() || self.burst > 0 || self.dice.chance(12)) {
                self.call().await;
            } else if self.dice.chance(3) {
                self.pass_time();
            } else if self.may_hurt() && self.dice.chance(2) {
                self.hurt(&held).await;
            } else {
                self.let_through(&held);
            }
        }
        Box::pin(self.finish()).await
    }

    async fn check_books(&mut self) -> Result<(), String> {
        let (tenant, latest) = (self.tenant(), self.latest());
        books::check(&self.stage.witness, tenant, latest, &mut self.seen).await
    }

    fn lines(&self, stage: wire::Stage) -> Vec<Line> {
        self.stage.board.lines().into_iter().filter(|line| line.stage == stage).collect()
    }

    /// Nothing waits any more: what is overdue is written, every run ends, and all of it is read again.
    async fn finish(&mut self) -> Result<Played, String> {
        for replica in &self.stage.replicas {
            replica.wire.open_gate();
        }
        for replica in &self.stage.replicas {
            let spine = replica.spine.clone();
            let written = replica.handle().spawn(async move { overdue::tick(&spine).await });
            written
                .await
                .expect("it lives")
                .map_err(|err| format!("what is overdue is not written: {err}"))?;
        }
        self.compare_memory().await?;
        self.stage.replicas.clear();
        self.stage.kit.clock.advance(chrono::Duration::seconds(2));
        self.check_books().await?;
        books::check_answers(&self.stage.witness, self.tenant(), &self.asked, &self.seen).await?;
        Box::pin(evidence::check(self)).await?;
        Ok(std::mem::take(&mut self.played))
    }

    /// What each replica remembers of a run is what is stored, unless another wrote the run since.
    async fn compare_memory(&mut self) -> Result<(), String> {
        let tenant = self.tenant();
        for replica in &self.stage.replicas {
            let spine = replica.spine.clone();
            let check = async move { check_memory::compare_next(&spine, tenant, None).await };
            let checked = replica.handle().spawn(check).await.expect("it lives");
            let compared = checked.map_err(|err| format!("what is remembered is not compared: {err}"))?;
            if !compared.differing.is_empty() {
                return Err(format!("what is remembered is not what is stored: {:#?}", compared.differing));
            }
            self.played.remembered += compared.runs;
        }
        Ok(())
    }

    fn note(&mut self, what: String) {
        self.schedule.push(what);
    }

    /// Everything that was done, in its order.
    pub(super) fn schedule(&self) -> String {
        self.schedule.join("\n") + "\n"
    }
}

fn name(replica: usize) -> char {
    ['A', 'B', 'C'][replica]
}
