//! `hoc jobs`, beside a server that does them.

use serde_json::{Value, json};
use testkit::Store;

use crate::harness::{Place, in_a_month};

const JOBS: &str = "/api/v1/runtime/jobs";

async fn a_job_is_cancelled_put_back_waited_for_and_told_of(store: Store) {
    let Some(place) = Place::on(store).await else { return };
    let server = place.serve();
    let admin = place.key("admin");
    let later = json!({ "kind": "log_check", "run_at": in_a_month() });
    let job = server.http().post(JOBS, &admin, &later).expect(201);
    let job = job["job_id"].as_str().expect("an id");
    let cancel = ["jobs", "cancel", job, "--by", "ann", "--reason", "not now", "--json"];
    let cancelled: Value = serde_json::from_str(&place.succeed(&cancel)).expect("JSON");
    assert_eq!(cancelled["state"], "CANCELLED", "{cancelled}");
    let again = place.run(&cancel);
    assert!(again.code == Some(1) && again.stderr.contains("nothing to cancel"), "{}", again.stderr);
    let over = place.run(&["jobs", "follow", job]);
    assert!(over.code == Some(1) && over.stdout.contains("CANCELLED"), "{}", over.stdout);

    place.succeed(&["jobs", "requeue", job, "--by", "ann"]);
    let followed = place.succeed(&["jobs", "follow", job]);
    assert!(followed.contains(job) && followed.contains("SUCCEEDED 100%"), "{followed}");
    let shown = place.succeed(&["jobs", "show", job]);
    for word in ["created", "cancelled", "scheduled", "started", "completed", "ann"] {
        assert!(shown.contains(word), "{word} in {shown}");
    }
    let done = place.succeed(&["jobs", "list", "--state", "SUCCEEDED", "--json"]);
    let done: Vec<Value> = done.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(done.iter().map(|one| &one["job_id"]).collect::<Vec<_>>(), [&json!(job)], "{done:?}");
    let none = place.run(&["jobs", "show", "job_00000000000000000000000000000000"]);
    assert!(none.code == Some(1) && none.stderr.contains("there is no job"), "{}", none.stderr);
    let doctor = place.succeed(&["doctor"]);
    assert!(doctor.contains("jobs of `default`, each as it was hashed"), "{doctor}");
    assert_eq!(server.stop().0, Some(0));
}

#[tokio::test]
async fn a_job_is_cancelled_put_back_waited_for_and_told_of_on_sqlite() {
    a_job_is_cancelled_put_back_waited_for_and_told_of(Store::Sqlite).await;
}

#[tokio::test]
async fn a_job_is_cancelled_put_back_waited_for_and_told_of_on_postgres() {
    a_job_is_cancelled_put_back_waited_for_and_told_of(Store::Postgres).await;
}
