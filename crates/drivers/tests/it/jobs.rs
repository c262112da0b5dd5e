//! Jobs: the claim of one that is due, the lease by which its server writes, and the chain of what happened to it.

use drivers::{ClaimedJob, Db, DueJobs, StoreError, Tx};
use models::{
    ids::{JobId, TenantId},
    jobs::{Job, JobAuditEvent, JobAuditEventType, JobFilter, JobKind, JobState, ProgressStage},
    page::PageRequest,
};

use crate::sample::{self, MOST, ODD, OTHER, TENANT, at, hash, tenant, uuid};

/// What is due at second `by`.
fn due(by: i64) -> DueJobs<'static> {
    DueJobs { kind: JobKind::LogCheck, by: at(by), but_jobs: &[], but_tenants: &[] }
}

/// The job that is claimed of these.
async fn claimed(tx: &Tx, due: DueJobs<'_>) -> Option<Job> {
    match tx.jobs().claim_due(due).await.expect("claimed")? {
        ClaimedJob::Job(job) => Some(*job),
        ClaimedJob::Unreadable(id, err) => panic!("{id}: {err}"),
    }
}

/// A job that is due at second `due`.
fn job(tenant: TenantId, n: u128, due: i64) -> Job {
    Job {
        tenant,
        id: JobId(uuid(n)),
        kind: JobKind::LogCheck,
        state: JobState::Queued,
        payload: ODD.to_owned(),
        standing: None,
        attempts: MOST,
        lease: 7,
        lease_owner: None,
        due_at: Some(at(due)),
        stage: ProgressStage::Queued,
        percentage: 100,
        eta_at: None,
        started_at: None,
        finished_at: None,
        error: Some(String::new()),
        events: 1,
        head: hash(1),
        created_by: ODD.to_owned(),
        created_at: at(due),
        updated_at: at(due),
    }
}

fn taken(job: &Job, by: &str, until: i64) -> Job {
    Job {
        state: JobState::Running,
        attempts: 1,
        lease: job.lease + 1,
        lease_owner: Some(by.to_owned()),
        due_at: Some(at(until)),
        stage: ProgressStage::Starting,
        percentage: 0,
        eta_at: Some(at(90)),
        started_at: Some(at(80)),
        error: None,
        events: 2,
        head: hash(2),
        updated_at: at(80),
        ..job.clone()
    }
}

fn ended(job: &Job) -> Job {
    Job {
        state: JobState::Succeeded,
        lease_owner: None,
        due_at: None,
        stage: ProgressStage::Completed,
        finished_at: Some(at(85)),
        ..job.clone()
    }
}

fn event(job: &Job, seq: u64) -> JobAuditEvent {
    JobAuditEvent {
        tenant: job.tenant,
        job_id: job.id,
        seq,
        event_type: JobAuditEventType::Progress,
        state: JobState::Running,
        actor: ODD.to_owned(),
        attempt: MOST,
        details: seq.is_multiple_of(2).then(|| ODD.to_owned()),
        at: at(1),
        previous: hash(seq),
        hash: hash(seq + 1),
    }
}

async fn stored(db: &Db, jobs: &[Job]) {
    let tx = db.begin().await.expect("begin");
    tx.jobs().insert_jobs(jobs).await.expect("inserted");
    tx.commit().await.expect("commit");
}

