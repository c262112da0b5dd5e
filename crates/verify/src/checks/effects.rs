//! Is there what follows from each decision? What fired leaves an enforcement and a prevention record, a rule that
//! refuses an incident, a limit that was passed a breach. They follow from what is decided again, so it is asked with
//! that.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use proof::{
    records::{DecisionRecord, RecordKind},
    words::{Asked, Consequence, Moment, PolicyKind},
};
use rules::{CompiledSnapshot, Facts, conclude, reexecute::read_inputs};

use super::{Case, Outcome, Worst, facts::is_by_this_engine};
use crate::document::Effect;

/// What follows from each decision is there, as far as they have come.
#[derive(Default)]
pub(super) struct Effects(Due);

impl Effects {
    /// None where records are missing.
    pub(super) fn begin(case: &Case<'_>) -> Option<Self> {
        let needed =
            [RecordKind::Decision, RecordKind::Enforcement, RecordKind::Prevention, RecordKind::Breach];
        needed.into_iter().all(|kind| case.whole(kind)).then(Self::default)
    }

    pub(super) fn decision(&mut self, decision: &DecisionRecord, snapshot: &CompiledSnapshot) {
        if !is_by_this_engine(decision) {
            self.0.other += 1;
        } else if applies(decision) && decision.fired != NOTHING {
            self.0.follow(decision, snapshot);
        }
    }

    /// Also whether some were left out.
    pub(super) fn end(self, case: &Case<'_>) -> (Outcome, bool) {
        let (Self(due), document) = (self, case.document);
        let late = document.after.addenda.iter().map(|addendum| &addendum.value.added.gist);
        let gists: Vec<_> = std::iter::once(&document.sealed.gist).chain(late).collect();
        let mut worst = Worst::default();
        let enforced = gists.iter().flat_map(|gist| gist.enforced.iter());
        compare("enforcement", &due.enforced, &Rows::of(enforced), &mut worst);
        let prevented = gists.iter().flat_map(|gist| gist.prevented.iter());
        compare("prevention record", &due.prevented, &Rows::of(prevented), &mut worst);
        let breached: BTreeSet<(Rc<str>, Rc<str>)> = gists
            .iter()
            .flat_map(|gist| gist.breached.iter())
            .map(|breach| (breach.limit_id, breach.window_start))
            .collect();
        for (limit, window) in &due.breached {
            worst.expect(breached.contains(&(Rc::clone(limit), Rc::clone(window))), || {
                format!("limit {limit} was passed, and there is no breach of it")
            });
        }
        let (fired, other) = (due.fired, due.other);
        let outcome = worst.or_else(|| match other {
            0 => format!("{fired} times a rule or limit fired, and what follows from that is here"),
            _ => format!(
                "{fired} times a rule or limit fired, and what follows from that is here; {other} decisions by another engine \
                 were not looked at"
            ),
        });
        (outcome, other > 0)
    }
}

/// `fired` of a decision at which nothing did.
const NOTHING: &str = "[]";

/// Whether rows follow from what fired. A call that came too fast is no step and leaves none; nor does a person's act.
fn applies(decision: &DecisionRecord) -> bool {
    match decision.moment {
        Moment::RunStart => true,
        Moment::StepPre | Moment::StepPost | Moment::StepBoth => {
            decision.step_index.is_some() || !decision.action.refuses()
        }
        Moment::Intervention => false,
    }
}

/// Which rule or limit, at which step; and what a prevention record says of when it was asked.
type Key = (Rc<str>, Option<u64>, Option<Asked>, bool);

/// How many rows of each key there are, and how many of them came to an incident.
#[derive(Default)]
struct Rows(BTreeMap<Key, (u64, u64)>);

impl Rows {
    fn of(effects: impl Iterator<Item = Effect>) -> Self {
        let mut rows = Self::default();
        for Effect { policy_id, step_index, asked, refused_after, struck } in effects {
            rows.add((policy_id, step_index, asked, refused_after), struck);
        }
        rows
    }

    fn add(&mut self, key: Key, struck: bool) {
        let (rows, incidents) = self.0.entry(key).or_default();
        *rows += 1;
        *incidents += u64::from(struck);
    }
}

fn compare(what: &str, due: &Rows, there: &Rows, worst: &mut Worst) {
    for (key, (rows, incidents)) in &due.0 {
        let has = there.0.get(key).copied().unwrap_or_default();
        let at = || match &key.1 {
            Some(index) => format!("{} fired at step {index}", key.0),
            None => format!("{} fired at no step", key.0),
        };
        worst.expect(has.0 >= *rows, || format!("{}, and there is no such {what} of it", at()));
        worst.expect(has.1 >= *incidents, || {
            format!("{}, and the {what} of it names no incident that it came to", at())
        });
    }
}

/// What has to be there.
#[derive(Default)]
struct Due {
    enforced: Rows,
    prevented: Rows,
    /// Which limits were passed, and in which window.
    breached: BTreeSet<(Rc<str>, Rc<str>)>,
    fired: u64,
    other: u64,
}

impl Due {
    fn follow(&mut self, decision: &DecisionRecord, snapshot: &CompiledSnapshot) {
        // What does not read, or comes out otherwise, is for re-execution to tell.
        let (Ok(facts), Ok(inputs)) =
            (Facts::from_canonical(&decision.facts), read_inputs(&decision.limit_inputs))
        else {
            return;
        };
        let moment = decision.moment;
        let limits = snapshot.measure(moment, &facts, &inputs);
        let conclusion = conclude(&snapshot.evaluate(moment, &facts), &limits);
        for fired in conclusion.fired {
            if fired.action.taken().is_none() && fired.would_have.is_none() {
                continue;
            }
            self.fired += 1;
            let limit = limits.iter().find(|limit| limit.limit_id == fired.policy_id);
            let passed = limit.filter(|limit| fired.kind == PolicyKind::Limit && limit.breach.is_some());
            let struck = match fired.kind {
                PolicyKind::Rule => fired.action.refuses(),
                PolicyKind::Limit => passed.is_some_and(|limit| {
                    matches!(limit.consequence, Some(Consequence::Incident | Consequence::Abort))
                }),
            };
            if let Some(limit) = passed {
                let (id, window) = (limit.limit_id.as_str(), limit.window_start.as_str());
                self.breached.insert((Rc::from(id), Rc::from(window)));
            }
            let (id, index) = (Rc::<str>::from(fired.policy_id), decision.step_index);
            self.enforced.add((Rc::clone(&id), index, None, false), struck);
            // What a trace told is refused nothing, and says in the decision what it would have been.
            let refused_after =
                moment.is_of_done() && decision.would_have.is_none() && fired.action.refuses();
            self.prevented.add((id, index, moment.asked(), refused_after), struck);
        }
    }
}
