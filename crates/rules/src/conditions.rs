//! The simple form of a condition, which a form on a screen can make: JSON to Cedar.
//!
//! `{"all": [..]}`, `{"any": [..]}`, `{"not": {..}}` around
//! `{"fact": "step.cost_microusd", "op": ">", "value": 500000}`. Facts are those of [`crate::known`], with or
//! without the leading `context.`. Money may be said in dollars: `{"fact": "step.cost_usd", "op": ">", "value": 0.5}`.
//! What is stored is the Cedar that comes out.

use std::fmt::Write as _;

use proof::words::BindAt;
use serde_json::{Map, Value};

use crate::{
    fields::{FieldErrors, Fields},
    known::{Fact, FactType, FactUnit, find},
    misspelt,
};

const MAX_DEPTH: usize = 16;

/// The Cedar expression of a condition in the simple form. Pointers in the errors begin at the given value.
pub fn to_cedar(bind_at: BindAt, conditions: &Value) -> Result<String, FieldErrors> {
    let mut form = Form { bind_at, fields: Fields::default() };
    let cedar = form.group(conditions, "", 0).map(|written| written.text);
    form.fields.into_result().map(|()| cedar.unwrap_or_default())
}

struct Form {
    bind_at: BindAt,
    fields: Fields,
}

struct Written {
    text: String,
    /// Needs brackets beside anything else.
    compound: bool,
}

impl Written {
    fn operand(self) -> String {
        if self.compound { format!("({})", self.text) } else { self.text }
    }
}

impl Form {
    fn refuse<T>(&mut self, pointer: &str, message: impl Into<String>) -> Option<T> {
        self.fields.refuse_if(true, pointer, message);
        None
    }

    fn group(&mut self, value: &Value, pointer: &str, depth: usize) -> Option<Written> {
        let Some(object) = value.as_object() else {
            return self
                .refuse(pointer, "must be an object: {\"all\": [..]} or {\"fact\", \"op\", \"value\"}");
        };
        if depth > MAX_DEPTH {
            return self.refuse(pointer, format!("nested more than {MAX_DEPTH} deep"));
        }
        let groups: Vec<&String> =
            object.keys().filter(|key| ["all", "any", "not"].contains(&key.as_str())).collect();
        match groups.as_slice() {
            [] => self.comparison(object, pointer),
            [group] if object.len() == 1 => {
                let pointer = format!("{pointer}/{group}");
                match group.as_str() {
                    "not" => {
                        let inner = self.group(&object["not"], &pointer, depth + 1)?;
                        Some(Written { text: format!("!({})", inner.text), compound: false })
                    }
                    "all" => self.list(&object["all"], &pointer, depth, " && "),
                    _ => self.list(&object["any"], &pointer, depth, " || "),
                }
            }
            _ => self.refuse(pointer, "one of `all`, `any`, `not` or a fact, and nothing beside it"),
        }
    }

    fn list(&mut self, value: &Value, pointer: &str, depth: usize, joint: &str) -> Option<Written> {
        let Some(items) = value.as_array().filter(|items| !items.is_empty()) else {
            return self.refuse(pointer, "must be a list with at least one condition");
        };
        let written: Vec<Option<Written>> = items
            .iter()
            .enumerate()
            .map(|(at, item)| self.group(item, &format!("{pointer}/{at}"), depth + 1))
            .collect();
        let mut written = written.into_iter().collect::<Option<Vec<_>>>()?;
        if written.len() == 1 {
            return written.pop();
        }
        let operands: Vec<String> = written.into_iter().map(Written::operand).collect();
        Some(Written { text: operands.join(joint), compound: true })
    }

    fn comparison(&mut self, object: &Map<String, Value>, pointer: &str) -> Option<Written> {
        for key in object.keys().filter(|key| !["fact", "op", "value"].contains(&key.as_str())) {
            self.fields.refuse_if(true, &format!("{pointer}/{}", escape_pointer(key)), "is not known here");
        }
        let fact = self.fact(object, pointer);
        let op = object.get("op").and_then(Value::as_str);
        self.fields.refuse_if(op.is_none(), &format!("{pointer}/op"), "an operator is needed, such as \">\"");
        let value = object.get("value");
        self.fields.refuse_if(value.is_none(), &format!("{pointer}/value"), "a value is needed");
        let ((fact, money), op, value) = (fact?, op?, value?);
        let Some(operator) = Operator::of(fact.fact_type, op) else {
            let known = Operator::names(fact.fact_type).join(", ");
            let message = format!("`{}` has the operators {known}", fact.path);
            return self.refuse(&format!("{pointer}/op"), message);
        };
        match operator.write(fact, money, value) {
            Ok(text) => Some(Written { text, compound: false }),
            Err(message) => self.refuse(&format!("{pointer}/value"), message),
        }
    }

