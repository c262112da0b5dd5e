//! A run's life by its length: filling it, sealing it, its bundle, and what verifying that costs.

use super::{
    bodies::{self, Bodies},
    hoc::Hoc,
    load::Outcome,
    measure::{BATCH, batch_outcome},
    report::Bundle,
    server::{Bench, timed},
};
use anyhow::bail;
use std::path::Path;

/// How often bundle and verification are repeated; the median counts.
const REPEATS: usize = 3;

/// Measures runs of each of the sizes; `auditor` may take bundles.
pub(super) fn measure(
    bench: &Bench<'_>,
    hoc: &Hoc,
    auditor: &str,
    progress: impl Fn(&Bundle),
) -> anyhow::Result<Vec<Bundle>> {
    let keys = hoc.public_keys()?;
    let sizes = bench.options.bundle_sizes().iter().enumerate();
    let measured = sizes.map(|(index, steps)| {
        let bundle = one(bench, hoc, auditor, &keys, *steps, index)?;
        progress(&bundle);
        Ok(bundle)
    });
    measured.collect()
}

fn one(
    bench: &Bench<'_>,
    hoc: &Hoc,
    auditor: &str,
    keys: &Path,
    steps: usize,
    index: usize,
) -> anyhow::Result<Bundle> {
    let (mut client, run) = bench.caller()?;
    let mut bodies = Bodies::new(3_000 + index);
    let path = bodies::path(&run, "/steps/batch");
    let mut left = steps;
    let ((), fill) = timed(|| {
        while left > 0 {
            let count = left.min(BATCH);
            let body = bodies::batch(&mut bodies, count);
            let outcome = batch_outcome(&client.post(&path, body.as_bytes())?, count)?;
            if let Outcome::Other(status, text) = bench.counted(outcome, body.len()) {
                bail!("a batch of {count} steps was answered with {status}: {text}");
            }
            left -= count;
        }
        Ok(())
    })?;
    let complete =
        || client.post(&bodies::path(&run, "/complete"), br#"{"status":"SUCCEEDED"}"#)?.expect(200);
    let (_, seal) = timed(complete)?;

    let mut auditor = bench.server.client(auditor);
    let stored_at = hoc.folder.join(format!("bench-{steps}.bundle"));
    let (mut exports, mut verifications, mut bytes) = (Vec::new(), Vec::new(), 0);
    for _ in 0..REPEATS {
        let export = || auditor.get(&bodies::path(&run, "/bundle"))?.expect(200);
        let (bundle, took) = timed(export)?;
        exports.push(took);
        bytes = bundle.body.len();
        std::fs::write(&stored_at, &bundle.body)?;
        verifications.push(hoc.verify(&stored_at, keys)?);
    }
    exports.sort_unstable();
    verifications.sort_unstable();
    let (export, verify) = (exports[REPEATS / 2], verifications[REPEATS / 2]);
    Ok(Bundle { steps, fill, seal, export, verify, bytes })
}
