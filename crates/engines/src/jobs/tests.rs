//! The life of a job, move by move, and its chain.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use models::{
    ids::{JobId, TenantId},
    jobs::{Job, JobAuditEvent, JobAuditEventType, JobKind, JobState, NewJob, ProgressStage},
};
use proof::hash::Hash;

use super::*;

const SERVER: &str = "server 1";

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
}

fn tenant(n: u8) -> TenantId {
    format!("ten_{n:032x}").parse().expect("an id")
}

fn job_id(n: u8) -> JobId {
    format!("job_{n:032x}").parse().expect("an id")
}

fn policy() -> Policy {
    Policy { retry: RetryConfig::default(), lease: TimeDelta::seconds(60), every: TimeDelta::seconds(3_600) }
}

/// A job, and all that happened to it.
struct Life {
    job: Job,
    events: Vec<JobAuditEvent>,
}

impl Life {
    fn begins(standing: Option<&str>) -> Self {
        let new = NewJob {
            tenant: tenant(1),
            kind: JobKind::LogCheck,
            payload: "{}".to_owned(),
            standing: standing.map(str::to_owned),
            due_at: at(0),
        };
        let Moved { job, event } = create(new, job_id(2), "ana", at(0));
        Self { job, events: vec![event] }
    }

    fn moved(&mut self, moved: Moved) {
        self.job = moved.job;
        self.events.push(moved.event);
    }

    fn taken(&mut self, now: DateTime<Utc>) -> bool {
        let taken = take(self.job.clone(), SERVER, &policy(), now);
        let is_started = matches!(taken, Taken::Started(_));
        let (Taken::Started(moved) | Taken::GivenUp(moved)) = taken;
        self.moved(moved);
        is_started
    }

    fn fails(&mut self, may_pass: bool, now: DateTime<Utc>) {
        let failure = Failure { error: "no".to_owned(), may_pass };
        self.moved(fail(self.job.clone(), &failure, Duration::ZERO, SERVER, &policy(), now));
    }

    /// State, stage, attempts, when it is due, and the last event; the chain holds.
    fn stands(&self) -> (JobState, ProgressStage, u64, Option<i64>, JobAuditEventType) {
        assert_eq!(verify_chain(&self.job, &self.events), Ok(()));
        let due = self.job.due_at.map(|due| (due - DateTime::UNIX_EPOCH).num_seconds());
        let last = self.events.last().expect("an event").event_type;
        (self.job.state, self.job.stage, self.job.attempts, due, last)
    }
}

#[test]
fn a_job_is_taken_goes_on_and_is_done() {
    use JobAuditEventType as E;
    let mut life = Life::begins(None);
    assert_eq!(life.stands(), (JobState::Queued, ProgressStage::Queued, 0, Some(0), E::Created));
    assert!(life.taken(at(10)));
    assert_eq!(life.stands(), (JobState::Running, ProgressStage::Starting, 1, Some(70), E::Started));
    for (percentage, told) in [(None, false), (Some(24), false), (Some(50), true), (Some(40), false)] {
        let (job, event) = go_on(life.job.clone(), percentage, SERVER, &policy(), at(40));
        assert_eq!(event.is_some(), told, "{percentage:?}");
        life.job = job;
        life.events.extend(event);
    }
    assert_eq!(life.stands(), (JobState::Running, ProgressStage::Running, 1, Some(100), E::Progress));
    assert_eq!((life.job.percentage, life.job.eta_at), (50, Some(at(70))), "it does not go back");
    life.moved(complete(life.job.clone(), SERVER, &policy(), at(60)));
    assert_eq!(life.stands(), (JobState::Succeeded, ProgressStage::Completed, 1, None, E::Completed));
    assert_eq!((life.job.percentage, life.job.finished_at), (100, Some(at(60))));
    assert_eq!(requeue(life.job.clone(), "ana", None, at(61)), Err(RequeueError::Done));
}