    /// The fact that is named, and what its values are in.
    fn fact(&mut self, object: &Map<String, Value>, pointer: &str) -> Option<(&'static Fact, Money)> {
        let pointer = format!("{pointer}/fact");
        let Some(name) = object.get("fact").and_then(Value::as_str) else {
            return self.refuse(&pointer, "the name of a fact is needed, such as \"step.cost_microusd\"");
        };
        let in_dollars = name.strip_suffix("_usd").and_then(|name| find(&format!("{name}_microusd")));
        match find(name).map(|fact| (fact, Money::Micro)).or(in_dollars.map(|fact| (fact, Money::Dollars))) {
            Some((fact, money)) if fact.since.known_at(self.bind_at) => Some((fact, money)),
            Some((fact, _)) => {
                let message =
                    format!("`{name}` is known from {} on: bind the rule there", fact.since.moment());
                self.refuse(&pointer, message)
            }
            None => {
                let rooted = ["context", "principal", "resource"].iter().any(|root| name.starts_with(root));
                let path = if rooted { name.to_owned() } else { format!("context.{name}") };
                let hint = misspelt::hint(self.bind_at, &path);
                self.refuse(&pointer, format!("there is no fact `{name}`; {hint}"))
            }
        }
    }
}

/// What a value of money is in. Any other fact's is as it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Money {
    Micro,
    Dollars,
}

#[derive(Clone, Copy)]
enum Operator {
    /// `fact op value`
    Relation(&'static str),
    /// The fact is one of the values.
    OneOf,
    /// `like`, with what stands before and after the value, whose own stars are wildcards or not.
    Pattern { before: &'static str, after: &'static str, wildcards: bool },
    /// The set fact has the value.
    Contains,
    /// `fact.method([values])`
    Method(&'static str),
    /// All of the set fact is among the values.
    Within,
}

impl Operator {
    const NUMBER: &[(&str, Self)] = &[
        ("==", Self::Relation("==")),
        ("!=", Self::Relation("!=")),
        ("<", Self::Relation("<")),
        ("<=", Self::Relation("<=")),
        (">", Self::Relation(">")),
        (">=", Self::Relation(">=")),
        ("in", Self::OneOf),
    ];
    const TEXT: &[(&str, Self)] = &[
        ("==", Self::Relation("==")),
        ("!=", Self::Relation("!=")),
        ("in", Self::OneOf),
        ("like", Self::Pattern { before: "", after: "", wildcards: true }),
        ("starts_with", Self::Pattern { before: "", after: "*", wildcards: false }),
        ("ends_with", Self::Pattern { before: "*", after: "", wildcards: false }),
        ("contains", Self::Pattern { before: "*", after: "*", wildcards: false }),
    ];
    const FLAG: &[(&str, Self)] = &[("==", Self::Relation("==")), ("!=", Self::Relation("!="))];
    const TEXTS: &[(&str, Self)] = &[
        ("contains", Self::Contains),
        ("contains_any", Self::Method("containsAny")),
        ("contains_all", Self::Method("containsAll")),
        ("within", Self::Within),
    ];

    const fn all(fact_type: FactType) -> &'static [(&'static str, Self)] {
        match fact_type {
            FactType::Number => Self::NUMBER,
            FactType::Text => Self::TEXT,
            FactType::Flag => Self::FLAG,
            FactType::Texts => Self::TEXTS,
        }
    }

    fn of(fact_type: FactType, name: &str) -> Option<Self> {
        Self::all(fact_type).iter().find(|(known, _)| *known == name).map(|(_, operator)| *operator)
    }

