//! Bundles built by hand, record by record, with real decisions by the rules engine: what a server would seal.

mod call;
mod effects;
mod evidence;
mod late;
mod log;
mod plant;
mod policy;
mod run;
mod scene;
mod seal;

pub(crate) use call::Call;
pub(crate) use log::Log;
pub(crate) use plant::Plant;
pub(crate) use policy::{cost_limit, cost_rule, snapshot};
pub(crate) use scene::Scene;

use proof::{
    keys::{PublicKey, SigningKey},
    words::{CallClass, EnforcementMode, RunStatus},
};

pub(crate) const KEY: &str = "key_0192a5b6c7d87a1b8c2d3e4f50617287";
pub(crate) const OTHER_KEY: &str = "key_0192a5b6c7d87a1b8c2d3e4f50617288";
pub(crate) const TENANT: &str = "ten_0192a5b6c7d87a1b8c2d3e4f50617283";
pub(crate) const RUN: &str = "run_0192a5b6c7d87a1b8c2d3e4f50617284";
pub(crate) const TRACE: &str = "trc_0192a5b6c7d87a1b8c2d3e4f50617285";

pub(crate) fn signing_key() -> SigningKey {
    SigningKey::from_seed(&[42; 32])
}

pub(crate) fn keys() -> Vec<PublicKey> {
    vec![signing_key().public()]
}

/// A run of three steps without trouble.
pub(crate) fn clean() -> Scene {
    let mut scene = Scene::new(snapshot(vec![cost_rule(EnforcementMode::Block)], vec![]));
    scene.call(&Call::model(1_200));
    scene.call(&Call::tool("search"));
    scene.permitted(&Call::model(900));
    scene.seal(RunStatus::Succeeded);
    scene
}

/// A run in which a rule refused one step, and whose incident was acknowledged.
pub(crate) fn blocked() -> Scene {
    let mut scene = Scene::new(snapshot(vec![cost_rule(EnforcementMode::Block)], vec![]));
    scene.call(&Call::model(1_200));
    scene.call(&Call::model(700_000));
    scene.call(&Call::tool("search"));
    scene.seal(RunStatus::Succeeded);
    scene.acknowledge_incident();
    scene
}

/// A run that a rule stopped.
pub(crate) fn stopped() -> Scene {
    let mut scene = Scene::new(snapshot(vec![cost_rule(EnforcementMode::Stop)], vec![]));
    scene.call(&Call::tool("search"));
    scene.call(&Call::model(700_000));
    scene.seal(RunStatus::Halted);
    scene
}

/// A run that a rule killed at its first step.
pub(crate) fn killed() -> Scene {
    let mut scene = Scene::new(snapshot(vec![cost_rule(EnforcementMode::Kill)], vec![]));
    scene.call(&Call::model(700_000));
    scene.seal(RunStatus::Halted);
    scene
}

/// A run that passed a limit on its cost.
pub(crate) fn breached() -> Scene {
    let mut scene = Scene::new(snapshot(vec![], vec![cost_limit(2_000)]));
    scene.call(&Call::model(1_500));
    scene.call(&Call::model(1_500));
    scene.seal(RunStatus::Failed);
    scene
}

/// A run without any step.
pub(crate) fn empty() -> Scene {
    let mut scene = Scene::new(snapshot(vec![], vec![]));
    scene.seal(RunStatus::Aborted);
    scene
}

/// A run that goes on.
pub(crate) fn open() -> Scene {
    let mut scene = Scene::new(snapshot(vec![cost_rule(EnforcementMode::Warn)], vec![cost_limit(2_000)]));
    scene.call(&Call::model(1_200));
    scene.call(&Call::tool("search"));
    scene
}

/// A run that has at least one record of every kind.
pub(crate) fn everything() -> Scene {
    let mut scene = Scene::new(snapshot(vec![cost_rule(EnforcementMode::Block)], vec![cost_limit(2_000)]));
    scene.call(&Call::model(1_500));
    scene.fail_capture();
    scene.gap();
    scene.permitted(&Call::tool("search"));
    scene.call(&Call::model(700_000));
    scene.freeze();
    scene.call(&Call::tool("search"));
    scene.call(&Call::tool("search"));
    scene.unfreeze();
    scene.seal(RunStatus::Succeeded);
    scene.acknowledge_incident();
    scene
}

/// A run that was sealed while the store of one replica was down: what had passed there came later, one step under a
/// permit of before and one under a permit that came late itself; and later still a call that met a freeze.
pub(crate) fn late() -> Scene {
    let mut scene = Scene::new(snapshot(vec![cost_rule(EnforcementMode::Block)], vec![]));
    scene.call(&Call::model(1_200));
    let before = scene.permit(&Call::tool("search"));
    scene.seal(RunStatus::Succeeded);
    scene.go_on();
    scene.passed(&Call::model(900), None);
    scene.passed(&Call::tool("search"), Some(before));
    let between = scene.permit(&Call::tool("search"));
    scene.gap();
    scene.add();
    scene.passed(&Call::tool("search"), Some(between));
    scene.reported = true;
    scene.freeze();
    scene.call(&Call::tool("search"));
    scene.call(&Call::model(700_000));
    scene.unfreeze();
    scene.add();
    scene
}

