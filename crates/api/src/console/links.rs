//! Addresses of pages.

use form_urlencoded::Serializer;
use models::page::ListCursor;

use super::select::Select;

/// The login, which leads back to the page that was asked for.
pub(super) fn login(asked: &str) -> String {
    match next(asked) {
        "/console/overview" => "/console/login".to_owned(),
        next => format!("/console/login?{}", query([("next", next.to_owned())])),
    }
}

/// Where a login leads: a page of the console, and nothing else that somebody put into a link.
pub(super) fn next(asked: &str) -> &str {
    let ours = asked.starts_with("/console/")
        && asked.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
        && !asked.starts_with("/console/login")
        && !asked.starts_with("/console/logout");
    if ours { asked } else { "/console/overview" }
}

/// How many steps a page of a run has.
pub(super) const STEPS: u64 = 200;

/// A step, on the page of its run that has it.
pub(super) fn step(run_id: &str, index: u64) -> String {
    let page = match index / STEPS * STEPS {
        0 => String::new(),
        first => format!("?after={}", first - 1),
    };
    format!("/console/activity/runs/{run_id}{page}#step-{index}")
}

/// A query of these, without what is empty.
pub(super) fn query(pairs: impl IntoIterator<Item = (&'static str, String)>) -> String {
    let mut query = Serializer::new(String::new());
    for (name, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
        query.append_pair(name, &value);
    }
    query.finish()
}

/// The query of a list with what its form has chosen and typed, from a place on.
pub(super) fn list(selects: &[Select], typed: &[(&'static str, &str)], cursor: Option<ListCursor>) -> String {
    let chosen = selects.iter().map(|select| (select.name, select.chosen.to_owned()));
    let typed = typed.iter().map(|(name, text)| (*name, (*text).to_owned()));
    let cursor = cursor.map(|cursor| cursor.to_string()).unwrap_or_default();
    query(chosen.chain(typed).chain([("cursor", cursor)]))
}

#[cfg(test)]
mod tests {
    use super::{Select, list, login, next, step};

    #[test]
    fn a_step_is_on_the_page_that_has_it() {
        for (index, page) in [(0, ""), (199, ""), (200, "?after=199"), (1_234, "?after=1199")] {
            assert_eq!(step("run_1", index), format!("/console/activity/runs/run_1{page}#step-{index}"));
        }
    }

    #[test]
    fn a_list_is_asked_for_with_all_that_its_form_says_and_nothing_that_it_leaves_open() {
        let select = |name, chosen| Select { name, label: "", chosen, words: Vec::new() };
        let selects = [select("state", "LIVE"), select("status", "")];
        assert_eq!(list(&selects, &[("agent_id", "a b"), ("risk", "")], None), "state=LIVE&agent_id=a+b");
        assert_eq!(list(&[], &[], None), "");
    }

    #[test]
    fn a_login_leads_to_our_own_pages_only() {
        assert_eq!(next("/console/incidents?topic=ACTIVE"), "/console/incidents?topic=ACTIVE");
        for odd in [
            "",
            "/",
            "//evil.example/console/",
            "https://evil.example/console/",
            "/console",
            "/console/login?next=/console/login",
            "/console/logout",
            "/console/\\evil",
            "/console/\r\nset-cookie: a=b",
            "/consoleevil",
        ] {
            assert_eq!(next(odd), "/console/overview", "{odd}");
        }
        assert_eq!(login("/console/logs/audit?a=b"), "/console/login?next=%2Fconsole%2Flogs%2Faudit%3Fa%3Db");
        assert_eq!(login("/evil"), "/console/login");
    }
}