#[test]
fn what_fails_is_tried_again_until_it_lies_in_the_dead_letter_and_somebody_puts_it_back() {
    use JobAuditEventType as E;
    let mut life = Life::begins(None);
    for (now, next) in [(0, 60), (60, 180)] {
        assert!(life.taken(at(now)));
        life.fails(true, at(now));
        let attempts = life.job.attempts;
        assert_eq!(
            life.stands(),
            (JobState::Retrying, ProgressStage::Queued, attempts, Some(next), E::Retried)
        );
    }
    assert!(life.taken(at(180)));
    life.fails(true, at(181));
    assert_eq!(life.stands(), (JobState::Dead, ProgressStage::Failed, 3, None, E::DeadLettered));
    let tries: Vec<_> =
        get_retry_history(&life.events).into_iter().map(|try_| (try_.number, try_.delay_ms)).collect();
    assert_eq!(tries, [(1, Some(60_000)), (2, Some(120_000)), (3, None)]);
    let moved = requeue(life.job.clone(), "ana", Some("mended"), at(200)).expect("it may");
    life.moved(moved);
    assert_eq!(life.stands(), (JobState::Queued, ProgressStage::Queued, 0, Some(200), E::Scheduled));
    assert_eq!(requeue(life.job.clone(), "ana", None, at(200)), Err(RequeueError::InQueue(JobState::Queued)));
}

#[test]
fn what_no_repeat_helps_is_not_repeated() {
    let mut life = Life::begins(None);
    assert!(life.taken(at(0)));
    life.fails(false, at(1));
    let failed = (JobState::Failed, ProgressStage::Failed, 1, None, JobAuditEventType::Failed);
    assert_eq!(life.stands(), failed);
}

#[test]
fn whose_server_goes_silent_is_taken_over_as_often_as_it_may_be_tried() {
    let mut life = Life::begins(None);
    let taken = [0, 60, 120, 180].map(|now| life.taken(at(now)));
    assert_eq!(taken, [true, true, true, false]);
    assert_eq!(life.job.lease, 3);
    let dead = (JobState::Dead, ProgressStage::Failed, 3, None, JobAuditEventType::DeadLettered);
    assert_eq!(life.stands(), dead);
    let tries = get_retry_history(&life.events).into_iter();
    let tries: Vec<_> = tries.map(|try_| (try_.number, try_.error, try_.will_retry)).collect();
    let silent = format!("{SERVER}, which was at it, went silent");
    assert_eq!(tries, [(1, silent.clone(), true), (2, silent.clone(), true), (3, silent, false)]);
}

#[test]
fn what_stands_comes_round_again_whatever_becomes_of_a_round() {
    use JobAuditEventType as E;
    let mut life = Life::begins(Some("log_check"));
    let stands = |life: &Life| {
        let (state, _, attempts, due, event) = life.stands();
        (state, attempts, due, event)
    };
    assert!(life.taken(at(0)));
    life.moved(complete(life.job.clone(), SERVER, &policy(), at(10)));
    assert_eq!(stands(&life), (JobState::Queued, 0, Some(3_610), E::Completed));
    let idle = cancel(life.job.clone(), "ana", None, &policy(), at(11));
    assert_eq!(idle, Err(CancelError::Standing("log_check".to_owned())));
    assert!(life.taken(at(3_610)));
    life.fails(false, at(3_620));
    assert_eq!(stands(&life), (JobState::Queued, 0, Some(7_220), E::Failed));
    for now in [7_220, 7_300, 7_400] {
        assert!(life.taken(at(now)));
    }
    assert!(!life.taken(at(7_500)), "three servers went silent over it");
    assert_eq!(stands(&life), (JobState::Queued, 0, Some(11_100), E::Failed));
    assert!(life.taken(at(11_100)));
    life.moved(cancel(life.job.clone(), "ana", Some("too long"), &policy(), at(11_200)).expect("its round"));
    assert_eq!(stands(&life), (JobState::Queued, 0, Some(14_800), E::Cancelled));
}

