//! Figures under their names: as a table by themselves, or each after what it was before.

use super::{
    stats::ratio,
    table::{Table, figure, maybe},
};

/// Which way a figure gets better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Better {
    More,
    Less,
}

impl Better {
    /// How many times better it is than before, where both are known.
    pub(super) fn times(self, before: Option<f64>, after: Option<f64>) -> Option<f64> {
        let (before, after) = before.zip(after)?;
        match self {
            Self::More => ratio(after, before),
            Self::Less => ratio(before, after),
        }
    }
}

/// A ratio as every table shows it.
pub(super) fn times(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |times| format!("{} x", figure(times)))
}

/// Rows of figures, of which the first one is what a row is compared by.
pub(super) struct Grid {
    names: &'static [&'static str],
    figures: &'static [&'static str],
    better: Better,
    rows: Vec<Row>,
}

struct Row {
    name: Vec<String>,
    figures: Vec<Option<f64>>,
    compared: bool,
}

impl Grid {
    /// An empty one; its first figure gets better in that way.
    pub(super) fn new(
        names: &'static [&'static str],
        figures: &'static [&'static str],
        better: Better,
    ) -> Self {
        Self { names, figures, better, rows: Vec::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn row(
        &mut self,
        name: impl IntoIterator<Item = String>,
        figures: impl IntoIterator<Item = Option<f64>>,
    ) {
        self.push(name, figures, true);
    }

    /// A row of which more is neither better nor worse.
    pub(super) fn row_apart(
        &mut self,
        name: impl IntoIterator<Item = String>,
        figures: impl IntoIterator<Item = Option<f64>>,
    ) {
        self.push(name, figures, false);
    }

    fn push(
        &mut self,
        name: impl IntoIterator<Item = String>,
        figures: impl IntoIterator<Item = Option<f64>>,
        compared: bool,
    ) {
        let (name, figures) = (name.into_iter().collect(), figures.into_iter().collect());
        self.rows.push(Row { name, figures, compared });
    }

    /// These figures alone.
    pub(super) fn table(&self) -> Table {
        let mut table = Table::new(&[self.names, self.figures].concat());
        for row in &self.rows {
            table.row(row.name.iter().cloned().chain(row.figures.iter().copied().map(maybe)));
        }
        table
    }

    /// Each figure after what it was before, and the ratio of the first ones. What was measured before alone comes
    /// last.
    pub(super) fn beside(&self, before: &Self) -> Table {
        let mut head = [self.names, self.figures].concat();
        head.insert(self.names.len() + 1, "ratio");
        let mut table = Table::new(&head);
        for row in &self.rows {
            table.row(self.cells(before.figures_of(row), row.compared, &row.name, &row.figures));
        }
        for row in before.rows.iter().filter(|row| !self.rows.iter().any(|known| known.name == row.name)) {
            table.row(self.cells(&row.figures, row.compared, &row.name, &[]));
        }
        table
    }

    /// Those of the row of that name; none where there is none.
    fn figures_of(&self, wanted: &Row) -> &[Option<f64>] {
        let found = self.rows.iter().find(|row| row.name == wanted.name);
        found.map(|row| row.figures.as_slice()).unwrap_or_default()
    }

    fn cells(
        &self,
        before: &[Option<f64>],
        compared: bool,
        name: &[String],
        after: &[Option<f64>],
    ) -> Vec<String> {
        let of = |figures: &[Option<f64>], at: usize| figures.get(at).copied().flatten();
        let mut cells: Vec<String> = name.to_vec();
        cells.extend((0..self.figures.len()).map(|at| changed(of(before, at), of(after, at))));
        let ratio = self.better.times(of(before, 0), of(after, 0)).filter(|_| compared);
        cells.insert(self.names.len() + 1, times(ratio));
        cells
    }
}

/// `448 → 1,967`, or one figure where both look alike.
fn changed(before: Option<f64>, after: Option<f64>) -> String {
    let (before, after) = (maybe(before), maybe(after));
    if before == after { after } else { format!("{before} → {after}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(rows: &[(&str, f64, Option<f64>)]) -> Grid {
        let mut grid = Grid::new(&["what"], &["per s", "p50 ms"], Better::More);
        for (name, per_second, p50) in rows {
            grid.row([(*name).to_owned()], [Some(*per_second), *p50]);
        }
        grid
    }

    fn lines(table: &Table) -> Vec<String> {
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        table.text().lines().map(words).collect()
    }

    #[test]
    fn alone_it_is_a_table_of_its_figures() {
        let alone = grid(&[("steps", 5_000.0, Some(1.5)), ("spans", 12_000.0, None)]);
        assert_eq!(lines(&alone.table())[2..], ["steps 5,000 1.50", "spans 12,000 -"]);
        assert!(grid(&[]).is_empty() && !alone.is_empty());
    }

    #[test]
    fn each_figure_stands_after_what_it_was_before() {
        let before = grid(&[("gone", 7.0, None), ("steps", 1_250.0, Some(6.0)), ("rows", 9.0, Some(1.0))]);
        let mut after = grid(&[("steps", 5_000.0, Some(1.5)), ("new", 3.0, Some(2.0))]);
        after.row_apart(["rows".to_owned()], [Some(18.0), Some(1.0)]);
        let table = after.beside(&before);
        assert_eq!(lines(&table)[0], "what per s ratio p50 ms");
        let rows = [
            "steps 1,250 → 5,000 4.00 x 6.00 → 1.50",
            "new - → 3.00 - - → 2.00",
            "rows 9.00 → 18.0 - 1.00",
            "gone 7.00 → - - -",
        ];
        assert_eq!(lines(&table)[2..], rows);
    }

    #[test]
    fn a_ratio_above_one_is_better_whichever_way_that_is() {
        assert_eq!(Better::More.times(Some(2.0), Some(8.0)), Some(4.0));
        assert_eq!(Better::Less.times(Some(8.0), Some(2.0)), Some(4.0));
        assert_eq!(Better::Less.times(Some(8.0), Some(0.0)), None);
        assert_eq!(Better::More.times(None, Some(8.0)), None);
        assert_eq!((times(Some(4.0)), times(None)), ("4.00 x".to_owned(), "-".to_owned()));
    }
}
