//! Making a tenant, with a key of its own for commitments.

use chrono::{DateTime, Utc};
use drivers::{StoreError, Tx};
use engines::check::Check;
use models::{
    account::{CaptureMode, FailureMode, Permits, Tenant, ZoneChanges},
    ids::TenantId,
    logs::SystemEventType,
};
use rules::zone::Zone;
use serde_json::json;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{
    consequences::{
        author::{Author, SystemCaller},
        system_records::{Event, record},
    },
    errors::{ConflictCode, Error},
    retrying::retrying,
    spine::Spine,
};

const LONGEST_SLUG: usize = 63;

/// A tenant to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTenant {
    /// Its name in addresses and file names: lower-case letters, digits and inner hyphens.
    pub slug: String,
    /// For people; the slug where not given.
    pub name: Option<String>,
    /// An IANA name; UTC where not given.
    pub time_zone: Option<String>,
}

impl NewTenant {
    /// A tenant with defaults.
    #[must_use]
    pub fn of_slug(slug: &str) -> Self {
        Self { slug: slug.to_owned(), name: None, time_zone: None }
    }

    fn check(&self) -> Result<(), Error> {
        let mut check = Check::default();
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let slug = &self.slug;
        let whole = !slug.is_empty() && !slug.starts_with('-') && !slug.ends_with('-');
        if slug.len() > LONGEST_SLUG || !whole || !slug.bytes().all(plain) {
            let message = format!("1 to {LONGEST_SLUG} lower-case letters, digits and inner hyphens");
            check.refuse("/slug", message);
        }
        check.name("/slug", Some(slug));
        name_and_zone(&mut check, self.name.as_deref(), self.time_zone.as_deref());
        Ok(check.done()?)
    }
}

/// What is wrong with a tenant's name and its zone.
pub(super) fn name_and_zone(check: &mut Check, name: Option<&str>, time_zone: Option<&str>) {
    if let Some(name) = name {
        check.required("/name", name);
        check.name("/name", Some(name));
    }
    check.name("/time_zone", time_zone);
    if let Some(Err(unknown)) = time_zone.map(Zone::parse) {
        check.refuse("/time_zone", unknown.to_string());
    }
}

/// `account.create_tenant`: a tenant, its key for commitments wrapped by the installation's.
#[tracing::instrument(name = "account.create_tenant", skip_all, fields(slug = %new.slug))]
pub async fn create_tenant(spine: &Spine, by: &SystemCaller, new: NewTenant) -> Result<Tenant, Error> {
    new.check()?;
    let author = Author::from(by);
    retrying(spine, || attempt(spine, &new, &author)).await
}

async fn attempt(spine: &Spine, new: &NewTenant, by: &Author) -> Result<Tenant, Error> {
    let tx = spine.begin().await?;
    let tenant = match insert(spine, &tx, new, by, spine.now()).await {
        Err(StoreError::Conflict(_)) => {
            let detail = format!("there is a tenant `{}` already", new.slug);
            return Err(Error::Conflict { code: ConflictCode::TenantExists, detail });
        }
        other => other?,
    };
    tx.commit().await?;
    Ok(tenant)
}

/// The tenant of a slug, made in this transaction where there is none.
pub(super) async fn ensure(spine: &Spine, tx: &Tx, slug: &str, by: &Author) -> Result<Tenant, Error> {
    if let Some(tenant) = tx.account().find_tenant_by_slug(slug).await? {
        return Ok(tenant);
    }
    let new = NewTenant::of_slug(slug);
    new.check()?;
    Ok(insert(spine, tx, &new, by, spine.now()).await?)
}

async fn insert(
    spine: &Spine,
    tx: &Tx,
    new: &NewTenant,
    by: &Author,
    now: DateTime<Utc>,
) -> Result<Tenant, StoreError> {
    let id: TenantId = spine.id(now);
    let secret = Zeroizing::new(spine.secret());
    let tenant = Tenant {
        id,
        slug: new.slug.clone(),
        name: new.name.clone().unwrap_or_else(|| new.slug.clone()),
        capture_mode: CaptureMode::Full,
        failure_mode: FailureMode::FailClosed,
        permits: Permits::Optional,
        time_zone: new.time_zone.clone().unwrap_or_else(|| "UTC".to_owned()),
        block_unknown_cost: false,
        policy_generation: 0,
        settings_version: 0,
        zone_changes: ZoneChanges::default(),
        wrapped_key: spine.wrapping_key().wrap(id, &secret, spine.secret()),
        key_id: format!("tky_{}", spine.id::<Uuid>(now).simple()),
        created_at: now,
    };
    tx.account().insert_tenant(&tenant).await?;
    let event = Event {
        component: "account",
        what: SystemEventType::ConfigChange,
        summary: format!("tenant `{}` made", tenant.slug),
        details: json!({ "tenant_id": id, "slug": tenant.slug, "time_zone": tenant.time_zone }),
    };
    tx.logs().insert_system_records(&[record(spine, id, event, by, now)]).await?;
    Ok(tenant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_fit_for_an_address_and_a_file_name() {
        for slug in ["default", "a", "team-7", &"a".repeat(LONGEST_SLUG)] {
            assert!(NewTenant::of_slug(slug).check().is_ok(), "{slug}");
        }
        for slug in ["", "-a", "a-", "A", "a/b", "..", "a b", "ä", "a\0", &"a".repeat(LONGEST_SLUG + 1)] {
            assert!(NewTenant::of_slug(slug).check().is_err(), "{slug}");
        }
        let zone = |name: &str| NewTenant { time_zone: Some(name.to_owned()), ..NewTenant::of_slug("a") };
        assert!(zone("Europe/Berlin").check().is_ok());
        assert!(zone("Berlin").check().is_err());
    }
}
