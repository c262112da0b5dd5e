//! Net 3: what a crate may depend on and still not name.

use super::{
    road::ROADS,
    source::{How, Mention, Place, Source},
    table::{self, DOMAINS, DOMAINS_APART, HOC_MAY_NAME_OF_DRIVERS},
};
use crate::finding::Finding;

/// A rule: its name, and what it has to say to a mention, if anything.
type Rule = (&'static str, fn(&Place, &Mention) -> Option<String>);

/// Every rule about names.
pub(super) const RULES: &[Rule] = &[
    ("domains-apart", domains_apart),
    ("glob", glob),
    ("one-name", one_name),
    ("re-export", re_export),
    ("composition-root", composition_root),
    ("words-alone", words_alone),
    ("commit", commit),
    ("verdict", verdict),
    ("execution-context", execution_context),
    ("governed", governed),
    ("redaction", redaction),
    ("one-reader", one_reader),
    ("tenant-first", tenant_first),
    ("standing", standing),
];

/// All findings in one file; `file` is its path from the top of the tree.
pub(super) fn check_source(place: &Place, file: &str, source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut add = |line, rule, message| findings.push(Finding { file: file.to_owned(), line, rule, message });
    for mention in &source.mentions {
        for (rule, check) in RULES {
            if let Some(message) = check(place, mention) {
                add(mention.line, rule, message);
            }
        }
    }
    for &line in &source.includes {
        add(line, "include", "include! hides what a file names; make it a module".to_owned());
    }
    for &line in &source.path_attributes {
        add(
            line,
            "path-attribute",
            "#[path] hides where a module is; put the file where it belongs".to_owned(),
        );
    }
    findings.sort();
    findings.dedup();
    findings
}

/// In engines, drivers, models and entities no domain names another.
fn domains_apart(place: &Place, mention: &Mention) -> Option<String> {
    let own = own_domain(place, mention)?;
    let [krate, domain, ..] = mention.path.as_slice() else { return None };
    let other =
        DOMAINS_APART.contains(&krate.as_str()) && DOMAINS.contains(&domain.as_str()) && domain != own;
    other.then(|| format!("{}::{own} names {}: only L4 joins domains", place.krate, spelt(mention)))
}

/// No globs out of our crates: they let in names that the other rules then do not see.
fn glob(place: &Place, mention: &Mention) -> Option<String> {
    if !matches!(mention.how, How::Import { glob: true, .. }) {
        return None;
    }
    let krate = table::layer(mention.path.first()?)?.name;
    let whole_own_crate = mention.path.len() == 1 && own_domain(place, mention).is_some();
    let variants = mention.path.last()?.starts_with(char::is_uppercase);
    ((krate != place.krate || whole_own_crate) && !variants)
        .then(|| format!("{}::*: say which names of {krate} are meant", spelt(mention)))
}

/// A layer has one name, in code as in speech.
fn one_name(_: &Place, mention: &Mention) -> Option<String> {
    let renamed = matches!(mention.how, How::Import { renamed: true, .. });
    let [krate] = mention.path.as_slice() else { return None };
    (renamed && table::layer(krate).is_some())
        .then(|| format!("{krate} gets another name here; a layer has one name"))
}

/// No crate passes another layer's names on, but L4 its errors.
fn re_export(place: &Place, mention: &Mention) -> Option<String> {
    let exported = matches!(mention.how, How::Import { exported: true, .. });
    let krate = table::layer(mention.path.first()?)?.name;
    let errors_of_l4 = place.krate == "orchestrator" && mention.module.get(1).is_some_and(|m| m == "errors");
    (exported && place.in_src && krate != place.krate && !errors_of_l4)
        .then(|| format!("{} passes {} on: whoever needs it depends on {krate}", place.krate, spelt(mention)))
}

/// The binary names drivers to build one, and talks to L4 from then on.
fn composition_root(place: &Place, mention: &Mention) -> Option<String> {
    let [krate, item, ..] = mention.path.as_slice() else { return None };
    (place.krate == "hoc"
        && place.in_src
        && krate == "drivers"
        && !HOC_MAY_NAME_OF_DRIVERS.contains(&item.as_str()))
    .then(|| format!("hoc names {}: it builds the store and then calls operations of L4", spelt(mention)))
}

/// The API reads and lists the words of records, and has nothing else to do with them.
fn words_alone(place: &Place, mention: &Mention) -> Option<String> {
    let [krate, item, ..] = mention.path.as_slice() else { return None };
    (place.krate == "api" && place.in_src && krate == "proof" && item != "words").then(|| {
        format!("api names {}: of what is hashed it knows the words, and L4 the rest", spelt(mention))
    })
}

/// Only L4 commits. What drivers offer for it is named nowhere else, and neither is a method of that name called.
fn commit(place: &Place, mention: &Mention) -> Option<String> {
    let commits = match mention.how {
        How::BareMethod => mention.path == ["commit"],
        _ => mention.path.starts_with(&["drivers".to_owned(), "Tx".to_owned()]),
    };
    (commits && place.in_src && !["drivers", "orchestrator"].contains(&place.krate.as_str()))
        .then(|| format!("{} names {}: a unit of work begins and ends in L4", place.krate, spelt(mention)))
}

/// Only the choke point makes a verdict.
fn verdict(place: &Place, mention: &Mention) -> Option<String> {
    let conclude = mention.path.ends_with(&["Verdict".to_owned(), "conclude".to_owned()]);
    let choke =
        place.krate == "orchestrator" && mention.module.get(1).is_some_and(|module| module == "choke");
    (conclude && place.in_src && !choke).then(|| {
        "Verdict::conclude is for crates/orchestrator/src/choke: nothing else may let a step count".to_owned()
    })
}

/// Only L4 makes an execution context.
fn execution_context(place: &Place, mention: &Mention) -> Option<String> {
    let named = |segment: Option<&String>| segment.is_some_and(|segment| segment == "ExecutionContext");
    let made = match mention.how {
        How::Literal => named(mention.path.last()),
        How::Plain => {
            let [.., owner, function] = mention.path.as_slice() else { return None };
            named(Some(owner)) && function.starts_with(char::is_lowercase)
        }
        How::Import { .. } | How::BareMethod => false,
    };
    (made && place.in_src && place.krate != "orchestrator")
        .then(|| format!("{} makes an ExecutionContext: only L4 knows who acts, in which run", place.krate))
}

/// A governed change is parted from the audit row that it owes in one place, which stores the row.
fn governed(place: &Place, mention: &Mention) -> Option<String> {
    let settles = match mention.how {
        How::BareMethod => mention.path == ["settle"],
        _ => mention.path.ends_with(&["Governed".to_owned(), "settle".to_owned()]),
    };
    let ledger =
        place.krate == "orchestrator" && mention.module.get(1).is_some_and(|module| module == "ledger");
    (settles && place.in_src && !ledger).then(|| {
        "Governed::settle is for crates/orchestrator/src/ledger.rs: a change and its audit row are stored together".to_owned()
    })
}

/// In L4, texts are made fit to be kept in few places: those of people, those of errors, and what is told of steps.
fn redaction(place: &Place, mention: &Mention) -> Option<String> {
    let [engines, logs, redact, item, ..] = mention.path.as_slice() else { return None };
    let redacts = [engines, logs, redact] == ["engines", "logs", "redact"] && item.starts_with("redact_");
    let module: Vec<&str> = mention.module.iter().skip(1).map(String::as_str).collect();
    let is_place = matches!(module.as_slice(), ["texts" | "errors", ..] | ["choke", "prepare", ..]);
    (redacts && place.krate == "orchestrator" && place.in_src && !mention.for_tests && !is_place).then(|| {
        format!(
            "orchestrator names {}: what people write is kept by crates/orchestrator/src/texts.rs",
            spelt(mention)
        )
    })
}

/// What comes in from outside as JSON is read in one way, with the limits of every door; what stays as it is written,
/// by one reader.
fn one_reader(place: &Place, mention: &Mention) -> Option<String> {
    const READS: [&str; 5] = ["from_str", "from_slice", "from_reader", "Deserializer", "StreamDeserializer"];
    let [krate, item, ..] = mention.path.as_slice() else { return None };
    let reads = krate == "serde_json" && READS.contains(&item.as_str());
    let module: Vec<&str> = mention.module.iter().skip(1).map(String::as_str).collect();
    let inbound = place.krate == "adapters" && place.in_src && module.first() == Some(&"inbound");
    (reads && inbound && !mention.for_tests && module.last() != Some(&"reader")).then(|| {
        format!(
            "adapters names {}: orchestrator::ports::json_of reads JSON as the doors do, and refuses doubles",
            spelt(mention)
        )
    })
}

/// A query of a table begins with its tenant: in the private `fn of(tenant)` (or `.._of`) of its driver.
fn tenant_first(place: &Place, mention: &Mention) -> Option<String> {
    let [.., owner, function] = mention.path.as_slice() else { return None };
    let query = ["Entity", "EntityTrait"].contains(&owner.as_str()) && function.starts_with("find");
    let listed = mention.module.get(1).is_some_and(|module| module == "exceptions");
    (query && place.krate == "drivers" && place.in_src && !mention.in_of_tenant && !listed).then(|| {
        format!("{owner}::{function} outside a private `fn of(tenant: TenantId)` (or `.._of`): every query begins with the tenant")
    })
}

/// The spine hands out parts that stand above it by a method each, which no import shows: who comes before such a part
/// on the road of L4 does not ask for it.
fn standing(place: &Place, mention: &Mention) -> Option<String> {
    let [part] = mention.path.as_slice() else { return None };
    let asks = mention.how == How::BareMethod && ["choke", "streams"].contains(&part.as_str());
    let here = mention.module.get(1)?;
    let road = ROADS.iter().find(|road| road.folder == ["orchestrator"])?;
    let comes_before = here != part && road.place(here)? <= road.place(part)?;
    (asks && place.krate == "orchestrator" && place.in_src && !mention.for_tests && comes_before).then(|| {
        format!(
            "orchestrator::{here} asks the spine for {part}, which does not come before it on the road of L4"
        )
    })
}

/// The domain that a mention stands in, in the crates whose domains stay apart.
fn own_domain<'a>(place: &Place, mention: &'a Mention) -> Option<&'a str> {
    let own = mention.module.get(1)?.as_str();
    (place.in_src && DOMAINS_APART.contains(&place.krate.as_str()) && DOMAINS.contains(&own)).then_some(own)
}

/// A mention's path as Rust spells it.
fn spelt(mention: &Mention) -> String {
    mention.path.join("::")
}
