//! One seed: what is asked of the replicas, and whose turn it is.

use std::{
    fmt,
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use models::{
    ids::{RunId, TenantId},
    policies::LimitDraft,
};
use orchestrator::{CallContext, background::overdue, coordinators::check_memory};
use proof::words::{Consequence, LimitType};
use testkit::{
    wire::{self, Line},
    witness::circle,
};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::timeout,
};

use super::{
    books,
    calls::{self, Asked, Told, What},
    dice::Dice,
    evidence,
    replica::HANG,
    seen::Seen,
    stage::Stage,
};
use crate::agent::Agent;

/// How many calls a seed makes, and how many of them may be under way.
const CALLS: usize = 26;
const CROWD: usize = 8;

/// How many seeds of a hundred begin with two replicas that meet what has lapsed.
const MEETINGS: u64 = 60;

/// How many connections a seed loses, or replicas, at most.
const FAULTS: u64 = 2;

/// So long nothing moves, and then it is asked whether everybody waits for locks.
const QUIET: Duration = Duration::from_millis(2);

/// What was done, for who wants to know.
#[derive(Default)]
pub(super) struct Played {
    seeds: u64,
    calls: usize,
    statements: u64,
    commits: u64,
    lapses: u64,
    lost: u64,
    killed: u64,
    /// Runs that a replica remembered in the end in the very version that was stored.
    remembered: usize,
}

impl Played {
    /// Whether any was compared, where anything was played.
    pub(super) fn compares(&self) -> bool {
        self.seeds == 0 || self.remembered > 0
    }

    pub(super) fn add(&mut self, one: &Self) {
        self.seeds += one.seeds;
        self.calls += one.calls;
        self.statements += one.statements;
        self.commits += one.commits;
        self.lapses += one.lapses;
        self.lost += one.lost;
        self.killed += one.killed;
        self.remembered += one.remembered;
    }
}

