//! Processor time and memory of processes, from /proc; nothing where there is none.

use std::{fs, path::Path, thread, time::Duration};

/// A process whose work is to be told apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watched {
    pub(super) name: &'static str,
    pub(super) pid: u32,
    /// Whether the work of those that it started is its own.
    pub(super) with_children: bool,
}

/// Linux counts processor time in these, on every machine that it runs on today.
const TICK: Duration = Duration::from_millis(10);

/// The whole machine, under whose name others are told apart from the watched.
const MACHINE: &str = "machine";

/// What each has used so far, and the whole machine.
pub(super) fn used(watched: &[Watched]) -> Vec<(&'static str, Duration)> {
    let own = |pid| Some(TICK * Stat::of(pid)?.own);
    let watched = watched.iter().filter_map(|of| {
        let used = if of.with_children { family(of.pid) } else { own(of.pid) };
        Some((of.name, used?))
    });
    watched.chain(machine().map(|used| (MACHINE, used))).collect()
}

/// What nobody watched used, of all that was used: other work on the machine, and the system's own.
pub(super) fn by_others(used: &mut Vec<(&'static str, Duration)>) -> Option<Duration> {
    let at = used.iter().position(|(name, _)| *name == MACHINE)?;
    let (_, all) = used.remove(at);
    Some(all.saturating_sub(used.iter().map(|(_, used)| *used).sum()))
}

/// What each used from `before` to `after`.
pub(super) fn between(
    before: &[(&'static str, Duration)],
    after: &[(&'static str, Duration)],
) -> Vec<(&'static str, Duration)> {
    let earlier = |name: &str| before.iter().find(|(of, _)| *of == name).map(|(_, used)| *used);
    after.iter().filter_map(|(name, used)| Some((*name, used.saturating_sub(earlier(name)?)))).collect()
}

/// Resident memory in bytes.
pub(super) fn resident(pid: u32) -> Option<u64> {
    memory(&status(pid)?, "VmRSS:")
}

/// The most that it was so far, in bytes.
pub(super) fn peak(pid: u32) -> Option<u64> {
    memory(&status(pid)?, "VmHWM:")
}

/// Lets the peak begin anew, from what is resident now. Where the system cannot do so, it stays.
pub(super) fn forget_peak(pid: u32) {
    let _ = fs::write(format!("/proc/{pid}/clear_refs"), "5");
}

/// The peak of a process that is about to end: looked at until it has none.
pub(super) fn last_peak(pid: u32) -> Option<u64> {
    let mut last = None;
    while let Some(now) = peak(pid) {
        last = Some(now);
        thread::sleep(Duration::from_millis(2));
    }
    last
}

fn status(pid: u32) -> Option<String> {
    fs::read_to_string(format!("/proc/{pid}/status")).ok()
}

/// `VmRSS:     1234 kB`, in bytes. One that has ended and is not yet buried has no such line.
fn memory(status: &str, key: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1_024)
}

/// All processors, without their idle time (`cpu USER NICE SYSTEM IDLE IOWAIT IRQ SOFTIRQ ..`).
fn machine() -> Option<Duration> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let ticks: Vec<u32> =
        stat.lines().next()?.split_whitespace().skip(1).map_while(|ticks| ticks.parse().ok()).collect();
    let busy: u32 =
        ticks.iter().take(7).enumerate().filter(|(at, _)| ![3, 4].contains(at)).map(|(_, t)| t).sum();
    (!ticks.is_empty()).then(|| TICK * busy)
}

/// A process with its living children and those that it has buried.
fn family(pid: u32) -> Option<Duration> {
    let own = Stat::of(pid)?;
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let children = processes
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(Stat::of)
        .filter(|stat| stat.parent == pid)
        .map(|stat| stat.own)
        .sum::<u32>();
    Some(TICK * (own.own + own.buried + children))
}

struct Stat {
    parent: u32,
    /// In ticks.
    own: u32,
    buried: u32,
}

impl Stat {
    fn of(pid: u32) -> Option<Self> {
        Self::parse(&fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat")).ok()?)
    }

    /// `PID (NAME) STATE PPID ..`, where the name may hold anything.
    fn parse(text: &str) -> Option<Self> {
        let (_, rest) = text.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let ticks = |field: usize| fields.get(field)?.parse::<u32>().ok();
        Some(Self { parent: ticks(1)?, own: ticks(11)? + ticks(12)?, buried: ticks(13)? + ticks(14)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stat_is_read_whatever_the_process_is_called() {
        let stat = "42 (a ) R 1) S 7 42 42 0 -1 4194560 100 0 0 0 11 22 33 44 20 0 9 0 123 0 0";
        let stat = Stat::parse(stat).expect("a stat");
        assert_eq!((stat.parent, stat.own, stat.buried), (7, 33, 77));
    }

    #[test]
    fn memory_is_read_in_bytes_while_there_is_some() {
        let status = "Name:\thoc\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n";
        assert_eq!((memory(status, "VmHWM:"), memory(status, "VmRSS:")), (Some(2 << 20), Some(1 << 20)));
        assert_eq!(memory("Name:\thoc\nState:\tZ (zombie)\n", "VmHWM:"), None);
    }

    #[test]
    fn what_was_used_between_is_by_name() {
        let (ms, secs) = (Duration::from_millis, Duration::from_secs);
        let used = between(&[("a", ms(200)), ("c", ms(1))], &[("a", secs(1)), ("b", secs(9))]);
        assert_eq!(used, [("a", ms(800))]);
        let mut all = vec![("a", ms(800)), (MACHINE, secs(2))];
        assert_eq!((by_others(&mut all), all), (Some(ms(1_200)), vec![("a", ms(800))]));
    }
}
