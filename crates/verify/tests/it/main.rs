//! Bundles and logs built by hand, and what happens to them in the wrong hands.

mod again;
mod contradictions;
mod effects;
mod facts;
mod insider;
mod kit;
mod lines;
mod logs;
mod long;
mod missing;
mod mutations;
mod outside;
mod page;
mod planted;
mod reexecution;
mod streams;
mod trees;
mod words;
