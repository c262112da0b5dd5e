//! What the checks ask of decisions, and of what came of them.

use std::rc::Rc;

use proof::{
    records::DecisionRecord,
    words::{Action, Asked, Moment, PermitNote},
};

use super::{
    bytes::{Packer, Unpacker},
    packed::Packs,
};

/// What the checks ask of a decision.
#[derive(Debug)]
pub(crate) struct Decision {
    pub(crate) id: String,
    pub(crate) action: Action,
    pub(crate) moment: Moment,
    pub(crate) step_index: Option<u64>,
    pub(crate) permit_id: Option<String>,
    pub(crate) permit_note: Option<PermitNote>,
    /// The intervention that it met.
    pub(crate) met: Option<Rc<str>>,
    /// Whether an override is said to have made it act on nothing.
    pub(crate) overridden: bool,
}

impl Decision {
    pub(super) fn of(decision: &DecisionRecord) -> Self {
        Self {
            id: decision.decision_id.clone(),
            action: decision.action,
            moment: decision.moment,
            step_index: decision.step_index,
            permit_id: decision.permit_id.clone(),
            permit_note: decision.permit_note,
            met: decision.intervention.as_deref().map(Rc::from),
            overridden: decision.overridden_by.is_some(),
        }
    }

    /// Whether it let a step pass by leave of which there is no record: the step's gap alone names the permit.
    pub(crate) fn is_of_lost_leave(&self) -> bool {
        self.moment == Moment::StepPost && self.permit_id.is_none() && self.permit_note.is_some()
    }
}

impl Packs for Decision {
    fn pack(&self, to: &mut Packer<'_>) {
        to.name(Some(&self.id));
        to.one_of(Action::ALL, &self.action);
        to.one_of(Moment::ALL, &self.moment);
        to.maybe(self.step_index);
        to.name(self.permit_id.as_deref());
        to.maybe_one_of(PermitNote::ALL, self.permit_note.as_ref());
        to.maybe_word(self.met.as_deref());
        to.flag(self.overridden);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Self {
        Self {
            id: from.name().unwrap_or_default(),
            action: from.one_of(Action::ALL),
            moment: from.one_of(Moment::ALL),
            step_index: from.maybe(),
            permit_id: from.name(),
            permit_note: from.maybe_one_of(PermitNote::ALL),
            met: from.maybe_word(),
            overridden: from.flag(),
        }
    }
}

/// An enforcement or a prevention, and the incident that it says it came to.
#[derive(Debug)]
pub(crate) struct Struck {
    pub(crate) id: String,
    pub(crate) incident: String,
}

impl Packs for Struck {
    fn pack(&self, to: &mut Packer<'_>) {
        to.name(Some(&self.id));
        to.name(Some(&self.incident));
    }

    fn unpack(from: &mut Unpacker<'_>) -> Self {
        Self { id: from.name().unwrap_or_default(), incident: from.name().unwrap_or_default() }
    }
}

/// What came of a rule or limit that fired at a step, or at none.
#[derive(Debug)]
pub(crate) struct Effect {
    pub(crate) policy_id: Rc<str>,
    pub(crate) step_index: Option<u64>,
    /// Whether it was asked before it was done, and refused after that. An enforcement does not say.
    pub(crate) asked: Option<Asked>,
    pub(crate) refused_after: bool,
    /// Whether it came to an incident.
    pub(crate) struck: bool,
}

impl Packs for Effect {
    fn pack(&self, to: &mut Packer<'_>) {
        to.word(&self.policy_id);
        to.maybe(self.step_index);
        to.maybe_one_of(Asked::ALL, self.asked.as_ref());
        to.flag(self.refused_after);
        to.flag(self.struck);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Self {
        Self {
            policy_id: from.word(),
            step_index: from.maybe(),
            asked: from.maybe_one_of(Asked::ALL),
            refused_after: from.flag(),
            struck: from.flag(),
        }
    }
}

/// A limit that was passed, and in which window.
#[derive(Debug)]
pub(crate) struct Breach {
    pub(crate) limit_id: Rc<str>,
    pub(crate) window_start: Rc<str>,
}

impl Packs for Breach {
    fn pack(&self, to: &mut Packer<'_>) {
        to.word(&self.limit_id);
        to.word(&self.window_start);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Self {
        Self { limit_id: from.word(), window_start: from.word() }
    }
}

/// What the checks ask of a gap.
#[derive(Debug)]
pub(crate) struct Gap {
    pub(crate) decision_id: String,
    pub(crate) step_index: Option<u64>,
    pub(crate) permit_id: Option<String>,
}

impl Packs for Gap {
    fn pack(&self, to: &mut Packer<'_>) {
        to.name(Some(&self.decision_id));
        to.maybe(self.step_index);
        to.name(self.permit_id.as_deref());
    }

    fn unpack(from: &mut Unpacker<'_>) -> Self {
        Self {
            decision_id: from.name().unwrap_or_default(),
            step_index: from.maybe(),
            permit_id: from.name(),
        }
    }
}
