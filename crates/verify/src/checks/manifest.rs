//! Is everything that is there in the signed manifest, and is everything in the manifest there?

use proof::{
    bundle::{Completeness, Manifest, PARTS},
    contents::MissingContents,
    hash::Hash,
    records::RecordKind,
    segment::MissingSegment,
};

use super::{
    Case, Outcome, Worst,
    matched::{Matched, Places},
};
use crate::{
    document::{Contents, Document},
    report::Finding,
    statement::Shared,
};

/// Where in `listed` each of `present` is, in order; or the index of the first that is not there, or not there
/// in this order.
fn places<L: Copy + Into<Option<Hash>>>(present: &[Hash], listed: &[L]) -> Result<Places, usize> {
    let is = |listed: &L, hash: &Hash| known(*listed) == Some(*hash);
    if present.len() == listed.len() && present.iter().zip(listed).all(|(hash, listed)| is(listed, hash)) {
        return Ok(Places::AsTheyStand(present.len()));
    }
    let mut next = 0;
    let mut places = Vec::with_capacity(present.len());
    for (at, hash) in present.iter().enumerate() {
        let ahead = listed[next..].iter().position(|known| is(known, hash)).ok_or(at)?;
        places.push(next + ahead);
        next += ahead + 1;
    }
    Ok(Places::At(places))
}

/// None of one that whoever made the bundle could not read.
fn known(listed: impl Into<Option<Hash>>) -> Option<Hash> {
    listed.into()
}

struct Comparison {
    worst: Worst,
    compared: usize,
}

impl Comparison {
    /// Compares a list, of which some may not have been read by whoever made the bundle, which are none. Answers the
    /// places, and whether it is whole: whether what was signed of it is there.
    fn list<L: Copy + Into<Option<Hash>>>(
        &mut self,
        name: &str,
        present: &[Hash],
        listed: &[L],
    ) -> (Places, bool) {
        self.compared += present.len();
        match places(present, listed) {
            Err(at) => {
                let detail = if listed.iter().any(|listed| known(*listed) == Some(present[at])) {
                    format!("{name}/{at} is not in its place")
                } else {
                    format!("{name}/{at} is not what was signed")
                };
                self.worst.found(Finding::tampered(detail));
                (Places::default(), false)
            }
            Ok(places) if places.len() < listed.len() => {
                let missing = listed.len() - places.len();
                let first = places.iter().enumerate().position(|(at, place)| place != at);
                let first = first.unwrap_or(places.len());
                let detail =
                    format!("{missing} of {} are missing from {name}, the first is {first}", listed.len());
                self.worst.found(Finding::truncated(detail));
                let signed = listed.iter().filter(|listed| known(**listed).is_some()).count();
                let is_whole = places.len() == signed;
                (places, is_whole)
            }
            Ok(places) => (places, true),
        }
    }

    /// The same of one that was found to be the manifest's when that was read.
    fn same(&mut self, present: &[Hash]) -> (Places, bool) {
        self.compared += present.len();
        (Places::AsTheyStand(present.len()), true)
    }

    fn one(&mut self, name: &str, present: Hash, listed: Hash) -> bool {
        self.compared += 1;
        self.worst.expect(present == listed, || format!("{name} is not what was signed"));
        present == listed
    }
}

fn hashes<T>(held: &[crate::document::Held<T>]) -> Vec<Hash> {
    held.iter().map(|held| held.hash).collect()
}

