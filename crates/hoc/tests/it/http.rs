//! A blocking HTTP client for tests: one connection that is kept, JSON both ways.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
};

use serde_json::Value;

use crate::harness::DEADLINE;

/// A connection to a server.
pub(crate) struct Http {
    stream: BufReader<TcpStream>,
    host: String,
    /// What is left of the chunk of a stream that came last.
    chunk: String,
}

/// What it answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Its header lines.
    pub(crate) head: Vec<u8>,
    /// Nothing where it is a stream of events, which need not end.
    pub(crate) body: Vec<u8>,
    pub(crate) is_stream: bool,
    /// The server says that it hangs up after this one.
    pub(crate) is_last: bool,
}

impl Http {
    pub(crate) fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_nodelay(true).expect("a socket");
        stream.set_read_timeout(Some(DEADLINE)).expect("a socket");
        Self { stream: BufReader::new(stream), host: address.to_owned(), chunk: String::new() }
    }

    pub(crate) fn get(&mut self, path: &str, key: &str) -> Answer {
        self.call("GET", path, key, None).expect("an answer")
    }

    pub(crate) fn post(&mut self, path: &str, key: &str, body: &Value) -> Answer {
        self.call("POST", path, key, Some(body)).expect("an answer")
    }

    /// One call. An error is a connection that broke: a server that was killed.
    pub(crate) fn call(
        &mut self,
        method: &str,
        path: &str,
        key: &str,
        body: Option<&Value>,
    ) -> std::io::Result<Answer> {
        self.send(method, path, key, "", &body.map_or_else(String::new, Value::to_string))
    }

    /// The same with more header lines, and with a body that need not be JSON.
    pub(crate) fn send(
        &mut self,
        method: &str,
        path: &str,
        key: &str,
        headers: &str,
        body: &str,
    ) -> std::io::Result<Answer> {
        self.send_bytes(method, path, key, headers.as_bytes(), body.as_bytes())
    }

    /// The same with header lines and a body that need not be text; the body is JSON unless a header says otherwise.
    pub(crate) fn send_bytes(
        &mut self,
        method: &str,
        path: &str,
        key: &str,
        headers: &[u8],
        body: &[u8],
    ) -> std::io::Result<Answer> {
        let (host, length) = (&self.host, body.len());
        let key = if key.is_empty() { String::new() } else { format!("authorization: Bearer {key}\r\n") };
        let of_another_type = headers.windows(13).any(|part| part.eq_ignore_ascii_case(b"content-type:"));
        let json = if of_another_type { "" } else { "content-type: application/json\r\n" };
        let head =
            format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\n{key}{json}content-length: {length}\r\n");
        self.stream.get_mut().write_all(&[head.as_bytes(), headers, b"\r\n", body].concat())?;
        let status = self.line()?;
        let status = status.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.ok_or_else(|| std::io::Error::other("no status line"))?;
        let (mut length, mut chunked, mut head) = (0, false, Vec::new());
        let (mut is_stream, mut is_last) = (false, false);
        loop {
            let line = self.line()?;
            head.extend_from_slice(line.as_bytes());
            head.push(b'\n');
            let line = line.to_lowercase();
            match line.split_once(": ") {
                Some(("content-length", value)) => length = value.parse().expect("a length"),
                Some(("transfer-encoding", "chunked")) => chunked = true,
                Some(("content-type", "text/event-stream")) => is_stream = true,
                Some(("connection", "close")) => is_last = true,
                _ if line.is_empty() => break,
                _ => {}
            }
        }
        let body = match (is_stream, chunked) {
            (true, _) => Vec::new(),
            (_, true) => self.chunks()?,
            (_, false) => self.bytes(length)?,
        };
        Ok(Answer { status, head, body, is_stream, is_last })
    }

    /// Opens a stream of events, and reads up to its first line.
    pub(crate) fn open(&mut self, path: &str, key: &str, headers: &str) {
        let host = &self.host;
        let head =
            format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {key}\r\n{headers}\r\n");
        self.stream.get_mut().write_all(head.as_bytes()).expect("a socket");
        let status = self.line().expect("a status line");
        assert!(status.contains(" 200 "), "{status}");
        while !self.line().expect("a header").is_empty() {}
    }

    /// The next line of a stream; what frames its chunks is left out.
    pub(crate) fn event_line(&mut self) -> String {
        loop {
            if self.chunk.is_empty() {
                let length = usize::from_str_radix(&self.line().expect("a chunk"), 16).expect("its length");
                let bytes = self.bytes(length).expect("its bytes");
                self.line().expect("its end");
                self.chunk = String::from_utf8(bytes).expect("UTF-8");
                assert!(length > 0, "the stream goes on");
            }
            if let Some((line, rest)) = self.chunk.split_once('\n') {
                let (line, rest) = (line.to_owned(), rest.to_owned());
                self.chunk = rest;
                return line;
            }
        }
    }

    /// What comes until the stream ends.
    pub(crate) fn rest_of_stream(&mut self) -> String {
        String::from_utf8(self.chunks().expect("it ends")).expect("UTF-8")
    }

    fn chunks(&mut self) -> std::io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let length = usize::from_str_radix(&self.line()?, 16).expect("a chunk's length");
            body.extend(self.bytes(length)?);
            self.line()?;
            if length == 0 {
                return Ok(body);
            }
        }
    }

    fn bytes(&mut self, length: usize) -> std::io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.stream.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn line(&mut self) -> std::io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }
}

impl Answer {
    /// The body, of an answer with this status.
    pub(crate) fn expect(&self, status: u16) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, status, "{text}");
        serde_json::from_str(&text).unwrap_or_else(|err| panic!("{err}: {text}"))
    }
}
