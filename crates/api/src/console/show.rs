//! How values are shown to people: short, with the exact one beside it.

use chrono::{DateTime, Utc};

/// A word with the tone that its badge has. The word says it; the tone only helps to find it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Badge {
    pub(super) text: String,
    pub(super) tone: &'static str,
}

impl Badge {
    /// Of any word of the console's vocabularies: each has one tone wherever it stands.
    pub(super) fn of(word: &str) -> Self {
        let tone = match word {
            "ALLOW" | "SUCCEEDED" | "SUCCESS" | "VERIFIED" | "HEALTHY" | "NORMAL" | "RESOLVED"
            | "FLOWING" | "PASS" | "OK" | "COMPLETED" | "complete" | "NO_VIOLATION" => "good",
            "RUNNING" | "LIVE" | "ACKED" => "info",
            "WARN" | "WARNED" | "ATTENTION_NEEDED" | "NEAR_THRESHOLD" | "AT_RISK" | "DEGRADED" | "SLOW"
            | "medium" | "MEDIUM" | "AUDIT" | "AUDITED" | "RETRY" | "TRANSIENT" | "UNSUPPORTED" => "warn",
            "BLOCK" | "BLOCKED" | "STOP" | "STOPPED" | "KILL" | "KILLED" | "ABORT" | "ABORTED" | "FAILED"
            | "FAILURE" | "PERMANENT" | "REFUSED" | "HALTED" | "VIOLATED" | "CRITICAL" | "critical"
            | "high" | "HIGH" | "STALLED" | "MISSING" | "FAIL" | "BREACHED" | "LIMIT_BREACHED"
            | "EXHAUSTED" | "PREVENTED" => "bad",
            _ => "mute",
        };
        Self { text: word.to_owned(), tone }
    }

    /// Of what was done, or of what would have been: that has a colour of its own, and never the one of what was let
    /// pass.
    pub(super) fn of_verdict(done: &str, would_have: Option<&str>) -> Self {
        match would_have {
            Some(action) if action != "ALLOW" => Self::toned(&format!("WOULD {action}"), "near"),
            _ => Self::of(done),
        }
    }

    /// The same word in another tone, where it means something else here.
    pub(super) fn toned(word: &str, tone: &'static str) -> Self {
        Self { text: word.to_owned(), tone }
    }
}

/// The tone of an incident's state: what is active wants somebody.
pub(super) fn state_tone(state: &str) -> &'static str {
    match state {
        "ACTIVE" => "bad",
        "ACKED" => "warn",
        _ => "good",
    }
}

/// A moment: how long ago, and exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    /// For machines.
    pub(super) iso: String,
    /// To the second, UTC.
    pub(super) exact: String,
    /// In words.
    pub(super) ago: String,
}

impl Moment {
    pub(super) fn of(at: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        Self {
            iso: models::time::text(at),
            exact: at.format("%Y-%m-%d %H:%M:%S UTC").to_string(),
            ago: ago(now.signed_duration_since(at).num_seconds()),
        }
    }

    /// Of a time as records have it.
    pub(super) fn read(text: &str, now: DateTime<Utc>) -> Self {
        match models::time::parse(text) {
            Ok(at) => Self::of(at, now),
            Err(_) => Self { iso: text.to_owned(), exact: text.to_owned(), ago: text.to_owned() },
        }
    }
}

