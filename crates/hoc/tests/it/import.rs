//! `hoc import otlp`: real captures from files, whatever they are written in, once and twice.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::harness::{Place, Server, on_both};

const RUNS: &str = "/api/v1/runtime/activity/runs?limit=200";

/// The captures of all SDKs, in the order in which they were sent.
pub(crate) fn captures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../adapters/tests/data/otlp");
    let list = |folder: &Path| {
        let mut found: Vec<PathBuf> =
            fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
        found.sort();
        found
    };
    list(&folder).iter().filter(|path| path.is_dir()).flat_map(|folder| list(folder)).collect()
}

fn imported(place: &Place, files: &[PathBuf]) -> (Option<i32>, Vec<Value>) {
    let files = files.iter().map(|file| file.to_str().expect("UTF-8"));
    let args: Vec<&str> = ["import", "otlp", "--json"].into_iter().chain(files).collect();
    let ran = place.run(&args);
    let lines = ran.stdout.lines().map(|line| serde_json::from_str(line).expect("a line of JSON"));
    (ran.code, lines.collect())
}

fn sum(lines: &[Value], name: &str) -> u64 {
    lines.iter().map(|line| line[name].as_u64().expect("a count")).sum()
}

/// The runs, and the steps of each.
fn stored(server: &Server, key: &str) -> Vec<Value> {
    let mut http = server.http();
    let runs = http.get(RUNS, key).expect(200)["items"].as_array().expect("a list").clone();
    let with_steps = runs.into_iter().map(|run| {
        let id = run["run_id"].as_str().expect("an id");
        let steps = http.get(&format!("/api/v1/runtime/activity/runs/{id}/steps?limit=200"), key).expect(200);
        json!({ "run": run, "steps": steps["items"] })
    });
    with_steps.collect()
}

async fn captures_come_in_once(place: Place) {
    // Nothing is sealed while it is looked at.
    let place = place.with("HOC_TRACE_QUIET", "1h");
    let viewer = place.key("viewer");
    let server = place.serve();
    let files = captures();
    assert!(files.len() >= 5, "{files:?}");
    let (code, first) = imported(&place, &files);
    assert_eq!((code, first.len()), (Some(0), files.len()), "{first:?}");
    assert_eq!((sum(&first, "known"), sum(&first, "rejected")), (0, 0));
    let spans = sum(&first, "recorded");
    let before = stored(&server, &viewer);
    assert_eq!(before.len(), 5, "one trace is one run");
    let steps: usize = before.iter().map(|run| run["steps"].as_array().expect("a list").len()).sum();
    assert_eq!(steps as u64, spans, "one span is one step");
    let tokens =
        |name: &str| before.iter().map(|run| run["run"][name].as_u64().expect("tokens")).sum::<u64>();
    assert_eq!((tokens("input_tokens"), tokens("output_tokens")), (3 * 87 + 42 + 21, 3 * 36 + 18 + 9));

    // Again, and in other clothes: packed, and as JSON of several lines.
    let (code, again) = imported(&place, &files);
    assert_eq!((code, sum(&again, "recorded"), sum(&again, "known")), (Some(0), 0, spans));
    let packed = place.path("packed");
    let gzip = Command::new("gzip").arg("-c").arg(&files[0]).output().expect("gzip is there");
    fs::write(&packed, gzip.stdout).expect("it is written");
    let json = files.iter().position(|file| file.extension().is_some_and(|it| it == "json")).expect("one is");
    let lines = place.path("lines");
    let text = fs::read_to_string(&files[json]).expect("a file");
    fs::write(&lines, format!("\n{text}\n{text}\n")).expect("it is written");
    let list = place.path("list.json");
    fs::write(&list, format!(" [{text},\n{text}]")).expect("it is written");
    let (code, dressed) = imported(&place, &[packed, lines, list]);
    assert_eq!((code, sum(&dressed, "recorded")), (Some(0), 0), "{dressed:?}");
    assert_eq!(dressed[0]["known"], first[0]["recorded"]);
    assert_eq!(dressed[1]["known"].as_u64(), first[json]["recorded"].as_u64().map(|one| 2 * one));
    assert_eq!(dressed[2]["known"], dressed[1]["known"], "a list is as good as lines");
    assert_eq!(stored(&server, &viewer), before, "it changes nothing");
}

on_both!(captures_come_in_once);

#[test]
fn what_is_wrong_is_told_with_what_to_do_and_the_rest_comes_in() {
    let place = Place::sqlite();
    let good = captures().remove(0);
    let good = good.to_str().expect("UTF-8");
    let nowhere = place.run(&["import", "otlp", good]);
    assert_eq!(nowhere.code, Some(1));
    assert!(nowhere.stderr.contains("hoc serve"), "{}", nowhere.stderr);
    place.key("agent");
    assert_eq!(place.run(&["import", "otlp"]).code, Some(2), "no file");
    let nobody = place.run(&["import", "otlp", "--tenant", "nobody", good]);
    assert_eq!(nobody.code, Some(1));
    assert!(nobody.stderr.contains("hoc keys create --tenant nobody"), "{}", nobody.stderr);

    let file = |name: &str, bytes: &[u8]| {
        fs::write(place.path(name), bytes).expect("it is written");
        name.to_owned()
    };
    let cases = [
        (file("cut.json", b"{\"resourceSpans\": ["), "one a line"),
        (file("cut-list.json", b"[{\"resourceSpans\": []},"), "a list of them"),
        (file("other.json", b"{\"logs\": []}"), "holds no OTLP traces"),
        (file("second.json", b"[{\"resourceSpans\": []}, {\"logs\": []}, {}]"), "object 2 of 3"),
        (file("empty", b""), "holds no spans"),
        (file("blank", b"  \n"), "holds no spans"),
        (file("marked.json", b"\xef\xbb\xbf{\"resourceSpans\": []}"), "holds no spans"),
        (file("cut.gz", &[0x1f, 0x8b, 8, 0]), "copy it again"),
        (file("text", b"hello"), "holds no OTLP traces"),
        (file("big", &vec![b'x'; (16 << 20) + 1]), "the 16 MiB that a server takes"),
        ("missing".to_owned(), "check the name"),
    ];
    for (name, advice) in &cases {
        let ran = place.run(&["import", "otlp", name, good]);
        assert_eq!(ran.code, Some(1), "{name}");
        assert!(ran.stderr.contains(name) && ran.stderr.contains(advice), "{name}: {}", ran.stderr);
        assert!(ran.stdout.contains("1 of 2 files"), "{name}: {}", ran.stdout);
    }

    let span = |trace: &str, id: &str| json!({ "traceId": trace, "spanId": id, "name": "chat" });
    let spans = [span(&"5".repeat(32), &"6".repeat(16)), span("55", &"7".repeat(16))];
    let body = json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": spans }] }] });
    let mut command = place.command(&["import", "otlp", "-"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    child.stdin.take().expect("piped").write_all(body.to_string().as_bytes()).expect("it reads");
    let ran = child.wait_with_output().expect("it ends");
    assert_eq!(ran.status.code(), Some(3));
    let (stdout, stderr) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(stdout.contains("spans: 1 recorded, 0 known before, 1 rejected"), "{stdout}");
    assert!(stderr.contains("the trace id has 2 characters, not 32"), "{stderr}");
}
