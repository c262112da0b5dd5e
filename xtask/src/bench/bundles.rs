//! A run's life by its length: filling it, sealing it, its bundle, and what verifying that costs.

use super::{
    bodies::{self, Bodies},
    bundle::Bundle,
    cpu,
    hoc::Hoc,
    load::done,
    measure::{BATCH, batch_outcome},
    server::{Bench, timed},
};
use anyhow::Context as _;
use std::{fs::File, io, time::Duration};

/// How often bundle and verification are repeated; the median counts.
const REPEATS: usize = 3;

/// A sealed run.
pub(super) struct Sealed {
    run: String,
    steps: usize,
    fill: Duration,
    seal: Duration,
}

/// Fills and seals a run.
pub(super) fn fill(bench: &Bench<'_>, steps: usize) -> anyhow::Result<Sealed> {
    let (mut client, run) = bench.caller()?;
    let mut bodies = Bodies::new(3_000 + steps);
    let path = bodies::path(&run, "/steps/batch");
    let mut left = steps;
    let ((), fill) = timed(|| {
        while left > 0 {
            let count = left.min(BATCH);
            let body = bodies::batch(&mut bodies, count);
            let outcome = batch_outcome(&client.post(&path, body.as_bytes())?, count)?;
            done(bench.counted(outcome, body.len())).with_context(|| format!("a batch of {count} steps"))?;
            left -= count;
        }
        Ok(())
    })?;
    let complete =
        || client.post(&bodies::path(&run, "/complete"), br#"{"status":"SUCCEEDED"}"#)?.expect(200);
    let (_, seal) = timed(complete)?;
    Ok(Sealed { run, steps, fill, seal })
}

/// Takes and verifies a run's bundle, from a server that has done nothing else: so its memory is told from what a load
/// left there. `auditor` may take bundles.
pub(super) fn measure(hoc: &Hoc, auditor: &str, sealed: &Sealed) -> anyhow::Result<Bundle> {
    let keys = hoc.public_keys()?;
    let server = hoc.serve()?;
    let mut client = server.client(auditor);
    client.get("/readyz")?.expect(200)?;
    cpu::forget_peak(server.pid());
    let before = cpu::resident(server.pid());

    let path = bodies::path(&sealed.run, "/bundle");
    let file = hoc.folder.join(format!("bench-{}.bundle", sealed.steps));
    let bytes = client.download(&path, &mut File::create(&file)?)?.bytes;
    let (mut first_bytes, mut exports) = (Vec::new(), Vec::new());
    for _ in 0..REPEATS {
        // To nowhere: the disk that the callers write to is none of the server's work.
        let download = client.download(&path, &mut io::sink())?;
        first_bytes.push(download.first_byte);
        exports.push(download.whole);
    }
    let server_memory = cpu::peak(server.pid()).zip(before).map(|(peak, before)| peak.saturating_sub(before));
    server.stop()?;

    let (mut verifications, mut verifier_memory) = (Vec::new(), None);
    for _ in 0..REPEATS {
        let (took, peak) = hoc.verify(&file, &keys)?;
        verifications.push(took);
        verifier_memory = verifier_memory.max(peak);
    }
    std::fs::remove_file(&file)?;
    Ok(Bundle {
        steps: sealed.steps,
        fill: sealed.fill,
        seal: sealed.seal,
        first_byte: median(first_bytes),
        export: median(exports),
        verify: median(verifications),
        bytes,
        server_memory,
        verifier_memory,
    })
}

fn median(mut took: Vec<Duration>) -> Duration {
    took.sort_unstable();
    took[took.len() / 2]
}