fn ago(seconds: i64) -> String {
    match seconds {
        ..0 => "in the future".to_owned(),
        0..10 => "just now".to_owned(),
        10..60 => format!("{seconds} s ago"),
        60..3_600 => format!("{} min ago", seconds / 60),
        3_600..86_400 => format!("{} h ago", seconds / 3_600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

/// Whom an incident concerns: so many runs, of these agents.
pub(super) fn concerns(runs: u64, agents: &[String], more_agents: bool) -> String {
    let runs = if runs == 1 { "1 run".to_owned() } else { format!("{} runs", count(runs)) };
    match agents {
        [] => runs,
        agents => format!("{runs} of {}", named(agents, more_agents)),
    }
}

/// Agents by their names, and whether there are more.
pub(super) fn named(agents: &[String], more: bool) -> String {
    let more = if more { " and more" } else { "" };
    format!("{}{more}", agents.join(", "))
}

/// Nano-USD, with as many decimals as say something, and at least two.
pub(super) fn usd(nanousd: u64) -> String {
    let (whole, fraction) = (nanousd / 1_000_000_000, nanousd % 1_000_000_000);
    let digits = format!("{fraction:09}");
    let kept = digits.trim_end_matches('0').len().max(2);
    format!("${}.{}", count(whole), &digits[..kept])
}

/// What something cost, as far as that is known: what nobody knows is never shown as nothing.
pub(super) fn cost(nanousd: u64, known: bool) -> String {
    match (known, nanousd) {
        (true, _) => usd(nanousd),
        (false, 0) => "unknown".to_owned(),
        (false, _) => format!("at least {}", usd(nanousd)),
    }
}

/// A sentence of the server's without the marks around names in it.
pub(super) fn plain(text: &str) -> String {
    let mut opened = false;
    let quote = |letter: char| {
        if letter != '`' {
            return letter;
        }
        opened = !opened;
        if opened { '“' } else { '”' }
    };
    text.chars().map(quote).collect()
}

/// What a refusal says, as a sentence.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    let end = if text.ends_with(['.', '!', '?', '…']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

/// A whole number with its thousands apart.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// So many of something, of which there may be one: `1 step`, `2 steps`.
pub(super) fn counted(number: u64, one: &str) -> String {
    format!("{} {one}{}", count(number), if number == 1 { "" } else { "s" })
}

/// How long something took.
pub(super) fn duration(ms: u64) -> String {
    let tenths = |ms: u64, unit: u64| format!("{}.{}", ms / unit, ms % unit * 10 / unit);
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{} s", tenths(ms, 1_000)),
        60_000..3_600_000 => format!("{} min {:02} s", ms / 60_000, ms % 60_000 / 1_000),
        _ => format!("{} h {:02} min", ms / 3_600_000, ms % 3_600_000 / 60_000),
    }
}

/// Thousandths as per cent.
pub(super) fn percent(permille: u64) -> String {
    if permille.is_multiple_of(10) {
        format!("{} %", count(permille / 10))
    } else {
        format!("{}.{} %", count(permille / 10), permille % 10)
    }
}

/// An id by its end, which is what differs; the page has the whole one beside it.
pub(super) fn short_id(id: &str) -> String {
    match id.split_once('_') {
        Some((kind, digits)) if digits.len() > 8 && digits.is_ascii() => {
            format!("{kind}_…{}", &digits[digits.len() - 8..])
        }
        _ => id.to_owned(),
    }
}

/// A hash by its beginning.
pub(super) fn short_hash(hash: &str) -> String {
    let digits = hash.rsplit(':').next().unwrap_or(hash);
    digits.chars().take(12).collect::<String>() + "…"
}

/// Stored JSON over several lines; text that is none, as it is.
pub(super) fn json(text: &str) -> String {
    serde_json::from_str::<&serde_json::value::RawValue>(text)
        .ok()
        .and_then(|_| serde_json::from_str::<serde_json::Value>(text).ok())
        .and_then(|value| serde_json::to_string_pretty(&value).ok())
        .unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_exact() {
        assert_eq!(
            [0, 400, 138_000, 500_000_000, 1_234_560_000_000].map(usd),
            ["$0.00", "$0.0000004", "$0.000138", "$0.50", "$1,234.56"]
        );
        assert_eq!(
            [(0, true), (0, false), (138_000, false)].map(|(nano, known)| cost(nano, known)),
            ["$0.00", "unknown", "at least $0.000138"]
        );
        assert_eq!(plain("Rule `a` refused `b`"), "Rule “a” refused “b”");
        assert_eq!([0, 999, 1_000, 12_345_678].map(count), ["0", "999", "1,000", "12,345,678"]);
        assert_eq!(
            [0, 999, 1_250, 61_000, 7_260_000].map(duration),
            ["0 ms", "999 ms", "1.2 s", "1 min 01 s", "2 h 01 min"]
        );
        assert_eq!([0, 1, 2_000].map(|number| counted(number, "step")), ["0 steps", "1 step", "2,000 steps"]);
        assert_eq!([0, 805, 1_200, 21_101].map(percent), ["0 %", "80.5 %", "120 %", "2,110.1 %"]);
    }

    #[test]
    fn an_id_is_known_by_its_end() {
        assert_eq!(short_id("run_0190aaaa00007000800000000000ab12"), "run_…0000ab12");
        assert_eq!(short_id("admin"), "admin");
        assert_eq!(short_hash("sha256:0123456789abcdef"), "0123456789ab…");
    }

    #[test]
    fn how_long_ago() {
        assert_eq!(
            [-1, 0, 59, 60, 3_599, 7_200, 200_000].map(ago),
            ["in the future", "just now", "59 s ago", "1 min ago", "59 min ago", "2 h ago", "2 d ago"]
        );
    }
}
