//! `hoc doctor --recount` while another counts anew.

use std::process::Stdio;

use testkit::Store;

use crate::harness::Place;

#[tokio::test]
async fn who_waits_for_another_that_counts_anew_is_told_so() {
    let Some(place) = Place::on(Store::Postgres).await else { return };
    place.serve().stop();
    let database = place.database().expect("on Postgres");
    let planted = "INSERT INTO counters SELECT tenant_id, 'RUNS', '', decode('00', 'hex'), 0, '', '[\"LIVE\"]', \
                   1, 0, 0, 0, 0, 0, 0, 0 FROM tenants";
    database.tamper(planted).await.expect("planted");
    // As another that counts, and hangs.
    let other = "SELECT pg_advisory_xact_lock(hashtext(CAST(tenant_id AS TEXT)), -1) FROM tenants";
    let other = database.stranger(other).await;
    let mut doctor = place.command(&["doctor", "--recount"]);
    let doctor = doctor.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    database.until_blocked(1).await;
    other.let_go().await;
    let ended = doctor.wait_with_output().expect("it ends");
    let [found, told] = [&ended.stdout, &ended.stderr].map(|said| String::from_utf8_lossy(said));
    assert!(ended.status.success() && found.contains("were counted anew"), "{found}{told}");
    assert_eq!(told.matches("anew (pid ").count(), 1, "{told}");
    let waited = told.lines().find(|line| line.contains("anew (pid "));
    assert!(waited.is_some_and(|line| line.ends_with("waiting until it is over")), "{told}");
}
