//! scratch
use engines::logs::redact::*;
use std::collections::BTreeMap;
fn main() {
    let mut total = 0usize;
    let mut time = std::time::Duration::ZERO;
    let mut counts = BTreeMap::new();
    redact_text("warm@up.example");
    for path in std::env::args().skip(1) {
        let Ok(t) = std::fs::read_to_string(&path) else { continue };
        let start = std::time::Instant::now();
        let r = redact_text(&t);
        time += start.elapsed();
        total += t.len();
        let again = redact_text(&r.value);
        assert_eq!(again.value, r.value, "{path}");
        for (i, _) in r.value.match_indices("<REDACTED:") {
            let cls: String = r.value[i + 10..].chars().take_while(|c| *c != '>').collect();
            let n = counts.entry(cls.clone()).or_insert(0);
            *n += 1;
            if *n > 12 || cls == "EMAIL" {
                continue;
            }
            let s = (0..=i.saturating_sub(50)).rev().find(|x| r.value.is_char_boundary(*x)).unwrap();
            let e = (i + 50).min(r.value.len());
            let e = (0..=e).rev().find(|x| r.value.is_char_boundary(*x)).unwrap();
            println!("   {}", &r.value[s..e].replace('\n', " "));
        }
    }
    println!("{total} bytes {time:?} {counts:?}");
}
