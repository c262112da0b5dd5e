//! Whose job is done next, and how many there may be: no tenant, and no row that is broken, stops the others.

use chrono::TimeDelta;
use kit::Kit;
use models::{
    account::Role,
    jobs::{Job, JobKind, JobState},
};
use orchestrator::{
    Error,
    errors::ConflictCode,
    handlers::jobs::{self as operations, JobOrder},
};
use testkit::{Store, on_both};

use crate::jobs::{Does, What, now, queued, tenant, worker};

const NOW: JobOrder = JobOrder { kind: JobKind::LogCheck, run_at: None };

/// Has the stage of these jobs be no word that there is.
fn broken(store: Store, jobs: &str) -> String {
    let allow = match store {
        Store::Sqlite => "PRAGMA ignore_check_constraints = ON;",
        Store::Postgres => {
            "DO $$ DECLARE c record; BEGIN
                FOR c IN SELECT conname FROM pg_constraint WHERE conrelid = 'jobs'::regclass AND contype = 'c' LOOP
                    EXECUTE 'ALTER TABLE jobs DROP CONSTRAINT ' || quote_ident(c.conname);
                END LOOP;
            END $$;"
        }
    };
    format!("{allow} UPDATE jobs SET stage = 'nowhere' WHERE {jobs};")
}

on_both! {
    async fn who_orders_much_does_not_have_the_others_wait(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let acme = tenant(&kit).await;
        let beta = kit.caller("beta", Role::Admin).await.tenant.id;
        let mut jobs: Vec<Job> = Vec::new();
        for tenant in [acme, acme, acme, beta] {
            jobs.push(queued(&kit, tenant).await);
            kit.clock.advance(TimeDelta::seconds(1));
        }
        let worker = worker(&kit, &Does::what(What::Succeeds));
        for next in [0, 3, 1, 2] {
            assert_eq!(now(&kit, &jobs[next]).await.0.state, JobState::Queued, "{next}");
            assert_eq!(worker.tick(&kit.spine).await.unwrap(), 1);
            worker.through().await;
            assert_eq!(now(&kit, &jobs[next]).await.0.state, JobState::Succeeded, "{next}");
        }
    }

    async fn jobs_that_do_not_read_back_stop_no_other(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let tenant = tenant(&kit).await;
        for _ in 0..12 {
            queued(&kit, tenant).await;
        }
        db.tamper(&broken(db.store(), "TRUE")).await.unwrap();
        kit.clock.advance(TimeDelta::seconds(1));
        let job = queued(&kit, tenant).await;
        let worker = worker(&kit, &Does::what(What::Succeeds));
        assert_eq!(worker.tick(&kit.spine).await.unwrap(), 1);
        worker.through().await;
        assert_eq!(now(&kit, &job).await.0.state, JobState::Succeeded);
        assert_eq!(worker.tick(&kit.spine).await.unwrap(), 0, "none of them is taken");

        db.tamper("UPDATE jobs SET stage = 'queued' WHERE stage = 'nowhere'").await.unwrap();
        kit.clock.advance(TimeDelta::minutes(11));
        assert_eq!(worker.tick(&kit.spine).await.unwrap(), 1, "somebody mended them");
        worker.through().await;
    }

    async fn a_tenant_orders_so_many_and_none_before_now_or_far_ahead(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let ana = kit.caller("acme", Role::Operator).await;
        let at = |days| JobOrder { run_at: Some(kit.spine.now() + TimeDelta::days(days)), ..NOW };
        let create = async |order| operations::create(&kit.spine, &ana, order).await;
        let first = create(at(-1)).await.unwrap();
        assert_eq!(first.due_at, Some(kit.spine.now()), "it does not come before others");
        let far = create(at(367)).await;
        assert!(matches!(far, Err(Error::Invalid(_))), "{far:?}");
        for n in 1..100 {
            create(at(n)).await.unwrap();
        }
        let full = |answer: Result<Job, Error>| {
            matches!(answer, Err(Error::Conflict { code: ConflictCode::TooManyJobs, .. }))
        };
        assert!(full(create(NOW).await));
        let bea = kit.caller("beta", Role::Operator).await;
        operations::create(&kit.spine, &bea, NOW).await.expect("another tenant has its own");
        operations::cancel(&kit.spine, &ana, first.id, None).await.unwrap();
        create(NOW).await.expect("there is room again");
        assert!(full(operations::requeue(&kit.spine, &ana, first.id, None).await), "and none to put one back");
    }
}
