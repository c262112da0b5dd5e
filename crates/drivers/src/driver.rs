//! What every driver is: a borrowed transaction, and the methods of one subject.

/// Declares a driver that reads, lent by both units of work; and, where one is named, one that also writes, lent by
/// [`Tx`](crate::Tx) alone. The writing one gives all that the reading one has.
macro_rules! driver {
    ($(#[$doc:meta])* read $read:ident;) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $read<'t> {
            pub(crate) conn: &'t $crate::conn::Conn,
        }

        impl<'t> $read<'t> {
            pub(crate) fn new(conn: &'t $crate::conn::Conn) -> Self {
                Self { conn }
            }
        }
    };
    ($(#[$read_doc:meta])* read $read:ident; $(#[$write_doc:meta])* write $write:ident;) => {
        $crate::driver::driver! { $(#[$read_doc])* read $read; }

        $(#[$write_doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $write<'t> {
            reads: $read<'t>,
        }

        impl<'t> $write<'t> {
            pub(crate) fn new(conn: &'t $crate::conn::Conn) -> Self {
                Self { reads: $read::new(conn) }
            }
        }

        impl<'t> std::ops::Deref for $write<'t> {
            type Target = $read<'t>;
            fn deref(&self) -> &$read<'t> {
                &self.reads
            }
        }
    };
}

pub(crate) use driver;

/// Declares how a table is read: the only way a query on it starts, which is with its tenant.
macro_rules! of_tenant {
    ($entity:ident) => {
        fn of(tenant: models::ids::TenantId) -> sea_orm::Select<$entity::Entity> {
            use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
            $entity::Entity::find().filter($entity::Column::TenantId.eq(tenant.0))
        }
    };
}
pub(crate) use of_tenant;
