//! What a crate depends on and names nowhere: an edge that nobody needs is one that somebody will use.

use super::{edges::Manifest, source::SourceFile, table::PINS};
use crate::{finding::Finding, manifests::Package};
use std::collections::BTreeSet;

/// All dependencies of a crate that none of its sources names: one of the product outside of its tests, one of the
/// tests anywhere. A macro of another crate that stands for a name of a third one is not seen; then the third is said
/// here. What is named in a manifest for features alone is named for them: see [`PINS`].
pub(super) fn check(manifest: &Manifest, package: &Package, files: &[SourceFile]) -> Vec<Finding> {
    let named = |with_tests: bool| -> BTreeSet<&str> {
        let mentions = files.iter().flat_map(|file| &file.source.mentions);
        let of = mentions.filter(|mention| with_tests || !mention.for_tests);
        of.filter_map(|mention| mention.path.first()).map(String::as_str).collect()
    };
    let (in_product, anywhere) = (named(false), named(true));
    let by_name = package.dependencies.iter().filter(|it| package.name != PINS && it.name != PINS);
    let unused = by_name.filter(|dependency| {
        let known_as = dependency.rename.as_ref().unwrap_or(&dependency.name).replace('-', "_");
        let named = if dependency.for_tests { &anywhere } else { &in_product };
        !named.contains(known_as.as_str())
    });
    unused
        .map(|dependency| {
            let where_at = if dependency.for_tests { "" } else { " outside of its tests" };
            let message = format!(
                "{} depends on {} and names it nowhere{where_at}: take the line out",
                package.name, dependency.name
            );
            manifest.finding(dependency.rename.as_ref().unwrap_or(&dependency.name), "unused", message)
        })
        .collect()
}
