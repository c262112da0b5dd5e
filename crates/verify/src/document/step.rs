//! What the checks ask of a step.

use std::rc::Rc;

use proof::{
    contents::Content,
    hash::Hash,
    records::{RecordKind, RunAfter, StepRecord},
    tally::Told,
    words::{Asked, CostNote, EvidenceClass, PermitNote, RunStatus, StepKind, StepStatus},
};
use serde::Deserialize as _;

use super::{
    bytes::{As, Packer, Unpacker},
    packed::Packs,
};
use crate::json::Parser;

/// Of which kinds the records are that a step names by their hash.
const NAMED: [RecordKind; 4] =
    [RecordKind::Decision, RecordKind::Decision, RecordKind::Activity, RecordKind::Provider];

/// The same, as they are packed.
const NAMED_AS: [As; 4] = [As::Pre, As::Post, As::Activity, As::Provider];

/// What the checks ask of a step.
#[derive(Debug, PartialEq)]
pub(crate) struct Step {
    pub(crate) index: u64,
    /// The step that its caller says it came of.
    pub(crate) parent_index: Option<u64>,
    pub(crate) kind: StepKind,
    pub(crate) status: StepStatus,
    /// What its caller said of it; none of a refused permit.
    pub(crate) reported: Option<StepStatus>,
    pub(crate) asked: Asked,
    pub(crate) permit_note: Option<PermitNote>,
    /// None if the text is no hash.
    pub(crate) prev: Option<Hash>,
    /// The records that it names by their hash, and of which kind they must be: the decision before the act and that
    /// on its result first.
    pub(crate) named: [(RecordKind, Option<Hash>); 4],
    /// The classes of evidence that a step of its kind has, of which it names none.
    pub(crate) bare: Vec<EvidenceClass>,
    pub(crate) decision_id: Option<String>,
    pub(crate) permit_id: Option<String>,
    /// The texts that it names.
    pub(crate) texts: [Option<Content>; 4],
    /// Whether its determinism hash is that of its fields.
    pub(crate) deterministic: bool,
    pub(crate) used: Used,
    pub(crate) cost_known: bool,
    /// What its provider read from its cache, and wrote there.
    pub(crate) cached: (u64, u64),
    pub(crate) duration_ms: u64,
    pub(crate) retry_count: u64,
    pub(crate) provider: Option<Rc<str>>,
    cost_note: Option<CostNote>,
    /// Its place in the tree of its run.
    pub(crate) skill_name: Rc<str>,
    pub(crate) model: Option<Rc<str>>,
    pub(crate) model_requested: Option<Rc<str>>,
    pub(crate) span: Option<String>,
    pub(crate) parent: Option<String>,
    reporter: Option<Rc<str>>,
    /// How it says that it left the run, if that can be read.
    pub(crate) left: Option<RunAfter>,
    /// Whether it says that it was recorded before the one before it in the same stretch.
    pub(crate) goes_back: bool,
}

/// What a step used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Used {
    pub(crate) cost_nanousd: u64,
    pub(crate) input_tokens: u64,
    pub(crate) output_tokens: u64,
}

impl Step {
    /// `goes_back`: whether it says that it was recorded before the one before it.
    pub(super) fn of(step: StepRecord, goes_back: bool) -> Self {
        // That each text is a hash was seen when it was read.
        let named = |text: Option<&String>| text.and_then(|text| text.parse().ok());
        Self {
            index: step.step_index,
            parent_index: step.parent_step_index,
            bare: bare(&step),
            kind: step.kind,
            status: step.status,
            reported: step.reported_status,
            asked: step.asked,
            permit_note: step.permit_note,
            prev: step.prev_hash.parse().ok(),
            named: {
                let [pre, post, activity, provider] = NAMED;
                [
                    (pre, named(step.pre_decision_hash.as_ref())),
                    (post, named(step.post_decision_hash.as_ref())),
                    (activity, named(step.activity_hash.as_ref())),
                    (provider, named(step.provider_hash.as_ref())),
                ]
            },
            texts: [step.params, step.outcome_data, step.prompt, step.response],
            deterministic: step.determinism_hash.parse() == Ok(step.determinism()),
            cost_known: step.cost_known,
            cached: (step.cache_read_tokens, step.cache_write_tokens),
            duration_ms: step.duration_ms,
            retry_count: step.retry_count,
            provider: step.provider.map(Rc::from),
            cost_note: step.cost_note,
            used: Used {
                cost_nanousd: step.cost_nanousd,
                input_tokens: step.input_tokens,
                output_tokens: step.output_tokens,
            },
            skill_name: Rc::from(step.skill_name),
            model: step.model.map(Rc::from),
            model_requested: step.model_requested.map(Rc::from),
            span: step.external_span_id,
            parent: step.external_parent_span_id,
            reporter: step.reported_by.map(Rc::from),
            decision_id: step.decision_id,
            permit_id: step.permit_id,
            left: left(&step.run_after),
            goes_back,
        }
    }

    /// What the tree of its run is told of it.
    pub(crate) fn told(&self) -> Told<'_> {
        let Used { cost_nanousd, input_tokens, output_tokens } = self.used;
        Told {
            index: self.index,
            span: self.span.as_deref(),
            parent: self.parent.as_deref(),
            kind: self.kind,
            skill_name: &self.skill_name,
            models: [self.model.as_deref(), self.model_requested.as_deref()],
            used: (input_tokens, output_tokens, cost_nanousd),
            note: self.cost_note,
            failed: self.reported == Some(StepStatus::Failure),
            reporter: self.reporter.as_deref(),
        }
    }

    /// Whether nothing can lie above or below it: it names neither a span of its own nor another's. It counts.
    pub(crate) fn is_alone(&self) -> bool {
        self.span.is_none() && self.parent.is_none()
    }

    /// Whether its verdict refused it.
    pub(crate) fn refused(&self) -> bool {
        self.status == StepStatus::Refused
    }

    /// The decision before the act, and the one that gave the step its verdict: on its result, or before an act that
    /// was refused.
    pub(crate) fn decisions(&self) -> (Option<Hash>, Option<Hash>) {
        let [(_, pre), (_, post), ..] = self.named;
        (pre, post.or(pre))
    }
}

