//! Whether what is kept outside the store is of another store, too: perhaps of one that was lost, and is missed by
//! nobody.

use adapters::outbound::CheckpointFiles;
use orchestrator::{Spine, handlers::account, ports::OutsideLog};
use proof::words::LogName;

use super::findings::Findings;
use crate::config::Config;

/// The logs of this store; none where they cannot be told.
pub(super) async fn own_logs(spine: &Spine) -> Option<Vec<OutsideLog>> {
    let tenants = account::list_tenants(spine).await.ok()?;
    let mut logs = Vec::new();
    for tenant in &tenants {
        for log in LogName::ALL {
            let tenant_id = tenant.id.to_string();
            logs.push(OutsideLog { slug: tenant.slug.clone(), tenant_id, log: log.as_str() });
        }
    }
    Some(logs)
}

/// Looks at what was put aside. What is of this store's own logs was compared with them, with all else that is kept.
pub(super) fn look(config: &Config, own: Option<&[OutsideLog]>, findings: &mut Findings) {
    for folder in &config.keys.checkpoint_folders.value {
        let aside = match CheckpointFiles::aside(folder, own.unwrap_or_default()) {
            Ok(aside) => aside,
            Err(err) => {
                findings.failed("checkpoints", format!("{}: {err}", folder.display()), "it cannot be read");
                continue;
            }
        };
        for file in aside {
            let file = file.display();
            if own.is_none() {
                findings.note(
                    "checkpoints",
                    format!("{file} was put aside when another store was served with this folder"),
                    "whether it is of this store is told when the store and its keys can be looked at",
                );
                continue;
            }
            findings.note(
                "checkpoints",
                format!("{file} is of another store that was served with this folder"),
                "was that store lost? Then restore a backup of it: this one holds nothing of it. Else move the file away",
            );
        }
    }
}
