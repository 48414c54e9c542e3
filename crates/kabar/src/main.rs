//! The one binary: server, operator's commands, command-line client, benchmarks.

mod admin;
mod bench;
mod chat;
mod demo;
mod gateway;
mod hosted;
mod output;
mod serve;
mod web;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::output::{Failure, Output};

/// Kabar, a messenger: end-to-end encrypted for people, paid for by companies.
#[derive(Debug, Parser)]
#[command(name = "kabar", version, propagate_version = true)]
struct Cli {
    /// Answer in JSON: one object, or one a line
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the messenger server
    Serve(serve::ServeArgs),
    /// Operate a server: works beside a running one
    Admin(admin::AdminArgs),
    /// Chat from the command line, encrypted like everywhere
    Chat(Box<chat::ChatArgs>),
    /// Serve the business API on a machine of your own, with the keys there
    Gateway(gateway::GatewayArgs),
    /// Put load on a running server and measure it
    Bench(bench::BenchArgs),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output { json: cli.json };
    log_to_stderr(&cli.command);
    let result = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::from)
        .and_then(|runtime| runtime.block_on(run(cli.command, output)));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.failure(&failure);
            ExitCode::FAILURE
        }
    }
}

/// `RUST_LOG` chooses. By itself a server tells what an operator wants to know, a command only its answer.
fn log_to_stderr(command: &Command) {
    let level = if matches!(command, Command::Serve(_) | Command::Gateway(_)) {
        // The bucket's client tells of every attempt; the server says once that the bucket is away.
        "info,object_store=off"
    } else {
        "off"
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
}

async fn run(command: Command, output: Output) -> Result<(), Failure> {
    match command {
        Command::Serve(args) => serve::run(args).await,
        Command::Admin(args) => admin::run(args, output).await,
        Command::Chat(args) => chat::run(*args, output).await,
        Command::Gateway(args) => gateway::run(args, output).await,
        Command::Bench(args) => bench::run(args, output).await,
    }
}
