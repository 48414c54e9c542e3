//! The two businesses of the box office, each with a number, an app and a token; made once, kept in `demo/business.json`.
//!
//! The file holds secrets and is its owner's alone. It is written after every step: what a crash leaves half done goes on.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use kabar_gateway::admin as gateway;
use kabar_server::{Config, admin};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{hosted, output::Failure};

pub(super) struct ShopPlan {
    /// As the box office calls it.
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) phone: &'static str,
}

pub(super) const SHOPS: [ShopPlan; 2] = [
    ShopPlan {
        id: "cinema",
        name: "Bioskop Kota",
        phone: "+622150001000",
    },
    ShopPlan {
        id: "bus",
        name: "Bus Mudik",
        phone: "+622150002000",
    },
];

/// The shop of the developer's console (`/b/demo`): no box office answers for it.
pub(super) const CONSOLE: ShopPlan = ShopPlan {
    id: "demo",
    name: "Toko Demo",
    phone: "+622150000000",
};

/// What a program needs to speak for a business.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Shop {
    #[serde(default)]
    pub(super) waba_id: String,
    #[serde(default)]
    pub(super) app_id: String,
    #[serde(default)]
    pub(super) app_secret: String,
    #[serde(default)]
    pub(super) access_token: String,
    #[serde(default)]
    pub(super) phone_number_id: String,
}

/// A shop that is complete.
pub(super) fn find(book: &Path, id: &str) -> Option<Shop> {
    let shop = read(book).ok()?.shops.remove(id)?;
    (!shop.phone_number_id.is_empty()).then_some(shop)
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Book {
    url: String,
    shops: std::collections::BTreeMap<String, Shop>,
}

pub(super) async fn open(config: &Config, directory: &Path, server: &str) {
    super::person::missed("a shop", make(config, directory, server).await);
}

async fn make(config: &Config, directory: &Path, server: &str) -> Result<(), Failure> {
    let path = directory.join("business.json");
    let mut book = read(&path)?;
    for plan in SHOPS.iter().chain([&CONSOLE]) {
        loop {
            let shop = book.shops.entry(plan.id.to_owned()).or_default();
            if !step(config, plan, shop).await? {
                break;
            }
            write(&path, &book)?;
        }
    }
    // Last: whoever waits for this address then finds everything. A server that listens everywhere is also here.
    server.replace("//0.0.0.0:", "//127.0.0.1:").clone_into(&mut book.url);
    write(&path, &book)?;
    // At every start: the port may be another one.
    let console = book.shops.get(CONSOLE.id).cloned().unwrap_or_default();
    let subscribe = gateway::Command::WebhookSet {
        app_id: number(&console.app_id)?,
        url: format!("{}{}", book.url, super::console::HOOK_PATH),
        verify_token: super::console::VERIFY_TOKEN.into(),
    };
    hosted::call(config, subscribe).await?;
    Ok(())
}

/// Makes the first thing that a shop lacks; false if it lacks nothing.
async fn step(config: &Config, plan: &ShopPlan, shop: &mut Shop) -> Result<bool, Failure> {
    if shop.waba_id.is_empty() {
        let create = admin::Command::BusinessCreate { name: plan.name.into() };
        let business = admin::call_with(config.clone(), create).await?;
        shop.waba_id = text(&business, "waba_id")?;
    } else if shop.app_id.is_empty() {
        let waba_id = number(&shop.waba_id)?;
        let app = hosted::call(config, gateway::Command::AppCreate { waba_id }).await?;
        shop.app_id = text(&app, "app_id")?;
        shop.app_secret = text(&app, "app_secret")?;
    } else if shop.access_token.is_empty() {
        let app_id = number(&shop.app_id)?;
        let token = hosted::call(config, gateway::Command::TokenCreate { app_id }).await?;
        shop.access_token = text(&token, "access_token")?;
    } else if shop.phone_number_id.is_empty() {
        shop.phone_number_id = add_number(config, plan, number(&shop.waba_id)?).await?;
    } else {
        return Ok(false);
    }
    Ok(true)
}

async fn add_number(config: &Config, plan: &ShopPlan, waba_id: u64) -> Result<String, Failure> {
    let add = admin::Command::NumberAdd {
        waba_id,
        phone: plan.phone.into(),
        name: plan.name.into(),
        keys_at_business: false,
    };
    let added = admin::call_with(config.clone(), add).await?;
    let phone_number_id = text(&added, "phone_number_id")?;
    let enrol = gateway::Command::NumberAdd {
        waba_id,
        phone_number_id: number(&phone_number_id)?,
        phone: text(&added, "display_phone_number")?,
        name: plan.name.into(),
        enrolment_code: text(&added, "enrolment_code")?,
    };
    hosted::call(config, enrol).await?;
    Ok(phone_number_id)
}

fn read(path: &Path) -> Result<Book, Failure> {
    match fs::read(path) {
        Ok(bytes) => {
            serde_json::from_slice(&bytes).map_err(|error| Failure::new("demo", format!("{}: {error}", path.display())))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Book::default()),
        Err(error) => Err(error.into()),
    }
}

/// Whole or not at all.
fn write(path: &Path, book: &Book) -> Result<(), Failure> {
    let beside = path.with_extension("json.new");
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)?;
    let json = serde_json::to_vec_pretty(book).map_err(|error| Failure::new("demo", error.to_string()))?;
    file.write_all(&json)?;
    file.sync_all()?;
    fs::rename(beside, path)?;
    Ok(())
}

fn text(answer: &Value, name: &str) -> Result<String, Failure> {
    let text = answer.get(name).and_then(Value::as_str);
    text.map(str::to_owned)
        .ok_or_else(|| Failure::new("demo", format!("the server's answer has no {name}")))
}

fn number(text: &str) -> Result<u64, Failure> {
    text.parse()
        .map_err(|_| Failure::new("demo", "an id in business.json is no number"))
}
