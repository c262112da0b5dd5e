//! What is priced: a call of a model, and what it used.

/// The call that is priced: what is said of who answered it, and the name of the model, all as they came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Call<'a> {
    /// What an instrumentation or a caller names the provider.
    pub provider: Option<&'a str>,
    /// Where the call went: a host, with or without a port, or a URL.
    pub address: Option<&'a str>,
    /// The model; of several names the one that answered.
    pub model: &'a str,
    /// When it was answered, in minutes of the day in UTC: some sellers ask for more at some hours.
    pub minute: Option<u16>,
}

/// What a call used. What was read from a cache and what was written to one is within what went in, and what is kept
/// for an hour within what was written; reasoning is within what came out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Tokens {
    pub input: u64,
    pub output: u64,
    pub cache_read: u64,
    pub cache_write: u64,
    pub cache_write_hour: u64,
    pub reasoning: u64,
}