impl Packs for Step {
    fn pack(&self, to: &mut Packer<'_>) {
        to.number(self.index);
        to.maybe(self.parent_index);
        to.one_of(StepKind::ALL, &self.kind);
        to.one_of(StepStatus::ALL, &self.status);
        to.maybe_one_of(StepStatus::ALL, self.reported.as_ref());
        to.one_of(Asked::ALL, &self.asked);
        to.maybe_one_of(PermitNote::ALL, self.permit_note.as_ref());
        to.hash(As::Prev, self.prev.as_ref());
        let mut before = None;
        for ((_, hash), named) in self.named.iter().zip(NAMED_AS) {
            // Of most steps one decision is both.
            to.flag(*hash == before);
            if *hash != before {
                to.hash(named, hash.as_ref());
            }
            before = *hash;
        }
        to.number(self.bare.len() as u64);
        self.bare.iter().for_each(|class| to.one_of(EvidenceClass::ALL, class));
        to.name(self.decision_id.as_deref());
        to.name(self.permit_id.as_deref());
        for text in &self.texts {
            to.hash(As::Text, text.as_ref().map(|text| &text.hash));
            if let Some(text) = text {
                to.number(text.length);
            }
        }
        to.flag(self.deterministic);
        let Used { cost_nanousd, input_tokens, output_tokens } = self.used;
        for number in [cost_nanousd, input_tokens, output_tokens, self.cached.0, self.cached.1] {
            to.number(number);
        }
        to.flag(self.cost_known);
        to.maybe_one_of(CostNote::ALL, self.cost_note.as_ref());
        to.number(self.duration_ms);
        to.number(self.retry_count);
        to.maybe_word(self.provider.as_deref());
        to.word(&self.skill_name);
        to.maybe_word(self.model.as_deref());
        to.maybe_word(self.model_requested.as_deref());
        to.name(self.span.as_deref());
        to.name(self.parent.as_deref());
        to.maybe_word(self.reporter.as_deref());
        to.flag(self.left.is_some());
        if let Some(RunAfter {
            cost_nanousd,
            input_tokens,
            output_tokens,
            refused_count,
            status,
            step_count,
        }) = &self.left
        {
            for number in [cost_nanousd, input_tokens, output_tokens, refused_count, step_count] {
                to.number(*number);
            }
            to.one_of(RunStatus::ALL, status);
        }
        to.flag(self.goes_back);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Self {
        Self {
            index: from.number(),
            parent_index: from.maybe(),
            kind: from.one_of(StepKind::ALL),
            status: from.one_of(StepStatus::ALL),
            reported: from.maybe_one_of(StepStatus::ALL),
            asked: from.one_of(Asked::ALL),
            permit_note: from.maybe_one_of(PermitNote::ALL),
            prev: from.hash(As::Prev),
            named: {
                let (mut before, mut named) = (None, NAMED_AS.into_iter());
                NAMED.map(|kind| {
                    let named = named.next().unwrap_or(As::Provider);
                    if !from.flag() {
                        before = from.hash(named);
                    }
                    (kind, before)
                })
            },
            bare: (0..from.number()).map(|_| from.one_of(EvidenceClass::ALL)).collect(),
            decision_id: from.name(),
            permit_id: from.name(),
            texts: [(); 4].map(|()| from.hash(As::Text).map(|hash| Content { hash, length: from.number() })),
            deterministic: from.flag(),
            used: Used {
                cost_nanousd: from.number(),
                input_tokens: from.number(),
                output_tokens: from.number(),
            },
            cached: (from.number(), from.number()),
            cost_known: from.flag(),
            cost_note: from.maybe_one_of(CostNote::ALL),
            duration_ms: from.number(),
            retry_count: from.number(),
            provider: from.maybe_word(),
            skill_name: from.word(),
            model: from.maybe_word(),
            model_requested: from.maybe_word(),
            span: from.name(),
            parent: from.name(),
            reporter: from.maybe_word(),
            left: from.flag().then(|| RunAfter {
                cost_nanousd: from.number(),
                input_tokens: from.number(),
                output_tokens: from.number(),
                refused_count: from.number(),
                step_count: from.number(),
                status: from.one_of(RunStatus::ALL),
            }),
            goes_back: from.flag(),
        }
    }
}

fn left(run_after: &str) -> Option<RunAfter> {
    let mut parser = Parser::new(run_after);
    RunAfter::deserialize(&mut parser).and_then(|after| parser.end().map(|()| after)).ok()
}

/// The classes of which a step names no record, though it was done and is of a kind that has one.
fn bare(step: &StepRecord) -> Vec<EvidenceClass> {
    // A permit that was refused is a step of which nothing was done.
    if step.status == StepStatus::Refused && step.reported_status.is_none() {
        return Vec::new();
    }
    let calls = matches!(step.kind, StepKind::LlmCall | StepKind::ToolCall | StepKind::HttpCall);
    let activity = (calls && step.activity_hash.is_none()).then_some(EvidenceClass::Activity);
    let asked_a_model = step.kind == StepKind::LlmCall;
    let provider = (asked_a_model && step.provider_hash.is_none()).then_some(EvidenceClass::Provider);
    activity.into_iter().chain(provider).collect()
}
