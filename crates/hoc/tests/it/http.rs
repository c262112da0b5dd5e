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
    pub(crate) body: Vec<u8>,
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
        let (host, length) = (&self.host, body.len());
        let key = if key.is_empty() { String::new() } else { format!("authorization: Bearer {key}\r\n") };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\n{key}content-type: application/json\r\n\
             {headers}content-length: {length}\r\n\r\n"
        );
        self.stream.get_mut().write_all((head + body).as_bytes())?;
        let status = self.line()?;
        let status = status.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.ok_or_else(|| std::io::Error::other("no status line"))?;
        let (mut length, mut chunked, mut head) = (0, false, Vec::new());
        loop {
            let line = self.line()?;
            head.extend_from_slice(line.as_bytes());
            head.push(b'\n');
            let line = line.to_lowercase();
            match line.split_once(": ") {
                Some(("content-length", value)) => length = value.parse().expect("a length"),
                Some(("transfer-encoding", "chunked")) => chunked = true,
                _ if line.is_empty() => break,
                _ => {}
            }
        }
        let body = if chunked { self.chunks()? } else { self.bytes(length)? };
        Ok(Answer { status, head, body })
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
