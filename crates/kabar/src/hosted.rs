//! The business gateway inside `kabar serve`: one listener, one admin socket, frames over a stream in the process.

use std::{path::Path, sync::Arc, time::Duration};

use axum::{Router, extract::Request, response::IntoResponse as _};
use futures_util::FutureExt as _;
use kabar_client::Dial;
use kabar_gateway::{
    Gateway, Options,
    admin::Command,
    graph::{GraphError, error::trace_id, path::is_gateway_path},
};
use kabar_server::{
    Config, Extra, Server,
    admin::{self, AdminError},
};
use serde_json::Value;
use tokio::{sync::SetOnce, time::timeout};
use tower::ServiceExt as _;

use crate::output::Failure;

/// Between the listener and the gateway behind it there are milliseconds; who comes in them waits, at most so long.
const START_WAIT: Duration = Duration::from_secs(10);

/// Filled once the server listens.
#[derive(Clone, Default)]
pub(crate) struct Hosted(Arc<SetOnce<Gateway>>);

impl Hosted {
    /// What the server needs to know of the gateway before it exists.
    pub(crate) fn extra(&self, web: Router) -> Extra {
        let (router, admin) = (self.clone(), self.clone());
        let route = move |request: Request| {
            let (hosted, web) = (router.clone(), web.clone());
            async move {
                if !is_gateway_path(request.method(), request.uri().path()) {
                    return web.oneshot(request).await.into_response();
                }
                match hosted.gateway().await {
                    Some(gateway) => gateway.router().oneshot(request).await.into_response(),
                    None => GraphError::unavailable("the gateway is starting").respond(&trace_id()),
                }
            }
        };
        Extra {
            router: Router::new().fallback(route),
            admin: Some(Arc::new(move |command: Value| {
                let hosted = admin.clone();
                async move {
                    let command = serde_json::from_value(command)
                        .map_err(|error| AdminError::new("parameter_invalid", error.to_string()))?;
                    match hosted.gateway().await {
                        Some(gateway) => run(gateway, command).await,
                        None => Err(AdminError::new("starting", "the gateway is starting: try again")),
                    }
                }
                .boxed()
            })),
        }
    }

    async fn gateway(&self) -> Option<&Gateway> {
        timeout(START_WAIT, self.0.wait()).await.ok()
    }

    /// Opens the gateway beside a server that listens, and starts its numbers.
    pub(crate) async fn start(&self, server: &Server, config: &Config) -> Result<(), Failure> {
        let options = Options {
            dial: Some(Dial(Arc::new(server.dialer()))),
            ..options(config, server.public_url())
        };
        let gateway = Gateway::open(options).await?;
        gateway.start().await?;
        // Nobody else sets it.
        let _ = self.0.set(gateway);
        Ok(())
    }

    pub(crate) async fn stop(&self) {
        if let Some(gateway) = self.0.get() {
            gateway.clone().shutdown().await;
        }
    }
}

fn options(config: &Config, public_url: &str) -> Options {
    Options {
        directory: config.server.data.join("gateway"),
        public_url: public_url.to_owned(),
        server: public_url.to_owned(),
        dial: None,
        allow_private: config.allow_private(),
    }
}

async fn run(gateway: &Gateway, command: Command) -> Result<Value, AdminError> {
    let outcome = gateway.admin(command).await;
    outcome.map_err(|error| AdminError::new(error.code, error.message))
}

/// Runs a command of the gateway on the server that holds the data; if none does, on the gateway's own directory.
pub(crate) async fn call(config: &Config, command: Command) -> Result<Value, AdminError> {
    let data: &Path = &config.server.data;
    let json = serde_json::to_value(&command).map_err(|error| AdminError::new("internal", error.to_string()))?;
    if let Some(answer) = admin::call_extension(data, json).await {
        return answer;
    }
    let opened = Gateway::open(options(config, &config.public_url())).await;
    let gateway = opened.map_err(|error| AdminError::new("gateway", error.to_string()))?;
    let outcome = run(&gateway, command).await;
    gateway.shutdown().await;
    outcome
}
