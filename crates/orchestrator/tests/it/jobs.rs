//! Jobs, done once by whichever server takes them: taken over, tried again, given back.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chrono::TimeDelta;
use engines::jobs::verify_chain;
use kit::Kit;
use models::{
    account::Role,
    ids::TenantId,
    jobs::{Job, JobAuditEvent, JobAuditEventType as E, JobFilter, JobKind, JobState, NewJob},
    page::PageRequest,
};
use orchestrator::{
    Error,
    background::log_check::LogCheck,
    coordinators::check_jobs::check_jobs,
    errors::ConflictCode,
    handlers::jobs::{self as operations, JobEvent, JobOrder, JobPlace},
    jobs::{Broken, Handler, Pace, Skill, Work, Worker, enqueue},
};
use proof::words::EnforcementMode;
use testkit::on_both;
use tokio::sync::Semaphore;

use crate::{agent::Agent, tampering::failures};

/// A little longer than a lease.
const LEASE_OVER: TimeDelta = TimeDelta::seconds(61);

/// What a handler does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Succeeds,
    Fails,
    IsRefused,
    Panics,
    Hangs,
    /// Waits to be let go on, as often as it is let.
    Waits,
}

/// A handler that does what it is told.
pub(crate) struct Does {
    what: What,
    begun: Semaphore,
    go: Semaphore,
    has_lost: AtomicBool,
}

impl Does {
    pub(crate) fn what(what: What) -> Arc<Self> {
        let (begun, go) = (Semaphore::new(0), Semaphore::new(0));
        Arc::new(Self { what, begun, go, has_lost: AtomicBool::new(false) })
    }

    /// Waits until it begins, or has gone on.
    pub(crate) async fn heard(&self) {
        self.begun.acquire().await.unwrap().forget();
    }

    pub(crate) fn let_go_on(&self) {
        self.go.add_permits(1);
    }

