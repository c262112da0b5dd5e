//! The real binary, as people and scripts use it: its commands, and its server as a process of its own.

mod axe;
mod bundle;
mod canary;
mod chrome;
mod clock;
mod console;
mod contract;
mod crash;
mod demo;
mod doctor;
mod doors;
mod events;
mod facts;
mod harness;
mod hostile;
mod http;
mod import;
mod keys;
mod outage;
mod readme;
mod redis;
mod replicas;
mod restore;
mod sdk;
mod serve;
mod wrong_inputs;
