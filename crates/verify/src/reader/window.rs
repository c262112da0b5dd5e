//! What is held of a stream: the text from where the reader stands to as far as it had to look.

use std::io::{self, Read};

use proof::canonical::plain_until;

/// How much is read at once.
const AT_ONCE: usize = 256 * 1024;

/// Why nothing more comes, other than that the stream is at its end.
#[derive(Debug)]
pub(super) enum Failure {
    Io(io::Error),
    /// What comes is no text.
    NoText(String),
}

pub(super) struct Window<R> {
    from: R,
    /// What was read last, up to `came`; of it `taken` bytes are in the text. What is left begins a character.
    raw: Vec<u8>,
    came: usize,
    /// How many bytes of the stream came before those in `raw`.
    before: u64,
    text: String,
    start: usize,
    is_at_end: bool,
    failure: Option<Failure>,
}

impl<R: Read> Window<R> {
    pub(super) fn new(from: R) -> Self {
        Self {
            from,
            raw: vec![0; AT_ONCE],
            came: 0,
            before: 0,
            text: String::new(),
            start: 0,
            is_at_end: false,
            failure: None,
        }
    }

    /// What is held of what comes next.
    pub(super) fn text(&self) -> &str {
        &self.text[self.start..]
    }

    /// Whether what is held is all that comes.
    pub(super) const fn is_at_end(&self) -> bool {
        self.is_at_end
    }

    pub(super) fn failure(&mut self) -> Option<Failure> {
        self.failure.take()
    }

    /// Goes on by as many bytes, which are held.
    pub(super) fn advance(&mut self, by: usize) {
        self.start += by;
    }

    /// The next byte that is not space; none at the end.
    pub(super) fn peek(&mut self) -> Option<u8> {
        loop {
            let rest = &self.text.as_bytes()[self.start..];
            let space = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t')).count();
            let next = rest.get(space).copied();
            self.start += space;
            if next.is_some() || !self.fill() {
                return next;
            }
        }
    }

    /// Reads on, and holds it with what was held; false at the end.
    pub(super) fn fill(&mut self) -> bool {
        if self.is_at_end {
            return false;
        }
        self.text.replace_range(..self.start, "");
        self.start = 0;
        // One value was long: its room is not kept for those that follow.
        if self.text.capacity() > 8 * AT_ONCE && self.text.len() < AT_ONCE {
            self.text.shrink_to(2 * AT_ONCE);
        }
        let came = loop {
            match self.from.read(&mut self.raw[self.came..]) {
                Ok(came) => break came,
                Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
                Err(err) => return self.fail(Failure::Io(err)),
            }
        };
        self.came += came;
        // The value that is being read may be longer than there is memory.
        if self.text.try_reserve(self.came).is_err() {
            return self.fail(Failure::Io(io::ErrorKind::OutOfMemory.into()));
        }
        match self.whole_characters(came == 0) {
            Ok(taken) => {
                self.raw.copy_within(taken..self.came, 0);
                self.came -= taken;
                self.before += taken as u64;
                self.is_at_end = came == 0;
                came > 0
            }
            Err(why) => self.fail(Failure::NoText(why)),
        }
    }

    /// Takes all that is text of what came. Answers how many bytes that is: only a character that is not whole may be
    /// left, if there may be more of it.
    fn whole_characters(&mut self, is_last: bool) -> Result<usize, String> {
        let raw = &self.raw[..self.came];
        let (text, at) = match std::str::from_utf8(raw) {
            Ok(text) => (text, raw.len()),
            Err(wrong) => {
                let at = wrong.valid_up_to();
                let index = self.before + at as u64;
                // In the words of one who reads all at once.
                match wrong.error_len() {
                    Some(length) => {
                        return Err(format!("invalid utf-8 sequence of {length} bytes from index {index}"));
                    }
                    None if is_last => {
                        return Err(format!("incomplete utf-8 byte sequence from index {index}"));
                    }
                    None => (std::str::from_utf8(&raw[..at]).unwrap_or_default(), at),
                }
            }
        };
        self.text.push_str(text);
        Ok(at)
    }

    fn fail(&mut self, failure: Failure) -> bool {
        self.failure = Some(failure);
        self.is_at_end = true;
        false
    }

    /// Reads all that is left and holds nothing of it: whether it is text.
    pub(super) fn pass(&mut self) {
        loop {
            self.start = self.text.len();
            if !self.fill() {
                return;
            }
        }
    }

    /// Holds all of the value that begins here, or all that there is, whatever is wrong with it. False where it was
    /// held before.
    pub(super) fn hold_value(&mut self) -> bool {
        let mut scan = Scan::default();
        let mut at = 0;
        let mut has_grown = false;
        loop {
            let bytes = &self.text().as_bytes()[at..];
            at += bytes.len();
            if scan.end(bytes).is_some() || !self.fill() {
                return has_grown;
            }
            has_grown = true;
        }
    }
}

impl<R: Read> Window<R> {
    /// Goes by the value that begins here, and holds nothing of it.
    pub(super) fn skip_value(&mut self) {
        let mut scan = Scan::default();
        loop {
            if let Some(end) = scan.end(self.text().as_bytes()) {
                self.advance(end);
                return;
            }
            self.start = self.text.len();
            if !self.fill() {
                return;
            }
        }
    }
}

/// Where a value ends: knows strings, and how deep it is in brackets, and nothing else.
#[derive(Default)]
struct Scan {
    has_begun: bool,
    is_in_string: bool,
    is_escaped: bool,
    depth: u64,
}

impl Scan {
    /// Where the value ends in these bytes, which follow those that it saw before; none if it goes on.
    fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            if self.is_escaped {
                self.is_escaped = false;
            } else if self.is_in_string {
                at = plain_until(bytes, at);
                match bytes.get(at) {
                    Some(b'"') => self.is_in_string = false,
                    Some(b'\\') => self.is_escaped = true,
                    _ => {}
                }
                if self.depth == 0 && !self.is_in_string {
                    return Some(at + 1);
                }
            } else {
                match byte {
                    b'"' if self.depth == 0 && self.has_begun => return Some(at),
                    b'"' => self.is_in_string = true,
                    b'{' | b'[' => self.depth += 1,
                    b'}' | b']' | b',' | b':' | b' ' | b'\n' | b'\r' | b'\t' if self.depth == 0 => {
                        return Some(at);
                    }
                    b'}' | b']' if self.depth == 1 => return Some(at + 1),
                    b'}' | b']' => self.depth -= 1,
                    _ => {}
                }
            }
            self.has_begun = true;
            at += 1;
        }
        None
    }
}
