//! A time, cut into the months, days and hours that have counters, and what is left of it at its ends.

use std::fmt::Write as _;

use chrono::{DateTime, Datelike as _, Duration, Months, NaiveTime, Timelike as _, Utc};
use sea_orm::Value;

/// From `from` until just before `until`; what is not said has no end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: Option<DateTime<Utc>>,
    pub(crate) until: Option<DateTime<Utc>>,
}

/// A part of a time: whole months, days or hours by their names, or what no counter has for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Months(Names),
    Days(Names),
    Hours(Names),
    Rows(Span),
}

/// From one name until before another; what is not said has no end. Names are in order as texts.
pub(crate) type Names = (Option<String>, Option<String>);

/// The condition for these places; what is bound for it comes behind the values that are there.
pub(super) fn among((from, until): Names, values: &mut Vec<Value>) -> String {
    let mut sql = String::new();
    for (is, name) in [(">=", from), ("<", until)] {
        let Some(name) = name else { continue };
        values.push(name.into());
        let _ = write!(sql, " AND place {is} ${}", values.len());
    }
    sql
}

/// What a time is cut into.
struct Unit {
    /// The beginning of the one that a moment lies in.
    began: fn(DateTime<Utc>) -> DateTime<Utc>,
    /// The beginning of the next one, from that of one.
    next: fn(DateTime<Utc>) -> DateTime<Utc>,
    name: fn(DateTime<Utc>) -> String,
    piece: fn(Names) -> Piece,
}

const MONTHS: Unit =
    Unit { began: first_of_month, next: |at| at + Months::new(1), name: month, piece: Piece::Months };
const DAYS: Unit = Unit { began: midnight, next: |at| at + Duration::days(1), name: day, piece: Piece::Days };
const HOURS: Unit =
    Unit { began: full_hour, next: |at| at + Duration::hours(1), name: hour, piece: Piece::Hours };

impl Span {
    /// What is after one moment and before another: a store tells microseconds apart. None where there is no number for
    /// the time.
    pub(crate) fn between(after: Option<DateTime<Utc>>, before: Option<DateTime<Utc>>) -> Option<Self> {
        let from = match after {
            Some(after) => Some(after.checked_add_signed(Duration::microseconds(1))?),
            None => None,
        };
        Some(Self { from, until: before })
    }

    /// The moment after which it begins.
    pub(crate) fn after(self) -> Option<DateTime<Utc>> {
        self.from?.checked_sub_signed(Duration::microseconds(1))
    }

    /// Whole months, whole days, and what is left.
    pub(crate) fn by_month_and_day(self) -> Vec<Piece> {
        self.cut(&[MONTHS, DAYS])
    }

    /// Whole days, and what is left.
    pub(crate) fn by_day(self) -> Vec<Piece> {
        self.cut(&[DAYS])
    }

    /// Whole days, whole hours, and what is left.
    pub(crate) fn by_day_and_hour(self) -> Vec<Piece> {
        self.cut(&[DAYS, HOURS])
    }

    /// As many of the first unit as fit in, and of the others what is left at both ends.
    fn cut(self, units: &[Unit]) -> Vec<Piece> {
        let Some((unit, smaller)) = units.split_first().filter(|_| self.has_names()) else {
            return vec![Piece::Rows(self)];
        };
        let Self { from, until } = self;
        let first = from.map(|from| {
            let began = (unit.began)(from);
            if began == from { from } else { (unit.next)(began) }
        });
        let last = until.map(unit.began);
        if first.zip(last).is_some_and(|(first, last)| first >= last) {
            return self.cut(smaller);
        }
        let mut pieces = vec![(unit.piece)((first.map(unit.name), last.map(unit.name)))];
        if from != first {
            pieces.extend(Self { from, until: first }.cut(smaller));
        }
        if until != last {
            pieces.extend(Self { from: last, until }.cut(smaller));
        }
        pieces
    }

    /// Whether its ends have names that are in order as texts: years of four digits.
    fn has_names(self) -> bool {
        [self.from, self.until].into_iter().flatten().all(|at| (0..9_999).contains(&at.year()))
    }
}

