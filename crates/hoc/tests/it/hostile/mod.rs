//! Values that nobody means well with, in every member of every operation that the OpenAPI document has: no answer is a
//! 5xx, and a token is afterwards nowhere: not in the store or its log, not in the server's log, not in an answer.
//!
//! Each operation is called first with nothing hostile in it, and must be taken: so what is judged after that is the
//! one member, and not the operation's first check. An operation that is new in the document fails here until a body is
//! known for it. All are called once more at the end, when everything hostile has been said.

mod bodies;
mod document;
mod protobuf;
mod scene;
mod values;

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use crate::{
    canary::nowhere,
    harness::{Place, on_both},
};
use document::{Operation, Spot, operations};
use scene::Scene;
use values::{TOKEN, hostile};

/// How many callers there are: a server that waits for the disk has time for another.
const CALLERS: usize = 4;

on_both!(no_hostile_value_is_a_5xx_or_a_token_kept);

async fn no_hostile_value_is_a_5xx_or_a_token_kept(place: Place) {
    let admin = place.key("admin");
    let server = place.serve();
    let document = server.http().get("/api/v1/openapi.json", &admin).expect(200);
    let all = operations(&document);
    let spots: usize = all.iter().map(|operation| operation.spots.len()).sum();
    assert!(all.len() > 60 && spots > 300, "{} operations, {spots} members", all.len());

    let (address, serial) = (server.address.as_str(), AtomicUsize::new(1));
    Scene::new(address, &admin, &serial).govern();
    let next = AtomicUsize::new(0);
    let mut wrong: Vec<String> = thread::scope(|scope| {
        let caller = || {
            let mut scene = Scene::new(address, &admin, &serial);
            while let Some(operation) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                try_all_on(&mut scene, operation);
            }
            scene.wrong
        };
        let callers: Vec<_> = (0..CALLERS).map(|_| scope.spawn(caller)).collect();
        let broke_off = |_| vec!["a caller broke off: see above".to_owned()];
        callers.into_iter().flat_map(|caller| caller.join().unwrap_or_else(broke_off)).collect()
    });
    let mut scene = Scene::new(address, &admin, &serial);
    for operation in &all {
        scene.call_well(operation);
    }
    wrong.append(&mut scene.wrong);
    if !wrong.is_empty() {
        let (_, log) = server.stop();
        let log: Vec<_> =
            log.lines().filter(|line| ["ERROR", "WARN"].iter().any(|of| line.contains(of))).collect();
        panic!("{} wrong:\n{}\nand the log has:\n{}", wrong.len(), wrong.join("\n"), log.join("\n"));
    }
    // The answers were looked at as they came.
    let log = nowhere(&place, server, Vec::new(), &[TOKEN.to_owned()]).await;
    let errors: Vec<_> = log.lines().filter(|line| line.contains("ERROR")).collect();
    assert!(errors.is_empty(), "what went wrong behind the answers: {}", errors.join("\n"));
}

/// Calls an operation well, and then with each hostile value in each of its members.
fn try_all_on(scene: &mut Scene, operation: &Operation) {
    scene.call_well(operation);
    for (spot, takes) in &operation.spots {
        for hostile in hostile(scene.next_serial()) {
            for way in hostile.ways(spot, *takes) {
                scene.call_badly(operation, spot, &hostile, &way);
            }
            if let Spot::Body(pointer) = spot
                && operation.takes_protobuf
                && !hostile.is_number
            {
                scene.call_badly(operation, &Spot::Protobuf(pointer.clone()), &hostile, "");
            }
        }
    }
}
