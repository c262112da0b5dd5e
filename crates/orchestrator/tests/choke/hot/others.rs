//! Whatever others do to a run that a server remembers, the server goes on from that: nothing of it is undone, and what
//! is remembered then is what is stored.

use chrono::TimeDelta;
use kit::{Kit, spooled};
use models::{
    account::{Permits, Role},
    activity::{LatencyBucket, Run},
    ids::RunId,
    page::PageRequest,
};
use orchestrator::{
    CallContext, Error,
    background::{overdue, stalls, sweeper},
    choke::call::StepReport,
    coordinators::check_counters,
    handlers::{
        account::{self, SettingsChange},
        activity, logs,
    },
};
use proof::words::{EnforcementMode, HaltReason, IntegrityStatus, LimitType};
use testkit::{Damage, TestDatabase, on_both};
use verify::Word;

use super::{at, is_whole};
use crate::{
    agent::{Agent, ask, llm, refused, tool},
    gaps::going_on,
    remembered::is_stored,
    spans::{call, only_run, root, send},
};

/// What another does to a run that takes steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    Step,
    Refused,
    Granted,
    /// Granted, and the step was done.
    Used,
    /// A rule that was made of an incident would have stopped it.
    Violated,
    Drafted,
    PutOff,
    /// Whoever looked found that it does not match, and there is an incident.
    Damaged,
    /// Nothing was heard of it for long, by the clock of the other. All that comes after it is late.
    Stalled,
}

impl Done {
    const ALL: [Self; 9] = [
        Self::Step,
        Self::Refused,
        Self::Granted,
        Self::Used,
        Self::Violated,
        Self::Drafted,
        Self::PutOff,
        Self::Damaged,
        Self::Stalled,
    ];

    async fn at(self, there: &Agent<'_>, db: &TestDatabase, run: RunId) {
        let (kit, tenant, of) = (there.kit, there.admin.tenant.id, &[run][..]);
        match self {
            Self::Step => drop(there.record(run, llm(2)).await.unwrap()),
            Self::Refused => drop(refused(there.record(run, llm(11)).await)),
            Self::Granted => drop(there.permit(run, ask("write")).await.unwrap()),
            Self::Used => {
                let permit_id = Some(there.permit(run, ask("write")).await.unwrap().permit_id);
                there.record(run, StepReport { permit_id, ..tool("write") }).await.unwrap();
            }
            Self::Violated | Self::Drafted | Self::PutOff => {
                let tx = kit.db.begin().await.unwrap();
                let later = kit.spine.now() + TimeDelta::minutes(1);
                let done = match self {
                    Self::Violated => tx.run_metrics().mark_violated(tenant, of).await,
                    Self::Drafted => tx.run_metrics().add_draft(tenant, of).await,
                    _ => tx.activity().put_off_sealing(tenant, of, later).await,
                };
                done.unwrap();
                tx.commit().await.unwrap();
            }
            Self::Damaged => {
                let segments = db.segments_of(&run.to_string()).await;
                let last = segments.last().unwrap();
                db.keep_segments().await;
                db.damage(&Damage::Put(last.cut(last.body.len() / 2))).await;
                activity::steps(&kit.spine, &there.admin, run, PageRequest::default()).await.unwrap();
                db.damage(&Damage::Put(last.clone())).await;
                let found = there.run(run).await;
                assert_eq!((found.integrity_status, found.incident_count), (IntegrityStatus::Failed, 1));
            }
            Self::Stalled => {
                kit.clock.advance(TimeDelta::minutes(3));
                assert_eq!(stalls::tick(&kit.spine).await.unwrap(), 1);
                assert_eq!(there.run(run).await.latency_bucket, LatencyBucket::Stalled);
            }
        }
    }
}

/// What no step of a run changes.
fn kept(run: &Run) -> (u64, u64, IntegrityStatus, bool, u64) {
    let Run { refused_count, incident_count, integrity_status, policy_violation, .. } = *run;
    (refused_count, incident_count, integrity_status, policy_violation, run.policy_draft_count)
}

