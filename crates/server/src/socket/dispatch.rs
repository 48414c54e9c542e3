//! Which slice answers which frame.
//!
//! Sends and acknowledgements go to the batcher without a task; opening a session is answered in line, because
//! everything after it depends on it; every other request runs in a task of its own.

use std::{future::Future, sync::Arc};

use kabar_protocol::{
    VERSIONS,
    limits::{CIPHERTEXT_BYTES_MAX, FRAME_BYTES_MAX, KEY_PACKAGES_MAX, MEMBERS_MAX, TEXT_CHARS_MAX},
    wire::{self, client_frame::Body as Request, register_outcome, send_outcome, server_frame::Body as Response},
};

use super::{CloseCode, Identity, Session, frame};
use crate::{
    accounts,
    accounts::Registered,
    app::App,
    billing, business, commerce,
    error::{Failure, reason},
    media,
    messaging::{self, Bill},
    metrics::Metrics,
    reports,
};

/// Answers a request, now or later, with exactly one frame.
pub(super) async fn request(app: &App, session: &Arc<Session>, request_id: u64, body: Request) {
    session.begin_request();
    match body {
        Request::Ping(_) => {
            let server_time_ms = app.now_ms();
            session.respond(frame::response(
                request_id,
                Response::Pong(wire::Pong { server_time_ms }),
            ));
        }
        Request::Authenticate(body) => {
            let outcome = Box::pin(authenticate(app, session, request_id, body)).await;
            refuse_on_error(app, session, request_id, outcome);
        }
        Request::Register(body) => {
            let outcome = Box::pin(register(app, session, request_id, body)).await;
            refuse_on_error(app, session, request_id, outcome);
        }
        body => match session.identity() {
            None => {
                let rule = "authenticate or register first";
                let failure = Failure::unauthenticated(reason::SESSION_REQUIRED, rule);
                session.respond(frame::failure(request_id, failure));
            }
            Some(identity) => {
                let mut bill = None;
                if let Request::Send(send) = &body
                    && session.is_business()
                {
                    match Box::pin(admitted(app, session, request_id, identity, send)).await {
                        Admitted::Send(admitted) => bill = admitted,
                        Admitted::Answered => return,
                    }
                }
                authenticated(app, session, request_id, identity, body, bill);
            }
        },
    }
}

/// What became of a business's send.
enum Admitted {
    /// It may go on, charged as this.
    Send(Option<Bill>),
    Answered,
}

/// A business's send is judged before it queues for a batch, in line: its sends keep their order.
async fn admitted(app: &App, session: &Session, request_id: u64, identity: Identity, send: &wire::Send) -> Admitted {
    match business::admit(app, identity, send).await {
        Ok(None) => match billing::quote(app, identity.account, send).await {
            Ok(bill) => Admitted::Send(bill),
            Err(failure) => {
                refuse(app, session, request_id, failure);
                Admitted::Answered
            }
        },
        Ok(Some(refused)) => {
            let outcome = wire::SendOutcome {
                outcome: Some(send_outcome::Outcome::BusinessRefused(refused)),
            };
            session.respond(frame::response(request_id, Response::Send(outcome)));
            Admitted::Answered
        }
        Err(failure) => {
            refuse(app, session, request_id, failure);
            Admitted::Answered
        }
    }
}

fn authenticated(
    app: &App,
    session: &Arc<Session>,
    request_id: u64,
    identity: Identity,
    body: Request,
    bill: Option<Bill>,
) {
    match body {
        Request::Send(body) => {
            let outcome = messaging::send(app, session, request_id, identity, body, bill);
            refuse_on_error(app, session, request_id, outcome);
        }
        Request::Ack(body) => {
            let outcome = messaging::ack(app, session, request_id, identity, body);
            refuse_on_error(app, session, request_id, outcome);
        }
        body => {
            let (app, session) = (app.clone(), Arc::clone(session));
            app.tasks.clone().spawn(async move {
                let answer = answer(&app, &session, identity, body).await;
                match answer {
                    Ok(body) => session.respond(frame::response(request_id, body)),
                    Err(failure) => refuse(&app, &session, request_id, failure),
                }
            });
        }
    }
}

fn refuse_on_error(app: &App, session: &Session, request_id: u64, outcome: Result<(), Failure>) {
    if let Err(failure) = outcome {
        refuse(app, session, request_id, failure);
    }
}

fn refuse(app: &App, session: &Session, request_id: u64, failure: Failure) {
    Metrics::count(&app.metrics.errors);
    session.respond(frame::failure(request_id, failure));
}

