//! One end of a connection of Postgres, read by its messages.
//!
//! Of the protocol this knows just enough to see where a batch of messages ends (`Query`, `Sync`), whether the batch
//! does something (`Query`, `Execute`), and when Postgres has answered it (`ReadyForQuery`).

use std::{collections::HashMap, io};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// What is only said to know, or to let Postgres know, how tables look.
const OF_THE_CATALOGUE: [&str; 4] = ["pg_catalog.", "pg_type", "pg_class", "ANALYZE"];

pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// One end of a connection, with what was read from it and not taken yet.
pub(super) struct End {
    stream: Box<dyn Stream>,
    pub(super) read: Vec<u8>,
}

/// Messages that Postgres answers together.
pub(super) struct Batch {
    pub(super) bytes: Vec<u8>,
    /// It does something, beyond preparing, beginning or setting.
    pub(super) acts: bool,
    pub(super) says: String,
}

impl End {
    pub(super) fn new(stream: Box<dyn Stream>) -> Self {
        Self { stream, read: Vec::new() }
    }

    /// Reads what comes; an error at the end.
    pub(super) async fn more(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.read).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// The messages up to the first that is one of `last`; nothing is taken before all of them are there.
    async fn until(&mut self, last: &[u8]) -> io::Result<Vec<u8>> {
        let mut at = 0;
        loop {
            while let Some(length) = message(&self.read[at..]) {
                let kind = self.read[at];
                at += length;
                if last.contains(&kind) {
                    return Ok(self.read.drain(..at).collect());
                }
            }
            self.more().await?;
        }
    }

    /// The next batch of a client; none where it takes its leave.
    pub(super) async fn batch(
        &mut self,
        statements: &mut HashMap<Vec<u8>, String>,
    ) -> io::Result<Option<Batch>> {
        let bytes = self.until(b"QSX").await?;
        let mut batch = Batch { acts: false, says: String::new(), bytes: Vec::new() };
        let mut at = 0;
        while let Some(length) = message(&bytes[at..]) {
            let body = &bytes[at + 5..at + length];
            match bytes[at] {
                b'X' => return Ok(None),
                b'Q' => {
                    batch.says = text(body);
                    batch.acts = !["BEGIN", "SET "].iter().any(|quiet| batch.says.starts_with(quiet));
                }
                b'P' => {
                    let (name, rest) = until_zero(body);
                    statements.insert(name.to_vec(), text(rest));
                }
                b'B' => {
                    let (_, rest) = until_zero(body);
                    batch.says = statements.get(until_zero(rest).0).cloned().unwrap_or_default();
                }
                b'E' => batch.acts = !OF_THE_CATALOGUE.iter().any(|of| batch.says.contains(of)),
                _ => {}
            }
            at += length;
        }
        batch.bytes = bytes;
        Ok(Some(batch))
    }

    /// What Postgres answers to one batch.
    pub(super) async fn answer(&mut self) -> io::Result<Vec<u8>> {
        self.until(b"Z").await
    }
}

/// Carries what opens a session, whatever its user must prove; gives the number of the session.
pub(super) async fn open(client: &mut End, server: &mut End) -> io::Result<i32> {
    loop {
        tokio::select! {
            more = client.more() => {
                more?;
                server.write(&std::mem::take(&mut client.read)).await?;
            }
            answer = server.more() => {
                answer?;
                let (mut at, mut pid, mut whole) = (0, 0, 0);
                while let Some(length) = message(&server.read[at..]) {
                    let body = &server.read[at + 5..at + length];
                    match (server.read[at], body.first_chunk()) {
                        (b'K', Some(number)) => pid = i32::from_be_bytes(*number),
                        (b'Z', _) => whole = at + length,
                        _ => {}
                    }
                    at += length;
                }
                // The number and the end of the answer come together; what comes before them may not.
                if whole > 0 {
                    client.write(&std::mem::take(&mut server.read)).await?;
                    return Ok(pid);
                }
                let ready = at.min(server.read.len());
                if pid == 0 && ready > 0 {
                    let before: Vec<u8> = server.read.drain(..ready).collect();
                    client.write(&before).await?;
                }
            }
        }
    }
}

/// The length of the message that the bytes begin with, where all of it is there.
fn message(bytes: &[u8]) -> Option<usize> {
    let length = usize::try_from(u32::from_be_bytes(*bytes.get(1..)?.first_chunk()?)).ok()? + 1;
    (bytes.len() >= length).then_some(length)
}

/// The bytes before the first zero, and those after it.
fn until_zero(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    (&bytes[..end], bytes.get(end + 1..).unwrap_or_default())
}

/// A statement, in a line.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(until_zero(bytes).0).split_whitespace().collect::<Vec<_>>().join(" ")
}