/// Compares every piece of the document with the manifest.
pub(crate) fn compare(document: &Document, manifest: &Manifest, shared: &Shared) -> (Matched, Outcome) {
    let mut all = Comparison { worst: Worst::default(), compared: 0 };
    let mut matched = Matched::default();
    let Document { sealed, after, proofs, contents, .. } = document;

    let (run, lost, unread) = (&manifest.run_id, &manifest.missing, &manifest.contents.missing);
    let told = [MissingSegment::told_of_all(lost, run), MissingContents::told_of_all(unread, run)];
    let told: Vec<&str> = told.iter().map(String::as_str).filter(|told| !told.is_empty()).collect();
    if !told.is_empty() {
        let told = told.join("; ");
        all.worst.found(Finding::truncated(format!("whoever made this could not read all of it: {told}")));
    }
    let mut whole = all.one("records/sealed/opened", sealed.opened.hash, manifest.sealed.opened);
    whole &= all.one("records/sealed/snapshot", sealed.snapshot.hash, manifest.sealed.snapshot);
    for kind in RecordKind::ALL {
        let listed = manifest.sealed.records.get(kind).map_or(&[][..], Vec::as_slice);
        let present = sealed.lines.of_kind(*kind);
        let (places, all_there) = if shared.kinds.contains(kind) {
            all.same(present)
        } else {
            all.list(&format!("records/sealed/{kind}"), present, listed)
        };
        matched.places.insert(*kind, places);
        whole &= all_there;
    }
    matched.whole[0] = whole;

    let listed = &manifest.after;
    let mut whole = all.one("records/after/run", after.run.hash, listed.run);
    whole &= all.one("records/after/as_of", after.as_of.hash, listed.as_of);
    whole &= all.list("records/after/addenda", &hashes(&after.addenda), &listed.addenda).1;
    whole &= all.list("records/after/incidents", &hashes(&after.incidents), &listed.incidents).1;
    let (places, all_there) = all.list("records/after/audit", &hashes(&after.audit), &listed.audit);
    matched.audit = places;
    matched.whole[1] = whole && all_there;

    let listed = &manifest.proofs;
    let mut whole = all.one("proofs/roots", proofs.roots.hash, listed.roots);
    whole &= all.one("proofs/opened", proofs.opened.hash, listed.opened);
    whole &= all.one("proofs/checkpoints", proofs.checkpoints.hash, listed.checkpoints);
    whole &= all.list("proofs/audit", &hashes(&proofs.audit), &listed.audit).1;
    match (&proofs.receipt, listed.receipt) {
        (Some(receipt), Some(listed)) => whole &= all.one("proofs/receipt", receipt.hash, listed),
        (None, Some(_)) => {
            whole = false;
            all.worst.found(Finding::truncated("proofs/receipt is missing"));
        }
        (Some(_), None) => {
            whole = false;
            all.worst.found(Finding::tampered("proofs/receipt is not what was signed"));
        }
        (None, None) => {}
    }
    matched.whole[2] = whole;
    matched.whole[3] = of_contents(contents, (manifest, shared), &mut all);
    let compared = all.compared;
    (matched, all.worst.or_else(|| format!("{compared} pieces are those that were signed")))
}

/// Compares what is kept of the run's texts; whether it is whole.
fn of_contents(contents: &Contents, (manifest, shared): (&Manifest, &Shared), all: &mut Comparison) -> bool {
    let listed = &manifest.contents;
    let mut whole = match (&contents.erased, listed.erased) {
        (Some(erased), Some(listed)) => all.one("contents/erased", erased.hash, listed),
        (None, None) => true,
        (None, Some(_)) => {
            all.worst.found(Finding::truncated("contents/erased is missing"));
            false
        }
        (Some(_), None) => {
            all.worst.found(Finding::tampered("contents/erased is not what was signed"));
            false
        }
    };
    all.compared += usize::from(contents.salt.is_some());
    let same_salt = contents.salt == listed.salt;
    all.worst.expect(same_salt, || "contents/salt is not what was signed".to_owned());
    if !same_salt || contents.nameless > 0 {
        all.worst
            .expect(contents.nameless == 0, || "there are texts, and no salt that names them".to_owned());
        return false;
    }
    whole &= if shared.texts {
        all.same(&contents.names).1
    } else {
        all.list("contents/texts", &contents.names, &listed.texts).1
    };
    whole
}

/// The digests of the four parts, where nothing of a part is missing: else the manifest has told.
pub(crate) fn parts(case: &Case<'_>) -> Outcome {
    let mut worst = Worst::default();
    let named: Vec<&str> = case.subjects.iter().map(|subject| subject.name.as_str()).collect();
    if named != PARTS {
        return Err(Finding::tampered(format!("the statement is about {}", named.join(", "))));
    }
    let mut checked = Vec::new();
    for ((subject, digest), whole) in case.subjects.iter().zip(&case.document.digests).zip(case.matched.whole)
    {
        if whole {
            worst.expect(*digest == subject.digest.sha256, || {
                format!("{} has another digest than signed", subject.name)
            });
            checked.push(subject.name.as_str());
        }
    }
    worst.or_else(|| match checked.len() {
        0 => "no part is whole enough for its digest".to_owned(),
        _ => format!("the digests of {} hold", checked.join(", ")),
    })
}

/// Does the statement contradict itself about whether the run was sealed?
pub(crate) fn completeness(case: &Case<'_>) -> Outcome {
    let named = case.manifest.proofs.receipt.is_some();
    // What only sealing writes. An open run that has it was sealed.
    let over = case.manifest.grade.is_some()
        || [RecordKind::Run, RecordKind::Integrity].into_iter().any(|kind| !case.listed(kind).is_empty());
    match (case.manifest.completeness, named, &case.document.proofs.receipt) {
        (Completeness::Open, false, None) if !over => {
            Ok("the run is open: there is no receipt yet".to_owned())
        }
        (Completeness::Sealed, true, Some(_)) => Ok("the run is sealed, and its receipt is here".to_owned()),
        (Completeness::Sealed, _, None) => {
            Err(Finding::truncated("the run is sealed, and its receipt is missing"))
        }
        (stated, ..) => {
            Err(Finding::tampered(format!("the statement says {stated}, and its receipt says otherwise")))
        }
    }
}