on_both! {
    async fn nothing_of_what_they_did_is_undone_by_the_next_step(db: TestDatabase) {
        let (one, two) = (Kit::replica(db, 1).await, Kit::replica(db, 2).await);
        let here = Agent::of(&one, "acme").await;
        let there = at(&two, &here);
        here.rule(EnforcementMode::Block, "context.step.cost_microusd > 10").await;
        for done in Done::ALL {
            let run = here.start().await;
            here.record(run, tool("read")).await.unwrap();
            is_stored(&here, "before").await;
            Box::pin(done.at(&there, db, run)).await;
            let before = here.run(run).await;
            let next = here.record(run, tool("read")).await.unwrap();
            assert_eq!(next.step_index, before.step_count + before.refused_count, "{done:?}");
            let after = here.run(run).await;
            assert_eq!(after.step_count, before.step_count + 1, "{done:?}");
            assert_eq!(kept(&after), kept(&before), "{done:?}");
            is_stored(&here, &format!("{done:?}")).await;
            let sealed = there.complete(run).await.unwrap();
            assert_eq!((sealed.step_count, kept(&sealed).1), (after.step_count, after.incident_count), "{done:?}");
            let told = here.record(run, tool("read")).await;
            assert!(matches!(told, Err(Error::RunNotRunning { .. })), "{done:?}: {told:?}");
            let (report, _) = here.verified(run).await;
            assert_eq!(report.word, Word::Complete, "{done:?}: {report}");
        }
        // Whoever writes a run says where it stood before, and goes by its memory for that.
        let tenant = here.admin.tenant.id;
        assert_eq!(check_counters::miscounts(&one.spine, tenant).await.unwrap(), []);
    }

    async fn what_another_answered_without_the_store_comes_before_the_next_step(db: TestDatabase) {
        let folder = tempfile::tempdir().unwrap();
        let one = Kit::replica(db, 1).await;
        let here = going_on(&one).await;
        let two = Kit::spooling(db, folder.path(), 2).await;
        let there = at(&two, &here);
        let run = here.start().await;
        there.record(run, tool("read")).await.unwrap();
        two.db.close().await;
        let passed = there.record(run, tool("write")).await.unwrap();
        assert_eq!((passed.recorded, passed.step_index), (false, 1));
        drop(there);
        two.end(folder.path()).await;
        for index in [1, 2] {
            assert_eq!(here.record(run, tool("read")).await.unwrap().step_index, index, "it is cut off by itself");
        }
        let three = Kit::spooling(db, folder.path(), 3).await;
        overdue::tick(&three.spine).await.unwrap();
        assert_eq!(spooled(folder.path()), (0, 0), "it is in the store");
        for index in [4, 5] {
            assert_eq!(here.record(run, tool("read")).await.unwrap().step_index, index);
            is_stored(&here, "after it was written").await;
        }
        is_whole(&here, run, 6).await;
    }

    /// The server still has the salt that its texts were hashed with.
    async fn nothing_is_kept_of_what_comes_to_a_trace_that_was_erased_elsewhere(db: TestDatabase) {
        let (one, two) = (Kit::replica(db, 1).await, Kit::replica(db, 2).await);
        let here = Agent::of(&one, "acme").await;
        let there = at(&two, &here);
        send(&here, &[call(1, 1), root(1, false)]).await;
        send(&here, &[call(1, 2)]).await;
        is_stored(&here, "before").await;
        for kit in [&one, &two] {
            kit.clock.advance(TimeDelta::seconds(30));
        }
        assert_eq!(sweeper::tick(&two.spine).await.unwrap(), 1);
        let run = only_run(&there).await.id;
        logs::erase_contents(&two.spine, there.admin.tenant.id, run, "ann", "asked for").await.unwrap();
        assert_eq!(send(&here, &[call(1, 3)]).await.count, 0, "it is recorded");
        assert!(db.contents_of(&run.to_string()).await.is_empty());
        assert_eq!(here.run(run).await.late.unwrap().addenda, 1);
        let (report, _) = here.verified(run).await;
        assert_eq!(report.word, Word::Complete, "{report}");
    }

    async fn leave_that_another_used_holds_nothing_more(db: TestDatabase) {
        let (one, two) = (Kit::replica(db, 1).await, Kit::replica(db, 2).await);
        let here = Agent::of(&one, "acme").await;
        let there = at(&two, &here);
        here.limit(LimitType::RunSteps, 3).await;
        let run = here.start().await;
        let permit_id = Some(here.permit(run, ask("read")).await.unwrap().permit_id);
        there.record(run, StepReport { permit_id, ..tool("read") }).await.unwrap();
        for _ in 0..2 {
            here.permit(run, ask("read")).await.unwrap();
        }
        refused(here.permit(run, ask("read")).await);
        is_stored(&here, "one is used, and two are open").await;
        is_whole(&here, run, 1).await;
    }

    async fn nor_does_what_another_released(db: TestDatabase) {
        let (one, two) = (Kit::replica(db, 1).await, Kit::replica(db, 2).await);
        let here = Agent::of(&one, "acme").await;
        let there = at(&two, &here);
        here.limit(LimitType::Steps, 3).await;
        here.limit(LimitType::RunSteps, 3).await;
        let (run, other) = (here.start().await, here.start().await);
        for _ in 0..2 {
            here.permit(run, ask("read")).await.unwrap();
        }
        here.record(run, tool("read")).await.unwrap();
        refused(here.permit(run, ask("read")).await);
        for kit in [&one, &two] {
            kit.clock.advance(TimeDelta::seconds(61));
        }
        there.record(other, tool("read")).await.unwrap();
        here.record(run, tool("read")).await.unwrap();
        for run in [run, other] {
            let full = refused(here.permit(run, ask("read")).await);
            let of_all = full.verdict.limits.iter().find(|limit| limit.used.get() == 3);
            assert_eq!(of_all.map(|limit| limit.reserved.get()), Some(0), "{full:?}");
        }
        is_stored(&here, "another released what had lapsed").await;
    }

    async fn it_stays_bound_to_its_rules_and_goes_by_the_settings_of_now(db: TestDatabase) {
        let (one, two) = (Kit::replica(db, 1).await, Kit::replica(db, 2).await);
        let here = Agent::of(&one, "acme").await;
        let there = at(&two, &here);
        let run = here.start().await;
        here.record(run, tool("read")).await.unwrap();
        there.rule(EnforcementMode::Block, r#"context.step.skill == "read""#).await;
        here.record(run, tool("read")).await.unwrap();
        let bound = here.start().await;
        for _ in 0..2 {
            refused(here.record(bound, tool("read")).await);
            here.record(run, tool("read")).await.unwrap();
        }

        let version = account::settings(&two.spine, &there.admin).await.unwrap().settings_version;
        let required = SettingsChange { permits: Some(Permits::Required), ..SettingsChange::default() };
        account::update_settings(&two.spine, &there.admin, version, required).await.unwrap();
        let tenant = one.caller("acme", Role::Agent).await.tenant;
        let here = Agent { ctx: CallContext { tenant, ..here.ctx.clone() }, ..here };
        let halted = refused(here.record(run, tool("read")).await);
        assert_eq!(halted.verdict.halt_reason, Some(HaltReason::PermitRequired));
        is_whole(&here, run, 4).await;
    }
}
