//! A time comes back as it went, and sorts as time does, also where it is stored as text.

use models::{
    ids::{SystemRecordId, TenantId},
    logs::entity::system_records::{ActiveModel, Column, Entity, Model},
    time,
};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, QueryFilter as _,
    QueryOrder as _,
};

/// In order. Their fractions have as many digits as there are ways to leave some out.
const TIMES: &[&str] = &[
    "1999-12-31T23:59:59.999999Z",
    "2026-01-01T00:00:00.000000Z",
    "2026-01-01T00:00:00.000001Z",
    "2026-01-01T00:00:00.001000Z",
    "2026-01-01T00:00:00.001001Z",
    "2026-01-01T00:00:00.100000Z",
    "2026-01-01T00:00:00.999999Z",
    "2026-01-01T00:00:01.000000Z",
];

testkit::on_both! {
    async fn times_come_back_and_sort(db: TestDatabase) {
        let connection = db.connection().await;
        for (n, text) in TIMES.iter().enumerate().rev() {
            let row: ActiveModel = Model {
                tenant_id: TenantId::INSTALLATION,
                id: SystemRecordId(format!("0190000000007000800000000000000{n}").parse().expect("a uuid")),
                component: "test".to_owned(),
                event_type: "STARTUP".to_owned(),
                severity: "info".to_owned(),
                summary: String::new(),
                details: None,
                caused_by: None,
                correlation_id: None,
                created_at: time::parse(text).expect("a time"),
            }
            .into_active_model();
            row.insert(&connection).await.expect("the row is inserted");
        }
        let sorted = Entity::find().order_by_asc(Column::CreatedAt).all(&connection).await.expect("the rows are read");
        let sorted: Vec<String> = sorted.iter().map(|row| time::text(row.created_at)).collect();
        assert_eq!(sorted, TIMES);
        for (n, text) in TIMES.iter().enumerate() {
            let before = Column::CreatedAt.lt(time::parse(text).expect("a time"));
            let before = Entity::find().filter(before).all(&connection).await.expect("the rows are read");
            assert_eq!(before.len(), n, "before {text}");
        }
    }
}
