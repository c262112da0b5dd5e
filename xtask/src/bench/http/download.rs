//! Bodies that are too long to be held: passed on as they come, and timed on their way.

use super::{Answer, Client, JSON, Length};
use anyhow::{Context as _, bail};
use std::{
    io::Write,
    net::TcpStream,
    time::{Duration, Instant},
};

/// What receiving a body took, from the request on.
#[derive(Clone, Copy, Debug)]
pub(in crate::bench) struct Download {
    pub(in crate::bench) bytes: usize,
    /// Until the body began.
    pub(in crate::bench) first_byte: Duration,
    pub(in crate::bench) whole: Duration,
}

impl Client {
    /// Writes the body of an answer into `into`; an error if it is not one of 200.
    pub(in crate::bench) fn download(
        &mut self,
        path: &str,
        into: &mut impl Write,
    ) -> anyhow::Result<Download> {
        self.pass_on(path, into).with_context(|| format!("GET {path}"))
    }

    fn pass_on(&mut self, path: &str, into: &mut impl Write) -> anyhow::Result<Download> {
        let began = Instant::now();
        let mut stream = self.send("GET", path, JSON, "", b"")?;
        let (head, start) = self.head(&mut stream)?;
        if head.status != 200 {
            let body = self.body(&mut stream, &head, start)?;
            bail!("expected 200, got {}", Answer { status: head.status, body }.text());
        }
        self.drop_before(start);
        let (bytes, first_byte) = match head.length {
            Length::Fixed(length) => self.pass_fixed(&mut stream, length, began, into)?,
            Length::Chunked => self.pass_chunks(&mut stream, began, into)?,
        };
        if head.keep {
            self.stream = Some(stream);
        }
        Ok(Download { bytes, first_byte, whole: began.elapsed() })
    }

    fn pass_fixed(
        &mut self,
        stream: &mut TcpStream,
        length: usize,
        began: Instant,
        into: &mut impl Write,
    ) -> anyhow::Result<(usize, Duration)> {
        let (mut left, mut first) = (length, None);
        while left > 0 {
            self.at_least(stream, 1)?;
            first.get_or_insert_with(|| began.elapsed());
            let count = self.filled.min(left);
            into.write_all(&self.input[..count])?;
            self.drop_before(count);
            left -= count;
        }
        Ok((length, first.unwrap_or_else(|| began.elapsed())))
    }

    fn pass_chunks(
        &mut self,
        stream: &mut TcpStream,
        began: Instant,
        into: &mut impl Write,
    ) -> anyhow::Result<(usize, Duration)> {
        let (mut bytes, mut at, mut first) = (0, 0, None);
        loop {
            let (start, size) = self.chunk(stream, at)?;
            let first = *first.get_or_insert_with(|| began.elapsed());
            if size == 0 {
                return Ok((bytes, first));
            }
            into.write_all(&self.input[start..start + size])?;
            bytes += size;
            at = start + size + 2;
            if at > self.input.len() / 2 {
                self.drop_before(at);
                at = 0;
            }
        }
    }
}
