//! What members may read beside their queue: the log of commits, the group's public side, receipts.

use kabar_protocol::{
    ids::ConversationId,
    limits::{LOG_ITEMS_PER_PAGE_MAX, RECEIPTS_PER_REQUEST_MAX},
    wire::{
        self, Deliver, Delivered, LogPage, ReceiptsPage,
        deliver::Kind,
        group_info_outcome::{Info, NotFound, Outcome},
    },
};
use prost::Message as _;

use super::{commit_store::StoredGroup, conversation, group_check};
use crate::{
    app::App,
    db::{Rows, params},
    error::{Failure, reason},
    limits::RateLimit,
    socket::Identity,
};

/// A page of the log ends after so many bytes, with one item at least.
const LOG_PAGE_BYTES_MAX: usize = 512 * 1024;

fn parse(parameter: &'static str, id: &[u8]) -> Result<ConversationId, Failure> {
    ConversationId::from_slice(id).map_err(|rule| Failure::invalid(parameter, rule))
}

fn check_rate(app: &App, reader: Identity) -> Result<(), Failure> {
    app.limits
        .check(RateLimit::Reads, reader.device.as_slice(), app.now_ms())
}

/// When the person of a business conversation last wrote content.
pub(crate) async fn last_content_ms(app: &App, id: ConversationId) -> Result<Option<i64>, Failure> {
    let sql = "SELECT time_ms FROM last_content WHERE conversation_id = $1";
    let row = app.db.reader().await?.fetch_optional(sql, params![id]).await?;
    Ok(row.map(|row| row.get(0)).transpose()?)
}

pub(crate) async fn exists(app: &App, id: &[u8]) -> Result<bool, Failure> {
    let id = parse("create_conversation.conversation_id", id)?;
    Ok(conversation::conversation(app, id).await?.is_some())
}

/// Commits after a sequence, oldest first. Accounts with a leaf may read it: a device resyncs by it.
pub(crate) async fn fetch_log(app: &App, reader: Identity, request: wire::FetchLog) -> Result<LogPage, Failure> {
    check_rate(app, reader)?;
    let id = parse("fetch_log.conversation_id", &request.conversation_id)?;
    if request.limit == 0 || request.limit > LOG_ITEMS_PER_PAGE_MAX {
        return Err(Failure::invalid(
            "fetch_log.limit",
            format!("must be 1 to {LOG_ITEMS_PER_PAGE_MAX}"),
        ));
    }
    let conversation = conversation::conversation(app, id).await?;
    if conversation.is_none_or(|conversation| !conversation.has_account(reader.account)) {
        return Err(Failure::denied(
            reason::NOT_A_MEMBER,
            "this account has no device in the conversation",
        ));
    }
    let sql = "SELECT envelope FROM conversation_log WHERE conversation_id = $1 AND seq > $2 AND kind = $3 \
               ORDER BY seq LIMIT $4 + 0";
    let kind = i64::from(Kind::Commit as i32);
    let after = super::send::counter("fetch_log.after_seq", request.after_seq)?;
    let rows = app
        .db
        .reader()
        .await?
        .fetch(sql, params![id, after, kind, request.limit + 1])
        .await?;
    let mut page = LogPage::default();
    let mut bytes = 0;
    for row in &rows {
        if page.items.len() == request.limit as usize || bytes > LOG_PAGE_BYTES_MAX {
            page.more = true;
            break;
        }
        let envelope: Vec<u8> = row.get(0)?;
        bytes += envelope.len();
        let item = Deliver::decode(envelope.as_slice()).map_err(|error| Failure::internal(&error))?;
        page.items.push(item);
    }
    Ok(page)
}

/// What an external commit is built from; for accounts of the roster.
pub(crate) async fn fetch_group_info(
    app: &App,
    reader: Identity,
    request: wire::FetchGroupInfo,
) -> Result<Outcome, Failure> {
    check_rate(app, reader)?;
    let id = parse("fetch_group_info.conversation_id", &request.conversation_id)?;
    let Some(stored) = group_check::group_for(app, id, reader.account).await? else {
        return Ok(Outcome::NotFound(NotFound {}));
    };
    Ok(Outcome::Info(described(stored)))
}

pub(super) fn described(stored: StoredGroup) -> Info {
    Info {
        generation: stored.generation,
        epoch: stored.epoch,
        kind: stored.kind.into(),
        group_info: stored.group_info,
        seq: stored.last_seq,
    }
}

/// How far each account's devices are, in the conversations that the reader is in.
pub(crate) async fn fetch_receipts(
    app: &App,
    reader: Identity,
    request: wire::FetchReceipts,
) -> Result<ReceiptsPage, Failure> {
    check_rate(app, reader)?;
    if request.conversation_ids.len() > RECEIPTS_PER_REQUEST_MAX {
        let rule = format!("at most {RECEIPTS_PER_REQUEST_MAX}");
        return Err(Failure::invalid("fetch_receipts.conversation_ids", rule));
    }
    let ids = request.conversation_ids.iter();
    let ids = ids.map(|id| parse("fetch_receipts.conversation_ids", id));
    let conversations = conversation::conversations(app, &ids.collect::<Result<_, _>>()?).await?;
    let mut keys = Rows::new(1);
    for conversation in conversations.values() {
        if conversation.has_account(reader.account) {
            keys.push([conversation.id.into()]);
        }
    }
    let sql = "SELECT conversation_id, account_id, seq FROM receipt WHERE conversation_id IN (VALUES {rows})";
    let mut page = ReceiptsPage::default();
    for row in app.db.reader().await?.fetch_rows(sql, &keys).await? {
        page.receipts.push(Delivered {
            conversation_id: row.get::<ConversationId>(0)?.to_bytes(),
            account_id: row.get::<kabar_protocol::ids::AccountId>(1)?.to_bytes(),
            seq: row.get(2)?,
        });
    }
    Ok(page)
}
