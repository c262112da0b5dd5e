//! SQL text as SQLite keeps it, made comparable: it keeps what was typed.

/// One space between tokens, lower case, identifiers without quotes; texts in quotes as they are.
pub(crate) fn normalised(sql: &str) -> String {
    tokens(sql).join(" ")
}

/// The parts of the first pair of parentheses, split at its commas, and what follows it.
pub(crate) fn body(sql: &str) -> (Vec<String>, String) {
    let (mut parts, mut part, mut tail, mut depth) = (Vec::new(), Vec::new(), Vec::new(), 0_u32);
    let mut over = false;
    for token in tokens(sql) {
        match (token.as_str(), depth, over) {
            (_, _, true) => tail.push(token),
            ("(", 0, _) => depth = 1,
            (")", 1, _) => (depth, over) = (0, true),
            (",", 1, _) => parts.push(std::mem::take(&mut part).join(" ")),
            (_, 0, _) => {} // CREATE TABLE and its name
            (text, ..) => {
                depth = match text {
                    "(" => depth + 1,
                    ")" => depth - 1,
                    _ => depth,
                };
                part.push(token);
            }
        }
    }
    parts.push(part.join(" "));
    (parts, tail.join(" "))
}

fn tokens(sql: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut chars = sql.chars().peekable();
    while let Some(&first) = chars.peek() {
        if first.is_whitespace() {
            chars.next();
        } else if first == '\'' {
            let mut text = String::from(first);
            chars.next();
            while let Some(next) = chars.next() {
                text.push(next);
                if next == '\'' {
                    match chars.next_if_eq(&'\'') {
                        Some(quote) => text.push(quote),
                        None => break,
                    }
                }
            }
            tokens.push(text);
        } else if first == '"' || first == '`' {
            chars.next();
            let mut name = String::new();
            while let Some(next) = chars.next_if(|next| *next != first) {
                name.push(next);
            }
            chars.next();
            tokens.push(name.to_lowercase());
        } else if first.is_alphanumeric() || first == '_' {
            let mut word = String::new();
            while let Some(next) = chars.next_if(|next| next.is_alphanumeric() || *next == '_') {
                word.push(next);
            }
            tokens.push(word.to_lowercase());
        } else {
            tokens.push(first.to_string());
            chars.next();
        }
    }
    tokens
}

#[test]
fn how_it_was_typed_does_not_count() {
    assert_eq!(normalised("CREATE  TABLE \"t\"(a INT)"), normalised("create table t (\n  a int\n)"));
    assert_ne!(normalised("CHECK (a IN ('X'))"), normalised("CHECK (a IN ('x'))"), "texts count as they are");
    assert_eq!(normalised("'it''s' X"), "'it''s' x");
}

#[test]
fn a_body_is_split_at_its_own_commas() {
    let (parts, tail) = body("CREATE TABLE t (a INT CHECK (a IN (1, 2)), b TEXT, PRIMARY KEY (a, b)) STRICT");
    assert_eq!(parts, ["a int check ( a in ( 1 , 2 ) )", "b text", "primary key ( a , b )"]);
    assert_eq!(tail, "strict");
}
