//! Operations on tenants, keys and the installation. The command line uses the same, without a credential.

mod accept_restore;
mod authenticate;
mod authenticate_session;
mod close_session;
mod create_key;
mod create_login_link;
mod create_tenant;
mod ensure_installation;
mod key_note;
mod list_keys;
mod open_session;
mod open_session_by_link;
mod public_keys;
mod public_keys_pem;
mod record_migration;
mod record_start;
mod record_stop;
mod revoke_key;
mod rotate_signing_key;
mod session;
mod settings;
mod token;
mod update_settings;
mod whoami;
mod whose;

pub(crate) use self::authenticate::without_a_key;
pub use self::{
    accept_restore::accept_restore,
    authenticate::{AuthError, authenticate},
    authenticate_session::authenticate_session,
    close_session::close_session,
    create_key::{CreatedKey, NewKey, create_first_key_as, create_key, create_key_as},
    create_login_link::create_login_link_as,
    create_tenant::{NewTenant, create_tenant},
    ensure_installation::{InstallationError, ensure_installation},
    list_keys::{list_keys, list_keys_of},
    open_session::open_session,
    open_session_by_link::open_session_by_link,
    public_keys::public_keys,
    public_keys_pem::public_keys_pem,
    record_migration::record_migration,
    record_start::record_start,
    record_stop::record_stop,
    revoke_key::{revoke_key, revoke_key_as},
    rotate_signing_key::{RotationError, rotate_signing_key},
    session::Opened,
    settings::settings,
    token::Token,
    update_settings::{SettingsChange, update_settings},
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
