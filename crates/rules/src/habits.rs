//! Finds what people write in a condition who know another language, and says what a condition has instead.
//!
//! A parser only says what it did not expect. A person who wrote `and`, single quotes or a decimal wants to know what
//! to write. So for a condition that is refused, this looks for the nearest such habit to the place of the refusal.

use crate::{
    known::{FACTS, FactType, FactUnit, find},
    scan::{self, Token},
};

const TEXT: &str = "text stands in double quotes: \"gpt-4o\"";
const ONE_OF: &str = "to ask whether it is one of several, write `[\"a\", \"b\"].contains(context.step.skill)`; for none of them, \
                      `!([\"a\", \"b\"].contains(context.step.skill))`";
const PATTERN: &str = "for a piece of a text write `like`, where `*` is any text: `context.step.skill like \"get_*\"` begins with, \
                       `like \"*_admin\"` ends with, `like \"*drop*\"` holds; not so is `!(context.step.skill like \"get_*\")`";
const REGEX: &str = "there are no regular expressions: write `like`, where `*` is any text, as in \
                     `context.step.skill like \"get_*\"`, and `||` between several";
const ABSENT: &str = "each fact has a value at its moment: where there is nothing, a text is `\"\"`, a set `.isEmpty()`, a \
                      number 0; a cost that is unknown has `context.step.cost_known` false";
const CASE: &str = "text is compared as it is, upper and lower case apart; hosts, tables and recipients are in lower case \
                    already, for others write each form with `||` between";
const LENGTH: &str = "a text or set has no length to read: ask `== \"\"` or `.isEmpty()`; how long content is says \
                      `context.content.input_size`, and how much a run did `context.run.steps`";
const SET: &str = "of a set ask `.contains(\"a\")`, `.containsAny([\"a\", \"b\"])`, `.containsAll([\"a\", \"b\"])` or `.isEmpty()`";
const BRANCH: &str = "write `if a then b else c`, with all three parts, or `(a && b) || (!(a) && c)`";
const CLAUSE: &str =
    "a condition is only the expression inside `when { }`: without `forbid`, `when`, braces and `;`";
const COMMENT: &str = "a comment begins with `//` and ends with the line";
const WHOLE: &str = "numbers are whole, written in digits alone: 1000";
const ROOTS: &str = "facts begin with `context.step`, `context.content`, `context.run`, `context.time`, `principal` or \
                     `resource`; `hoc facts` lists them";
const BETWEEN: &str = "write `&&` or `||` between two conditions";
const NO_DIVISION: &str =
    "there is no division: multiply the other side, as in `context.step.cost_microusd > 2 * 1000000`";

/// What to write instead of what stands at that place or nearest to it; `None` where nothing is known of it.
pub(crate) fn alternative(condition: &str, place: usize) -> Option<String> {
    let text = Text { text: condition, tokens: scan::tokens(condition).collect() };
    let all = || 0..text.tokens.len();
    let nearest = |found: &mut dyn Iterator<Item = (usize, String)>| {
        found.min_by_key(|(offset, _)| offset.abs_diff(place)).map(|(_, habit)| habit)
    };
    // A name that is nobody's may be a piece of what is foreign: what is known of that comes first.
    let mut habits = all().filter_map(|at| Some((text.tokens[at].0, text.habit(at)?))).chain(text.chained());
    let mut names = all().filter_map(|at| Some((text.tokens[at].0, text.name(at, text.word(at)?)?)));
    nearest(&mut habits).or_else(|| nearest(&mut names)).or_else(|| text.unbalanced())
}

/// The fact that is named at that place, last before it, or else first.
pub(crate) fn fact_near(condition: &str, place: usize) -> Option<&'static str> {
    let text = Text { text: condition, tokens: scan::tokens(condition).collect() };
    let facts = (0..text.tokens.len()).filter_map(|at| {
        let path = text.path_from(at)?;
        Some((text.tokens[at].0, find(&path)?.path))
    });
    let facts: Vec<_> = facts.collect();
    let last = facts.iter().rfind(|(offset, _)| *offset <= place);
    last.or(facts.first()).map(|(_, path)| *path)
}

