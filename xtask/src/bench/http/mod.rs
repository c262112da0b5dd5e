//! As much of HTTP/1.1 as a load needs: one kept connection, one request at a time, on a blocking socket.

mod download;

use anyhow::{Context as _, bail};
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

/// Longer than any answer of a server that works.
const PATIENCE: Duration = Duration::from_mins(1);

const JSON: &str = "application/json";

/// One connection, opened when it is first needed and kept.
pub(super) struct Client {
    address: String,
    key: String,
    stream: Option<TcpStream>,
    request: Vec<u8>,
    input: Vec<u8>,
    /// How much of `input` was received.
    filled: usize,
}

/// What the server said.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// The body, which must be JSON.
    pub(super) fn json(&self) -> anyhow::Result<serde_json::Value> {
        serde_json::from_slice(&self.body).with_context(|| format!("{} is not JSON", self.text()))
    }

    /// The answer as an error shows it.
    pub(super) fn text(&self) -> String {
        let body = String::from_utf8_lossy(&self.body);
        format!("{} {}", self.status, body.chars().take(400).collect::<String>())
    }

    /// Itself, if its status is `status`.
    pub(super) fn expect(self, status: u16) -> anyhow::Result<Self> {
        if self.status != status {
            bail!("expected {status}, got {}", self.text());
        }
        Ok(self)
    }
}

impl Client {
    /// A client of `address` (host and port) with an API key.
    pub(super) fn new(address: &str, key: &str) -> Self {
        let (address, key) = (address.to_owned(), key.to_owned());
        Self { address, key, stream: None, request: Vec::new(), input: vec![0; 1 << 16], filled: 0 }
    }

    pub(super) fn get(&mut self, path: &str) -> anyhow::Result<Answer> {
        self.call("GET", path, JSON, "", b"").with_context(|| format!("GET {path}"))
    }

    pub(super) fn post(&mut self, path: &str, body: &[u8]) -> anyhow::Result<Answer> {
        self.post_as(path, JSON, body)
    }

    pub(super) fn post_as(&mut self, path: &str, content_type: &str, body: &[u8]) -> anyhow::Result<Answer> {
        self.call("POST", path, content_type, "", body).with_context(|| format!("POST {path}"))
    }

    /// As an SDK posts that may have to repeat itself.
    pub(super) fn post_once(&mut self, path: &str, key: &str, body: &[u8]) -> anyhow::Result<Answer> {
        self.call("POST", path, JSON, key, body).with_context(|| format!("POST {path}"))
    }

    fn call(
        &mut self,
        method: &str,
        path: &str,
        content_type: &str,
        idempotency_key: &str,
        body: &[u8],
    ) -> anyhow::Result<Answer> {
        let mut stream = self.send(method, path, content_type, idempotency_key, body)?;
        let (answer, keep) = self.receive(&mut stream)?;
        if keep {
            self.stream = Some(stream);
        }
        Ok(answer)
    }

    /// Sends a request; what is answered comes from the stream.
    fn send(
        &mut self,
        method: &str,
        path: &str,
        content_type: &str,
        idempotency_key: &str,
        body: &[u8],
    ) -> anyhow::Result<TcpStream> {
        self.request.clear();
        write!(self.request, "{method} {path} HTTP/1.1\r\nhost: {}\r\n", self.address)?;
        if !self.key.is_empty() {
            write!(self.request, "authorization: Bearer {}\r\n", self.key)?;
        }
        if !idempotency_key.is_empty() {
            write!(self.request, "idempotency-key: {idempotency_key}\r\n")?;
        }
        if method == "POST" {
            write!(self.request, "content-type: {content_type}\r\ncontent-length: {}\r\n", body.len())?;
        }
        self.request.extend_from_slice(b"\r\n");
        self.request.extend_from_slice(body);

        let mut stream = self.stream.take().map_or_else(|| self.connect(), Ok)?;
        stream.write_all(&self.request)?;
        Ok(stream)
    }

    fn connect(&self) -> anyhow::Result<TcpStream> {
        let stream =
            TcpStream::connect(&self.address).with_context(|| format!("connecting to {}", self.address))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(stream)
    }

    /// The head of an answer, and where its body begins.
    fn head(&mut self, stream: &mut TcpStream) -> anyhow::Result<(Head, usize)> {
        self.filled = 0;
        let end = self.until(stream, 0, b"\r\n\r\n")?;
        Ok((Head::parse(&self.input[..end])?, end + 4))
    }

