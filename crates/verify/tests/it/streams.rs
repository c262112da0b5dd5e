//! A bundle that comes as a stream is found to be what it is found to be by one who has all of it.

use std::{
    cell::Cell,
    io::{self, Read},
};

use proptest::prelude::*;
use verify::{NotRead, Options, Report};

use crate::{
    kit,
    words::{parse, write},
};

/// Gives no more than so many bytes at once.
struct Few<'b>(&'b [u8], usize);

impl Read for Few<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let few = into.len().min(self.1);
        self.0.read(&mut into[..few])
    }
}

fn options() -> Options {
    Options { reexecute: true, ..Options::default() }
}

fn streamed(json: &[u8], at_once: usize) -> Result<Report, NotRead> {
    verify::stream(|| Ok(Few(json, at_once)), &kit::keys(), &options())
}

/// Whether it could be read as a stream; the report is the same then.
fn is_the_same(json: &[u8], at_once: usize) -> bool {
    match streamed(json, at_once) {
        Ok(report) => {
            assert_eq!(Ok(report), verify::held(json, &kit::keys(), &options()));
            true
        }
        Err(NotRead::AsStream(_)) => false,
        Err(NotRead::NotABundle(_)) => {
            assert!(verify::held(json, &kit::keys(), &options()).is_err());
            false
        }
        Err(NotRead::Io(err)) => panic!("{err}"),
    }
}

#[test]
fn every_scene_is_read_in_pieces_of_any_size() {
    for (name, mut scene) in kit::scenes() {
        let json = scene.json();
        let pretty = serde_json::to_vec_pretty(&parse(&json)).expect("JSON");
        for at_once in [1, 7, 64 << 10, usize::MAX] {
            assert!(is_the_same(&json, at_once), "{name} by {at_once}");
            assert!(is_the_same(&pretty, at_once), "{name}, pretty, by {at_once}");
        }
    }
}

#[test]
fn a_receipt_that_is_left_out_is_one_that_is_null() {
    for (name, mut scene) in kit::scenes() {
        let mut value = parse(&scene.json());
        value["proofs"].as_object_mut().expect("an object").remove("receipt");
        assert!(is_the_same(&write(&value), 7), "{name}");
    }
}

#[test]
fn members_in_another_order_are_left_to_who_has_all() {
    let text = String::from_utf8(kit::clean().json()).expect("UTF-8");
    let moved = text.replacen("\"proofs\":{", "\"proofs\":{\"receipt\":null,", 1);
    assert!(matches!(streamed(moved.as_bytes(), 7), Err(NotRead::AsStream(_))));
    assert!(matches!(streamed(b"{}", 7), Err(NotRead::AsStream(_))));
}

/// Of a disk full of zeros no more is read than tells that.
#[test]
fn what_begins_as_no_bundle_does_is_not_read_to_its_end() {
    struct Counted<'c, R>(R, &'c Cell<usize>);
    impl<R: Read> Read for Counted<'_, R> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let read = self.0.read(into)?;
            self.1.set(self.1.get() + read);
            Ok(read)
        }
    }
    for begin in [&b"\0\0"[..], b"[{", b" \n\t\"format\"", b"\xef\xbb\xbf{", b"\xff\xfe{\0"] {
        let came = Cell::new(0);
        let long = || Ok(Counted(begin.chain(io::repeat(b' ').take(64 << 20)), &came));
        let read = verify::stream(long, &kit::keys(), &options());
        assert!(matches!(read, Err(NotRead::NotABundle(_))), "{begin:?}: {read:?}");
        assert!(came.get() < 1 << 20, "{begin:?}: {}", came.get());
        assert!(verify::held(begin, &kit::keys(), &options()).is_err(), "{begin:?}");
    }
    assert!(matches!(streamed(b"", 7), Err(NotRead::NotABundle(_))));
    assert!(matches!(streamed(b"\n{\"a\":1}", 7), Err(NotRead::AsStream(_))), "it may be one");
}

#[test]
fn a_stream_that_breaks_off_is_no_bundle_that_was_cut() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk"))
        }
    }
    let json = kit::clean().json();
    for length in [0, 1, json.len() / 2, json.len() - 2, json.len()] {
        let broken = || Ok(json[..length].chain(Broken));
        assert!(matches!(verify::stream(broken, &kit::keys(), &options()), Err(NotRead::Io(_))), "{length}");
    }
}

/// What is wrong with a bundle is told by the reader of streams, and not left to the one that has all of it: but for
/// what stands before its format is read.
#[test]
fn damage_is_found_as_it_comes() {
    let (mut all, mut left) = (0, 0);
    for (_, mut scene) in kit::scenes() {
        let json = scene.json();
        for at in (100..json.len()).step_by(json.len() / 20) {
            let mut damaged = json.clone();
            damaged[at] ^= 1;
            all += 1;
            left += usize::from(!is_the_same(&damaged, 64 << 10));
        }
    }
    assert!(left * 10 < all, "{left} of {all} were left to the other");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Any byte, any cut, wherever the pieces end. What is no text is told first, however late it comes.
    #[test]
    fn any_damage_is_found_alike(
        scene in 0..13_usize,
        damages in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4u8), 1..3),
        at_once in prop::sample::select(vec![1, 7, 64 << 10]),
    ) {
        let mut json = SCENES.with(|scenes| scenes[scene % scenes.len()].clone());
        for (at, byte, kind) in damages {
            let at = at.index(json.len());
            match kind {
                0 => json[at] = byte,
                1 => json.truncate(at.max(1)),
                2 => json.insert(at, byte),
                _ => {
                    json.remove(at);
                }
            }
            prop_assume!(!json.is_empty());
        }
        is_the_same(&json, at_once);
    }
}

thread_local! {
    static SCENES: Vec<Vec<u8>> = kit::scenes().into_iter().map(|(_, mut scene)| scene.json()).collect();
}