async fn answer(app: &App, session: &Session, identity: Identity, body: Request) -> Result<Response, Failure> {
    use wire as w;
    Ok(match body {
        Request::RequestPhoneCode(body) => {
            let outcome = Some(accounts::request_phone_code(app, identity, body).await?);
            Response::RequestPhoneCode(w::RequestPhoneCodeOutcome { outcome })
        }
        Request::VerifyPhone(body) => {
            let outcome = Some(accounts::verify_phone(app, identity, body).await?);
            Response::VerifyPhone(w::VerifyPhoneOutcome { outcome })
        }
        Request::SetUsername(body) => {
            let outcome = Some(accounts::set_username(app, identity, body).await?);
            Response::SetUsername(w::SetUsernameOutcome { outcome })
        }
        Request::FindAccount(body) => {
            let outcome = Some(business::find_account(app, identity, body).await?);
            Response::FindAccount(w::FindAccountOutcome { outcome })
        }
        Request::FetchDeviceList(body) => {
            let outcome = Some(accounts::fetch_device_list(app, &body).await?);
            Response::DeviceList(w::DeviceListOutcome { outcome })
        }
        Request::AppendDeviceListEntry(body) => {
            let outcome = Some(append_entry(app, identity, body).await?);
            Response::AppendDeviceListEntry(w::AppendDeviceListEntryOutcome { outcome })
        }
        Request::PublishKeyPackages(body) => {
            let left = boxed(accounts::publish_key_packages(app, identity, body)).await?;
            Response::KeyPackagesPublished(w::KeyPackagesPublished { left })
        }
        Request::ClaimKeyPackages(body) => {
            let outcome = Some(boxed(accounts::claim_key_packages(app, identity, body)).await?);
            Response::ClaimKeyPackages(w::ClaimKeyPackagesOutcome { outcome })
        }
        Request::CreateConversation(body) => {
            let outcome = Some(boxed(create_conversation(app, session, identity, body)).await?);
            Response::CreateConversation(w::CreateConversationOutcome { outcome })
        }
        Request::SubmitCommit(body) => {
            let outcome = Some(boxed(messaging::submit_commit(app, identity, body)).await?);
            Response::SubmitCommit(w::SubmitCommitOutcome { outcome })
        }
        Request::ResetConversation(body) => {
            let outcome = Some(boxed(messaging::reset_conversation(app, identity, body)).await?);
            Response::ResetConversation(w::ResetConversationOutcome { outcome })
        }
        Request::FetchLog(body) => Response::LogPage(messaging::fetch_log(app, identity, body).await?),
        Request::FetchGroupInfo(body) => {
            let outcome = Some(messaging::fetch_group_info(app, identity, body).await?);
            Response::GroupInfo(w::GroupInfoOutcome { outcome })
        }
        Request::FetchReceipts(body) => Response::Receipts(messaging::fetch_receipts(app, identity, body).await?),
        Request::Typing(body) => {
            messaging::typing(app, identity, body).await?;
            Response::EphemeralAccepted(w::EphemeralAccepted {})
        }
        Request::Presence(body) => {
            messaging::presence(app, identity, body).await?;
            Response::EphemeralAccepted(w::EphemeralAccepted {})
        }
        Request::Report(body) => {
            reports::report(app, identity, body).await?;
            Response::ReportAccepted(w::ReportAccepted {})
        }
        Request::BeginUpload(body) => Response::UploadBegun(media::begin_upload(app, identity, body).await?),
        other => return answer_deletions(app, identity, other).await,
    })
}

/// What is taken back.
async fn answer_deletions(app: &App, identity: Identity, body: Request) -> Result<Response, Failure> {
    Ok(match body {
        Request::Withdraw(body) => Response::Withdrawn(boxed(messaging::withdraw(app, identity, body)).await?),
        Request::DeleteFile(body) => Response::FileDeleted(boxed(media::delete_file(app, identity, body)).await?),
        other => return answer_invites(app, identity, other).await,
    })
}

/// What is asked about links into groups.
async fn answer_invites(app: &App, identity: Identity, body: Request) -> Result<Response, Failure> {
    Ok(match body {
        Request::PublishInvite(body) => {
            let outcome = Some(messaging::publish_invite(app, identity, body).await?);
            Response::PublishInvite(wire::PublishInviteOutcome { outcome })
        }
        Request::RevokeInvite(body) => {
            let outcome = Some(messaging::revoke_invite(app, identity, body).await?);
            Response::RevokeInvite(wire::RevokeInviteOutcome { outcome })
        }
        Request::FetchInvite(body) => {
            let outcome = Some(messaging::fetch_invite(app, identity, body).await?);
            Response::Invite(wire::InviteOutcome { outcome })
        }
        Request::FetchInvitedGroup(body) => {
            let outcome = Some(messaging::fetch_invited_group(app, identity, body).await?);
            Response::GroupInfo(wire::GroupInfoOutcome { outcome })
        }
        Request::RequestJoin(body) => {
            let outcome = Some(messaging::request_join(app, identity, body).await?);
            Response::RequestJoin(wire::RequestJoinOutcome { outcome })
        }
        Request::FetchJoinRequests(body) => {
            Response::JoinRequests(messaging::fetch_join_requests(app, identity, body).await?)
        }
        Request::DeclineJoinRequest(body) => {
            messaging::decline_join_request(app, identity, body).await?;
            Response::JoinRequestDeclined(wire::JoinRequestDeclined {})
        }
        other => return answer_business(app, identity, other).await,
    })
}

