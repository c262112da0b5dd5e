//! Answers that callers were given and that no store has yet.

use std::sync::Arc;

use models::{activity::Freeze, ids::RunId};
use proof::records::DecisionRecord;
use rules::{Facts, reexecute::read_inputs};

use super::ahead::Counted;
use crate::{
    budget::Share,
    choke::{
        call::{Answer, Done},
        prepare::Call,
        state::{State, given::Given},
    },
    errors::{Error, StepEnforcementError, internal},
};

/// What a caller was told while the store was down.
#[derive(Clone, Debug)]
pub(in crate::choke) enum Told {
    /// A halt.
    Refused(Box<StepEnforcementError>),
    /// Leave, in a `degrade` tenant.
    LetThrough(Done),
}

impl Told {
    /// The same answer again.
    pub(in crate::choke) fn again(&self) -> Answer {
        match self {
            Self::Refused(halted) => Err(Error::StepHalted(halted.clone())),
            Self::LetThrough(done) => Ok(done.clone()),
        }
    }

    /// The answer of a decision that is not recorded; `None` where nothing may be told without the store.
    pub(in crate::choke) fn unrecorded(answer: Answer, may_let_through: bool) -> Option<Self> {
        match answer {
            Err(Error::StepHalted(mut halted)) => {
                halted.recorded = false;
                Some(Self::Refused(halted))
            }
            Ok(Done::Granted(mut granted)) if may_let_through => {
                granted.recorded = false;
                Some(Self::LetThrough(Done::Granted(granted)))
            }
            Ok(Done::Recorded(mut step)) if may_let_through => {
                step.recorded = false;
                step.step_hash = None;
                Some(Self::LetThrough(Done::Recorded(step)))
            }
            _ => None,
        }
    }
}

/// An answer that no store has seen yet.
#[derive(Clone, Debug)]
pub(in crate::choke) struct Unwritten {
    pub(in crate::choke) call: Call,
    pub(in crate::choke) decision: Arc<DecisionRecord>,
    /// The freeze that it met.
    pub(in crate::choke) freeze: Option<Arc<Freeze>>,
    /// It was let through: what was asked has happened.
    pub(in crate::choke) let_through: bool,
    /// For repeats of the call; none where another process gave the answer.
    pub(in crate::choke) told: Option<Told>,
    /// It is in the spool.
    pub(in crate::choke) spooled: bool,
    /// What it counted in windows of limits; nothing where another process gave the answer.
    pub(in crate::choke) counted: Counted,
    /// The bytes that it holds; none where another process gave the answer, which is kept whatever there is room for.
    #[expect(dead_code, reason = "it is held, and given back with the last copy")]
    pub(in crate::choke) share: Option<Arc<Share>>,
}

impl Unwritten {
    /// What was just decided of a run, on what is remembered; none where that could not be written later.
    pub(in crate::choke) fn of(state: &State, run_id: RunId, call: &Call, told: Told) -> Option<Self> {
        let decision: &DecisionRecord = state.new.decisions.last()?;
        let freeze = state.runs.get(&run_id).and_then(|run| run.freeze.clone());
        let answer = Self {
            call: call.clone(),
            decision: Arc::new(decision.clone()),
            freeze: freeze.filter(|_| decision.intervention.is_some()),
            let_through: matches!(told, Told::LetThrough(_)),
            told: Some(told),
            spooled: false,
            counted: Counted::new(),
            share: None,
        };
        answer.given().is_ok().then_some(answer)
    }

    /// The decision that it was.
    pub(in crate::choke) fn given(&self) -> Result<Given, Error> {
        let decision = &self.decision;
        let permit_id = decision.permit_id.as_deref().map(str::parse).transpose().map_err(internal)?;
        Ok(Given {
            decision_id: decision.decision_id.parse().map_err(internal)?,
            decided_at: models::time::parse(&decision.decided_at).map_err(internal)?,
            moment: decision.moment,
            let_through: self.let_through,
            permit_id,
            permit_note: decision.permit_note,
            permit_required: decision.permit_required,
            freeze: self.freeze.clone(),
            facts: Facts::from_canonical(&decision.facts).map_err(internal)?,
            limits: read_inputs(&decision.limit_inputs).map_err(internal)?,
        })
    }
}