    fn names(fact_type: FactType) -> Vec<&'static str> {
        Self::all(fact_type).iter().map(|(name, _)| *name).collect()
    }

    fn write(self, fact: &Fact, money: Money, value: &Value) -> Result<String, String> {
        let path = fact.path;
        let literal = |value: &Value| literal(fact, money, value);
        let literals = |value: &Value| literals(value, &literal);
        match self {
            Self::Relation(relation) => Ok(format!("{path} {relation} {}", literal(value)?)),
            Self::OneOf => Ok(format!("{}.contains({path})", literals(value)?)),
            Self::Contains => Ok(format!("{path}.contains({})", literal(value)?)),
            Self::Method(method) => Ok(format!("{path}.{method}({})", literals(value)?)),
            Self::Within => Ok(format!("{}.containsAll({path})", literals(value)?)),
            Self::Pattern { before, after, wildcards } => {
                let text = value.as_str().ok_or("must be a text")?;
                let escaped = escape(text);
                let body = if wildcards { escaped } else { escaped.replace('*', "\\*") };
                Ok(format!("{path} like \"{before}{body}{after}\""))
            }
        }
    }
}

fn literals(value: &Value, literal: &impl Fn(&Value) -> Result<String, String>) -> Result<String, String> {
    let items =
        value.as_array().filter(|items| !items.is_empty()).ok_or("must be a list with at least one value")?;
    let written = items.iter().map(literal).collect::<Result<Vec<_>, _>>()?;
    Ok(format!("[{}]", written.join(", ")))
}

fn literal(fact: &Fact, money: Money, value: &Value) -> Result<String, String> {
    let written = match fact.fact_type {
        FactType::Number if money == Money::Dollars => micro(value).map(|micro| micro.to_string()),
        FactType::Number => value.as_i64().map(|number| number.to_string()),
        FactType::Flag => value.as_bool().map(|flag| flag.to_string()),
        FactType::Text | FactType::Texts => value.as_str().map(|text| format!("\"{}\"", escape(text))),
    };
    written.ok_or_else(|| match (fact.fact_type, fact.unit) {
        (FactType::Number, Some(FactUnit::MicroUsd)) if money == Money::Dollars => {
            "must be dollars: a number with at most six decimals".to_owned()
        }
        (FactType::Number, Some(FactUnit::MicroUsd)) => {
            let dollars = fact.name().replace("_microusd", "_usd");
            format!("must be a whole number of micro-dollars: 500000 is $0.50; `{dollars}` takes dollars")
        }
        (FactType::Number, Some(unit)) => format!("must be a whole number of {unit}"),
        (FactType::Number, None) => "must be a whole number".to_owned(),
        (FactType::Flag, _) => "must be true or false".to_owned(),
        (FactType::Text | FactType::Texts, _) => "must be a text".to_owned(),
    })
}

/// Dollars, as decimal text or a number, as micro-dollars: exactly, or not at all.
fn micro(value: &Value) -> Option<u64> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(part) || part.len() > 6 {
        return None;
    }
    let micro: u64 = format!("{whole}{part:0<6}").parse().ok()?;
    (micro <= proof::canonical::MAX_INTEGER).then_some(micro)
}

/// A text inside a Cedar string.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' | '\\' => escaped.extend(['\\', character]),
            control if control.is_control() => {
                let _ = write!(escaped, "\\u{{{:x}}}", u32::from(control));
            }
            plain => escaped.push(plain),
        }
    }
    escaped
}

