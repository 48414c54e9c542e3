//! For unit tests: applications without a listener, on SQLite and PostgreSQL.

use crate::{App, Clock, Config};

async fn app(url: &str, directory: &tempfile::TempDir, clock: &Clock, configure: impl Fn(&mut Config)) -> App {
    let mut config = Config::default();
    configure(&mut config);
    config.server.data = directory.path().to_owned();
    config.database.url = url.into();
    App::open(config, "http://localhost:1".into(), clock.clone())
        .await
        .expect("an application")
}

/// Applications on SQLite and, where KABAR_TEST_POSTGRES_URL names one, on an empty PostgreSQL database.
pub(crate) async fn on_each_engine(clock: &Clock) -> Vec<(App, tempfile::TempDir)> {
    on_each_engine_with(clock, |_| {}).await
}

/// As [`on_each_engine`], with a configuration that differs from the default.
pub(crate) async fn on_each_engine_with(
    clock: &Clock,
    configure: impl Fn(&mut Config),
) -> Vec<(App, tempfile::TempDir)> {
    let directory = || tempfile::tempdir().expect("a directory");
    let sqlite = directory();
    let mut apps = vec![(app("", &sqlite, clock, &configure).await, sqlite)];
    if let Ok(url) = std::env::var("KABAR_TEST_POSTGRES_URL") {
        let name = format!("kabar_slice_{}", hex::encode(apps[0].0.random::<8>()));
        let pool = sqlx::PgPool::connect(&url)
            .await
            .expect("the PostgreSQL of KABAR_TEST_POSTGRES_URL");
        let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
        sqlx::raw_sql(create).execute(&pool).await.expect("a database");
        let (server, query) = url.split_once('?').unwrap_or((&url, ""));
        let base = server.rsplit_once('/').map_or(server, |(base, _)| base);
        let postgres = directory();
        let url = format!("{base}/{name}?{query}");
        apps.push((app(&url, &postgres, clock, &configure).await, postgres));
    }
    apps
}
