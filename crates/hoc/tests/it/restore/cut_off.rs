//! An acceptance, or a checkpoint outside the store, that was cut off in the middle.

use super::{finding, goes_on, signed, start, started};
use crate::harness::Place;

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for file in std::fs::read_dir(from).expect("a folder") {
        let file = file.expect("a file");
        std::fs::copy(file.path(), to.join(file.file_name())).expect("it is copied");
    }
}

/// Two runs, of which a backup has the first; the checkpoints outside know both.
async fn lose_a_run(place: &Place, key: &str) {
    place.back_up_after(|server| started(&mut server.http(), key)).await;
    let lost = place.lose(|server| {
        started(&mut server.http(), key);
        signed(server, key);
    });
    lost.await;
}

/// Whoever accepts is killed when the logs say so, and nothing outside the store does yet.
#[tokio::test]
async fn an_acceptance_that_was_cut_off_is_brought_to_its_end_by_the_next() {
    let place = Place::sqlite();
    let admin = place.key("admin");
    lose_a_run(&place, &admin).await;
    let (folder, before) = (place.data().join("keys/checkpoints"), place.path("before"));
    copy(&folder, &before);
    let (code, accepted) = finding(&place, &["--accept-restore"], "restore");
    assert_eq!(code, Some(0), "{accepted}");
    copy(&before, &folder);
    for _ in 0..2 {
        let (code, logs) = finding(&place, &["--accept-restore"], "logs");
        assert_eq!(code, Some(0), "{logs}");
        assert!(!logs.contains("TRUNCATED"), "{logs}");
    }
    let (code, logs) = finding(&place, &[], "logs");
    assert_eq!(code, Some(0), "{logs}");
}

#[tokio::test]
async fn a_torn_checkpoint_does_not_hide_an_older_backup() {
    for torn in ["", "hoc/default"] {
        let place = Place::sqlite();
        let admin = place.key("admin");
        lose_a_run(&place, &admin).await;
        let folder = place.data().join("keys/checkpoints");
        let newest = folder.join("default-runs.checkpoint");
        std::fs::write(&newest, torn).expect("it is torn");

        let server = place.serve();
        server.http().get("/readyz", "").expect(503);
        assert_eq!(start(&mut server.http(), &admin).expect(503)["code"], "store_behind");
        server.stop();

        // Nor is anything written where nobody can tell; until somebody does without.
        std::fs::write(folder.join("default-runs.history.jsonl"), torn).expect("it is torn");
        let server = place.serve();
        let ready = server.http().get("/readyz", "").expect(503);
        assert!(ready["detail"].as_str().expect("why").contains("cannot be read"), "{ready}");
        assert_eq!(start(&mut server.http(), &admin).expect(503)["code"], "store_behind");
        let (code, found) = finding(&place, &[], "restore");
        assert_eq!(code, Some(1));
        assert!(found.contains("cannot be read"), "{found}");
        for file in ["default-runs.checkpoint", "default-runs.history.jsonl"] {
            std::fs::remove_file(folder.join(file)).expect("it goes");
        }
        goes_on(&mut server.http());
        start(&mut server.http(), &admin).expect(201);
    }
}
