//! Account: console sessions and the links that open them. They are looked up before a tenant is known, in
//! `exceptions`.

use chrono::{DateTime, Utc};
use entities::account::{login_links, sessions};
use models::{
    account::{LoginLink, Session},
    ids::{LoginLinkId, SessionId, TenantId},
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryTrait as _, sea_query::Expr};

use crate::{StoreError, account::Account, bulk, rows::rows};

rows! {
    Session, sessions, key(id), fn session_row(session), fn session,
    same { id, key_id, secret_hash, expires_at, ended_at, created_at } renamed { tenant => tenant_id } extra {}
}

rows! {
    LoginLink, login_links, key(id), fn login_link_row(link), fn login_link,
    same { id, key_id, secret_hash, expires_at, used_at, created_at } renamed { tenant => tenant_id } extra {}
}

impl Account<'_> {
    /// Adds a session.
    pub async fn insert_session(self, session: &Session) -> Result<(), StoreError> {
        bulk::insert::<sessions::Entity>(self.conn, vec![session_row(session)?]).await
    }

    /// Ends a session; false if there is none, or it was ended before.
    pub async fn end_session(
        self,
        tenant: TenantId,
        id: SessionId,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        use sessions::Column as C;
        let update = sessions::Entity::update_many()
            .filter(C::TenantId.eq(tenant.0))
            .filter(C::Id.eq(id.0))
            .filter(C::EndedAt.is_null())
            .col_expr(C::EndedAt, Expr::value(at));
        Ok(self.conn.execute(update.build(self.conn.backend())).await? == 1)
    }

    /// Adds a link.
    pub async fn insert_login_link(self, link: &LoginLink) -> Result<(), StoreError> {
        bulk::insert::<login_links::Entity>(self.conn, vec![login_link_row(link)?]).await
    }

    /// Uses a link; false if there is none, or it was used before.
    pub async fn use_login_link(
        self,
        tenant: TenantId,
        id: LoginLinkId,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        use login_links::Column as C;
        let update = login_links::Entity::update_many()
            .filter(C::TenantId.eq(tenant.0))
            .filter(C::Id.eq(id.0))
            .filter(C::UsedAt.is_null())
            .col_expr(C::UsedAt, Expr::value(at));
        Ok(self.conn.execute(update.build(self.conn.backend())).await? == 1)
    }

    /// Forgets a tenant's sessions and links that expired before `at`.
    pub async fn forget_expired_sessions(
        self,
        tenant: TenantId,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let expired = sessions::Entity::delete_many()
            .filter(sessions::Column::TenantId.eq(tenant.0))
            .filter(sessions::Column::ExpiresAt.lt(at));
        self.conn.execute(expired.build(self.conn.backend())).await?;
        let expired = login_links::Entity::delete_many()
            .filter(login_links::Column::TenantId.eq(tenant.0))
            .filter(login_links::Column::ExpiresAt.lt(at));
        self.conn.execute(expired.build(self.conn.backend())).await?;
        Ok(())
    }
}