fn escape_pointer(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::condition::validate;

    fn cedar(conditions: &Value) -> String {
        let cedar = to_cedar(BindAt::StepPost, conditions).expect("is a condition");
        assert_eq!(validate(BindAt::StepPost, &cedar), Ok(()), "{cedar}");
        cedar
    }

    fn refused(conditions: &Value) -> Vec<(String, String)> {
        let errors = to_cedar(BindAt::StepPre, conditions).expect_err("is refused").0;
        errors.into_iter().map(|error| (error.pointer, error.message)).collect()
    }

    #[test]
    fn the_form_makes_cedar_that_passes_the_check() {
        let cost = json!({"all": [{"fact": "step.cost_microusd", "op": ">", "value": 500_000}]});
        assert_eq!(cedar(&cost), "context.step.cost_microusd > 500000");
        let nested = json!({"all": [
            {"any": [
                {"fact": "context.step.skill", "op": "in", "value": ["send_email", "post"]},
                {"fact": "step.hosts", "op": "contains", "value": "evil.example"},
            ]},
            {"not": {"fact": "step.recipient_domains", "op": "within", "value": ["ours.example"]}},
            {"fact": "principal.labels", "op": "contains_any", "value": ["prod"]},
            {"fact": "step.cost_known", "op": "==", "value": true},
        ]});
        assert_eq!(
            cedar(&nested),
            "([\"send_email\", \"post\"].contains(context.step.skill) || \
             context.step.hosts.contains(\"evil.example\")) && \
             !([\"ours.example\"].containsAll(context.step.recipient_domains)) && \
             principal.labels.containsAny([\"prod\"]) && context.step.cost_known == true",
        );
    }

    #[test]
    fn a_value_cannot_leave_its_string() {
        for (op, value) in [
            ("==", "\" || true || \""),
            ("starts_with", "a*b\\\""),
            ("like", "rm *\n\u{7f}\""),
            ("contains", "\\*\u{0}"),
            ("ends_with", "käse \u{202e}"),
        ] {
            cedar(&json!({"fact": "step.command", "op": op, "value": value}));
        }
        let literal_star = cedar(&json!({"fact": "step.command", "op": "contains", "value": "2*3"}));
        assert_eq!(literal_star, "context.step.command like \"*2\\*3*\"");
    }

    #[test]
    fn every_operator_of_every_fact_type_is_cedar() {
        for (fact, value, list) in [
            ("step.input_tokens", json!(5), json!([5, 6])),
            ("step.model", json!("a"), json!(["a"])),
            ("step.cost_known", json!(false), json!([false])),
            ("step.labels", json!("a"), json!(["a", "b"])),
        ] {
            let found = find(fact).expect("is a fact");
            for op in Operator::names(found.fact_type) {
                let lists = ["in", "contains_any", "contains_all", "within"];
                let value = if lists.contains(&op) { &list } else { &value };
                cedar(&json!({"fact": fact, "op": op, "value": value}));
            }
        }
    }

    #[test]
    fn money_is_said_in_dollars_and_stored_in_micro_dollars() {
        for (value, micro) in [
            (json!(0.5), 500_000),
            (json!(0.61), 610_000),
            (json!(2), 2_000_000),
            (json!("0.000001"), 1),
            (json!("12.5"), 12_500_000),
        ] {
            let over = cedar(&json!({"fact": "step.cost_usd", "op": ">", "value": value}));
            assert_eq!(over, format!("context.step.cost_microusd > {micro}"));
        }
        let run = cedar(&json!({"fact": "context.run.cost_usd", "op": "in", "value": [1, 0.25]}));
        assert_eq!(run, "[1000000, 250000].contains(context.run.cost_microusd)");
        for value in
            [json!("0.0000001"), json!(-1), json!(1e300), json!("$1"), json!(""), json!(true), json!("1e3")]
        {
            let found = refused(&json!({"fact": "step.cost_usd", "op": ">", "value": value}));
            assert_eq!(found[0].1, "must be dollars: a number with at most six decimals", "{value}");
        }
        let found = refused(&json!({"fact": "step.cost_microusd", "op": ">", "value": 0.5}));
        assert!(found[0].1.ends_with("500000 is $0.50; `step.cost_usd` takes dollars"), "{}", found[0].1);
    }

    #[test]
    fn each_error_names_its_place() {
        let wrong = json!({"all": [
            {"fact": "step.cost", "op": ">", "value": 1},
            {"fact": "step.status", "op": "==", "value": "FAILURE"},
            {"fact": "step.model", "op": ">", "value": "x"},
            {"fact": "step.input_tokens", "op": ">", "value": 1.5},
            {"any": []},
            {"fact": "step.model", "op": "==", "value": "x", "a/b": 1},
            {"all": [], "any": []},
            7,
        ]});
        let found = refused(&wrong);
        let pointers: Vec<&str> = found.iter().map(|(pointer, _)| pointer.as_str()).collect();
        assert_eq!(
            pointers,
            [
                "/all/0/fact",
                "/all/1/fact",
                "/all/2/op",
                "/all/3/value",
                "/all/4/any",
                "/all/5/a~1b",
                "/all/6",
                "/all/7"
            ],
        );
        let cost = "there is no fact `step.cost`; did you mean `context.step.cost_microusd`?";
        assert!(found[0].1.starts_with(cost), "{}", found[0].1);
        assert!(found[0].1.contains("`context.step` has: kind, skill, provider, model,"), "{}", found[0].1);
        assert_eq!(found[1].1, "`step.status` is known from STEP_POST on: bind the rule there");
        assert_eq!(refused(&json!([]))[0].0, "");
        let deep = (0..40)
            .fold(json!({"fact": "step.model", "op": "==", "value": ""}), |inner, _| json!({"not": inner}));
        assert!(refused(&deep)[0].1.starts_with("nested"));
    }
}