/// What a fact of that type can be asked, where it is asked otherwise.
pub(crate) fn of_type(path: &str) -> Option<String> {
    let fact = find(path)?;
    Some(match fact.fact_type {
        FactType::Number => {
            let of = fact.unit.map_or_else(String::new, |unit| format!(" of {unit}"));
            let what = match fact.unit {
                Some(FactUnit::MicroUsd) => " (500000 is $0.50)".to_owned(),
                Some(_) => String::new(),
                None => format!(" ({})", fact.meaning.trim_end_matches('.')),
            };
            format!("`{path}` is a whole number{of}{what}: compare it with a number, without quotes")
        }
        FactType::Text => format!(
            "`{path}` is a text: ask `{path} == \"a\"`, `{path} like \"a*\"` or `[\"a\", \"b\"].contains({path})`"
        ),
        FactType::Flag => format!("`{path}` is true or false by itself: write `{path}` or `!{path}`"),
        FactType::Texts => format!(
            "`{path}` is a set of texts: ask `{path}.contains(\"a\")`, `.containsAny([\"a\", \"b\"])`, \
             `.containsAll([\"a\", \"b\"])` or `.isEmpty()`"
        ),
    })
}

struct Text<'a> {
    text: &'a str,
    tokens: Vec<(usize, Token<'a>)>,
}

