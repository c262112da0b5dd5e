//! The wire between replicas and their Postgres, on which every statement waits until the test lets it through.
//!
//! A [`Switchboard`] stands before one database. Each replica is given a URL of its own, which is a socket in a folder,
//! and every connection of its pool comes by here as a [`Line`].
//! A batch that only prepares, begins or sets something is let through at once, and so is one that is about the
//! catalogue.

mod end;

use std::{
    collections::{BTreeMap, HashMap},
    io,
    path::{Path, PathBuf},
    str::FromStr as _,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use sea_orm::sqlx::postgres::PgConnectOptions;
use tempfile::TempDir;
use tokio::{
    net::{TcpStream, UnixListener, UnixStream},
    sync::{Notify, oneshot, watch},
};

use self::end::{End, Stream, open};
use crate::TestDatabase;

/// The port in the name of the socket. Nothing listens on it.
const PORT: u16 = 5432;

/// What a line says whose answer is held.
pub const ANSWER: &str = "the answer";

/// Where a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It is being opened.
    Opening,
    /// Its replica has sent nothing since the last answer.
    Idle,
    /// A batch waits to be let through.
    Held,
    /// A batch was let through, and Postgres has not answered it yet.
    Sent,
}

/// One connection of a replica.
#[derive(Clone, Debug)]
pub struct Line {
    /// Counted from the first connection of all.
    pub id: u64,
    /// Which replica's.
    pub replica: usize,
    /// The session of Postgres at the other end.
    pub pid: i32,
    /// Where it stands.
    pub stage: Stage,
    /// The statement that was sent last.
    pub says: String,
}

impl Line {
    /// Whether the statement only looks: what it read may be otherwise by the time it is used.
    #[must_use]
    pub fn only_looks(&self) -> bool {
        self.says.starts_with("SELECT") && !self.says.contains(" FOR UPDATE")
    }

    /// The statement, in short.
    #[must_use]
    pub fn in_short(&self) -> String {
        let lock = if self.says.contains(" FOR UPDATE") { " .. FOR UPDATE" } else { "" };
        match self.says.rfind(" FROM \"").filter(|_| self.says.starts_with("SELECT")) {
            Some(from) => {
                let of = self.says[from..].split_whitespace().nth(1).unwrap_or_default();
                format!("SELECT .. FROM {of}{lock}")
            }
            None => self.says.chars().take(40).collect(),
        }
    }
}

/// What becomes of a batch that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    Go,
    /// Postgres carries it out, and the connection is lost before the answer is read.
    GoUnheard,
    /// Postgres carries it out, and the answer is held.
    GoUnanswered,
}

/// Where all connections of all replicas come together.
#[derive(Clone)]
pub struct Switchboard {
    shared: Arc<Shared>,
}

struct Shared {
    server: PgConnectOptions,
    /// The URL of the database, for one who comes through a socket of ours.
    url: (String, String),
    lines: Mutex<BTreeMap<u64, Entry>>,
    next: AtomicU64,
    changed: watch::Sender<u64>,
}

struct Entry {
    line: Line,
    word: Option<oneshot::Sender<Word>>,
    lost: Arc<Notify>,
    gate: Arc<Gate>,
}

/// What becomes of a replica's statements.
#[derive(Default)]
struct Gate {
    /// They wait.
    closed: AtomicBool,
    /// There are none any more: the replica is dead.
    gone: AtomicBool,
}

/// The way of one replica to the database. Dropped, it is cut.
pub struct Wire {
    url: String,
    gate: Arc<Gate>,
    board: Switchboard,
    listener: tokio::task::JoinHandle<()>,
    _folder: TempDir,
}

impl Switchboard {
    /// One before that database, which must be in Postgres.
    ///
    /// # Panics
    /// Where its URL cannot be read.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test without its store has failed")]
    pub fn before(database: &TestDatabase) -> Self {
        let server = PgConnectOptions::from_str(database.url()).expect("the URL of a Postgres");
        let place = database.url().split('?').next().unwrap_or_default();
        let (scheme, rest) = place.split_once("://").expect("a URL");
        let (host, name) = rest.split_once('/').expect("a database in the URL");
        let user = host.rsplit_once('@').map(|(user, _)| format!("{user}@")).unwrap_or_default();
        Self {
            shared: Arc::new(Shared {
                server,
                url: (format!("{scheme}://{user}localhost:{PORT}/{name}"), "sslmode=disable".to_owned()),
                lines: Mutex::default(),
                next: AtomicU64::new(0),
                changed: watch::Sender::new(0),
            }),
        }
    }