testkit::on_both! {
    async fn a_job_comes_back_as_it_went_and_changes_in_how_it_stands(db: TestDatabase) {
        let db = sample::store(db).await;
        let first = job(TENANT, 1, 1);
        stored(&db, &[first.clone()]).await;
        let running = taken(&first, ODD, 100);
        let tx = db.begin().await.expect("begin");
        assert_eq!(tx.jobs().find_job(TENANT, first.id).await.expect("found").as_ref(), Some(&first));
        assert_eq!(tx.jobs().find_job(OTHER, first.id).await.expect("not theirs"), None);
        assert_eq!(tx.jobs().lock_job(OTHER, first.id).await.expect("not theirs"), None);
        let sent = Job { payload: "x".into(), created_by: "x".into(), created_at: at(99), ..running.clone() };
        tx.jobs().save_job(&sent).await.expect("saved");
        assert_eq!(tx.jobs().lock_job(TENANT, first.id).await.expect("locked"), Some(running.clone()));
        let over = ended(&running);
        tx.jobs().save_job(&over).await.expect("saved");
        assert_eq!(tx.jobs().find_job(TENANT, first.id).await.expect("found"), Some(over.clone()));
        let stolen = Job { tenant: OTHER, ..over };
        assert!(matches!(tx.jobs().save_job(&stolen).await, Err(StoreError::RowsAffected { actual: 0, .. })));
    }

    async fn the_longest_due_is_claimed_first_and_what_is_not_due_or_over_is_not(db: TestDatabase) {
        let db = sample::store(db).await;
        let [later, sooner, silent] = [job(TENANT, 1, 30), job(OTHER, 2, 20), taken(&job(OTHER, 3, 1), "s", 25)];
        let over = ended(&taken(&job(TENANT, 4, 1), "s", 10));
        stored(&db, &[later.clone(), sooner.clone(), silent.clone(), over]).await;
        let mut found = Vec::new();
        for now in [19, 20, 25, 25, 40, 40] {
            let tx = db.begin().await.expect("begin");
            let job = claimed(&tx, due(now)).await;
            if let Some(job) = &job {
                tx.jobs().save_job(&taken(job, "me", 1_000)).await.expect("saved");
            }
            tx.commit().await.expect("commit");
            found.push(job.map(|job| job.id));
        }
        let expected = [None, Some(sooner.id), Some(silent.id), None, Some(later.id), None];
        assert_eq!(found, expected, "also one whose server went silent");
        let read = db.read().await.expect("read");
        for (now, is_due) in [(999, false), (1_000, true)] {
            assert_eq!(read.jobs().is_due(due(now)).await.expect("asked"), is_due, "the first lease ends");
        }
        let tx = db.begin().await.expect("begin");
        let all = due(9_999);
        let nexts: [(&[JobId], &[TenantId], Option<&Job>); 4] = [
            (&[], &[], Some(&later)),
            (&[later.id], &[], Some(&sooner)),
            (&[], &[TENANT], Some(&sooner)),
            (&[later.id], &[OTHER], None),
        ];
        for (but_jobs, but_tenants, next) in nexts {
            let job = claimed(&tx, DueJobs { but_jobs, but_tenants, ..all }).await;
            assert_eq!(job.map(|job| job.id), next.map(|job| job.id), "all are due at once: by their ids");
        }
        for (of, job) in [(Some(TENANT), later.id), (Some(OTHER), sooner.id), (None, JobId(uuid(99)))] {
            assert_eq!(tx.jobs().tenant_of(job).await.expect("asked"), of);
        }
        for (tenant, most, count) in [(TENANT, 9, 1), (OTHER, 9, 2), (OTHER, 1, 1)] {
            assert_eq!(tx.jobs().unfinished(tenant, most).await.expect("counted"), count);
        }
    }

    async fn a_lease_that_was_lost_finds_no_job(db: TestDatabase) {
        let db = sample::store(db).await;
        let held = taken(&job(TENANT, 1, 1), "me", 100);
        stored(&db, &[held.clone()]).await;
        let tx = db.begin().await.expect("begin");
        let jobs = tx.jobs();
        assert_eq!(jobs.lock_held(TENANT, held.id, held.lease).await.expect("held"), Some(held.clone()));
        for (tenant, lease) in [(OTHER, held.lease), (TENANT, held.lease - 1), (TENANT, held.lease + 1)] {
            assert_eq!(jobs.lock_held(tenant, held.id, lease).await.expect("lost"), None, "{lease}");
        }
        jobs.save_job(&ended(&held)).await.expect("saved");
        assert_eq!(jobs.lock_held(TENANT, held.id, held.lease).await.expect("over"), None);
    }

    async fn one_job_of_a_tenant_stands_under_a_name(db: TestDatabase) {
        let db = sample::store(db).await;
        let standing = |tenant, n| Job { standing: Some("log_check".to_owned()), ..job(tenant, n, 1) };
        let without = async |name: &str| {
            let mut found = db.read().await.expect("read").jobs().tenants_without(name).await.expect("found");
            found.sort_unstable();
            found
        };
        assert_eq!(without("log_check").await, [TENANT, OTHER]);
        let (first, other, again) = (standing(TENANT, 1), standing(OTHER, 2), standing(TENANT, 3));
        stored(&db, &[first.clone()]).await;
        assert_eq!(without("log_check").await, [OTHER]);
        let tx = db.begin().await.expect("begin");
        tx.jobs().insert_missing_jobs(&[again.clone(), other.clone()]).await.expect("inserted");
        let ours = [(TENANT, again.id), (OTHER, other.id)];
        assert_eq!(tx.jobs().that_are_there(&ours).await.expect("asked"), [other.id]);
        tx.commit().await.expect("commit");
        assert_eq!((without("log_check").await, without("other").await), (vec![], vec![TENANT, OTHER]));
        let tx = db.begin().await.expect("begin");
        assert!(matches!(tx.jobs().insert_jobs(&[again]).await, Err(StoreError::Conflict(_))));
    }

    async fn a_chain_comes_back_in_its_order_whole_or_in_part(db: TestDatabase) {
        let db = sample::store(db).await;
        let [one, two] = [job(TENANT, 1, 1), job(TENANT, 2, 2)];
        stored(&db, &[one.clone(), two.clone(), job(OTHER, 3, 3)]).await;
        let events: Vec<JobAuditEvent> = [(&one, 0), (&one, 1), (&one, 2), (&two, 0)].map(|(of, seq)| event(of, seq)).into();
        let tx = db.begin().await.expect("begin");
        tx.jobs().insert_job_events(&[&events[3..], &events[..3]].concat()).await.expect("inserted");
        tx.commit().await.expect("commit");
        let store = db.read().await.expect("read");
        let jobs = store.jobs();
        assert_eq!(jobs.chains(TENANT, &[two.id, one.id]).await.expect("read"), events);
        assert_eq!(jobs.chains(OTHER, &[two.id, one.id]).await.expect("not theirs"), []);
        assert_eq!(jobs.last_events(TENANT, one.id, 2).await.expect("read"), events[1..3]);
        assert_eq!(jobs.events_from(TENANT, one.id, 1, 1).await.expect("read"), events[1..2]);
        assert_eq!(jobs.jobs_after(TENANT, None, 1).await.expect("read"), [one.clone()]);
        assert_eq!(jobs.jobs_after(TENANT, Some(one.id), 9).await.expect("read"), [two]);
    }

    async fn a_list_has_what_its_filter_asks_for_newest_first(db: TestDatabase) {
        let db = sample::store(db).await;
        let [one, two] = [job(TENANT, 1, 1), taken(&job(TENANT, 2, 2), "me", 50)];
        stored(&db, &[one.clone(), two.clone(), job(OTHER, 3, 3)]).await;
        let store = db.read().await.expect("read");
        let listed = async |state, kind| {
            let filter = JobFilter { state, kind };
            store.jobs().list(TENANT, filter, &PageRequest::default()).await.expect("listed").items
        };
        assert_eq!(listed(None, None).await, [two.clone(), one.clone()]);
        assert_eq!(listed(Some(JobState::Queued), None).await, [one]);
        assert_eq!(listed(Some(JobState::Running), Some(JobKind::LogCheck)).await, [two]);
        assert_eq!(listed(Some(JobState::Dead), None).await, []);
    }
}

/// Two replicas claim at the same moment: each gets another job, and neither waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_claims_at_once_get_two_jobs_on_postgres() {
    let Some(database) = testkit::TestDatabase::migrated(testkit::Store::Postgres).await else { return };
    let db = sample::open(&database).await;
    let tx = db.begin().await.expect("begin");
    tx.account().insert_tenant(&tenant(TENANT)).await.expect("a tenant");
    tx.jobs().insert_jobs(&[job(TENANT, 1, 1), job(TENANT, 2, 2)]).await.expect("inserted");
    tx.commit().await.expect("commit");
    let (one, two, three) = (db.begin().await, db.begin().await, db.begin().await);
    let mut found = Vec::new();
    let held = [one, two, three].map(|tx| tx.expect("begin"));
    for tx in &held {
        found.push(claimed(tx, due(9)).await.map(|job| job.id));
    }
    assert_eq!(found, [Some(JobId(uuid(1))), Some(JobId(uuid(2))), None]);
}
