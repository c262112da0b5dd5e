//! The shape of L4's operations, read from their sources.

use std::{fs, path::Path};

/// The span of an operation is `{domain}.{verb}`, and it stands in `handlers/{domain}/{verb}.rs`, whoever calls it: the
/// API, the command line or another operation.
#[test]
fn an_operation_has_a_file_of_its_own() {
    let handlers = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/handlers");
    let (mut seen, mut elsewhere) = (0, Vec::new());
    for domain in fs::read_dir(&handlers).unwrap().map(|entry| entry.unwrap().path()) {
        if !domain.is_dir() {
            let source = fs::read_to_string(&domain).unwrap();
            assert!(!source.contains("#[tracing::instrument("), "{} is of no domain", domain.display());
            continue;
        }
        let module = domain.file_name().unwrap().to_str().unwrap().to_owned();
        for file in fs::read_dir(&domain).unwrap().map(|entry| entry.unwrap().path()) {
            let of_file = format!("{module}.{}", file.file_stem().unwrap().to_str().unwrap());
            let source = fs::read_to_string(&file).unwrap();
            for (_, rest) in
                source.split("#[tracing::instrument(").skip(1).filter_map(|it| it.split_once('"'))
            {
                seen += 1;
                let span = rest.split('"').next().unwrap();
                if span != of_file {
                    elsewhere.push(format!("{span} in {}", file.display()));
                }
            }
        }
    }
    assert!(elsewhere.is_empty(), "each has a file of its name: {elsewhere:#?}");
    assert!(seen > 80, "{seen} operations");
}
