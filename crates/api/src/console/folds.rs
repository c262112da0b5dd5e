//! Where a long word, such as an e-mail address or a tool's name, may be folded: behind its own marks. Without that a
//! narrow page breaks it wherever its line ends.

use std::fmt;

use askama::filters::{Escaper as _, Html, HtmlSafe};

/// A word that is no longer is left whole: it fits in a line, if need be in the next.
const SHORT: usize = 24;

/// Behind these a word may be folded.
const MARKS: [char; 8] = ['@', '.', '_', '/', ':', '=', '&', '?'];

/// Text with the places where its long words may be folded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Folded<'t>(&'t str);

/// What a template can say of a text: `{{ name.folded() }}`.
pub(super) trait Folds {
    fn folded(&self) -> Folded<'_>;
}

impl Folds for str {
    fn folded(&self) -> Folded<'_> {
        Folded(self)
    }
}

/// Each part is escaped as every text of a page is; the marks of folding are all that is not.
impl HtmlSafe for Folded<'_> {}

impl fmt::Display for Folded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for word in self.0.split_inclusive(char::is_whitespace) {
            if word.trim_end().chars().count() <= SHORT {
                Html.write_escaped_str(&mut *f, word)?;
                continue;
            }
            for (n, part) in word.split_inclusive(MARKS).enumerate() {
                f.write_str(if n == 0 { "" } else { "<wbr>" })?;
                Html.write_escaped_str(&mut *f, part)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use askama::Template;

    use super::*;

    #[derive(Template)]
    #[template(source = "{{ text.folded() }}", ext = "html")]
    struct Page {
        text: String,
    }

    fn shown(text: &str) -> String {
        Page { text: text.to_owned() }.render().expect("a page")
    }

    #[test]
    fn a_long_word_is_folded_behind_its_marks_and_a_short_one_stays_whole() {
        assert_eq!(
            shown("by ana.maria.lindqvist@analytics.example.com, twice"),
            "by ana.<wbr>maria.<wbr>lindqvist@<wbr>analytics.<wbr>example.<wbr>com, twice"
        );
        assert_eq!(shown("get_customer_account_balance"), "get_<wbr>customer_<wbr>account_<wbr>balance");
        for whole in ["ana@example.com", "gpt-4o 1.5 s", "", "a word_and.another@that are/short"] {
            assert_eq!(shown(whole), whole);
        }
    }

    #[test]
    fn whatever_stands_in_it_is_escaped() {
        assert_eq!(shown("<b>"), "&#60;b&#62;");
        assert_eq!(
            shown("<script>alert(1)</script>@evil.example"),
            "&#60;script&#62;alert(1)&#60;/<wbr>script&#62;@<wbr>evil.<wbr>example"
        );
        assert_eq!(
            shown("https://evil.example/?a=1&lt;b=2"),
            "https:<wbr>/<wbr>/<wbr>evil.<wbr>example/<wbr>?<wbr>a=<wbr>1&#38;<wbr>lt;b=<wbr>2"
        );
    }
}
