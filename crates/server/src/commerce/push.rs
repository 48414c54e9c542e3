//! Both sides of a payment learn that it has changed, if they are online. A hint: the truth is fetched.

use kabar_protocol::wire::{PaymentChanged, server_frame::Body};

use super::{payment::Changed, state::Status};
use crate::{accounts, app::App, metrics::Metrics, socket::frame};

pub(super) async fn push(app: &App, changed: &Changed) {
    Metrics::count(match changed.payment.status {
        Status::Pending => &app.metrics.commerce_pending,
        Status::Authorised => &app.metrics.commerce_authorised,
        Status::Captured => &app.metrics.commerce_captured,
        Status::Voided => &app.metrics.commerce_voided,
        Status::Failed => &app.metrics.commerce_failed,
        Status::Refunded => &app.metrics.commerce_refunded,
    });
    let payment = changed.payment.wire(&changed.order);
    let encoded = frame::push(Body::PaymentChanged(PaymentChanged { payment: Some(payment) }));
    for account in [changed.order.payee, changed.order.person] {
        // A list that cannot be read now is a hint less.
        let Ok(Some(list)) = accounts::device_list(app, account).await else {
            continue;
        };
        for device in list.current() {
            if let Some(session) = app.bus.session(device.id) {
                session.push(encoded.clone());
            }
        }
    }
}