impl<'a> Text<'a> {
    fn word(&self, at: usize) -> Option<&'a str> {
        match self.tokens.get(at)? {
            (_, Token::Word(word)) => Some(word),
            (_, Token::Mark(_)) => None,
        }
    }

    fn mark(&self, at: usize) -> Option<char> {
        match self.tokens.get(at)? {
            (_, Token::Mark(mark)) => Some(*mark),
            (_, Token::Word(_)) => None,
        }
    }

    fn end(&self, at: usize) -> usize {
        match self.tokens[at] {
            (offset, Token::Word(word)) => offset + word.len(),
            (offset, Token::Mark(mark)) => offset + mark.len_utf8(),
        }
    }

    /// What stands right after a token, blanks left out, whatever it is.
    fn after(&self, at: usize) -> &'a str {
        self.text[self.end(at)..].trim_start()
    }

    fn is_member(&self, at: usize) -> bool {
        at.checked_sub(1).is_some_and(|before| self.mark(before) == Some('.'))
    }

    fn is_called(&self, at: usize) -> bool {
        self.mark(at + 1) == Some('(')
    }

    fn has_word(&self, sought: &str) -> bool {
        self.tokens.iter().any(|(_, token)| *token == Token::Word(sought))
    }

    /// The path that begins at a token, as long as it goes on: `context.step.kind`.
    fn path_from(&self, at: usize) -> Option<String> {
        if self.is_member(at) {
            return None;
        }
        let mut path = self.word(at)?.to_owned();
        let mut next = at + 1;
        while self.mark(next) == Some('.')
            && let Some(word) = self.word(next + 1)
            && !self.is_called(next + 1)
        {
            path = format!("{path}.{word}");
            next += 2;
        }
        Some(path)
    }

    /// The type of the fact of which a member is asked.
    fn type_before(&self, member: usize) -> Option<FactType> {
        let mut from = member;
        while from >= 2 && self.mark(from - 1) == Some('.') && self.word(from - 2).is_some() {
            from -= 2;
        }
        find(&self.path_from(from)?).map(|fact| fact.fact_type)
    }

    fn habit(&self, at: usize) -> Option<String> {
        match self.word(at) {
            Some(word) if word.starts_with(|c: char| c.is_ascii_digit()) => self.number(at, word),
            Some(word) if self.is_member(at) => self.member(at, word).map(str::to_owned),
            Some(word) => self.operator(at, word).or_else(|| self.follows_nothing(at)).map(str::to_owned),
            None => self.marks(at).map(str::to_owned),
        }
    }

    /// A number as other languages write it, or one that is too large.
    fn number(&self, at: usize, word: &str) -> Option<String> {
        let digits = |at: usize| self.word(at).filter(|word| word.bytes().all(|b| b.is_ascii_digit()));
        if self.is_member(at) {
            // Its beginning has told it already, where it has one.
            let begun = at >= 2 && digits(at - 2).is_some();
            return (!begun).then(|| self.decimal(at, "0", word));
        }
        match (digits(at), digits(at + 2).filter(|_| self.mark(at + 1) == Some('.'))) {
            (Some(whole), Some(part)) => Some(self.decimal(at, whole, part)),
            (None, _) => Some(WHOLE.to_owned()),
            (Some(whole), None) => whole.parse::<i64>().is_err().then(|| {
                format!(
                    "a number is at most {}, and a fact never above {}",
                    i64::MAX,
                    proof::canonical::MAX_INTEGER
                )
            }),
        }
    }

    /// A decimal is most often dollars, which are counted in micro-dollars.
    fn decimal(&self, at: usize, whole: &str, part: &str) -> String {
        let part: String = part.chars().take(6).collect();
        let micro = format!("{whole}{part:0<6}");
        let micro = micro.trim_start_matches('0');
        let micro = if micro.is_empty() { "0" } else { micro };
        let money = fact_near(self.text, self.tokens[at].0).is_some_and(|path| path.ends_with("_microusd"));
        if money {
            format!(
                "money is in whole micro-dollars, 500000 is $0.50: for ${whole}.{part} write {micro}; the JSON form \
                 (`conditions`) takes dollars, as `step.cost_usd`"
            )
        } else {
            format!("{WHOLE}; money is in whole micro-dollars, 500000 is $0.50")
        }
    }

    /// A word that is an operator elsewhere.
    fn operator(&self, at: usize, word: &str) -> Option<&'static str> {
        let lower = word.to_ascii_lowercase();
        let next = self.word(at + 1).map(str::to_ascii_lowercase);
        let next = next.as_deref().unwrap_or_default();
        let called = self.is_called(at);
        Some(match lower.as_str() {
            "and" => "write `&&` for and",
            "or" => "write `||` for or",
            "not" if next == "in" => ONE_OF,
            "not" if next == "null" => ABSENT,
            "not" => "write `!` for not, with brackets around what it is of: `!(..)`",
            "xor" => "write `a != b` for one of both and not the other",
            "true" if word != lower => "write `true` in lower case",
            "false" if word != lower => "write `false` in lower case",
            "null" | "none" | "nil" | "undefined" | "nan" | "exists" | "defined" | "empty" => ABSENT,
            "is" if matches!(next, "null" | "none" | "not" | "nil") => ABSENT,
            "is" if self.after(at).starts_with(['"', '\'']) => "write `==` for is",
            "in" if self.after(at).starts_with(['[', '(']) => ONE_OF,
            "in" if self.ends_in_text(at) => SET,
            "like" if word != lower => "write `like` in lower case",
            "ilike" | "rlike" | "regexp" | "similar" | "matches" | "match" => REGEX,
            "contains" | "includes" if !called => {
                "a text holds another with `like \"*drop*\"`; a set holds one with `.contains(\"a\")`"
            }
            "startswith" | "starts_with" | "endswith" | "ends_with" | "contains" | "includes" => PATTERN,
            "between" => "write two comparisons: `5 <= a && a <= 10`",
            "if" if !self.has_word("then") || !self.has_word("else") => BRANCH,
            "when" | "unless" | "forbid" | "permit" | "where" | "select" => CLAUSE,
            "len" | "length" | "size" | "count" | "strlen" if called => LENGTH,
            "lower" | "upper" | "tolower" | "toupper" | "trim" if called => CASE,
            "has" | "isset" | "coalesce" | "isempty" if called => ABSENT,
            "any" | "all" | "some" | "every" if called => SET,
            "now" | "today" | "date" | "datetime" | "duration" => {
                "the time is `context.time.hour` (0 to 23) and `context.time.weekday` (1 Monday to 7 Sunday), and how long \
                 something took `context.step.duration_ms`"
            }
            "monday" | "tuesday" | "wednesday" | "thursday" | "friday" | "saturday" | "sunday" => {
                "`context.time.weekday` is a number: 1 Monday to 7 Sunday"
            }
            "decimal" | "float" | "int" | "number" | "str" | "string" if called => {
                "nothing is converted: a number is whole, and text stands in double quotes"
            }
            _ => return None,
        })
    }

    /// Whether what stands before a token is a text in quotes.
    fn ends_in_text(&self, at: usize) -> bool {
        self.text[..self.tokens[at].0].trim_end().ends_with(['"', '\''])
    }

    /// A name that is no variable and no keyword: a fact without its record, or a text without its quotes.
    fn name(&self, at: usize, word: &str) -> Option<String> {
        let cedar =
            ["context", "principal", "resource", "action", "true", "false", "if", "then", "else", "in", "is"];
        let cedar = cedar.contains(&word) || ["has", "like", "Agent", "Run", "Action"].contains(&word);
        let number = word.starts_with(|c: char| c.is_ascii_digit());
        // `context.step has kind` names it so.
        let cedar = cedar || at.checked_sub(1).is_some_and(|before| self.word(before) == Some("has"));
        if cedar || number || self.mark(at + 1) == Some(':') {
            return None;
        }
        let path = self.path_from(at)?;
        let meant = find(&path).or_else(|| FACTS.iter().find(|fact| fact.place().1 == path));
        if let Some(fact) = meant {
            return Some(format!("write it with its record: `{}`", fact.path));
        }
        if self.is_called(at) {
            return None;
        }
        Some(if path.contains('.') {
            ROOTS.to_owned()
        } else {
            format!("text stands in double quotes: \"{path}\"; {ROOTS}")
        })
    }

    /// A fact that begins where a condition has ended: what joins the two is missing.
    fn follows_nothing(&self, at: usize) -> Option<&'static str> {
        let root = matches!(self.word(at), Some("context" | "principal" | "resource"));
        let before = self.text[..self.tokens[at].0].trim_end();
        let word = at
            .checked_sub(1)
            .filter(|before| self.end(*before) == self.text[..self.tokens[at].0].trim_end().len());
        let keyword = word.and_then(|word| self.word(word));
        let keyword =
            keyword.is_some_and(|word| ["if", "then", "else", "in", "is", "like", "has"].contains(&word));
        let ended = before.ends_with(|c: char| c.is_alphanumeric() || ['"', ')', ']'].contains(&c));
        (root && ended && !keyword).then_some(BETWEEN)
    }

    /// How many brackets of a kind are open at the end.
    fn unbalanced(&self) -> Option<String> {
        let count = |mark: char| self.tokens.iter().filter(|(_, token)| *token == Token::Mark(mark)).count();
        let pairs = [('(', ')'), ('[', ']')];
        let (open, close) = pairs.into_iter().find(|(open, close)| count(*open) != count(*close))?;
        Some(format!("there are {} `{open}` and {} `{close}`", count(open), count(close)))
    }

    /// A member that a fact does not have, as an object has it elsewhere.
    fn member(&self, at: usize, word: &str) -> Option<&'static str> {
        let name = word.to_ascii_lowercase().replace('_', "");
        let called = self.is_called(at);
        let of = self.type_before(at);
        Some(match name.as_str() {
            "startswith" | "hasprefix" | "beginswith" | "endswith" | "hassuffix" | "like" if called => {
                PATTERN
            }
            "contains" | "includes" | "indexof" | "icontains" | "find"
                if called && of == Some(FactType::Texts) =>
            {
                if word == "contains" {
                    return None;
                }
                SET
            }
            "includes" | "indexof" | "icontains" | "find" if called => PATTERN,
            "contains" | "containsany" | "containsall"
                if called && of.is_some() && of != Some(FactType::Texts) =>
            {
                PATTERN
            }
            "match" | "matches" | "test" | "regex" | "search" | "fullmatch" if called => REGEX,
            "tolower" | "tolowercase" | "toupper" | "touppercase" | "lower" | "upper" | "casefold"
            | "trim" | "strip" => CASE,
            "length" | "size" | "len" | "count" => LENGTH,
            "equals" | "eq" | "equalsignorecase" | "is" if called => "write `==` for equals",
            "has" if called && of.is_none() => ABSENT,
            "any" | "some" | "every" | "all" | "filter" | "map" | "foreach" | "none" | "has" if called => SET,
            "isempty" if called && of == Some(FactType::Text) => "an empty text is `== \"\"`",
            "isnull" | "exists" | "isnone" | "isdefined" => ABSENT,
            "in" | "isin" | "oneof" if called => ONE_OF,
            "tostring" | "toint" | "tonumber" | "parse" if called => {
                "nothing is converted: a number is whole, and text stands in double quotes"
            }
            _ => return None,
        })
    }

    /// Marks that stand together, at the first of them.
    fn marks(&self, at: usize) -> Option<&'static str> {
        let first = self.mark(at)?;
        let joins = |at: usize| self.mark(at).filter(|mark| "=!<>~:&|?*/%#-".contains(*mark));
        let touches = |at: usize| joins(at + 1).is_some() && self.tokens[at + 1].0 == self.end(at);
        let begun = joins(at).is_some()
            && at.checked_sub(1).is_some_and(|before| joins(before).is_some() && touches(before));
        if begun {
            return None;
        }
        let mut run = first.to_string();
        let mut last = at;
        while joins(last).is_some() && touches(last) {
            last += 1;
            run.extend(self.mark(last));
        }
        Some(match run.as_str() {
            "=" | ":=" => "write `==` for is, `!=` for is not",
            "===" => "write `==` for is",
            "!==" | "<>" | "~=" => "write `!=` for is not",
            "=<" => "write `<=` for at most",
            "=>" => "write `>=` for at least",
            "~" | "=~" | "!~" => REGEX,
            "&" => "write `&&` for and",
            "|" => "write `||` for or",
            "?" if self.mark(last + 1) == Some('.') => ABSENT,
            "?" => BRANCH,
            "?." | "??" | "?:" => ABSENT,
            "/" if self.follows_comparison(at) => REGEX,
            "/" | "%" => NO_DIVISION,
            "/*" | "*/" | "#" | "--" => COMMENT,
            "**" => "there are no powers: write the number out",
            ":" if self.is_time(at) => "`context.time.hour` is a number from 0 to 23",
            "'" | "`" | "\u{201c}" | "\u{201d}" | "\u{201e}" | "\u{2018}" | "\u{2019}" => TEXT,
            "$" if self.after(at).starts_with(|c: char| c.is_ascii_digit()) => {
                "money is in whole micro-dollars, without a sign: 500000 is $0.50"
            }
            "$" => ROOTS,
            "{" | "}" if self.has_word("if") => BRANCH,
            "{" | "}" | ";" => CLAUSE,
            "[" if at.checked_sub(1).is_some_and(|before| self.word(before).is_some())
                && !self.after(at).starts_with('"') =>
            {
                SET
            }
            "," if self.is_outermost(at) => "write `&&` between conditions that all must hold",
            _ => return None,
        })
    }

    fn follows_comparison(&self, at: usize) -> bool {
        at.checked_sub(1).is_some_and(|before| matches!(self.mark(before), Some('=' | '~')))
    }

    fn is_time(&self, at: usize) -> bool {
        let digits = |at: usize| self.word(at).is_some_and(|word| word.bytes().all(|b| b.is_ascii_digit()));
        at.checked_sub(1).is_some_and(digits) && digits(at + 1)
    }

    /// Whether no bracket is open there.
    fn is_outermost(&self, at: usize) -> bool {
        let open = |mark: char| (0..at).filter(|at| self.mark(*at) == Some(mark)).count();
        open('(') <= open(')') && open('[') <= open(']')
    }

    /// The second comparison of `5 < a < 10`, which elsewhere means both.
    fn chained(&self) -> Option<(usize, String)> {
        let mut compared = false;
        let mut last = None;
        for (at, (offset, token)) in self.tokens.iter().enumerate() {
            let joined = last.is_some_and(|last: usize| self.end(last) == *offset);
            match token {
                Token::Mark('<' | '>' | '=') if !joined => {
                    if compared {
                        let told = "one comparison at a time: write `5 < a && a < 10`".to_owned();
                        return Some((*offset, told));
                    }
                    compared = true;
                }
                Token::Mark('&' | '|' | '(' | ')' | '[' | ']' | ',' | '?')
                | Token::Word("if" | "then" | "else") => {
                    compared = false;
                }
                _ => {}
            }
            last = matches!(token, Token::Mark('<' | '>' | '=' | '!')).then_some(at);
        }
        None
    }
}

#[cfg(test)]
mod tests;
