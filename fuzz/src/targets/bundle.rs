//! Bundles: no byte that changes what a bundle says leaves it COMPLETE.

use std::sync::OnceLock;

use serde_json::Value;
use verify::{Options, Word};

use super::store;

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    vec![sealed().to_vec()]
}

/// The bundle of a run with a call to a model and one to a tool, a refusal and a breach.
fn sealed() -> &'static [u8] {
    static BUNDLE: OnceLock<Vec<u8>> = OnceLock::new();
    BUNDLE.get_or_init(|| store::Server::new().sealed_bundle())
}

pub(crate) fn run(bytes: &[u8]) {
    let keys = [kit::signing_key().public()];
    let options = Options { reexecute: bytes.len().is_multiple_of(2), ..Options::default() };
    let Ok(report) = verify::bundle(bytes, &keys, &options) else { return };
    if report.word == Word::Complete {
        let (read, made): (Value, Value) =
            (serde_json::from_slice(bytes).expect("JSON"), serde_json::from_slice(sealed()).expect("JSON"));
        assert_eq!(read, made, "another document is COMPLETE");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_is_complete() {
        let report = verify::bundle(sealed(), &[kit::signing_key().public()], &Options::default());
        assert_eq!(report.expect("a bundle").word, Word::Complete);
    }
}
