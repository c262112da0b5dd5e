//! Bundles that are packed: as a server sends them, as `hoc bundle` writes them, and as `hoc verify` takes them.

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
    thread,
};

use crate::{
    bundle::{RUNS, run},
    harness::Place,
};

/// `hoc verify` of a file, of standard input that is a file, and of what comes by a pipe, which say the same: the exit
/// code, and what was said.
fn verified(place: &Place, key: &Path, file: &Path, more: &[&str]) -> (Option<i32>, String) {
    let command = |name: &str| {
        let args = [&["verify", name, "--key", key.to_str().expect("UTF-8")][..], more].concat();
        place.command(&args)
    };
    let told = |Output { status, stdout, stderr }| {
        (status.code(), String::from_utf8([stdout, stderr].concat()).expect("UTF-8"))
    };
    let (code, said) = told(command(file.to_str().expect("UTF-8")).output().expect("it starts"));
    let of_input = command("-").stdin(fs::File::open(file).expect("it is there")).output();
    let piped = command("-").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut piped = piped.expect("it starts");
    let (mut pipe, bytes) = (piped.stdin.take().expect("a pipe"), fs::read(file).expect("it is there"));
    // Who has found enough reads no more of it.
    let writing = thread::spawn(move || pipe.write_all(&bytes).is_ok());
    let of_pipe = piped.wait_with_output();
    writing.join().expect("it writes");
    for other in [of_input, of_pipe] {
        let (of_other, said_of_other) = told(other.expect("it starts"));
        assert_eq!(code, of_other, "{said}{said_of_other}");
    }
    (code, said)
}

