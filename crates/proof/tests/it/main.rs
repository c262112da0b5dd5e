//! What this crate computes, held against vectors that others published and implementations that others wrote.

mod canonical;
mod merkle;
mod signed;
mod tags;
