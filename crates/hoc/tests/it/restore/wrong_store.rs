//! A start on a wrong store with the right keys, as of an empty disk that was not mounted, takes nothing away from what
//! stands against an older backup.

use super::{finding, goes_on, kept_outside, signed, start, started};
use crate::harness::{Place, Ran, on_both};

/// A command on an empty store that is not the right one, with its keys and checkpoint folder.
fn elsewhere(place: &Place, args: &[&str]) -> Ran {
    let url = format!("sqlite://{}", place.path("wrong.db").display());
    Ran::of(place.command(args).env("HOC_DATABASE_URL", url).output().expect("the binary starts"))
}

/// How many checkpoints of the runs log stand aside.
fn aside(place: &Place) -> usize {
    let files = std::fs::read_dir(place.data().join("keys/checkpoints")).expect("a folder");
    let names = files.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with("default-runs.of-") && name.ends_with(".checkpoint")).count()
}

async fn a_start_on_a_wrong_store_hides_no_older_backup(place: Place) {
    let admin = place.key("admin");
    place.back_up_after(|server| started(&mut server.http(), &admin)).await;
    let lost = place.lose(|server| {
        started(&mut server.http(), &admin);
        signed(server, &admin);
        kept_outside(&place, 2);
    });
    lost.await;
    // Who looks at the wrong store signs for its logs, which puts aside what is kept of the right one's.
    assert_eq!(elsewhere(&place, &["keys", "create", "--role", "admin", "--owner", "b"]).code, Some(0));
    let looked = elsewhere(&place, &["doctor"]);
    assert!(looked.stdout.contains("is of another store"), "{}{}", looked.stdout, looked.stderr);
    assert_eq!(aside(&place), 1);

    let server = place.serve();
    let mut http = server.http();
    let ready = http.get("/readyz", "").expect(503);
    assert!(ready["detail"].as_str().expect("why").contains("--accept-restore"), "{ready}");
    assert_eq!(start(&mut http, &admin).expect(503)["code"], "store_behind");
    let (code, found) = finding(&place, &[], "restore");
    assert_eq!(code, Some(1));
    assert!(found.contains("runs log"), "{found}");
    let (_, told) = finding(&place, &[], "checkpoints");
    assert!(!told.contains("is of another store"), "it is of this one: {told}");
    assert_eq!(place.run(&["verify", "--log", "runs"]).code, Some(4), "TRUNCATED");
    assert_eq!(aside(&place), 1, "nothing was signed on the older backup");

    let (code, accepted) = finding(&place, &["--accept-restore"], "restore");
    assert_eq!(code, Some(0), "{accepted}");
    goes_on(&mut http);
    start(&mut http, &admin).expect(201);
    signed(&server, &admin);
    assert_eq!(finding(&place, &[], "restore"), (Some(0), String::new()));
}

on_both!(a_start_on_a_wrong_store_hides_no_older_backup);
