//! Captures of evidence that failed. The evidence itself is in the segments of its run.

use crate::driver::driver;

driver! {
    /// Reads of failed captures.
    read EvidenceReads;
    /// Reads of failed captures, and adding to them.
    write Evidence;
}