    /// The answer, and whether the connection serves again.
    fn receive(&mut self, stream: &mut TcpStream) -> anyhow::Result<(Answer, bool)> {
        let (head, start) = self.head(stream)?;
        let body = self.body(stream, &head, start)?;
        Ok((Answer { status: head.status, body }, head.keep))
    }

    fn body(&mut self, stream: &mut TcpStream, head: &Head, start: usize) -> anyhow::Result<Vec<u8>> {
        match head.length {
            Length::Fixed(length) => {
                self.at_least(stream, start + length)?;
                Ok(self.input[start..start + length].to_vec())
            }
            Length::Chunked => self.chunks(stream, start),
        }
    }

    fn chunks(&mut self, stream: &mut TcpStream, mut at: usize) -> anyhow::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let (start, size) = self.chunk(stream, at)?;
            if size == 0 {
                return Ok(body);
            }
            body.extend_from_slice(&self.input[start..start + size]);
            at = start + size + 2;
        }
    }

    /// Receives the chunk whose line begins at `at`: where its bytes begin, and how many there are.
    fn chunk(&mut self, stream: &mut TcpStream, at: usize) -> anyhow::Result<(usize, usize)> {
        let end = self.until(stream, at, b"\r\n")?;
        let line = std::str::from_utf8(&self.input[at..end])?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size =
            usize::from_str_radix(size, 16).with_context(|| format!("`{line}` is not a chunk's size"))?;
        self.at_least(stream, end + 2 + size + 2)?;
        Ok((end + 2, size))
    }

    /// Forgets what was received before `at`.
    fn drop_before(&mut self, at: usize) {
        self.input.copy_within(at..self.filled, 0);
        self.filled -= at;
    }

    /// Where `mark` next stands, from `from` on; receives until it does.
    fn until(&mut self, stream: &mut TcpStream, from: usize, mark: &[u8]) -> anyhow::Result<usize> {
        let mut searched = from;
        loop {
            let found = self.input.get(searched..self.filled).unwrap_or_default();
            if let Some(at) = found.windows(mark.len()).position(|window| window == mark) {
                return Ok(searched + at);
            }
            searched = self.filled.saturating_sub(mark.len() - 1).max(from);
            self.more(stream)?;
        }
    }

    fn at_least(&mut self, stream: &mut TcpStream, length: usize) -> anyhow::Result<()> {
        while self.filled < length {
            self.more(stream)?;
        }
        Ok(())
    }

    fn more(&mut self, stream: &mut TcpStream) -> anyhow::Result<()> {
        if self.filled == self.input.len() {
            self.input.resize(self.input.len() * 2, 0);
        }
        let count = loop {
            match stream.read(&mut self.input[self.filled..]) {
                // A signal: with a time limit on it, the call does not go on by itself.
                Err(err) if err.kind() == std::io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        if count == 0 {
            bail!("the server hung up after {} bytes of an answer", self.filled);
        }
        self.filled += count;
        Ok(())
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Length {
    Fixed(usize),
    Chunked,
}

#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    length: Length,
    keep: bool,
}

impl Head {
    fn parse(bytes: &[u8]) -> anyhow::Result<Self> {
        let text = std::str::from_utf8(bytes)?;
        let mut lines = text.split("\r\n");
        let first = lines.next().unwrap_or_default();
        let status =
            first.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).and_then(|code| code.parse().ok());
        let status = status.with_context(|| format!("`{first}` does not begin an answer"))?;
        let mut head = Self { status, length: Length::Fixed(0), keep: true };
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            let value = value.trim();
            if name.eq_ignore_ascii_case("content-length") {
                head.length =
                    Length::Fixed(value.parse().with_context(|| format!("content-length: {value}"))?);
            } else if name.eq_ignore_ascii_case("transfer-encoding") && value.eq_ignore_ascii_case("chunked")
            {
                head.length = Length::Chunked;
            } else if name.eq_ignore_ascii_case("connection") && value.eq_ignore_ascii_case("close") {
                head.keep = false;
            }
        }
        Ok(head)
    }
}

#[cfg(test)]
mod tests {
    use super::{download::Download, *};
    use std::{io::BufRead as _, net::TcpListener};

