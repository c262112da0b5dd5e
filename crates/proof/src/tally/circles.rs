//! Which steps hang together, so that a parent which lies below its own child is known for what it is.

/// Sets of steps that hang together, by their places.
#[derive(Clone, Debug, Default)]
pub(super) struct Circles(Vec<usize>);

impl Circles {
    /// Adds the next step, which hangs by itself.
    pub(super) fn add(&mut self) {
        self.0.push(self.0.len());
    }

    /// Hangs one to the other. Whether they were apart.
    pub(super) fn join(&mut self, one: usize, other: usize) -> bool {
        let (one, other) = (self.top(one), self.top(other));
        self.0[one] = other;
        one != other
    }

    fn top(&mut self, mut at: usize) -> usize {
        while self.0[at] != at {
            // The way is halved while it is gone, so that no way stays long.
            self.0[at] = self.0[self.0[at]];
            at = self.0[at];
        }
        at
    }
}
