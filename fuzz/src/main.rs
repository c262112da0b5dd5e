//! One target under libFuzzer: `HOC_FUZZ_TARGET` says which, the arguments are libFuzzer's. `cargo xtask fuzz` runs it.
#![no_main]

use std::sync::LazyLock;

use fuzz::Target;

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    #[expect(
        clippy::disallowed_methods,
        reason = "libFuzzer has the command line; this is how xtask says which target"
    )]
    let name = std::env::var("HOC_FUZZ_TARGET").unwrap_or_default();
    Target::named(&name)
        .unwrap_or_else(|| panic!("HOC_FUZZ_TARGET is none of {:?}", Target::ALL.map(Target::name)))
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| TARGET.run(bytes));