    /// A way for a replica, on which nothing is held yet.
    ///
    /// # Panics
    /// Where no socket can be made.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test without its store has failed")]
    pub fn wire(&self, replica: usize) -> Wire {
        let folder = tempfile::Builder::new().prefix("hoc-wire-").tempdir_in("/tmp").expect("a folder");
        let socket = folder.path().join(format!(".s.PGSQL.{PORT}"));
        let listener = UnixListener::bind(&socket).expect("a socket");
        let gate = Arc::<Gate>::default();
        let (url, options) = &self.shared.url;
        let url = format!("{url}?host={}&{options}", folder.path().display());
        let (board, its_gate) = (self.clone(), Arc::clone(&gate));
        let listener = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                board.connect(client, replica, Arc::clone(&its_gate));
            }
        });
        Wire { url, gate, board: self.clone(), listener, _folder: folder }
    }

    /// Every connection that there is, the oldest first.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        self.entries().values().map(|entry| entry.line.clone()).collect()
    }

    /// Tells of every change of a connection.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changed.subscribe()
    }

    /// Wakes whoever waits for a change.
    pub fn ring(&self) {
        self.shared.changed.send_modify(|count| *count += 1);
    }

    /// Lets the batch through that is held on a connection.
    pub fn let_through(&self, line: u64) {
        self.say(line, Word::Go);
    }

    /// Lets it through, and loses the connection when Postgres has carried it out.
    pub fn let_through_unheard(&self, line: u64) {
        self.say(line, Word::GoUnheard);
    }

    /// Lets it through, and holds the answer, by the name of [`ANSWER`], as long as the replica's statements wait.
    pub fn let_through_unanswered(&self, line: u64) {
        self.say(line, Word::GoUnanswered);
    }

    /// Loses a connection; what is held on it never arrives.
    pub fn lose(&self, line: u64) {
        if let Some(entry) = self.entries().remove(&line) {
            entry.lost.notify_one();
        }
        self.ring();
    }

    fn say(&self, line: u64, word: Word) {
        if let Some(entry) = self.entries().get_mut(&line)
            && let Some(sender) = entry.word.take()
        {
            entry.line.stage = Stage::Sent;
            let _ = sender.send(word);
        }
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<u64, Entry>> {
        self.shared.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connect(&self, client: UnixStream, replica: usize, gate: Arc<Gate>) {
        if gate.gone.load(Ordering::SeqCst) {
            return;
        }
        let id = self.shared.next.fetch_add(1, Ordering::Relaxed);
        let lost = Arc::<Notify>::default();
        let line = Line { id, replica, pid: 0, stage: Stage::Opening, says: String::new() };
        self.entries().insert(id, Entry { line, word: None, lost: Arc::clone(&lost), gate });
        self.ring();
        let board = self.clone();
        tokio::spawn(async move {
            tokio::select! {
                // The other end hung up, or it was lost here: either way both ends are closed now.
                _ = board.carry(id, client) => {}
                () = lost.notified() => {}
            }
            board.entries().remove(&id);
            board.ring();
        });
    }

    /// Carries batches to Postgres and answers back until one of the two hangs up.
    async fn carry(&self, id: u64, client: UnixStream) -> io::Result<()> {
        let mut client = End::new(Box::new(client));
        let mut server = End::new(self.call_server().await?);
        let pid = open(&mut client, &mut server).await?;
        self.change(id, |line| (line.pid, line.stage) = (pid, Stage::Idle));
        let mut statements = HashMap::new();
        loop {
            let batch = tokio::select! {
                batch = client.batch(&mut statements) => batch?,
                // Between batches Postgres says only that it ends the session.
                _ = server.more() => return Ok(()),
            };
            let Some(batch) = batch else { return Ok(()) };
            let word = if batch.acts { self.hold(id, &batch.says).await } else { Some(Word::Go) };
            // It was lost while it waited: the batch never arrives.
            let Some(word) = word else { return Ok(()) };
            self.change(id, |line| line.stage = Stage::Sent);
            server.write(&batch.bytes).await?;
            let answer = server.answer().await?;
            match word {
                Word::GoUnheard => return Ok(()),
                Word::GoUnanswered if self.hold(id, ANSWER).await.is_none() => return Ok(()),
                Word::Go | Word::GoUnanswered => {}
            }
            // First the stage: who sees the replica go on must not see an unanswered line.
            self.change(id, |line| line.stage = Stage::Idle);
            client.write(&answer).await?;
        }
    }

    /// Waits until the batch may go on, where the replica's statements wait; none where its connection is lost.
    async fn hold(&self, id: u64, says: &str) -> Option<Word> {
        let (sender, word) = oneshot::channel();
        {
            let mut entries = self.entries();
            let entry = entries.get_mut(&id)?;
            says.clone_into(&mut entry.line.says);
            if !entry.gate.closed.load(Ordering::SeqCst) {
                return Some(Word::Go);
            }
            entry.line.stage = Stage::Held;
            entry.word = Some(sender);
        }
        self.ring();
        word.await.ok()
    }

    fn change(&self, id: u64, how: impl FnOnce(&mut Line)) {
        if let Some(entry) = self.entries().get_mut(&id) {
            how(&mut entry.line);
        }
        self.ring();
    }

    async fn call_server(&self) -> io::Result<Box<dyn Stream>> {
        let server = &self.shared.server;
        let (host, port) = (server.get_host(), server.get_port());
        let folder = server.get_socket().map(PathBuf::as_path);
        match folder.or_else(|| host.starts_with('/').then(|| Path::new(host))) {
            Some(folder) => Ok(Box::new(UnixStream::connect(folder.join(format!(".s.PGSQL.{port}"))).await?)),
            None => Ok(Box::new(TcpStream::connect((host, port)).await?)),
        }
    }
}

impl Wire {
    /// Where the replica finds its database.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// From now on its statements wait to be let through.
    pub fn close_gate(&self) {
        self.gate.closed.store(true, Ordering::SeqCst);
    }

    /// What waits goes on, and what comes does not wait.
    pub fn open_gate(&self) {
        self.gate.closed.store(false, Ordering::SeqCst);
        self.lines().into_iter().for_each(|line| self.board.let_through(line));
    }

    /// Loses all its connections at once, and takes no more.
    pub fn cut(&self) {
        self.gate.gone.store(true, Ordering::SeqCst);
        self.lines().into_iter().for_each(|line| self.board.lose(line));
    }

    /// Its connections, and none of another process of the same replica.
    fn lines(&self) -> Vec<u64> {
        let entries = self.board.entries();
        entries
            .values()
            .filter(|entry| Arc::ptr_eq(&entry.gate, &self.gate))
            .map(|entry| entry.line.id)
            .collect()
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.cut();
        self.listener.abort();
    }
}
