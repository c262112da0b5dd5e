//! The limits of a snapshot against a call: which hold for it, and where each stands.

use proof::{definitions::LimitDefinition, words::Moment};

use crate::{
    compile::CompiledSnapshot,
    facts::Facts,
    limits::{LimitInput, LimitOutcome, admit, applies},
};

impl CompiledSnapshot {
    /// The limits that hold for a call, most specific first.
    pub fn applicable<'a>(
        &'a self,
        moment: Moment,
        facts: &'a Facts,
    ) -> impl Iterator<Item = &'a LimitDefinition> + use<'a> {
        self.limits().iter().filter(move |limit| applies(limit, moment, facts))
    }

    /// Measures a call against the limits that the inputs name, in the order of [`Self::limits`], whatever the
    /// order of the inputs. A limit whose definition was tampered with refuses.
    #[must_use]
    pub fn measure(&self, moment: Moment, facts: &Facts, inputs: &[LimitInput]) -> Vec<LimitOutcome> {
        let input = |limit: &LimitDefinition| inputs.iter().find(|input| input.limit_id == limit.limit_id);
        self.limits()
            .iter()
            .filter_map(|limit| {
                let tampered = facts.tampered.contains(&limit.limit_id);
                match input(limit) {
                    Some(input) => Some(admit(limit, moment, input, self.block_unknown_cost(), tampered)),
                    None if tampered => {
                        let input = LimitInput::from_facts(limit, moment, facts);
                        Some(admit(limit, moment, &input, self.block_unknown_cost(), true))
                    }
                    None => None,
                }
            })
            .collect()
    }
}
