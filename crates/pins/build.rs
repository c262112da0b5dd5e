//! Does nothing. Without it cargo leaves the features of what builds crates as they are.

fn main() {}
