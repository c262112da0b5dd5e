//! Which of the statements that several writes go in are kept prepared: those whose text comes often.
//!
//! Their text says which tables are written, and that differs from group to group: those that come and go by themselves
//! make hundreds of texts, of which a few are nearly all that is sent. One that is kept has a plan of all its parts in
//! Postgres, on each connection, and takes the place of another that comes often. One that is not is parsed each time,
//! by one trip more, as one that is seldom is where it is kept too.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{Arc, Mutex, PoisonError},
};

/// How often a text was met that comes often.
const OFTEN: u32 = 4;

/// How many texts are counted, so that at most as many are kept: half of what a connection keeps. With one more, those
/// that came once are forgotten, and the others count half.
const MOST: usize = 256;

/// How often this process met each text, by its hash. Where two have one hash, one of them is kept sooner.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shapes(Arc<Mutex<HashMap<u64, u32>>>);

impl Shapes {
    /// Takes note of a text that is sent; whether it comes often.
    pub(crate) fn meet(&self, sql: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        sql.hash(&mut hasher);
        let text = hasher.finish();
        let mut met = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if met.len() >= MOST && !met.contains_key(&text) {
            met.retain(|_, times| {
                *times /= 2;
                *times > 0
            });
        }
        let times = met.entry(text).or_default();
        *times = times.saturating_add(1);
        *times >= OFTEN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_often_is_kept_however_much_comes_beside_it() {
        let shapes = Shapes::default();
        let often: Vec<bool> = (0..OFTEN).map(|_| shapes.meet("often")).collect();
        assert_eq!(often, [false, false, false, true]);
        for n in 0..100 * MOST {
            assert!(!shapes.meet(&format!("once {n}")), "{n}");
            if n.is_multiple_of(20) {
                assert!(shapes.meet("often"), "{n}");
            }
        }
        assert!(shapes.0.lock().unwrap_or_else(PoisonError::into_inner).len() <= MOST);
    }

    #[test]
    fn what_came_often_once_is_forgotten() {
        let shapes = Shapes::default();
        for _ in 0..OFTEN {
            shapes.meet("then");
        }
        for n in 0..10 * MOST {
            shapes.meet(&format!("now {n}"));
        }
        assert!(!shapes.meet("then"));
    }
}