impl fmt::Display for Played {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seeds, calls, statements, commits, lapses, lost, killed, remembered } = self;
        write!(
            f,
            "{seeds} held: {calls} calls, {statements} statements let through, {commits} of them commits, time \
             passed {lapses} times, {lost} connections lost, {killed} replicas killed, {remembered} runs remembered as \
             they are stored"
        )
    }
}

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

    async fn prepare(&mut self) {
        for _ in 0..3 {
            self.at_once(What::Start).await;
        }
        for run in self.runs.clone() {
            let tokens = 5 * (2 + self.dice.roll(4));
            self.at_once(What::Permit { run, tokens }).await;
        }
        for trace in 1..=calls::TRACES {
            self.at_once(calls::first_span(trace)).await;
        }
        for (number, skew_ms) in self.skews.clone().into_iter().enumerate() {
            self.stage.start(number, skew_ms).await;
        }
        if self.dice.chance(MEETINGS) {
            self.meet();
        }
    }

    /// What was granted lapses, and two replicas are asked at once: one for what it was granted by, which is to be
    /// answered as before, the other for leave in another run. Both may give back what lapsed, no run keeps one waiting
    /// for the other, and what the second is granted is held while the first commits: what was given back twice is
    /// missing then.
    fn meet(&mut self) {
        let granted: Vec<(usize, RunId)> = (0..)
            .zip(&self.asked)
            .filter_map(|(at, asked)| match asked.what {
                What::Permit { run, .. } if asked.granted().is_some() => Some((at, run)),
                _ => None,
            })
            .collect();
        let Some((again, of)) = self.dice.pick(&granted).copied() else { return };
        let others: Vec<RunId> = self.runs.iter().copied().filter(|run| *run != of).collect();
        let Some(run) = self.dice.pick(&others).copied() else { return };
        let mut numbers: Vec<usize> = (0..self.skews.len()).collect();
        let Some(one) = self.dice.pick(&numbers).copied() else { return };
        numbers.retain(|number| *number != one);
        let Some(other) = self.dice.pick(&numbers).copied() else { return };
        let tokens = 5 * (1 + self.dice.roll(8));
        self.let_lapse(61);
        self.asked.push(Asked::new(What::Permit { run, tokens }, None));
        self.meeting = vec![(one, again), (other, self.asked.len() - 1)];
    }

    /// Asks something past the replicas.
    async fn at_once(&mut self, what: What) {
        let number = self.asked.len() as u64 + 1;
        let mut asked = Asked::new(what.clone(), Some(format!("k{number}")));
        let spine = self.stage.kit.spine.clone();
        let told = calls::put(spine, self.ctx.clone(), number, what, asked.key.clone()).await;
        if let Told::Started(run) | Told::Reported(run) = told {
            self.runs.push(run);
        }
        self.note(format!("{}: {told}", asked.in_words(number)));
        asked.told.push(told);
        self.asked.push(asked);
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

    /// Waits until nobody moves: what is under way waits here, or in Postgres for a lock.
    async fn settle(&mut self) -> Result<(), String> {
        let (mut changes, begun) = (self.stage.board.changes(), Instant::now());
        let mut quiet = false;
        loop {
            changes.borrow_and_update();
            self.take_answers();
            if self.is_at_rest(quiet).await? {
                self.stage.witness.gone(&std::mem::take(&mut self.leaving)).await;
                return Ok(());
            }
            if begun.elapsed() > HANG {
                return Err(format!("it hangs: {:#?}", self.stage.board.lines()));
            }
            quiet = timeout(QUIET, changes.changed()).await.is_err();
        }
    }

    /// Whether nobody moves. Those who wait for each other would be an error: locks are taken in one order.
    async fn is_at_rest(&self, quiet: bool) -> Result<bool, String> {
        let lines = self.stage.board.lines();
        let busy = |line: &&Line| matches!(line.stage, wire::Stage::Held | wire::Stage::Sent);
        let is_working = |number: usize| {
            let asked = self.calls.iter().any(|call| call.open && call.replica == number);
            asked && !lines.iter().filter(busy).any(|line| line.replica == number)
        };
        let opening = lines.iter().any(|line| line.stage == wire::Stage::Opening);
        if opening || (0..self.skews.len()).any(is_working) {
            return Ok(false);
        }
        let sent = lines.iter().filter(|line| line.stage == wire::Stage::Sent);
        let sent: Vec<i32> = sent.map(|line| line.pid).collect();
        if sent.is_empty() || !quiet {
            return Ok(sent.is_empty());
        }
        let waiting = self.stage.witness.waiting(&sent).await;
        if let Some(circle) = circle(&waiting) {
            let among: Vec<_> = lines.iter().filter(|line| circle.contains(&line.pid)).collect();
            return Err(format!("they wait for each other: {among:#?}"));
        }
        Ok(waiting.len() == sent.len())
    }

    /// Everybody waits for a lock that nobody here can give: Postgres ends that, by and by.
    async fn wait_for_locks(&mut self) -> Result<(), String> {
        self.note("everybody waits for a lock".to_owned());
        let mut changes = self.stage.board.changes();
        let waited = timeout(HANG, changes.changed()).await;
        waited.map(drop).map_err(|_| format!("it hangs: {:#?}", self.stage.board.lines()))
    }

    fn take_answers(&mut self) {
        while let Ok((call, told)) = self.answers.try_recv() {
            self.answered(call, told);
        }
    }

    fn answered(&mut self, call: usize, told: Told) {
        let Call { asked, replica, open } = &mut self.calls[call];
        // What a replica that was killed may have said last did not arrive.
        if !std::mem::take(open) {
            return;
        }
        let (asked, replica) = (*asked, *replica);
        let told = self.held_against_freezes(call, asked, told);
        if let Told::Started(run) | Told::Reported(run) = &told
            && !self.runs.contains(run)
        {
            self.runs.push(*run);
        }
        self.note(format!("{} answers #{}: {told}", name(replica), asked + 1));
        self.asked[asked].told.push(told);
    }

    /// The answer; wrong, where something was let through that was asked for the first time when a freeze was known to
    /// hold. A span has happened, and is taken.
    fn held_against_freezes(&mut self, call: usize, asked: usize, told: Told) -> Told {
        let is_lift = |call: &Call| matches!(self.asked[call.asked].what, What::Lift);
        let may_be_lifted = |(at, other): (usize, &Call)| is_lift(other) && (other.open || at > call);
        if told == Told::Frozen && !self.calls.iter().enumerate().any(may_be_lifted) {
            self.frozen_from = Some(self.calls.len());
        }
        let is_first =
            self.asked[asked].told.is_empty() && self.calls[..call].iter().all(|other| other.asked != asked);
        let passes = matches!(told, Told::Started(_) | Told::Granted(_) | Told::Step(_, Some(_)));
        let frozen = self.frozen_from.is_some_and(|from| call >= from);
        if passes && frozen && is_first {
            return Told::Wrong(format!("{told}, and it is frozen"));
        }
        told
    }

    /// Asks a replica something. Often more calls come with it, so that groups form while one commits.
    async fn call(&mut self) {
        let numbers: Vec<usize> = (0..self.skews.len()).collect();
        let any = self.dice.pick(&numbers).copied().unwrap_or_default();
        if self.burst == 0 {
            (self.burst, self.favourite) = (1 + self.dice.roll(6), any);
        }
        self.burst -= 1;
        let number = if self.dice.chance(60) { self.favourite } else { any };
        let at = calls::next(&mut self.dice, &mut self.asked, &self.runs);
        self.ask(number, at).await;
    }

    /// Asks a replica that one of all things that are asked.
    async fn ask(&mut self, number: usize, at: usize) {
        let (asked, call) = (&self.asked[at], self.calls.len());
        let line = format!("{} is asked {}", name(number), asked.in_words(at as u64 + 1));
        let replica = &self.stage.replicas[number];
        let ctx = if asked.what.is_a_persons() { &self.admin } else { &self.ctx };
        let (spine, ctx) = (replica.spine.clone(), ctx.clone());
        let put = calls::put(spine, ctx, at as u64 + 1, asked.what.clone(), asked.key.clone());
        let (answer, board) = (self.answer.clone(), self.stage.board.clone());
        if matches!(asked.what, What::Lift) {
            self.frozen_from = None;
        }
        self.calls.push(Call { asked: at, replica: number, open: true });
        self.played.calls += 1;
        self.schedule.push(line);
        replica.handle().spawn(async move {
            let told = put.await;
            let _ = answer.send((call, told));
            board.ring();
        });
        replica.taken_up().await;
    }

    /// Mostly so long that whatever was granted has lapsed.
    fn pass_time(&mut self) {
        let seconds = self.dice.pick(&[61, 61, 60, 30]).copied().unwrap_or_default();
        self.let_lapse(seconds);
    }

    fn let_lapse(&mut self, seconds: i64) {
        self.stage.kit.clock.advance(chrono::Duration::seconds(seconds));
        self.played.lapses += 1;
        self.note(format!("{seconds} s pass"));
    }

    /// A turn is a few statements, or so many that a whole group passes while another stands still in its midst: by
    /// turns of one statement each, nothing would ever overtake anything. It often ends after a statement that only
    /// looked, for that is where something is to be overtaken.
    fn let_through(&mut self, held: &[Line]) {
        let is_his = |line: &&Line| line.replica == self.turn;
        if self.turns_left == 0 || !held.iter().any(|line| is_his(&line)) {
            let others: Vec<Line> = held.iter().filter(|line| !is_his(line)).cloned().collect();
            let Some(line) = self.dice.pick(if others.is_empty() { held } else { &others }) else { return };
            let most = if self.dice.chance(30) { 6 } else { 60 };
            (self.turn, self.turns_left) = (line.replica, 1 + self.dice.roll(most));
        }
        self.turns_left -= 1;
        let his: Vec<&Line> = held.iter().filter(|line| line.replica == self.turn).collect();
        let Some(line) = self.dice.pick(&his).copied() else { return };
        if line.only_looks() && self.dice.chance(25) {
            self.turns_left = 0;
        }
        let commits = line.says.starts_with("COMMIT");
        self.committing |= commits;
        self.played.statements += 1;
        self.played.commits += u64::from(commits);
        if commits && self.may_hurt() && self.dice.chance(6) {
            self.played.lost += 1;
            self.leaving.push(line.pid);
            self.note(format!("{} {}, and its answer is lost", name(line.replica), line.in_short()));
            self.stage.board.let_through_unheard(line.id);
        } else {
            self.note(format!("{} {}", name(line.replica), line.in_short()));
            self.stage.board.let_through(line.id);
        }
    }

    fn may_hurt(&self) -> bool {
        self.played.lost + self.played.killed < FAULTS
    }

    async fn hurt(&mut self, held: &[Line]) {
        if self.dice.chance(30) {
            return self.kill().await;
        }
        self.played.lost += 1;
        if self.dice.chance(30) {
            return self.lose_idle();
        }
        let Some(line) = self.dice.pick(held).cloned() else { return };
        self.leaving.push(line.pid);
        self.note(format!("{} loses its connection before {}", name(line.replica), line.in_short()));
        self.stage.board.lose(line.id);
    }

    /// A replica that has nothing to do loses what connections it has: how many is nothing that a seed decides.
    fn lose_idle(&mut self) {
        let lines = self.stage.board.lines();
        let of = |number: usize| lines.iter().filter(move |line| line.replica == number);
        let rests = |number: &usize| of(*number).all(|line| line.stage == wire::Stage::Idle);
        let numbers: Vec<usize> = (0..self.skews.len()).filter(rests).collect();
        let Some(number) = self.dice.pick(&numbers).copied() else { return };
        self.note(format!("{} loses its idle connections", name(number)));
        for line in of(number) {
            self.leaving.push(line.pid);
            self.stage.board.lose(line.id);
        }
    }

    /// Kills a replica; another process takes its place at once.
    async fn kill(&mut self) {
        let numbers: Vec<usize> = (0..self.skews.len()).collect();
        let Some(number) = self.dice.pick(&numbers).copied() else { return };
        self.take_answers();
        self.note(format!("{} is killed", name(number)));
        self.played.killed += 1;
        // One that waits for a lock is ended by Postgres only when it has it.
        let ends = |line: &Line| line.replica == number && line.stage != wire::Stage::Sent;
        self.leaving.extend(self.stage.board.lines().into_iter().filter(ends).map(|line| line.pid));
        self.stage.start(number, self.skews[number]).await;
        for call in 0..self.calls.len() {
            if self.calls[call].replica == number {
                self.answered(call, Told::Unknown("killed".to_owned()));
            }
        }
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