    #[test]
    fn a_head_says_status_length_and_whether_to_keep() {
        let parse = |text: &str| Head::parse(text.as_bytes());
        let head = |status, length, keep| Head { status, length, keep };
        let ok = "HTTP/1.1 200 OK\r\nContent-Length: 12\r\ndate: x";
        assert_eq!(parse(ok).expect("a head"), head(200, Length::Fixed(12), true));
        let closing = "HTTP/1.1 503 \r\ntransfer-encoding: chunked\r\nconnection: close";
        assert_eq!(parse(closing).expect("a head"), head(503, Length::Chunked, false));
        for bad in ["", "HTTP/1.0 200 OK", "HTTP/1.1 abc", "HTTP/1.1 200 OK\r\ncontent-length: many"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    /// Answers one connection's requests with `answers`, in order, in pieces of `piece` bytes.
    fn server(answers: Vec<String>, piece: usize) -> (String, std::thread::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound").to_string();
        let serve = move || {
            let (mut stream, _) = listener.accept().expect("the client connects");
            let mut reader = std::io::BufReader::new(stream.try_clone().expect("a socket"));
            let mut requests = Vec::new();
            for answer in answers {
                let mut head = String::new();
                while !head.ends_with("\r\n\r\n") {
                    reader.read_line(&mut head).expect("the client asks");
                }
                let length =
                    head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
                let mut body = vec![0; length.unwrap_or(0)];
                reader.read_exact(&mut body).expect("the body follows");
                requests.push(format!("{head}{}", String::from_utf8_lossy(&body)));
                for bytes in answer.as_bytes().chunks(piece) {
                    stream.write_all(bytes).expect("the client listens");
                }
            }
            requests
        };
        (address, std::thread::spawn(serve))
    }

    #[test]
    fn one_connection_serves_answers_of_both_kinds_however_they_are_cut() {
        for piece in [1, 7, 4_096] {
            let answers = vec![
                "HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n{\"a\":1}".to_owned(),
                "HTTP/1.1 403 F\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n".to_owned(),
                "HTTP/1.1 204 No\r\n\r\n".to_owned(),
            ];
            let (address, serving) = server(answers, piece);
            let mut client = Client::new(&address, "hoc_k");
            let first = client.post_once("/a", "key-1", b"{}").expect("an answer");
            assert_eq!(first.expect(200).expect("200").json().expect("JSON")["a"], 1);
            let second = client.get("/b").expect("an answer");
            assert_eq!(second.text(), "403 abc0123456789");
            assert!(second.expect(200).is_err());
            assert_eq!(client.post("/c", b"x").expect("an answer").status, 204);
            let requests = serving.join().expect("the server ends");
            assert!(requests[0].starts_with("POST /a HTTP/1.1\r\n") && requests[0].ends_with("\r\n\r\n{}"));
            assert!(requests[0].contains("authorization: Bearer hoc_k\r\nidempotency-key: key-1\r\n"));
            assert!(requests[1].starts_with("GET /b ") && !requests[1].contains("content-length"));
        }
    }

    #[test]
    fn a_body_is_passed_on_as_it_comes_and_the_connection_serves_again() {
        for piece in [1, 7, 4_096] {
            let long = "x".repeat(150_000);
            let answers = vec![
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n".to_owned(),
                format!("HTTP/1.1 200 OK\r\ncontent-length: 150000\r\n\r\n{long}"),
                "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_owned(),
                "HTTP/1.1 404 No\r\ncontent-length: 4\r\n\r\ngone".to_owned(),
            ];
            let (address, serving) = server(answers, piece);
            let mut client = Client::new(&address, "");
            let mut download = || {
                let mut body = Vec::new();
                let Download { bytes, first_byte, whole } = client.download("/a", &mut body)?;
                assert!(bytes == body.len() && first_byte <= whole);
                anyhow::Ok(String::from_utf8(body)?)
            };
            assert_eq!(download().expect("chunks"), "abc0123456789");
            assert!(download().expect("a length") == long);
            assert_eq!(download().expect("nothing"), "");
            let err = download().expect_err("not found");
            assert!(format!("{err:#}").contains("404 gone"), "{err:#}");
            serving.join().expect("the server ends");
        }
    }

    #[test]
    fn an_answer_that_is_cut_short_is_an_error() {
        let (address, serving) =
            server(vec!["HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc".to_owned()], 64);
        let err = Client::new(&address, "").get("/").expect_err("cut short");
        assert!(format!("{err:#}").contains("hung up"), "{err:#}");
        serving.join().expect("the server ends");
    }
}
