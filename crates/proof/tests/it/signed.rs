//! Signed notes, checkpoints and DSSE: the examples of their specifications and of Go's checksum database.

use base64::{Engine, engine::general_purpose::STANDARD};
use proof::{
    checkpoint::{Checkpoint, CheckpointError, LogOrigin, NotAnOrigin},
    dsse::{DsseError, Envelope, EnvelopeSignature, pae},
    hash::sha256,
    keys::{PublicKey, SigningKey},
    note::{self, Note, NoteError, key_hash},
    words::LogName,
};

/// golang.org/x/mod/sumdb/note's test keys, as published: a byte 0x01, then seed or key.
const PETER_SEED: &str = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const PETER: &str = "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const ENOCH: &str = "ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";
const TEXT: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n";
const BY_PETER: &str = "\u{2014} PeterNeumann \
    x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
const BY_ENOCH: &str = "\u{2014} EnochRoot \
    rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n";

fn bytes(encoded: &str) -> [u8; 32] {
    STANDARD.decode(encoded).expect("base64")[1..].try_into().expect("32 bytes")
}

fn peter() -> SigningKey {
    SigningKey::from_seed(&bytes(PETER_SEED))
}

fn enoch() -> PublicKey {
    PublicKey::from_bytes(&bytes(ENOCH)).expect("a key")
}

#[test]
fn the_published_note_is_signed_and_read() {
    assert_eq!(Some(peter().public()), PublicKey::from_bytes(&bytes(PETER)));
    assert_eq!(key_hash("PeterNeumann", &peter().public()), [0xc7, 0x4f, 0x20, 0xa3]);
    assert_eq!(key_hash("EnochRoot", &enoch()), [0xaf, 0x0c, 0xfe, 0x78]);
    let published = format!("{TEXT}\n{BY_PETER}");
    assert_eq!(note::sign(TEXT, "PeterNeumann", &peter()).expect("a text"), published);

    let both = Note::parse(&format!("{published}{BY_ENOCH}")).expect("a note");
    assert_eq!(both.text, TEXT);
    let keys = [enoch(), peter().public()];
    assert_eq!(both.signed_by("PeterNeumann", &keys), Ok(&keys[1]));
    assert_eq!(both.signed_by("EnochRoot", &keys), Ok(&keys[0]));
    assert_eq!(both.signed_by("PeterNeumann", &keys[..1]), Err(NoteError::Unsigned));
    assert_eq!(both.signed_by("CarmenSandiego", &keys), Err(NoteError::Unsigned));
}

#[test]
fn a_false_signature_of_a_known_key_spoils_a_note() {
    let published = format!("{TEXT}\n{BY_PETER}");
    let keys = [peter().public()];
    let changed = Note::parse(&published.replace("answer", "amswer")).expect("a note");
    assert_eq!(changed.signed_by("PeterNeumann", &keys), Err(NoteError::False("PeterNeumann".to_owned())));
    let twice = Note::parse(&format!("{published}{}", BY_PETER.replace("ZJku", "ZJkv"))).expect("a note");
    assert_eq!(twice.signed_by("PeterNeumann", &keys), Err(NoteError::False("PeterNeumann".to_owned())));
}

/// The malformed notes of Go's tests, and the rules of the specification.
#[test]
fn what_is_no_note_is_refused() {
    for wrong in [
        TEXT.to_owned(),
        format!("{TEXT}\n"),
        format!("{TEXT}\n{}", BY_PETER.trim_end()),
        format!("\u{1}{TEXT}\n{BY_PETER}"),
        format!("{TEXT}\n{}", BY_PETER.replace("PeterNeumann", "Bad Name")),
        format!("{TEXT}\n{}", BY_PETER.replace("PeterNeumann", "Bad+Name")),
        format!("{TEXT}\n{BY_PETER}Unexpected line.\n"),
        format!("{TEXT}\n{}", BY_PETER.repeat(101)),
        format!("{TEXT}\n\u{2014} PeterNeumann AAAA\n"),
        String::new(),
    ] {
        assert_eq!(Note::parse(&wrong), Err(NoteError::Malformed), "{wrong}");
    }
    assert_eq!(note::sign("no newline", "name", &peter()), Err(NoteError::Malformed));
    assert_eq!(note::sign(TEXT, "a name", &peter()), Err(NoteError::Name("a name".to_owned())));
    // The specification's own example: empty lines belong to the text.
    let poem = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n";
    let signed = format!(
        "{poem}\n\u{2014} quasimodo.example/salvatore \
         NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
    );
    let note = Note::parse(&signed).expect("a note");
    assert_eq!((note.text.as_str(), note.signatures[0].key_hash), (poem, [0x36, 0x7b, 0xa0, 0x4b]));
}

