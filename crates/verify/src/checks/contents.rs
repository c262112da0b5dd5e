//! Are the texts that records name here, and no others? Or does the run log say that they were erased?

use std::collections::HashMap;

use proof::{hash::Hash, records::RecordKind};

use super::{Case, Outcome, Worst};
use crate::{document::Erased, report::Finding, shown};

/// Each text is named by a record, and each that a record names is here or was erased.
pub(crate) fn contents(case: &Case<'_>) -> Outcome {
    let (document, contents) = (case.document, &case.document.contents);
    let mut worst = Worst::default();
    let late = document.after.addenda.iter().flat_map(|addendum| addendum.value.added.gist.steps.iter());
    let mut named: HashMap<Hash, u64> = HashMap::new();
    for step in document.sealed.gist.steps.iter().chain(late) {
        for name in step.texts.iter().flatten() {
            let length = *named.entry(name.hash).or_insert(name.length);
            worst.expect(length == name.length, || {
                format!("step {} names a text that another says to be of another length", step.index)
            });
        }
    }
    if let Some(erased) = &contents.erased {
        erased_run(case, &erased.value, &mut worst);
        let leaf = &erased.value.leaf.value;
        let bytes: u64 = named.values().fold(0, |sum, length| sum.saturating_add(*length));
        return worst.or_else(|| {
            format!(
                "erased at {} by {}: {}; {} texts of {bytes} bytes are named and cannot be looked at",
                leaf.erased_at,
                shown(leaf.actor_id.as_deref().unwrap_or(leaf.actor_type.as_str())),
                shown(&leaf.reason),
                named.len()
            )
        });
    }
    for (name, length) in contents.names.iter().zip(&contents.lengths) {
        worst.expect(named.get(name).is_none_or(|named| named == length), || {
            format!("a text of {length} bytes has another length than its records say")
        });
    }
    let mut listed = case.texts().to_vec();
    listed.sort_unstable();
    listed.dedup();
    let missing = named.keys().filter(|name| listed.binary_search(name).is_err()).count();
    if missing > 0 {
        worst.found(Finding::truncated(format!(
            "{missing} of {} texts that records name are missing, and no leaf says that they were erased",
            named.len()
        )));
    }
    let all_there =
        case.whole(RecordKind::Step) && document.after.addenda.len() == case.manifest.after.addenda.len();
    let strangers = listed.iter().filter(|name| !named.contains_key(*name)).count();
    worst.expect(!all_there || strangers == 0, || format!("{strangers} texts are named by no record"));
    worst.or_else(|| match contents.names.len() {
        0 => "no record names a text".to_owned(),
        texts => format!("{texts} texts are those that records name"),
    })
}

/// What was erased is not there, and the leaf is of this run and after its receipt.
fn erased_run(case: &Case<'_>, erased: &Erased, worst: &mut Worst) {
    let (leaf, manifest) = (&erased.leaf.value, case.manifest);
    let of_it = (leaf.tenant_id.as_str(), leaf.run_id.as_str());
    worst.expect(of_it == (manifest.tenant_id.as_str(), manifest.run_id.as_str()), || {
        "the ERASED leaf is of another run".to_owned()
    });
    let kept = &manifest.contents;
    worst.expect(kept.salt.is_none() && case.texts().is_empty(), || {
        "there are texts, or a salt, of a run whose texts were erased".to_owned()
    });
    match &case.document.proofs.receipt {
        Some(receipt) => worst.expect(leaf.sealed_leaf.parse() == Ok(receipt.value.leaf.hash), || {
            "the ERASED leaf names another receipt".to_owned()
        }),
        None => worst.expect(manifest.proofs.receipt.is_some(), || {
            "the texts of a run were erased that is not sealed".to_owned()
        }),
    }
}
