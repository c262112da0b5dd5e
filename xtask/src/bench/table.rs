//! A table, for a terminal and for a page.

/// Rows under a head. The first column is text, all others are figures.
pub(super) struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(head: &[&str]) -> Self {
        Self { head: head.iter().map(|title| (*title).to_owned()).collect(), rows: Vec::new() }
    }

    /// Adds a row; what it does not say is empty.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let mut row: Vec<String> = cells.into_iter().collect();
        row.resize(self.head.len(), String::new());
        self.rows.push(row);
    }

    pub(super) fn text(&self) -> String {
        self.lines("  ", "", |width, first| {
            let line = "-".repeat(width);
            if first { line } else { format!("  {line}") }
        })
    }

    pub(super) fn markdown(&self) -> String {
        self.lines(" | ", "|", |width, first| {
            let line = "-".repeat(width - 1);
            if first { format!("| -{line} |") } else { format!(" {line}: |") }
        })
    }

    fn lines(&self, between: &str, edge: &str, rule: impl Fn(usize, bool) -> String) -> String {
        let widths: Vec<usize> = (0..self.head.len())
            .map(|column| {
                let rows = std::iter::once(&self.head).chain(&self.rows);
                rows.map(|row| row[column].chars().count()).max().unwrap_or(0)
            })
            .collect();
        let line = |row: &Vec<String>| {
            let cells: Vec<String> = row
                .iter()
                .zip(&widths)
                .enumerate()
                .map(
                    |(column, (cell, width))| {
                        if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
                    },
                )
                .collect();
            let (open, close) = if edge.is_empty() {
                (String::new(), String::new())
            } else {
                (format!("{edge} "), format!(" {edge}"))
            };
            format!("{open}{}{close}", cells.join(between)).trim_end().to_owned()
        };
        let under: String =
            widths.iter().enumerate().map(|(column, width)| rule(*width, column == 0)).collect();
        let mut lines = vec![line(&self.head), under];
        lines.extend(self.rows.iter().map(line));
        lines.join("\n") + "\n"
    }
}

/// A figure with as many digits as it is worth.
pub(super) fn figure(value: f64) -> String {
    match value {
        v if v >= 100.0 => grouped(&format!("{v:.0}")),
        v if v >= 10.0 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    }
}

/// A figure, or a dash for none.
pub(super) fn maybe(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), figure)
}

fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&["what", "per s"]);
        table.row(["steps".to_owned(), figure(12_345.6)]);
        table.row(["bare route".to_owned()]);
        table
    }

    #[test]
    fn columns_line_up_in_a_terminal() {
        let lines = ["what         per s", "----------  ------", "steps       12,346", "bare route"];
        assert_eq!(table().text().lines().collect::<Vec<_>>(), lines);
    }

    #[test]
    fn a_page_gets_a_markdown_table_with_figures_to_the_right() {
        let lines = [
            "| what       |  per s |",
            "| ---------- | -----: |",
            "| steps      | 12,346 |",
            "| bare route |        |",
        ];
        assert_eq!(table().markdown().lines().collect::<Vec<_>>(), lines);
    }

    #[test]
    fn figures_have_the_digits_they_are_worth() {
        let cases = [
            (0.0, "0.00"),
            (0.126, "0.13"),
            (9.5, "9.50"),
            (12.34, "12.3"),
            (999.6, "1,000"),
            (1_234_567.0, "1,234,567"),
        ];
        for (value, text) in cases {
            assert_eq!(figure(value), text);
        }
        assert_eq!((maybe(Some(0.314)), maybe(None)), ("0.31".to_owned(), "-".to_owned()));
    }
}
