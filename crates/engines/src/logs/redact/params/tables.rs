//! Tables: those that are told by their names, and those that a statement names.

use std::collections::BTreeSet;

use super::{Facts, MAX_BYTES, insert, statements};
use crate::logs::redact::words::folded;

/// The most names of one statement that are looked at.
const MAX_NAMES: usize = 256;

/// What stands around a name and is no part of it, or what stands behind a statement.
const AROUND: &[char] = &['"', '`', '[', ']', '\''];
/// What no name of a table has: comments, statements, what other programs put in.
const DRESSED: &[&str] = &["--", "/*", "*", "\\", "{", "}", "(select", "( select", "${", "&\""];

impl Facts {
    /// Stores do not tell names of tables by case, nor by quotes. With whose it is before its name, it is that table
    /// too: `public.customers` is `customers`. A list of them is each of them.
    pub(super) fn table(&mut self, text: &str) {
        let text = folded(self.bounded(text));
        let is_list = text.contains(',') && !text.contains(['(', '"', '\'', '`', '[']);
        if is_list {
            for part in text.split(',') {
                self.one_table(part);
            }
        } else {
            self.one_table(&text);
        }
    }

    /// What may be a table, and counts as one only where it can be a name.
    pub(super) fn maybe_table(&mut self, text: &str) {
        let text = text.trim();
        let of_a_name =
            |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '$' | '"' | '`' | '[' | ']');
        if text.chars().all(of_a_name) && text.contains(char::is_alphabetic) {
            self.table(text);
        }
    }

    fn one_table(&mut self, text: &str) {
        let text = text.trim().trim_end_matches([';', ' ', '.']).trim_start_matches('.');
        let lower = text.to_lowercase();
        let is_dressed = DRESSED.iter().any(|mark| lower.contains(*mark));
        self.params.facts_cut |= is_dressed;
        let named = lower.strip_prefix("n'").unwrap_or(&lower);
        let plain: String = named.chars().filter(|c| !AROUND.contains(c)).collect();
        let table = self.fact(plain.trim());
        // Somebody may put it into a statement: `customers as c`.
        if (table.contains(' ') || is_dressed)
            && let Some(named) = statements::named(&format!("from {table}"), true)
        {
            self.named_table(&table, false);
            for read in named.tables.iter().chain(&named.maybe) {
                self.named_table(read, true);
            }
            return;
        }
        self.named_table(&table, false);
    }

    /// The tables of a statement. What has no name that says that it is one must begin as one.
    pub(super) fn statement(&mut self, text: &str, told: bool) {
        let Some(named) = statements::named(self.bounded(text), told) else { return };
        self.params.facts_cut |= named.unsure;
        let mut seen = BTreeSet::new();
        for (tables, is_read) in [(&named.tables, false), (&named.maybe, true)] {
            for table in tables.iter().filter(|table| seen.insert(table.as_str())).take(MAX_NAMES) {
                let plain: String = table.chars().filter(|c| !AROUND.contains(c)).collect();
                let table = self.fact(&folded(&plain).to_lowercase());
                self.named_table(&table, is_read);
            }
        }
        self.params.facts_cut |= seen.len() >= MAX_NAMES;
    }

    /// A table, and what it is without what stands before or behind its name.
    fn named_table(&mut self, table: &str, is_read: bool) {
        if table.is_empty() {
            return;
        }
        if self.params.table.is_empty() && !is_read {
            table.clone_into(&mut self.params.table);
        }
        self.keep_table(table.to_owned(), is_read);
        // `customers@link`, `shop:customers`, `projects/shop/tables/customers`
        let bare = table.split('@').next().unwrap_or(table);
        let bare = bare.rsplit(['.', ':', '/']).next().unwrap_or(bare).trim().trim_matches(['$', '#']);
        if bare != table && bare.contains(char::is_alphabetic) {
            self.keep_table(bare.to_owned(), true);
        }
    }

    /// Keeps a table that was told, or one that nobody told: another one without its schema.
    fn keep_table(&mut self, table: String, is_read: bool) {
        if !is_read {
            self.params.tables_read.remove(&table);
        }
        if self.params.tables.contains(&table) {
            return;
        }
        let bytes: usize = self.params.tables.iter().map(String::len).sum();
        let room = bytes + table.len() <= MAX_BYTES;
        if !(room && insert(&mut self.params.tables, table.clone())) {
            self.params.facts_cut = true;
        } else if is_read {
            self.params.tables_read.insert(table);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::facts;

    #[test]
    fn a_table_is_seen_however_its_name_is_dressed() {
        for (table, is_cut) in [
            ("customers", false),
            ("customers;", false),
            ("customers c", false),
            ("customers as c", false),
            ("only customers", false),
            ("customers,orders", false),
            ("orders, customers", false),
            ("orders join customers", false),
            ("customers@link", false),
            ("customers.", false),
            (".customers", false),
            ("'customers'", false),
            ("N'customers'", false),
            ("customers$", false),
            ("customers#", false),
            ("shop:customers", false),
            ("projects/x/datasets/y/tables/customers", false),
            ("public . customers", false),
            ("customers--x", true),
            ("customers/*x*/", true),
            ("customers*", true),
            ("(select * from customers)", true),
        ] {
            let facts = facts(&json!({ "table": table }));
            assert!(facts.tables.contains("customers"), "{table}: {facts:?}");
            assert_eq!(facts.facts_cut, is_cut, "{table}");
        }
        assert!(facts(&json!({"table": "U&\"c\\0075stomers\""})).facts_cut);
        let listed = facts(&json!({"tables": "orders,customers"}));
        assert!(listed.tables_read.is_empty() && listed.table == "orders", "each was told: {listed:?}");
    }

    /// A rule on `facts_cut` must not stop who hides nothing.
    #[test]
    fn ordinary_names_of_tables_are_told_as_they_are() {
        for table in
            ["Order Details", "Tasks (old)", "R&D", "my-project.shop.sales", "2024_sales", "Q1: plan", "t$1"]
        {
            let facts = facts(&json!({ "table": table }));
            assert_eq!(facts.table, table.to_lowercase());
            assert!(!facts.facts_cut, "{table}");
        }
    }

    #[test]
    fn what_may_be_a_table_is_one_where_it_is_a_name() {
        for params in [
            json!({"collection": "customers"}),
            json!({"collectionName": "Customers", "filter": {"from": "a"}}),
            json!({"relation": "public.customers"}),
            json!({"from": "customers", "select": ["a"]}),
            json!({"query": {"from": "customers", "where": {"a": 1}}}),
            json!({"into": "customers", "values": [1]}),
        ] {
            let facts = facts(&params);
            assert!(facts.tables.contains("customers") && !facts.facts_cut, "{params}: {facts:?}");
        }
        for plain in [
            json!({"from": "customers", "to": "London"}),
            json!({"from": "2026-11-28", "columns": ["a"]}),
            json!({"from": "bob@ok.example", "where": "Rome"}),
            json!({"collection": {"info": {"title": "x"}, "item": ["y"]}}),
            json!({"collection": "all of {{x}} *"}),
        ] {
            let facts = facts(&plain);
            assert!(facts.tables.is_empty() && !facts.facts_cut, "{plain}: {facts:?}");
        }
    }

    #[test]
    fn the_tables_of_a_statement_are_tables() {
        let sql = "select * from public.customers c";
        for params in [
            json!({ "sql": sql }),
            json!({ "query": sql }),
            json!({ "statement": sql }),
            json!({"statements": ["select 1", sql]}),
            json!({ "q": sql }),
            json!({ "arguments": json!({ "sql": sql }).to_string() }),
            json!({"kwargs": {"sql_query": sql}}),
            json!({"arguments": {"query": sql}}),
        ] {
            let facts = facts(&params);
            assert_eq!(facts.table, "public.customers", "{params}");
            assert!(facts.tables.contains("customers") && !facts.facts_cut, "{params}: {facts:?}");
        }
        let parted = facts(&json!({"sql": ["select * from", "customers"]}));
        assert!(parted.tables.contains("customers"), "{parted:?}");
        assert!(facts(&json!({"input": sql})).tables.contains("customers"));
        for asked in [
            json!({"query": "weather from london"}),
            json!({"q": "updates from the table"}),
            json!({"query": "{ users { id } }"}),
            json!({"statement": {"effect": "Allow", "action": "*"}}),
            json!({"query": {"match": {"title": "from here"}}}),
        ] {
            let facts = facts(&asked);
            assert!(facts.tables.is_empty() && !facts.facts_cut, "{asked}: {facts:?}");
        }
    }
}