    pub(crate) fn has_lost(&self) -> bool {
        self.has_lost.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Handler for Does {
    async fn run(&self, work: &Work) -> Result<(), Broken> {
        self.begun.add_permits(1);
        match self.what {
            What::Succeeds => Ok(()),
            What::Fails => Err(Error::Busy.into()),
            What::IsRefused => Err(Error::invalid("/payload", "is none").into()),
            What::Panics => panic!("as it was told"),
            What::Hangs => std::future::pending().await,
            What::Waits => loop {
                self.go.acquire().await.unwrap().forget();
                if let Err(broken) = work.go_on(50).await {
                    self.has_lost.store(matches!(broken, Broken::LeaseLost), Ordering::Relaxed);
                    return Err(broken);
                }
                self.begun.add_permits(1);
            },
        }
    }
}

pub(crate) fn worker(kit: &Kit, handler: &Arc<Does>) -> Worker {
    worker_at(kit, handler, Pace::default(), false)
}

fn worker_at(kit: &Kit, handler: &Arc<Does>, pace: Pace, stands: bool) -> Worker {
    let handler = Arc::clone(handler) as Arc<dyn Handler>;
    Worker::new(&kit.spine, vec![Skill { kind: JobKind::LogCheck, handler, stands }], pace)
}

pub(crate) async fn tenant(kit: &Kit) -> TenantId {
    kit.caller("acme", Role::Admin).await.tenant.id
}

/// A job that is due.
pub(crate) async fn queued(kit: &Kit, tenant: TenantId) -> Job {
    queued_to(kit, tenant, "{}").await
}

/// One that is told something.
async fn queued_to(kit: &Kit, tenant: TenantId, payload: &str) -> Job {
    let new = NewJob {
        tenant,
        kind: JobKind::LogCheck,
        payload: payload.to_owned(),
        standing: None,
        due_at: kit.spine.now(),
    };
    let tx = kit.db.begin().await.unwrap();
    let job = enqueue(&kit.spine, &tx, new, "ana").await.unwrap();
    tx.commit().await.unwrap();
    job
}

/// The job as it stands, and its chain, which holds.
pub(crate) async fn now(kit: &Kit, job: &Job) -> (Job, Vec<E>) {
    let store = kit.db.read().await.unwrap();
    let job = store.jobs().find_job(job.tenant, job.id).await.unwrap().unwrap();
    let events: Vec<JobAuditEvent> = store.jobs().chains(job.tenant, &[job.id]).await.unwrap();
    verify_chain(&job, &events).unwrap();
    (job, events.into_iter().map(|event| event.event_type).collect())
}

fn conflict<T: std::fmt::Debug>(answer: Result<T, Error>) -> ConflictCode {
    match answer {
        Err(Error::Conflict { code, .. }) => code,
        other => panic!("{other:?}"),
    }
}

async fn all(kit: &Kit, tenant: TenantId) -> Vec<Job> {
    let store = kit.db.read().await.unwrap();
    store.jobs().list(tenant, JobFilter::default(), &PageRequest::default()).await.unwrap().items
}

on_both! {
    async fn the_job_of_a_server_that_went_silent_is_taken_over_once_and_that_one_writes_nothing_more(db: TestDatabase) {
        let (kit, other) = (Kit::on(db).await, Kit::replica(db, 1).await);
        let job = queued(&kit, tenant(&kit).await).await;
        let (slow, quick) = (Does::what(What::Waits), Does::what(What::Succeeds));
        let (first, second) = (worker(&kit, &slow), worker(&other, &quick));
        assert_eq!(first.tick(&kit.spine).await.unwrap(), 1);
        slow.heard().await;
        assert_eq!(second.tick(&other.spine).await.unwrap(), 0, "it is the first one's");
        other.clock.advance(LEASE_OVER);
        assert_eq!(second.tick(&other.spine).await.unwrap(), 1);
        second.through().await;
        assert_eq!(second.tick(&other.spine).await.unwrap(), 0, "it is done");

        slow.let_go_on();
        first.through().await;
        assert!(slow.has_lost(), "it wakes, and is told");
        let (job, events) = now(&kit, &job).await;
        assert_eq!((job.state, job.attempts, job.lease), (JobState::Succeeded, 2, 2));
        assert_eq!(events, [E::Created, E::Started, E::Started, E::Completed]);
    }

    async fn a_server_that_was_killed_leaves_its_job_to_the_next(db: TestDatabase) {
        let (kit, other) = (Kit::on(db).await, Kit::replica(db, 1).await);
        let job = queued(&kit, tenant(&kit).await).await;
        let (slow, quick) = (Does::what(What::Waits), Does::what(What::Succeeds));
        let killed = worker(&kit, &slow);
        assert_eq!(killed.tick(&kit.spine).await.unwrap(), 1);
        drop(killed);
        other.clock.advance(LEASE_OVER);
        let second = worker(&other, &quick);
        assert_eq!(second.tick(&other.spine).await.unwrap(), 1);
        second.through().await;
        assert_eq!(now(&kit, &job).await.0.state, JobState::Succeeded);
    }

    async fn who_says_that_it_goes_on_keeps_its_job(db: TestDatabase) {
        let (kit, other) = (Kit::on(db).await, Kit::replica(db, 1).await);
        let job = queued(&kit, tenant(&kit).await).await;
        let slow = Does::what(What::Waits);
        let (first, second) = (worker(&kit, &slow), worker(&other, &Does::what(What::Succeeds)));
        assert_eq!(first.tick(&kit.spine).await.unwrap(), 1);
        slow.heard().await;
        for _ in 0..3 {
            kit.clock.advance(TimeDelta::seconds(50));
            other.clock.advance(TimeDelta::seconds(50));
            slow.let_go_on();
            slow.heard().await;
            assert_eq!(second.tick(&other.spine).await.unwrap(), 0);
        }
        let (job, events) = now(&kit, &job).await;
        assert_eq!((job.percentage, job.eta_at), (50, Some(kit.spine.now() + TimeDelta::seconds(150))));
        assert_eq!(events, [E::Created, E::Started, E::Progress]);
    }

    async fn what_fails_is_tried_again_later_each_time_and_then_lies_in_the_dead_letter(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let job = queued(&kit, tenant(&kit).await).await;
        let worker = worker(&kit, &Does::what(What::Fails));
        // A minute and two, and a fifth of each at most.
        for (rest, longest) in [(60, 72), (120, 144)] {
            assert_eq!(worker.tick(&kit.spine).await.unwrap(), 1);
            worker.through().await;
            let (job, _) = now(&kit, &job).await;
            assert_eq!((job.state, job.error.as_deref()), (JobState::Retrying, Some(Error::Busy.to_string().as_str())));
            let rests = (job.due_at.unwrap() - kit.spine.now()).num_seconds();
            assert!((rest..=longest).contains(&rests), "{rests} s");
            assert_eq!(worker.tick(&kit.spine).await.unwrap(), 0, "it rests");
            // Others would have come first for ten seconds more.
            kit.clock.advance(TimeDelta::seconds(longest + 10));
        }
        assert_eq!(worker.tick(&kit.spine).await.unwrap(), 1);
        worker.through().await;
        kit.clock.advance(TimeDelta::days(30));
        assert_eq!(worker.tick(&kit.spine).await.unwrap(), 0);
        let (job, events) = now(&kit, &job).await;
        assert_eq!((job.state, job.due_at), (JobState::Dead, None));
        let due = [E::Created, E::Started, E::Retried, E::Started, E::Retried, E::Started, E::DeadLettered];
        assert_eq!(events, due);
    }

    async fn what_is_refused_is_not_tried_again(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let job = queued(&kit, tenant(&kit).await).await;
        let worker = worker(&kit, &Does::what(What::IsRefused));
        worker.tick(&kit.spine).await.unwrap();
        worker.through().await;
        let (job, events) = now(&kit, &job).await;
        assert_eq!((job.state, events.last()), (JobState::Failed, Some(&E::Failed)));
    }

    async fn a_handler_that_panics_or_hangs_has_failed_and_the_next_server_does_the_job(db: TestDatabase) {
        let (kit, other) = (Kit::on(db).await, Kit::replica(db, 1).await);
        let tenant = tenant(&kit).await;
        let pace = Pace { renew_every: Duration::from_millis(1), silent_for: 2 };
        for (what, says) in [(What::Panics, "it panicked; the cause is in the server's log"), (What::Hangs, "it said nothing for too long")] {
            let job = queued(&kit, tenant).await;
            let sick = worker_at(&kit, &Does::what(what), pace, false);
            assert_eq!(sick.tick(&kit.spine).await.unwrap(), 1);
            sick.through().await;
            let (failed, _) = now(&kit, &job).await;
            assert_eq!((failed.state, failed.error.as_deref()), (JobState::Retrying, Some(says)));
            for clock in [&kit.clock, &other.clock] {
                clock.advance(TimeDelta::seconds(72));
            }
            let well = worker(&other, &Does::what(What::Succeeds));
            assert_eq!(well.tick(&other.spine).await.unwrap(), 1);
            well.through().await;
            assert_eq!(now(&kit, &job).await.0.state, JobState::Succeeded);
        }
    }

    async fn who_failed_at_the_last_job_of_a_kind_lets_others_come_first(db: TestDatabase) {
        let (kit, other) = (Kit::on(db).await, Kit::replica(db, 1).await);
        let job = queued(&kit, tenant(&kit).await).await;
        let (sick, well) = (worker(&kit, &Does::what(What::Fails)), worker(&other, &Does::what(What::Succeeds)));
        sick.tick(&kit.spine).await.unwrap();
        sick.through().await;
        let rest = now(&kit, &job).await.0.due_at.unwrap() - kit.spine.now();
        for clock in [&kit.clock, &other.clock] {
            clock.advance(rest);
        }
        assert_eq!(sick.tick(&kit.spine).await.unwrap(), 0, "it may be this server that is sick");
        assert_eq!(well.tick(&other.spine).await.unwrap(), 1);
        well.through().await;
        assert_eq!(now(&kit, &job).await.0.state, JobState::Succeeded);
    }

    async fn a_server_that_stops_gives_its_job_back(db: TestDatabase) {
        let (kit, other) = (Kit::on(db).await, Kit::replica(db, 1).await);
        let job = queued(&kit, tenant(&kit).await).await;
        let slow = Does::what(What::Waits);
        let first = worker(&kit, &slow);
        first.tick(&kit.spine).await.unwrap();
        slow.heard().await;
        first.stop().await;
        let (back, _) = now(&kit, &job).await;
        assert_eq!((back.state, back.attempts), (JobState::Queued, 0), "nothing failed");
        let second = worker(&other, &Does::what(What::Succeeds));
        assert_eq!(second.tick(&other.spine).await.unwrap(), 1, "nobody waits for a lease");
        second.through().await;
        assert_eq!(now(&kit, &job).await.0.state, JobState::Succeeded);
    }

    async fn every_tenant_has_one_job_that_stands_however_many_servers_there_are(db: TestDatabase) {
        let (kit, other) = (Kit::on(db).await, Kit::replica(db, 1).await);
        let acme = tenant(&kit).await;
        let beta = kit.caller("beta", Role::Admin).await.tenant.id;
        let done = Does::what(What::Succeeds);
        let workers = [&kit, &other].map(|kit| worker_at(kit, &done, Pace::default(), true));
        let took = async || {
            let mut took = 0;
            // One of a kind at a time.
            loop {
                let ticks = (workers[0].tick(&kit.spine), workers[1].tick(&other.spine));
                let (first, second) = futures::future::join(ticks.0, ticks.1).await;
                let now = first.unwrap() + second.unwrap();
                for worker in &workers {
                    worker.through().await;
                }
                took += now;
                if now == 0 {
                    return took;
                }
            }
        };
        assert_eq!(took().await, 2, "each tenant's, once");
        for hours in 1..3 {
            for clock in [&kit.clock, &other.clock] {
                clock.advance(TimeDelta::hours(1));
            }
            assert_eq!(took().await, 2, "hour {hours}");
        }
        for tenant in [acme, beta] {
            let jobs = all(&kit, tenant).await;
            assert_eq!(jobs.len(), 1);
            let (job, events) = now(&kit, &jobs[0]).await;
            assert_eq!((job.state, job.lease, events.len()), (JobState::Queued, 3, 7));
        }
    }

    async fn who_cancels_a_job_takes_it_from_its_server_and_it_can_be_put_back(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let ana = kit.caller("acme", Role::Operator).await;
        let order = JobOrder { kind: JobKind::LogCheck, run_at: None };
        let job = operations::create(&kit.spine, &ana, order).await.unwrap();
        let slow = Does::what(What::Waits);
        let first = worker(&kit, &slow);
        assert_eq!(first.tick(&kit.spine).await.unwrap(), 1);
        slow.heard().await;
        let requeue = async || operations::requeue(&kit.spine, &ana, job.id, Some("after all".to_owned())).await;
        let cancel = async || operations::cancel(&kit.spine, &ana, job.id, Some("enough".to_owned())).await;
        assert_eq!(conflict(requeue().await), ConflictCode::JobInQueue);
        assert_eq!(cancel().await.unwrap().state, JobState::Cancelled);
        assert_eq!(conflict(cancel().await), ConflictCode::JobOver);
        slow.let_go_on();
        first.through().await;
        assert!(slow.has_lost());
        assert_eq!(now(&kit, &job).await.1, [E::Created, E::Started, E::Cancelled]);

        assert_eq!(requeue().await.unwrap().state, JobState::Queued);
        let second = worker(&kit, &Does::what(What::Succeeds));
        assert_eq!(second.tick(&kit.spine).await.unwrap(), 1);
        second.through().await;
        assert_eq!(conflict(requeue().await), ConflictCode::JobOver);
        let (job, events) = now(&kit, &job).await;
        assert_eq!((job.state, job.attempts), (JobState::Succeeded, 1));
        assert_eq!(events[3..], [E::Scheduled, E::Started, E::Completed]);
        let stranger = kit.caller("beta", Role::Operator).await;
        let theirs = operations::cancel(&kit.spine, &stranger, job.id, None).await;
        assert!(matches!(theirs, Err(Error::NotFound { .. })), "{theirs:?}");
    }

    async fn whoever_follows_a_job_hears_its_events_and_its_end(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let ana = kit.caller("acme", Role::Viewer).await;
        let job = queued(&kit, ana.tenant.id).await;
        let worker = worker(&kit, &Does::what(What::Succeeds));
        worker.tick(&kit.spine).await.unwrap();
        worker.through().await;
        for (from, due) in [(JobPlace::Beginning, 3), (JobPlace::Event(1), 1), (JobPlace::Event(u64::MAX), 0)] {
            let mut following = operations::events(&kit.spine, &ana, job.id, from).await.unwrap().unwrap();
            let mut heard = 0;
            loop {
                match following.next().await.unwrap() {
                    Some(JobEvent::Happened(event)) => {
                        heard += 1;
                        assert_eq!(event.job_id, job.id);
                    }
                    Some(JobEvent::Ended(job)) => assert_eq!(job.state, JobState::Succeeded),
                    Some(JobEvent::Progress(..)) => panic!("it is over"),
                    None => break,
                }
            }
            assert_eq!(heard, due, "{from:?}");
        }
        assert!(operations::events(&kit.spine, &ana, job.id, JobPlace::End).await.unwrap().is_none());
        let stranger = kit.caller("beta", Role::Viewer).await;
        let theirs = operations::events(&kit.spine, &stranger, job.id, JobPlace::Beginning).await;
        assert!(matches!(theirs, Err(Error::NotFound { .. })));
    }

    async fn each_column_of_an_event_that_was_changed_is_found_and_so_is_a_job_that_says_otherwise(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let tenant = tenant(&kit).await;
        let of_events = [
            ("seq", "77"), ("event_type", "'progress'"), ("state", "'DEAD'"), ("actor", "'somebody'"), ("attempt", "9"),
            ("details", "'{}'"), ("created_at", "'2026-01-01T00:00:00.000000+00:00'"), ("previous", "hash"), ("hash", "previous"),
        ];
        let of_jobs = [
            ("payload", "'{}'"), ("standing", "'log_check'"), ("created_by", "'somebody'"), ("events", "2"),
            ("state", "'CANCELLED'"), ("created_at", "'2026-01-01T00:00:00.000000+00:00'"),
        ];
        let named = |table: &str, column: &str| format!(r#"{{"of":"{table}.{column}"}}"#);
        let each = [("job_audit_events", of_events.as_slice()), ("jobs", of_jobs.as_slice())];
        let each: Vec<_> =
            each.iter().flat_map(|(table, columns)| columns.iter().map(move |(column, to)| (*table, *column, *to))).collect();
        let mut jobs = Vec::new();
        for (table, column, _) in &each {
            jobs.push(queued_to(&kit, tenant, &named(table, column)).await);
        }
        let worker = worker(&kit, &Does::what(What::Succeeds));
        while worker.tick(&kit.spine).await.unwrap() > 0 {
            worker.through().await;
        }
        let sound = check_jobs(&kit.spine, tenant, None).await.unwrap();
        assert_eq!((sound.jobs, sound.events, sound.faults.len()), (15, 45, 0), "{:?}", sound.faults);

        for table in ["job_audit_events", "jobs"] {
            db.disarm(table).await;
        }
        for (table, column, to) in &each {
            let payload = named(table, column);
            let of = if *table == "jobs" {
                format!("payload = '{payload}'")
            } else {
                format!("seq = 1 AND job_id IN (SELECT id FROM jobs WHERE payload = '{payload}')")
            };
            db.tamper(&format!("UPDATE {table} SET {column} = {to} WHERE {of}")).await.unwrap();
        }
        let mut found = check_jobs(&kit.spine, tenant, None).await.unwrap().faults;
        let mut due: Vec<_> = jobs.iter().map(|job| job.id).collect();
        due.sort_unstable();
        found.sort_unstable();
        let ids: Vec<_> = found.iter().map(|(id, _)| *id).collect();
        assert_eq!(ids, due, "{found:#?}");
        db.tamper("DELETE FROM job_audit_events WHERE seq = 2").await.unwrap();
        assert_eq!(check_jobs(&kit.spine, tenant, None).await.unwrap().faults.len(), 15, "a tail that was cut off");
    }

    async fn a_check_that_somebody_orders_is_done_by_one_server(db: TestDatabase) {
        let (kit, other) = (Kit::on(db).await, Kit::replica(db, 1).await);
        let agent = Agent::of(&kit, "acme").await;
        agent.rule(EnforcementMode::Block, "context.step.cost_microusd > 500000").await;
        db.disarm("policy_rules").await;
        db.tamper("UPDATE policy_rules SET condition = 'false'").await.unwrap();
        let job = queued(&kit, agent.admin.tenant.id).await;
        let mut took = 0;
        for kit in [&kit, &other] {
            let handler = Arc::new(LogCheck { rest: Duration::ZERO });
            let skill = Skill { kind: JobKind::LogCheck, handler, stands: false };
            let worker = Worker::new(&kit.spine, vec![skill], Pace::default());
            took += worker.tick(&kit.spine).await.unwrap();
            worker.through().await;
        }
        assert_eq!((took, failures(&agent).await.len()), (1, 1));
        let (job, events) = now(&kit, &job).await;
        assert_eq!(job.state, JobState::Succeeded);
        assert_eq!((events.first(), events.last()), (Some(&E::Created), Some(&E::Completed)));
    }

    async fn what_is_not_committed_is_not_in_the_queue(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let tenant = tenant(&kit).await;
        let new = NewJob { tenant, kind: JobKind::LogCheck, payload: "{}".to_owned(), standing: None, due_at: kit.spine.now() };
        let tx = kit.db.begin().await.unwrap();
        enqueue(&kit.spine, &tx, new, "ana").await.unwrap();
        tx.rollback().await.unwrap();
        assert_eq!(worker(&kit, &Does::what(What::Succeeds)).tick(&kit.spine).await.unwrap(), 0);
        assert_eq!(all(&kit, tenant).await, []);
    }
}