/// What only a business number asks.
async fn answer_business(app: &App, identity: Identity, body: Request) -> Result<Response, Failure> {
    Ok(match body {
        Request::FetchWindow(body) => Response::Window(business::fetch_window(app, identity, &body).await?),
        Request::CreateTemplate(body) => {
            let outcome = Some(boxed(business::create_template(app, identity, body)).await?);
            Response::CreateTemplate(wire::CreateTemplateOutcome { outcome })
        }
        Request::ListTemplates(body) => Response::Templates(business::list_templates(app, identity, body).await?),
        Request::DeleteTemplates(body) => {
            let count = business::delete_templates(app, identity, body).await?;
            Response::TemplatesDeleted(wire::TemplatesDeleted { count })
        }
        Request::FetchPrices(_) => Response::Prices(billing::fetch_prices(app, identity.account).await?),
        Request::FetchCharges(body) => {
            Response::Charges(boxed(billing::fetch_charges(app, identity.account, &body)).await?)
        }
        other => return answer_commerce(app, identity, other).await,
    })
}

/// What the two sides of a payment ask.
async fn answer_commerce(app: &App, identity: Identity, body: Request) -> Result<Response, Failure> {
    let payment = |outcome| {
        let outcome = Some(outcome);
        Response::Payment(wire::PaymentOutcome { outcome })
    };
    Ok(match body {
        Request::RegisterOrder(body) => {
            let outcome = Some(boxed(commerce::register_order(app, identity, body)).await?);
            Response::RegisterOrder(wire::RegisterOrderOutcome { outcome })
        }
        Request::Pay(body) => {
            let outcome = Some(boxed(commerce::pay(app, identity, body)).await?);
            Response::Pay(wire::PayOutcome { outcome })
        }
        Request::SettlePayment(body) => payment(boxed(commerce::settle_payment(app, identity, body)).await?),
        Request::RefundPayment(body) => payment(boxed(commerce::refund_payment(app, identity, body)).await?),
        Request::FetchPayment(body) => payment(boxed(commerce::fetch_payment(app, identity, &body)).await?),
        Request::FetchOwnPayment(body) => payment(boxed(commerce::fetch_own_payment(app, identity, &body)).await?),
        Request::FetchPaymentChanges(body) => {
            Response::PaymentChanges(boxed(commerce::fetch_payment_changes(app, identity, body)).await?)
        }
        // Answered by `request` and `authenticated` already.
        _ => return Err(Failure::internal(&"a frame went the wrong way")),
    })
}

/// Large handlers live on the heap, so that a small one's task stays small.
fn boxed<'a, T>(
    future: impl Future<Output = Result<T, Failure>> + Send + 'a,
) -> futures_util::future::BoxFuture<'a, Result<T, Failure>> {
    Box::pin(future)
}

/// What a business may begin, `business` decides; the rest is `messaging`'s.
async fn create_conversation(
    app: &App,
    session: &Session,
    identity: Identity,
    body: wire::CreateConversation,
) -> Result<wire::create_conversation_outcome::Outcome, Failure> {
    business::check_kind(app, identity, &body).await?;
    if session.is_business()
        && let Some(first) = &body.first
        && let Some(refused) = business::admit(app, identity, first).await?
    {
        let reason = match refused.rule() {
            send_outcome::business_refused::Rule::Template => reason::TEMPLATE_REFUSED,
            _ => reason::WINDOW_CLOSED,
        };
        return Err(Failure::denied(reason, refused.message));
    }
    let bill = match &body.first {
        Some(first) if session.is_business() => billing::quote(app, identity.account, first).await?,
        _ => None,
    };
    // One that exists is this very request, repeated: its first message may have been taken in already.
    if let Some(bill) = &bill
        && !messaging::exists(app, &body.conversation_id).await?
        && let Some(short) = billing::refused(app, bill).await?
    {
        return Err(Failure::denied(reason::BALANCE_SHORT, short));
    }
    messaging::create_conversation(app, identity, session.is_business(), body, bill).await
}

