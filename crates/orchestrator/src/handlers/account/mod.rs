//! Operations on tenants, keys and the installation. The command line uses the same, without a credential.

mod authenticate;
mod installation;
mod keys;
mod records;
mod restore;
mod rotate;
mod sessions;
mod settings;
mod tenants;
mod token;
mod whoami;
mod whose;

pub(crate) use self::authenticate::without_a_key;
pub use self::{
    authenticate::{AuthError, authenticate},
    installation::{InstallationError, ensure_installation, public_keys},
    keys::{
        CreatedKey, NewKey, create_first_key_as, create_key, create_key_as, list_keys, list_keys_of,
        revoke_key, revoke_key_as,
    },
    records::{record_migration, record_start, record_stop},
    restore::accept_restore,
    rotate::rotate_signing_key,
    sessions::{
        Opened, authenticate_session, close_session, create_login_link_as, open_session, open_session_by_link,
    },
    settings::{SettingsChange, settings, update_settings},
    tenants::{NewTenant, create_tenant},
    token::Token,
    whoami::{WhoAmI, whoami},
    whose::{installation_of, list_tenants, public_keys_of, tenant_of_run},
};
pub use crate::{
    checkpoints::{
        lost::{Lost, hold_back_if_lost},
        outside::{note_of, note_to_verify},
    },
    consequences::author::SystemCaller,
};