/// The spans of a trace.
const SPANS: [&str; 11] = [
    "00000000000000a0",
    "00000000000000a1",
    "00000000000000a2",
    "00000000000000a3",
    "00000000000000a4",
    "00000000000000a5",
    "00000000000000a6",
    "00000000000000a7",
    "00000000000000a8",
    "00000000000000a9",
    "00000000000000aa",
];

/// A trace that goes on: an agent over a call that two spans tell of, the outer one first, below which another key
/// reports a call of its own; a tool of which both sides tell, with a call below it; a call whose wrapper comes after
/// it; and an agent of which nothing else tells.
fn tracing() -> Scene {
    let [root, outer, inner, others, client, server, below, early, wrapper, leaf, above] = SPANS;
    let mut scene = Scene::new(snapshot(vec![], vec![]));
    scene.reported = true;
    let sum = Call::agent(2_000).at(root, "no span");
    scene.call(&sum);
    let told = Call::model(1_000).at(outer, root).instead_of(&sum);
    scene.call(&told);
    scene.call(&Call::model(900).at(inner, outer).instead_of(&told));
    scene.call(&Call::model(50).at(others, inner).by(OTHER_KEY));
    let asked = Call::tool("search").at(client, root);
    scene.call(&asked);
    scene.call(&Call::tool("search").at(server, client).by(OTHER_KEY).instead_of(&asked));
    scene.call(&Call::model(10).at(below, server).by(OTHER_KEY));
    scene.call(&Call::model(700).at(early, wrapper));
    scene.call(&Call::model(800).at(wrapper, root).uncounted());
    scene.call(&Call::agent(300).at(leaf, above));
    scene
}

/// A trace that is over.
pub(crate) fn traced() -> Scene {
    let mut scene = tracing();
    scene.seal(RunStatus::Succeeded);
    scene
}

/// The same, of which more came after it was sealed: a call that counts, one below a call that counts, and one above.
pub(crate) fn traced_late() -> Scene {
    let [root, _, inner, .., above] = SPANS;
    let mut scene = traced();
    scene.go_on();
    scene.call(&Call::model(600).at("00000000000000b0", root));
    scene.call(&Call::model(500).at("00000000000000b1", inner).uncounted());
    scene.call(&Call::agent(400).at(above, root).uncounted());
    scene.add();
    scene
}

/// A trace of an agent that tells what it used, below which are calls of each class but text: its sum is not made of
/// these.
pub(crate) fn traced_beside_text() -> Scene {
    let [root, spans @ ..] = SPANS;
    let mut scene = Scene::new(snapshot(vec![], vec![]));
    scene.reported = true;
    scene.call(&Call::agent(2_000).at(root, "no span"));
    let classes = CallClass::ALL.iter().filter(|class| **class != CallClass::Text);
    for (class, span) in classes.zip(spans) {
        scene.call(&Call::of(*class, 10).at(span, root));
    }
    scene.seal(RunStatus::Succeeded);
    scene
}

/// A trace of a call below which a judge asks the same model again and again, and of an agent of which a guard's call
/// alone is told.
pub(crate) fn traced_judged() -> Scene {
    let [outer, judges @ .., agent, guard] = SPANS;
    let mut scene = Scene::new(snapshot(vec![], vec![]));
    scene.reported = true;
    scene.call(&Call::model(1_000).at(outer, "no span"));
    for span in judges {
        scene.call(&Call::model(10).small().at(span, outer));
    }
    scene.call(&Call::agent(2_000).at(agent, "no span"));
    scene.call(&Call::model(10).small().at(guard, agent));
    scene.seal(RunStatus::Succeeded);
    scene
}

/// A run whose texts were erased.
pub(crate) fn erased() -> Scene {
    let mut scene = clean();
    scene.erase();
    scene
}

/// The same of one to which something had come late.
pub(crate) fn erased_late() -> Scene {
    let mut scene = late();
    scene.erase();
    scene
}

/// Every scene by its name.
pub(crate) fn scenes() -> Vec<(&'static str, Scene)> {
    vec![
        ("clean", clean()),
        ("blocked", blocked()),
        ("stopped", stopped()),
        ("killed", killed()),
        ("breached", breached()),
        ("empty", empty()),
        ("open", open()),
        ("everything", everything()),
        ("late", late()),
        ("traced", traced()),
        ("traced_late", traced_late()),
        ("erased", erased()),
        ("erased_late", erased_late()),
    ]
}