#[test]
fn the_example_of_the_checkpoint_specification_reads() {
    let example = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
        \u{2014} example.com/behind-the-sofa \
        Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";
    let text = Note::parse(example).expect("a note").text;
    let checkpoint = Checkpoint::from_text(&text).expect("a checkpoint");
    assert_eq!(checkpoint.origin, "example.com/behind-the-sofa");
    assert_eq!(checkpoint.size, 20_852_163);
    assert_eq!(checkpoint.text(), text);
    assert_eq!(Checkpoint::open(example, &[enoch()]), Err(CheckpointError::Note(NoteError::Unsigned)));
}

#[test]
fn a_checkpoint_opens_with_the_key_of_its_origin() {
    let checkpoint =
        Checkpoint { origin: "hoc.example/ten_1/runs/1".to_owned(), size: 7, root: sha256(b"root") };
    let note = checkpoint.sign(&peter()).expect("a name");
    assert_eq!(Checkpoint::open(&note, &[enoch(), peter().public()]), Ok(checkpoint.clone()));
    // Signed by a known key, in the name of another log.
    let moved = note::sign(&checkpoint.text(), "hoc.example/ten_2/runs/1", &peter()).expect("a name");
    assert_eq!(
        Checkpoint::open(&moved, &[peter().public()]),
        Err(CheckpointError::Note(NoteError::Unsigned))
    );

    let text = checkpoint.text();
    for wrong in [
        text.replace("\n7\n", "\n07\n"),
        text.replace("\n7\n", "\n+7\n"),
        text.replace("\n7\n", "\n-7\n"),
        text.replace("\n7\n", "\n\n"),
        text.replace("hoc.example/ten_1/runs/1", ""),
        format!("{text}an extension\n"),
        text.trim_end().to_owned(),
        text.replace('=', ""),
        "origin\n7\n".to_owned(),
        "origin\n7\nAAAA\n".to_owned(),
    ] {
        assert_eq!(Checkpoint::from_text(&wrong), Err(CheckpointError::Malformed), "{wrong}");
    }
}

#[test]
fn an_origin_names_installation_tenant_log_and_epoch() {
    let origin = LogOrigin {
        installation: "hoc.example/eu".to_owned(),
        tenant_id: "ten_1".to_owned(),
        log: LogName::Audit,
        epoch: 2,
    };
    assert_eq!(origin.to_string(), "hoc.example/eu/ten_1/audit/2");
    assert_eq!("hoc.example/eu/ten_1/audit/2".parse(), Ok(origin));
    for wrong in ["", "a/b/runs", "a/b/run/1", "a/b/runs/01", "a/b/runs/-1", "/b/runs/1", "a//runs/1"] {
        assert_eq!(wrong.parse::<LogOrigin>(), Err(NotAnOrigin(wrong.to_owned())));
    }
}

#[test]
fn the_pre_authentication_encoding_of_dsse_holds() {
    assert_eq!(
        pae("http://example.com/HelloWorld", b"hello world"),
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    );
    let envelope = Envelope::sign("http://example.com/HelloWorld", b"hello world", &peter());
    assert_eq!(envelope.payload, "aGVsbG8gd29ybGQ=");
    let json = serde_json::to_value(&envelope).expect("JSON");
    assert_eq!(json["payloadType"], "http://example.com/HelloWorld");
}

#[test]
fn an_envelope_opens_whole_or_not_at_all() {
    let signed = Envelope::sign("a", b"payload", &peter());
    let keys = [enoch(), peter().public()];
    assert_eq!(signed.open("a", &keys), Ok((b"payload".to_vec(), &keys[1])));
    assert_eq!(signed.open("b", &keys), Err(DsseError::Type("a".to_owned())));
    assert_eq!(signed.open("a", &keys[..1]), Err(DsseError::Untrusted(keys[1].id())));

    let with = |change: &dyn Fn(&mut Envelope)| {
        let mut envelope = signed.clone();
        change(&mut envelope);
        envelope.open("a", &keys).expect_err("changed")
    };
    let untrusted = || DsseError::Untrusted(keys[1].id());
    assert_eq!(with(&|it| it.payload = STANDARD.encode("Payload")), untrusted());
    assert_eq!(with(&|it| it.payload_type = "b".to_owned()), untrusted());
    assert_eq!(with(&|it| it.payload.push('\n')), DsseError::Base64("payload"));
    assert_eq!(with(&|it| it.payload = it.payload.replace('=', "")), DsseError::Base64("payload"));
    assert_eq!(with(&|it| it.signatures.clear()), DsseError::Signatures(0));
    assert_eq!(with(&|it| it.signatures.push(it.signatures[0].clone())), DsseError::Signatures(2));
    let misnamed = DsseError::Misnamed { made: keys[1].id(), named: keys[0].id() };
    assert_eq!(with(&|it| it.signatures[0].keyid = keys[0].id()), misnamed);
    let other = EnvelopeSignature { keyid: keys[1].id(), sig: STANDARD.encode([0; 64]) };
    assert_eq!(with(&|it| it.signatures[0] = other.clone()), untrusted());
}
