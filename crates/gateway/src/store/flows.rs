//! Flows of a business, and the keys to which what people enter is sealed.

use sqlx::Row as _;

use super::{Store, StoreError, apps::node_id, loaded, stored};

/// Where a flow is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlowStatus {
    Draft,
    Published,
    Deprecated,
}

impl FlowStatus {
    pub fn name(self) -> &'static str {
        match self {
            Self::Draft => "DRAFT",
            Self::Published => "PUBLISHED",
            Self::Deprecated => "DEPRECATED",
        }
    }

    fn of(name: &str) -> Self {
        match name {
            "PUBLISHED" => Self::Published,
            "DEPRECATED" => Self::Deprecated,
            _ => Self::Draft,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    pub flow_id: u64,
    pub waba_id: u64,
    /// Signs what goes to the endpoint.
    pub app_id: u64,
    pub name: String,
    pub categories: Vec<String>,
    pub status: FlowStatus,
    /// As uploaded.
    pub json: String,
    pub endpoint_uri: Option<String>,
    pub updated_ms: i64,
}

impl Flow {
    /// Whether people may go on with it.
    pub fn is_open(&self) -> bool {
        self.status != FlowStatus::Deprecated
    }
}

const FLOW: &str =
    "SELECT flow_id, waba_id, app_id, name, categories, status, json, endpoint_uri, updated_ms FROM flow";

fn flow(row: &sqlx::sqlite::SqliteRow) -> Flow {
    let categories: String = row.get(4);
    let categories = categories.split(',').filter(|category| !category.is_empty());
    Flow {
        flow_id: loaded(row.get(0)),
        waba_id: loaded(row.get(1)),
        app_id: loaded(row.get(2)),
        name: row.get(3),
        categories: categories.map(str::to_owned).collect(),
        status: FlowStatus::of(row.get(5)),
        json: row.get(6),
        endpoint_uri: row.get(7),
        updated_ms: row.get(8),
    }
}

impl Store {
    /// A new flow gets its id here; any other is replaced.
    pub async fn put_flow(&self, flow: Flow) -> Result<Flow, StoreError> {
        let flow_id = if flow.flow_id == 0 { node_id() } else { flow.flow_id };
        let sql = "INSERT OR REPLACE INTO flow \
                   (flow_id, waba_id, app_id, name, categories, status, json, endpoint_uri, updated_ms) \
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
        sqlx::query(sql)
            .bind(stored(flow_id))
            .bind(stored(flow.waba_id))
            .bind(stored(flow.app_id))
            .bind(&flow.name)
            .bind(flow.categories.join(","))
            .bind(flow.status.name())
            .bind(&flow.json)
            .bind(&flow.endpoint_uri)
            .bind(flow.updated_ms)
            .execute(&self.pool)
            .await?;
        Ok(Flow { flow_id, ..flow })
    }

    pub async fn flow(&self, waba_id: u64, flow_id: u64) -> Result<Option<Flow>, StoreError> {
        let sql = format!("{FLOW} WHERE flow_id = ? AND waba_id = ?");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(stored(flow_id))
            .bind(stored(waba_id))
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.as_ref().map(flow))
    }

    /// Newest first, at most `limit`.
    pub async fn flows(&self, waba_id: u64, limit: u32) -> Result<Vec<Flow>, StoreError> {
        let sql = format!("{FLOW} WHERE waba_id = ? ORDER BY updated_ms DESC, flow_id LIMIT ? + 0");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(stored(waba_id))
            .bind(limit)
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.iter().map(flow).collect())
    }

    /// The one that was changed last where several have the name; published ones before drafts.
    pub async fn flow_by_name(&self, waba_id: u64, name: &str) -> Result<Option<Flow>, StoreError> {
        let sql = format!(
            "{FLOW} WHERE waba_id = ? AND name = ? ORDER BY status = 'PUBLISHED' DESC, updated_ms DESC LIMIT 1"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(stored(waba_id))
            .bind(name)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.as_ref().map(flow))
    }

    pub async fn count_flows(&self, waba_id: u64) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT COUNT(*) FROM flow WHERE waba_id = ?")
            .bind(stored(waba_id))
            .fetch_one(&self.pool)
            .await?;
        Ok(loaded(row.get(0)))
    }

    pub async fn delete_flow(&self, flow_id: u64) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM flow WHERE flow_id = ?")
            .bind(stored(flow_id))
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// PEM, as registered.
    pub async fn set_flow_key(&self, phone_number_id: u64, pem: &str) -> Result<(), StoreError> {
        sqlx::query("INSERT OR REPLACE INTO flow_key (phone_number_id, public_key) VALUES (?, ?)")
            .bind(stored(phone_number_id))
            .bind(pem)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    pub async fn flow_key(&self, phone_number_id: u64) -> Result<Option<String>, StoreError> {
        let row = sqlx::query("SELECT public_key FROM flow_key WHERE phone_number_id = ?")
            .bind(stored(phone_number_id))
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map(|row| row.get(0)))
    }
}