/// A revocation reaches further than its slice: the device's socket, its queue, its conversations.
async fn append_entry(
    app: &App,
    identity: Identity,
    body: wire::AppendDeviceListEntry,
) -> Result<wire::append_device_list_entry_outcome::Outcome, Failure> {
    let appended = accounts::append_entry(app, identity, body).await?;
    for device in appended.revoked {
        if let Some(session) = app.bus.session(device) {
            session.close(CloseCode::Policy, Some(accounts::device_revoked()));
        }
        messaging::drop_device(app, device).await?;
    }
    Ok(appended.outcome)
}

async fn authenticate(
    app: &App,
    session: &Arc<Session>,
    request_id: u64,
    body: wire::Authenticate,
) -> Result<(), Failure> {
    unclaimed(session)?;
    let identity = accounts::authenticate(app, session, &body).await?;
    open_session(
        app,
        session,
        request_id,
        identity,
        body.resume_cursor,
        Response::Session,
    )
    .await
}

async fn register(app: &App, session: &Arc<Session>, request_id: u64, body: wire::Register) -> Result<(), Failure> {
    unclaimed(session)?;
    let registered = match body.enrolment_code {
        Some(_) => business::enrol(app, session, body).await?,
        None => accounts::register(app, session, body).await?,
    };
    match registered {
        Registered::Account(identity) => {
            let outcome = |session| {
                Response::Register(wire::RegisterOutcome {
                    outcome: Some(register_outcome::Outcome::Session(session)),
                })
            };
            open_session(app, session, request_id, identity, 0, outcome).await
        }
        Registered::Refused(reason) => {
            let refused = register_outcome::Refused { reason: reason.into() };
            let outcome = wire::RegisterOutcome {
                outcome: Some(register_outcome::Outcome::Refused(refused)),
            };
            session.respond(frame::response(request_id, Response::Register(outcome)));
            Ok(())
        }
    }
}

fn unclaimed(session: &Session) -> Result<(), Failure> {
    match session.identity() {
        None => Ok(()),
        Some(_) => Err(Failure::denied(
            reason::SESSION_EXISTS,
            "this socket is a device's already",
        )),
    }
}

/// Makes the socket the device's: routes to it, answers, and begins deliveries behind `resume_cursor`.
async fn open_session(
    app: &App,
    session: &Arc<Session>,
    request_id: u64,
    identity: Identity,
    resume_cursor: u64,
    outcome: impl FnOnce(wire::Session) -> Response,
) -> Result<(), Failure> {
    let inbox = messaging::open_inbox(app, identity.device).await?;
    let facts = accounts::session_facts(app, identity.account, identity.device).await?;
    if facts.is_business {
        session.set_business();
        app.limits
            .add_business([identity.account.as_slice(), identity.device.as_slice()]);
    }
    session.authenticate(identity);
    // Attached before the queue is read: what comes in between is noticed as new.
    if let Some(earlier) = app.bus.attach(identity.device, Arc::clone(session)) {
        let rule = "the device has opened another socket";
        let failure = Failure::unauthenticated(reason::SESSION_REPLACED, rule);
        earlier.close(CloseCode::Policy, Some(failure));
    }
    // A revocation that came while this session opened has not seen it.
    if !accounts::is_current(app, identity).await? {
        session.close(CloseCode::Policy, Some(accounts::device_revoked()));
        return Err(accounts::device_revoked());
    }
    let answer = wire::Session {
        version: VERSIONS[0],
        server_time_ms: app.now_ms(),
        timeline: app.timeline.to_bytes(),
        client_seq: inbox.client_seq,
        key_packages_left: facts.key_packages_left,
        limits: Some(limits()),
        device_list_version: facts.list_version,
        username: facts.username,
        phone_verified: facts.phone_verified,
    };
    session.respond(frame::response(request_id, outcome(answer)));
    // A cursor from another life of the database says nothing about this one's queue.
    let resume = if resume_cursor > inbox.last_cursor {
        0
    } else {
        resume_cursor
    };
    session.begin_delivery(resume.max(inbox.acked_cursor), inbox.acked_cursor);
    Ok(())
}

fn limits() -> wire::Limits {
    let small = |limit: usize| u32::try_from(limit).unwrap_or(u32::MAX);
    wire::Limits {
        frame_bytes_max: small(FRAME_BYTES_MAX),
        ciphertext_bytes_max: small(CIPHERTEXT_BYTES_MAX),
        text_chars_max: small(TEXT_CHARS_MAX),
        key_packages_max: KEY_PACKAGES_MAX,
        members_max: small(MEMBERS_MAX),
    }
}