/// `hoc verify` of a file, with a gigabyte and a half of memory: the exit code, and what was said.
fn within_memory(place: &Place, key: &Path, file: &Path, more: &[&str]) -> (Option<i32>, String) {
    let args = ["verify", file.to_str().expect("UTF-8"), "--key", key.to_str().expect("UTF-8")];
    let plain = place.command(&[&args[..], more].concat());
    let mut command = Command::new("sh");
    command.args(["-c", r#"ulimit -v 1500000; exec "$0" "$@""#]);
    command.arg(plain.get_program()).args(plain.get_args()).env_clear();
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let Output { status, stdout, stderr } = command.output().expect("sh starts");
    (status.code(), String::from_utf8([stdout, stderr].concat()).expect("UTF-8"))
}

#[test]
fn what_a_server_packs_verifies_as_it_came() {
    let place = Place::sqlite();
    let server = place.serve();
    let id = run(&place, &server, true);
    let (admin, path) = (place.key("admin"), format!("{RUNS}/{id}/bundle"));
    let key = place.public_keys();
    for (asked, coding) in [
        ("accept-encoding: zstd\r\n", Some("zstd")),
        ("accept-encoding: gzip\r\n", Some("gzip")),
        ("accept-encoding: gzip, deflate, br, zstd\r\n", Some("zstd")),
        ("accept-encoding: br\r\n", None),
        ("", None),
    ] {
        let answer = server.http().send("GET", &path, &admin, asked, "").expect("an answer");
        let head = String::from_utf8(answer.head).expect("text").to_lowercase();
        assert_eq!(answer.status, 200, "{asked}{head}");
        let told = coding.map(|coding| format!("content-encoding: {coding}\n"));
        assert!(told.as_ref().is_none_or(|told| head.contains(told)), "{asked}{head}");
        assert_eq!(told.is_some(), head.contains("content-encoding"), "{asked}{head}");
        assert_eq!(answer.body.first() == Some(&b'{'), coding.is_none(), "{asked}");
        assert!(head.contains("transfer-encoding: chunked\n"), "it is a stream: {asked}{head}");
        let file = place.path("run.bundle");
        fs::write(&file, &answer.body).expect("it is written");
        let (code, said) = verified(&place, &key, &file, &[]);
        assert!(code == Some(0) && said.ends_with("COMPLETE\n"), "{asked}{said}");
        let events = server.http().send("GET", &format!("{RUNS}/{id}/events"), &admin, asked, "");
        let events = events.expect("an answer");
        assert!(events.is_stream, "{asked}");
        let head = String::from_utf8(events.head).expect("text").to_lowercase();
        assert!(!head.contains("content-encoding"), "events come as they happen: {head}");
    }
}

#[test]
fn a_bundle_is_written_as_its_name_says_and_read_as_it_begins() {
    let place = Place::sqlite();
    let server = place.serve();
    let id = run(&place, &server, true);
    let (plain, other) = (place.path("run.json"), place.path("of-no-kind"));
    let key = place.public_keys();
    let mut lengths = Vec::new();
    for name in ["run.json", "run.json.gz", "run.json.zst"] {
        let file = place.path(name);
        place.succeed(&["bundle", &id, "-o", file.to_str().expect("UTF-8")]);
        lengths.push(fs::metadata(&file).expect("it is there").len());
        fs::copy(&file, &other).expect("it is copied");
        for file in [&file, &other] {
            let (code, said) = verified(&place, &key, file, &[]);
            assert!(code == Some(0) && said.ends_with("COMPLETE\n"), "{name}: {said}");
        }
        let bytes = fs::read(&file).expect("it reads");
        if file != plain {
            for cut in [bytes.len() / 2, bytes.len() - 1] {
                fs::write(&other, &bytes[..cut]).expect("it is written");
                let (code, said) = verified(&place, &key, &other, &[]);
                assert_eq!(code, Some(1), "{name}: {said}");
                assert!(said.contains("cut short") && said.contains("copy it again"), "{name}: {said}");
            }
        }
    }
    assert!(lengths[1] * 2 < lengths[0] && lengths[2] * 2 < lengths[0], "{lengths:?}");
}

#[test]
fn what_unpacks_to_more_than_is_allowed_is_refused() {
    let place = Place::sqlite();
    place.succeed(&["migrate"]);
    let key = place.public_keys();
    let long = vec![b' '; (1 << 20) + 1];
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, &long).expect("it packs");
    let gzip = gzip.finish().expect("it packs");
    let zstd = zstd::bulk::compress(&long, 1).expect("it packs");
    for (bytes, told) in
        [(&long, "is longer than 1 MiB"), (&gzip, "packed by gzip"), (&zstd, "packed by zstd")]
    {
        let file = place.path("bomb");
        fs::write(&file, bytes).expect("it is written");
        let (code, said) = verified(&place, &key, &file, &["--max-mib", "1"]);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(told) && said.contains("--max-mib reads more"), "{said}");
        let (code, said) = verified(&place, &key, &file, &["--max-mib", "2"]);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("no run evidence bundle"), "it was read to its end: {said}");
    }
    assert_eq!(place.run(&["verify", "x", "--key", "y", "--max-mib", "0"]).code, Some(2));
}

/// 80 KB that are 80 MiB, and would be gigabytes to whoever makes a value of each number in it.
#[test]
fn what_unpacks_to_no_bundle_takes_no_more_memory_than_its_bytes() {
    let place = Place::sqlite();
    place.succeed(&["migrate"]);
    let key = place.public_keys();
    let numbers = [b"[".to_vec(), b"0,".repeat(40 << 20)].concat();
    let bomb = zstd::bulk::compress(&numbers, 1).expect("it packs");
    assert!(bomb.len() < 100_000, "{}", bomb.len());
    let file = place.path("bomb");
    fs::write(&file, bomb).expect("it is written");
    let (code, said) = within_memory(&place, &key, &file, &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("no run evidence bundle"), "{said}");
}

/// 1.6 GiB, which is more than there is, and no fault of the file.
#[test]
fn what_there_is_too_little_memory_for_is_not_told_to_be_damaged() {
    let place = Place::sqlite();
    place.succeed(&["migrate"]);
    let key = place.public_keys();
    let part = zstd::bulk::compress(&vec![b' '; 16 << 20], 1).expect("it packs");
    let file = place.path("large");
    // It begins as a bundle may, so all of it is read.
    let begun = zstd::bulk::compress(b"{\"a\":\"", 1).expect("it packs");
    fs::write(&file, [begun, part.repeat(100)].concat()).expect("it is written");
    let (code, said) = within_memory(&place, &key, &file, &["--max-mib", "1700"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("too little memory") && !said.contains("copy it again"), "{said}");
}
