//! Answers and pushes of the server, handed to the rooms that asked for them.

use kabar_protocol::{ids::ConversationId, wire::server_frame::Body};

use crate::{
    api::Notification,
    commands::refusal,
    connection::{Answer, Purpose},
    state::State,
    tx::Step,
};

impl State {
    pub(crate) fn answered(&mut self, purpose: &Purpose, answer: &Answer) -> Step {
        match purpose {
            Purpose::Authenticate => self.authenticate_answered(answer),
            Purpose::Register => self.register_answered(answer),
            Purpose::Ping | Purpose::Ephemeral => {}
            Purpose::Ack { delivered, receipts } => self.ack_answered(delivered, receipts, answer),
            Purpose::KeyPackages => self.key_packages_answered(answer),
            Purpose::DeviceList(account) => self.device_list_answered(*account, answer),
            Purpose::Rollback => self.roll_back_answered(answer),
            Purpose::Receipts => self.receipts_answered(answer),
            Purpose::Find(command_id, command, text) => return self.found(*command_id, command, text, answer),
            Purpose::Command(command_id, command) => return self.command_answered(*command_id, command, answer),
            Purpose::Control(conversation, control) => return self.control_answered(*conversation, *control, answer),
            Purpose::Send(conversation, order) => self.send_answered(*conversation, *order, answer),
            Purpose::ReadReceipt(conversation, seq) => self.read_receipt_answered(*conversation, *seq, answer),
            Purpose::Card(account) => self.card_answered(*account, answer),
            Purpose::Payment(command_id) => self.payment_answered(*command_id, answer),
            Purpose::Upload(command_id) => self.upload_begun(*command_id, answer),
            Purpose::Report(command_id) => self.reported(*command_id, answer),
            Purpose::JoinRequests(command_id, conversation) => {
                self.join_requests_answered(*command_id, *conversation, answer);
            }
            Purpose::RequestJoin {
                command_id,
                link,
                preview,
            } => self.join_requested(*command_id, link, preview, answer),
            Purpose::Withdraw(command_id, conversation) => self.withdrawn(*command_id, *conversation, answer),
            Purpose::Business(command_id) => self.business_answered(*command_id, answer),
            Purpose::Flow(message) => self.flow_sent(*message, answer),
            Purpose::Forget(number) => self.withdraw_answered(*number, answer),
            Purpose::Log(conversation) => return self.log_answered(*conversation, answer),
        }
        Ok(())
    }

    /// The same device has come in by another socket: two of them would take turns for ever.
    fn replaced(&mut self) {
        let error = refusal(
            "session_replaced",
            "this device is connected from somewhere else, perhaps another window; go on there, or restart here",
        );
        self.notify(Notification::Trouble {
            reason: error.code.clone(),
            message: error.message.clone(),
        });
        self.connection.refused = Some(error);
        self.drop_connection();
    }

    pub(crate) fn push(&mut self, body: &Body) -> Step {
        match body {
            Body::QueueEmpty(_) => {
                self.queue_emptied();
                self.fetch_receipts();
                self.wake_all();
                self.withdraw_again();
            }
            Body::KeyPackagesLow(low) => self.publish_key_packages(low.left),
            Body::Delivered(delivered) => self.delivered(delivered),
            Body::Typing(notice) => self.typing(notice),
            Body::Presence(notice) => self.presence(notice),
            Body::PaymentChanged(changed) => self.payment_changed(changed),
            Body::JoinRequested(asked) => {
                if let Ok(conversation_id) = ConversationId::from_slice(&asked.conversation_id) {
                    self.notify(Notification::JoinRequested { conversation_id });
                }
            }
            Body::Error(error) if error.reason == "session_replaced" => self.replaced(),
            // A push of a later version.
            _ => {}
        }
        Ok(())
    }
}