/// The name of the month of a moment, UTC.
pub(crate) fn month(at: DateTime<Utc>) -> String {
    at.format("%Y-%m").to_string()
}

/// The name of its day.
pub(crate) fn day(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d").to_string()
}

/// The name of its hour.
pub(crate) fn hour(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H").to_string()
}

fn first_of_month(at: DateTime<Utc>) -> DateTime<Utc> {
    midnight(at) - Duration::days(i64::from(at.day0()))
}

fn midnight(at: DateTime<Utc>) -> DateTime<Utc> {
    at.date_naive().and_time(NaiveTime::MIN).and_utc()
}

fn full_hour(at: DateTime<Utc>) -> DateTime<Utc> {
    midnight(at) + Duration::hours(i64::from(at.hour()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    fn span(from: &str, until: &str) -> Span {
        Span { from: Some(at(from)), until: Some(at(until)) }
    }

    fn names(from: &str, until: &str) -> Names {
        (Some(from.to_owned()), Some(until.to_owned()))
    }

    #[test]
    fn whole_days_have_no_ends() {
        let month = span("2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z");
        assert_eq!(month.by_day(), [Piece::Days(names("2026-02-01", "2026-03-01"))]);
        assert_eq!(month.by_day_and_hour(), month.by_day());
        assert_eq!(Span::default().by_day(), [Piece::Days((None, None))]);
    }

    #[test]
    fn what_is_left_of_days_is_hours_and_rows() {
        let odd = span("2026-01-31T05:30:00Z", "2026-03-01T05:30:00Z");
        assert_eq!(
            odd.by_day_and_hour(),
            [
                Piece::Days(names("2026-02-01", "2026-03-01")),
                Piece::Hours(names("2026-01-31T06", "2026-02-01T00")),
                Piece::Rows(span("2026-01-31T05:30:00Z", "2026-01-31T06:00:00Z")),
                Piece::Hours(names("2026-03-01T00", "2026-03-01T05")),
                Piece::Rows(span("2026-03-01T05:00:00Z", "2026-03-01T05:30:00Z")),
            ]
        );
        let short = span("2026-01-31T05:30:00Z", "2026-01-31T06:10:00Z");
        assert_eq!(
            (short.by_day(), short.by_day_and_hour()),
            (vec![Piece::Rows(short)], vec![Piece::Rows(short)])
        );
    }

    #[test]
    fn what_is_left_of_months_is_days_and_rows() {
        let long = span("2025-12-30T12:00:00Z", "2026-03-02T00:00:00Z");
        assert_eq!(
            long.by_month_and_day(),
            [
                Piece::Months(names("2026-01", "2026-03")),
                Piece::Days(names("2025-12-31", "2026-01-01")),
                Piece::Rows(span("2025-12-30T12:00:00Z", "2025-12-31T00:00:00Z")),
                Piece::Days(names("2026-03-01", "2026-03-02")),
            ]
        );
        let week = span("2026-01-05T00:00:00Z", "2026-01-12T00:00:00Z");
        assert_eq!(week.by_month_and_day(), week.by_day());
    }

    #[test]
    fn an_end_without_a_day_before_it_is_rows_and_so_is_a_time_without_a_name() {
        let after = Span::between(Some(at("2026-01-31T23:59:59.999999Z")), None).expect("a time");
        assert_eq!(after.by_day(), [Piece::Days((Some("2026-02-01".to_owned()), None))]);
        assert_eq!(after.after(), Some(at("2026-01-31T23:59:59.999999Z")));
        let before = Span { from: None, until: Some(at("2026-02-01T00:00:01Z")) };
        assert_eq!(
            before.by_day(),
            [
                Piece::Days((None, Some("2026-02-01".to_owned()))),
                Piece::Rows(span("2026-02-01T00:00:00Z", "2026-02-01T00:00:01Z")),
            ]
        );
        let far = Span { from: Some(at("9999-12-31T12:00:00Z")), until: None };
        assert_eq!(far.by_day_and_hour(), [Piece::Rows(far)]);
        assert_eq!(Span::between(Some(DateTime::<Utc>::MAX_UTC), None), None);
    }
}
