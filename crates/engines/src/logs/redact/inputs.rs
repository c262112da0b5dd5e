//! What is typed into a field of a page that is one for a password: one member of a call says which field, and another
//! one what. `{"element": "Password textbox", "text": ".."}`

use rules::facts::SecretKind as S;

use super::{
    commands::is_password,
    fields::{classify, words},
    findings::Class,
    nothing::{is_name_of_item, is_prose, looks_random, names_one},
};

/// Longer texts tell of no field.
const MAX_FIELD: usize = 256;

/// What follows the name of a field and says nothing else of it.
const KINDS: &[&str] = &["textbox", "inputbox", "box", "field", "input"];

/// What has the name of a password in its own and takes none, or shows what is known of one.
#[rustfmt::skip]
const NO_FIELDS: &[&str] = &[
    "alert", "button", "changes", "checkbox", "error", "errors", "heading", "hide", "icon", "link", "message", "requirements", "resets",
    "rules", "show", "strength", "tab", "title", "toggle", "visibility",
];

/// Whether a member says into which field something is typed.
pub(super) fn is_field(name: &str) -> bool {
    #[rustfmt::skip]
    let known = [
        "selector", "element", "label", "locator", "placeholder", "field", "css", "xpath", "target", "arialabel", "cssselector",
        "elementdescription",
    ];
    is_one_of(name, &known)
}

/// Whether a member is what is typed.
pub(super) fn is_typed(name: &str) -> bool {
    is_one_of(
        name,
        &["text", "value", "keys", "input", "chars", "characters", "string", "inputtext", "inputvalue"],
    )
}

/// In any spelling: `aria-label`, `ariaLabel`.
fn is_one_of(name: &str, known: &[&str]) -> bool {
    let letters = || name.bytes().filter(u8::is_ascii_alphabetic).map(|byte| byte.to_ascii_lowercase());
    known.iter().any(|known| letters().eq(known.bytes()))
}

/// What the field holds that a text describes or finds: `#password`, `input[type=password]`,
/// `page.getByLabel('Password')`.
pub(super) fn held(field: &str) -> Option<Class> {
    if field.len() > MAX_FIELD {
        return None;
    }
    // What is around the names of a selector is no part of them.
    let named = field.trim_end_matches(|c: char| !c.is_alphanumeric());
    let lower = named.to_ascii_lowercase();
    let before = KINDS.iter().find_map(|kind| lower.strip_suffix(kind)).map_or(lower.len(), str::len);
    let class = classify(&named[..before])?;
    let shows = words(field).iter().any(|word| NO_FIELDS.contains(&word.as_str()));
    let is_known = matches!(class, Class::Secret(S::Password | S::SecurityCode | S::ApiKey));
    (is_known && !shows && is_name_of_item(field)).then_some(class)
}

/// Whether a text can be what is typed there, and not what a page says of the field.
pub(super) fn is_typed_into(class: Class, text: &str) -> bool {
    let telling = match class {
        Class::Secret(S::Password) => true,
        Class::Secret(S::SecurityCode) => text.len() >= 3 && text.bytes().all(|byte| byte.is_ascii_digit()),
        _ => looks_random(text),
    };
    telling && is_password(text) && !text.starts_with('$') && !names_one(text) && !is_prose(text)
}
