//! Message templates of a business.

use kabar_protocol::{
    ids::AccountId,
    wire::{
        self, CreateTemplate, DeleteTemplates, ListTemplates, MessageCategory, MessageTemplate, TemplateList,
        TemplateStatus,
        create_template_outcome::{Exists, Outcome},
    },
};

use super::{review, store};
use crate::{
    app::App,
    db::{DbError, Row, Tx, params},
    error::{Failure, reason},
    limits::RateLimit,
    socket::Identity,
};

/// Templates of one business, all languages.
const TEMPLATES_MAX: i64 = 6_000;
/// Approval in memory: a campaign asks for the same template again and again.
pub(super) const APPROVED_CACHED_MAX: usize = 10_000;

async fn waba_of(app: &App, account: AccountId) -> Result<u64, Failure> {
    let number = store::number_of_account(&mut app.db.reader().await?, account).await?;
    let number = number.ok_or_else(|| Failure::denied(reason::POLICY, "this account is no business number"))?;
    Ok(number.waba_id)
}

/// Keeps a template with the verdict of its review.
pub(crate) async fn create_template(
    app: &App,
    identity: Identity,
    request: CreateTemplate,
) -> Result<Outcome, Failure> {
    app.limits
        .check(RateLimit::Lookups, identity.account.as_slice(), app.now_ms())?;
    let waba_id = waba_of(app, identity.account).await?;
    let mut template = request
        .template
        .ok_or_else(|| Failure::invalid("create_template.template", "is missing"))?;
    review::check_form(&template)?;
    let verdict = review::review(&template);
    template.status = match verdict {
        Ok(()) => TemplateStatus::Approved.into(),
        Err(_) => TemplateStatus::Rejected.into(),
    };
    template.rejected_reason = verdict.err().unwrap_or_default();
    template.template_id = u64::from_be_bytes(app.random()) % 900_000_000_000_000 + 100_000_000_000_000;
    template.created_ms = app.now_ms();
    let input = (waba_id, template);
    let created = app
        .db
        .write(input, |tx, (waba_id, template)| {
            Box::pin(insert(tx, *waba_id, template))
        })
        .await?;
    match created {
        Created::Yes(template) => Ok(Outcome::Created(template)),
        Created::Exists => Ok(Outcome::Exists(Exists {})),
        Created::TooMany => {
            let rule = format!("a business has at most {TEMPLATES_MAX} templates");
            Err(Failure::invalid("create_template.template", rule))
        }
    }
}

enum Created {
    Yes(MessageTemplate),
    Exists,
    TooMany,
}

async fn insert(tx: &mut Tx, waba_id: u64, template: &MessageTemplate) -> Result<Created, DbError> {
    let sql = "SELECT CAST(COUNT(*) AS BIGINT) FROM message_template WHERE waba_id = $1";
    let count = tx.fetch_optional(sql, params![waba_id]).await?;
    if count.map_or(Ok(0), |row| row.get::<i64>(0))? >= TEMPLATES_MAX {
        return Ok(Created::TooMany);
    }
    let sql = "INSERT INTO message_template (waba_id, name, language, template_id, category, components, \
               named_parameters, status, rejected_reason, created_ms) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING";
    let values = params![
        waba_id,
        template.name.as_str(),
        template.language.as_str(),
        template.template_id,
        i64::from(template.category),
        template.components.as_str(),
        template.named_parameters,
        i64::from(template.status),
        template.rejected_reason.as_str(),
        template.created_ms
    ];
    Ok(match tx.execute(sql, values).await? {
        1 => Created::Yes(template.clone()),
        _ => Created::Exists,
    })
}

pub(crate) async fn list_templates(
    app: &App,
    identity: Identity,
    request: ListTemplates,
) -> Result<TemplateList, Failure> {
    let waba_id = waba_of(app, identity.account).await?;
    let templates = read(&mut app.db.reader().await?, waba_id).await?;
    let fits = |template: &MessageTemplate| {
        request.name.as_ref().is_none_or(|name| *name == template.name)
            && request
                .language
                .as_ref()
                .is_none_or(|language| *language == template.language)
    };
    Ok(TemplateList {
        templates: templates.into_iter().filter(fits).collect(),
    })
}

async fn read(tx: &mut Tx, waba_id: u64) -> Result<Vec<MessageTemplate>, DbError> {
    let sql = "SELECT name, language, template_id, category, components, named_parameters, status, rejected_reason, \
               created_ms FROM message_template WHERE waba_id = $1 ORDER BY name, language";
    tx.fetch(sql, params![waba_id]).await?.iter().map(template).collect()
}

fn template(row: &Row) -> Result<MessageTemplate, DbError> {
    let number = |value: i64| i32::try_from(value).unwrap_or_default();
    Ok(MessageTemplate {
        name: row.get(0)?,
        language: row.get(1)?,
        template_id: row.get(2)?,
        category: number(row.get(3)?),
        components: row.get(4)?,
        named_parameters: row.get(5)?,
        status: number(row.get(6)?),
        rejected_reason: row.get(7)?,
        created_ms: row.get(8)?,
    })
}

/// Deletes a name in every language, or one template of it; how many there were.
pub(crate) async fn delete_templates(app: &App, identity: Identity, request: DeleteTemplates) -> Result<u32, Failure> {
    let waba_id = waba_of(app, identity.account).await?;
    let input = (waba_id, request);
    let deleted = app
        .db
        .write(input, |tx, (waba_id, request)| {
            Box::pin(async move {
                let sql = "DELETE FROM message_template WHERE waba_id = $1 AND name = $2 \
                           AND ($3 = 0 OR template_id = $3)";
                tx.execute(sql, params![*waba_id, request.name.as_str(), request.template_id])
                    .await
            })
        })
        .await?;
    // Few, rare, and each may be cached under its id: all are asked for again.
    app.business.approved.retain(|_| false);
    Ok(u32::try_from(deleted).unwrap_or(u32::MAX))
}

/// True if a business may send by this template in this category.
pub(super) async fn is_approved(
    app: &App,
    waba_id: u64,
    template_id: u64,
    category: MessageCategory,
) -> Result<bool, Failure> {
    let key = (waba_id, template_id, i32::from(category));
    if app.business.approved.get(&key).is_some() {
        return Ok(true);
    }
    let templates = read(&mut app.db.reader().await?, waba_id).await?;
    let approved = templates.iter().any(|template| {
        template.template_id == template_id
            && template.category() == category
            && template.status() == wire::TemplateStatus::Approved
    });
    if approved {
        app.business.approved.insert(key, ());
    }
    Ok(approved)
}
