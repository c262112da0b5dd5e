//! The segments of a run as its bundle tells them.
//!
//! Kinds come one after another in a bundle, and grow side by side in a run: so its segments are gone through once for
//! each kind of which there are many. They are read a page at a time, without a transaction that would last as long as
//! a caller takes: they are added behind what is told here, and never changed. A run of one page is read once.

use std::collections::BTreeSet;

use drivers::logs::{RunLines, SegmentLines, SegmentsEnd, StoredSegment};
use proof::{bundle::RecordsWriter, records::RecordKind};

use super::teller::{PIECE, Teller};
use crate::{aside::aside, coordinators::pages::Pages, errors::Error};

/// So many bytes of segments are opened before what came of them is handed on.
const STRETCH: usize = 64 << 10;

/// So many bytes of segments are read at once.
const PAGE: u64 = 4 << 20;

/// The kind that comes first in a bundle: it is told while all is looked at.
const FIRST_KIND: RecordKind = RecordKind::Activity;

/// The segments of a run that are being told.
pub(super) struct Segments<'t> {
    teller: &'t Teller<'t>,
    lines: RunLines,
    pages: Pages,
    /// All of them, where they are one page.
    read: Option<Vec<StoredSegment>>,
    /// How many there are.
    count: u64,
    /// Of which kinds they hold some.
    kinds: BTreeSet<RecordKind>,
    /// Those with a record of which a run has one.
    single: Vec<SegmentLines>,
}

impl<'t> Segments<'t> {
    pub(super) fn of(teller: &'t Teller<'t>, lines: RunLines, end: SegmentsEnd) -> Self {
        let (kinds, single) = (BTreeSet::new(), Vec::new());
        Self { teller, lines, pages: Pages::of(end, PAGE), read: None, count: 0, kinds, single }
    }

    /// Looks at all of them, and tells the kind that comes first.
    pub(super) async fn first(&mut self, writer: &mut RecordsWriter<Vec<u8>>) -> Result<(), Error> {
        self.count = self.go_through(writer, None).await?;
        self.lines.end(self.pages.end());
        Ok(())
    }

    /// Tells a kind, once all were looked at.
    pub(super) async fn of_kind(
        &mut self,
        writer: &mut RecordsWriter<Vec<u8>>,
        kind: RecordKind,
    ) -> Result<(), Error> {
        match kind {
            FIRST_KIND => return Ok(()),
            RecordKind::Environment | RecordKind::Integrity => {
                for line in self.single.iter().flat_map(|lines| lines.of_kind(kind)) {
                    writer.line(&line?).map_err(self.teller.why())?;
                }
                return Ok(());
            }
            _ if !self.kinds.contains(&kind) => return Ok(()),
            _ => {}
        }
        if self.go_through(writer, Some(kind)).await? == self.count {
            return Ok(());
        }
        Err(Error::Internal(format!("segments of {} are gone since its bundle was begun", self.teller.run)))
    }

    /// What was found in them.
    pub(super) fn into_lines(self) -> RunLines {
        self.lines
    }

    /// Goes through all of them, for a kind or for the first time; gives how many there are.
    async fn go_through(
        &mut self,
        writer: &mut RecordsWriter<Vec<u8>>,
        kind: Option<RecordKind>,
    ) -> Result<u64, Error> {
        let mut behind: Option<StoredSegment> = None;
        let mut count = 0;
        loop {
            let (mut page, is_last) = match self.read.take() {
                Some(page) => (page, true),
                None => self.page(behind.as_ref()).await?,
            };
            count += page.len() as u64;
            let mut left = page.as_slice();
            while !left.is_empty() {
                let (some, others) = left.split_at(stretch(left));
                let bytes: usize = some.iter().map(StoredSegment::bytes).sum();
                // Opened they are a few times as long.
                aside(4 * bytes, || some.iter().try_for_each(|segment| self.tell(writer, segment, kind)))?;
                self.teller.hand_on(writer.sink(), PIECE).await?;
                left = others;
            }
            if is_last {
                self.read = behind.is_none().then_some(page);
                return Ok(count);
            }
            behind = page.pop();
        }
    }

    /// The next of them, and whether there are no more.
    async fn page(&mut self, behind: Option<&StoredSegment>) -> Result<(Vec<StoredSegment>, bool), Error> {
        let Teller { spine, tenant, run, .. } = *self.teller;
        let store = spine.read().await?;
        Ok(self.pages.next(&store, (tenant, run), behind).await?)
    }

    /// Tells a kind of a segment; the first time it is looked at whole.
    fn tell(
        &mut self,
        writer: &mut RecordsWriter<Vec<u8>>,
        segment: &StoredSegment,
        kind: Option<RecordKind>,
    ) -> Result<(), Error> {
        let lines = match kind {
            None => self.lines.meet(segment),
            Some(_) => self.lines.again(segment)?,
        };
        let Some(lines) = lines else { return Ok(()) };
        for line in lines.of_kind(kind.unwrap_or(FIRST_KIND)) {
            writer.line(&line?).map_err(self.teller.why())?;
        }
        if kind.is_none() {
            self.kinds.extend(lines.kinds());
            let is_single = |kind| matches!(kind, RecordKind::Environment | RecordKind::Integrity);
            if lines.kinds().any(is_single) {
                self.single.push(lines);
            }
        }
        Ok(())
    }
}

/// How many of the segments are opened at once.
fn stretch(segments: &[StoredSegment]) -> usize {
    let mut bytes = 0;
    let of_it = segments.iter().take_while(|segment| {
        let is_of_it = bytes < STRETCH;
        bytes += segment.bytes();
        is_of_it
    });
    of_it.count()
}