#[test]
fn a_job_is_cancelled_whether_or_not_a_server_is_at_it_and_once() {
    for is_taken in [false, true] {
        let mut life = Life::begins(None);
        if is_taken {
            assert!(life.taken(at(0)));
        }
        life.moved(cancel(life.job.clone(), "ana", None, &policy(), at(5)).expect("it may"));
        let (stands_at, in_stage, .., event) = life.stands();
        let cancelled = (JobState::Cancelled, ProgressStage::Cancelled, JobAuditEventType::Cancelled);
        assert_eq!((stands_at, in_stage, event), cancelled);
        assert_eq!(life.job.lease_owner, None);
        let again = cancel(life.job.clone(), "ana", None, &policy(), at(6));
        assert_eq!(again, Err(CancelError::Over(JobState::Cancelled)));
    }
}

#[test]
fn what_a_stopping_server_gives_back_is_no_attempt() {
    let mut life = Life::begins(None);
    assert!(life.taken(at(0)));
    life.moved(hand_back(life.job.clone(), SERVER, at(7)));
    let back = (JobState::Queued, ProgressStage::Queued, 0, Some(7), JobAuditEventType::Scheduled);
    assert_eq!(life.stands(), back);
}

/// A chain of five events.
fn chain() -> Life {
    let mut life = Life::begins(None);
    for now in [0, 60] {
        assert!(life.taken(at(now)));
        life.fails(true, at(now));
    }
    life
}

#[test]
fn each_field_of_an_event_that_is_flipped_is_found() {
    type Flip = fn(&mut JobAuditEvent);
    let flips: [(&str, Flip); 11] = [
        ("tenant", |event| event.tenant = tenant(9)),
        ("job_id", |event| event.job_id = job_id(9)),
        ("seq", |event| event.seq += 1),
        ("event_type", |event| event.event_type = JobAuditEventType::Progress),
        ("state", |event| event.state = JobState::Cancelled),
        ("actor", |event| event.actor.push('!')),
        ("attempt", |event| event.attempt = u64::MAX),
        ("details", |event| event.details = Some("{}".to_owned())),
        ("at", |event| event.at += TimeDelta::microseconds(1)),
        ("previous", |event| event.previous = Hash([7; 32])),
        ("hash", |event| event.hash = Hash([7; 32])),
    ];
    for of in 0..5 {
        for (field, flip) in flips {
            let mut life = chain();
            flip(&mut life.events[of]);
            assert!(verify_chain(&life.job, &life.events).is_err(), "{field} of event {of}");
        }
    }
}

#[test]
fn what_is_gone_moved_or_added_is_found_and_so_is_a_job_that_says_otherwise() {
    let found = |change: fn(&mut Life)| {
        let mut life = chain();
        change(&mut life);
        verify_chain(&life.job, &life.events).expect_err("it is found")
    };
    assert_eq!(found(|life| drop(life.events.remove(0))), ChainFault::Gone(0));
    assert_eq!(found(|life| drop(life.events.remove(2))), ChainFault::Gone(2));
    assert_eq!(found(|life| drop(life.events.pop())), ChainFault::Gone(4));
    assert_eq!(found(|life| life.events.clear()), ChainFault::Gone(0));
    assert_eq!(found(|life| life.events.swap(1, 2)), ChainFault::Gone(1));
    assert_eq!(found(|life| life.job.events = 4), ChainFault::Head);
    assert_eq!(found(|life| life.job.head = Hash([7; 32])), ChainFault::Head);
    let state = ChainFault::State { is: JobState::Succeeded, left: JobState::Retrying };
    assert_eq!(found(|life| life.job.state = JobState::Succeeded), state);
    assert_eq!(found(|life| life.job.due_at = Some(at(9_999))), ChainFault::Due);
    assert_eq!(found(|life| life.job.payload = r#"{"a":1}"#.to_owned()), ChainFault::Purpose);
    assert_eq!(found(|life| life.job.standing = Some("x".to_owned())), ChainFault::Purpose);
    assert_eq!(found(|life| life.job.created_by = "bea".to_owned()), ChainFault::Purpose);
}
