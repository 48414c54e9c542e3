//! `kabar chat`: a complete encrypted client for the command line and for scripts.
//!
//! Each command opens the home, does one thing and leaves; the home's lock keeps two of them apart.

mod account;
mod answer;
mod arrange;
mod change;
mod commerce;
mod files;
mod flow;
mod gate;
mod group;
mod invite;
mod kinds;
mod messages;
mod privacy;
mod receive;
mod shown;
#[cfg(test)]
mod tests;

use std::{path::PathBuf, time::Duration};

use clap::{Args, Subcommand};
use kabar_client::{
    Client, Options,
    api::{Command, Reply},
};

use crate::output::{Failure, Output};

/// How long a second command on one home waits for the first.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
pub(crate) struct ChatArgs {
    /// Directory of this account's keys and messages; only `ticket verify` goes without
    #[arg(long, env = "KABAR_HOME")]
    home: Option<PathBuf>,
    /// Address of the server, such as http://localhost:8080; remembered by the home
    #[arg(long, env = "KABAR_SERVER")]
    server: Option<String>,
    /// Seconds until a command that waits for the server gives up
    #[arg(long, default_value_t = 30, global = true)]
    wait: u64,
    #[command(subcommand)]
    command: ChatCommand,
}

#[derive(Debug, Subcommand)]
enum ChatCommand {
    /// Make an account: only a name is asked
    Register(account::Register),
    /// Prove a phone number with the code that was sent to it
    Verify(account::Verify),
    /// Ask for a (new) code for a phone number
    Phone(account::Phone),
    /// Show this account
    Whoami,
    /// Change name or username
    Profile(account::Profile),
    /// Show the 60 digits to compare with a person
    SafetyNumber(account::SafetyNumber),
    /// Send a message; exits 0 only after the server has it durably
    Send(Box<messages::Send>),
    /// Put an emoji to a message
    React(change::React),
    /// Change a message of one's own
    Edit(change::Edit),
    /// Take a message of one's own back, everywhere
    Delete(change::Delete),
    /// Pass a message on
    Forward(change::Forward),
    /// Answer an event
    Rsvp(change::Rsvp),
    /// Vote in a poll
    Vote(kinds::Vote),
    /// End a poll of one's own
    ClosePoll(kinds::ClosePoll),
    /// Keep a message to find it again; known to this home only
    Star(kinds::Star),
    /// Let it go
    Unstar(kinds::Star),
    /// List what was starred in all conversations, newest first
    Starred(kinds::Starred),
    /// Put a message to the top of its thread, for everybody
    PinMessage(kinds::PinMessage),
    /// Take it down
    UnpinMessage(kinds::UnpinMessage),
    /// Have messages of a conversation vanish after a while
    Timer(kinds::Timer),
    /// Save the file of a message
    SaveFile(files::SaveFile),
    /// Press a reply button of a message; exits 0 only after the server has the answer durably
    Tap(answer::Tap),
    /// Pick a row of a list message, as durably
    ListSelect(answer::ListSelect),
    /// Show the first screen of a flow, and what it asks for
    FlowOpen(flow::FlowOpen),
    /// Fill in a flow with answers and send it; exits 0 only after the server has the answer durably
    FlowSubmit(flow::FlowSubmit),
    /// Pay an order; exits 0 only after the provider has taken it
    Pay(commerce::Pay),
    /// Show what became of the payment of an order
    Payment(commerce::Payment),
    /// List this account's tickets
    Tickets,
    /// Ask the seller to take a ticket back
    Return(commerce::Return),
    /// Check a ticket
    Ticket(gate::TicketArgs),
    /// Make, change and leave groups of people
    Group(group::GroupArgs),
    /// Show with whom a message of yours has arrived
    Info(group::Info),
    /// No notifications of a conversation for a while; known to this home only
    Mute(group::Mute),
    /// Keep a conversation at the top of the list; this and the next six are known to this home only
    Pin(arrange::Arrange),
    /// Let it go to its place
    Unpin(arrange::Arrange),
    /// Put a conversation away; new messages leave it there
    Archive(arrange::Arrange),
    /// Take it back into the list
    Unarchive(arrange::Arrange),
    /// Mark a conversation to come back to
    MarkUnread(arrange::Arrange),
    /// Everything in a conversation is read; the senders learn it
    MarkRead(arrange::Arrange),
    /// Keep a text that is to be sent later
    Draft(arrange::Draft),
    /// Sort a conversation under names of your own; known to this home only
    Lists(arrange::Lists),
    /// Show or change what others see of you
    Privacy(privacy::Privacy),
    /// Ask whether a person is there, as far as both let each other see it
    Presence(privacy::Presence),
    /// Hear nothing more from a person or a business; they do not learn it
    Block(privacy::Block),
    /// Hear from them again
    Unblock(privacy::Block),
    /// Show what somebody wrote to the operator, with proof; nothing else of the chat
    Report(privacy::Report),
    /// Print what came in, each item once
    Receive(receive::Receive),
    /// Mark everything up to a message as read
    Read(messages::Read),
    /// Try a failed message again, or forget it
    Resolve(messages::Resolve),
    /// List conversations
    Chats,
    /// List messages of a conversation, newest first
    Messages(messages::Messages),
    /// List pictures and films, other files, or links of a conversation, newest first
    Shelf(messages::Shelf),
    /// Find messages of all conversations by their words, newest first
    Search(messages::Search),
    /// Show what the server holds of a conversation: ciphertext beside the text
    ServerView(messages::ServerView),
}

pub(crate) async fn run(args: ChatArgs, output: Output) -> Result<(), Failure> {
    if let ChatCommand::Ticket(ticket) = &args.command {
        return gate::run(&args, ticket, output).await;
    }
    let session = Session::open(&args, output).await?;
    let result = match args.command {
        ChatCommand::Register(register) => register.run(&session).await,
        ChatCommand::Verify(verify) => verify.run(&session).await,
        ChatCommand::Phone(phone) => phone.run(&session).await,
        ChatCommand::Whoami => account::whoami(&session).await,
        ChatCommand::Profile(profile) => profile.run(&session).await,
        ChatCommand::SafetyNumber(safety_number) => safety_number.run(&session).await,
        ChatCommand::Send(send) => send.run(&session).await,
        ChatCommand::React(react) => react.run(&session).await,
        ChatCommand::Edit(edit) => edit.run(&session).await,
        ChatCommand::Delete(delete) => delete.run(&session).await,
        ChatCommand::Forward(forward) => forward.run(&session).await,
        ChatCommand::Rsvp(rsvp) => rsvp.run(&session).await,
        ChatCommand::Vote(vote) => vote.run(&session).await,
        ChatCommand::ClosePoll(close) => close.run(&session).await,
        ChatCommand::Star(star) => star.run(&session, true).await,
        ChatCommand::Unstar(star) => star.run(&session, false).await,
        ChatCommand::Starred(starred) => starred.run(&session).await,
        ChatCommand::PinMessage(pin) => pin.run(&session).await,
        ChatCommand::UnpinMessage(unpin) => unpin.run(&session).await,
        ChatCommand::Timer(timer) => timer.run(&session).await,
        ChatCommand::SaveFile(save) => save.run(&session).await,
        ChatCommand::Tap(tap) => tap.run(&session).await,
        ChatCommand::ListSelect(select) => select.run(&session).await,
        ChatCommand::FlowOpen(open) => open.run(&session).await,
        ChatCommand::FlowSubmit(submit) => submit.run(&session).await,
        ChatCommand::Pay(pay) => pay.run(&session).await,
        ChatCommand::Payment(payment) => payment.run(&session).await,
        ChatCommand::Tickets => commerce::tickets(&session).await,
        ChatCommand::Return(back) => back.run(&session).await,
        // Done above, without a session.
        ChatCommand::Ticket(_) => Ok(()),
        ChatCommand::Group(group) => group.run(&session).await,
        ChatCommand::Info(info) => info.run(&session).await,
        ChatCommand::Mute(mute) => mute.run(&session).await,
        ChatCommand::Pin(chat) => chat.run(&session, arrange::How::Pin).await,
        ChatCommand::Unpin(chat) => chat.run(&session, arrange::How::Unpin).await,
        ChatCommand::Archive(chat) => chat.run(&session, arrange::How::Archive).await,
        ChatCommand::Unarchive(chat) => chat.run(&session, arrange::How::Unarchive).await,
        ChatCommand::MarkUnread(chat) => chat.run(&session, arrange::How::MarkUnread).await,
        ChatCommand::MarkRead(chat) => chat.run(&session, arrange::How::MarkRead).await,
        ChatCommand::Draft(draft) => draft.run(&session).await,
        ChatCommand::Receive(receive) => receive.run(&session).await,
        ChatCommand::Read(read) => read.run(&session).await,
        ChatCommand::Resolve(resolve) => resolve.run(&session).await,
        ChatCommand::Chats => messages::chats(&session).await,
        ChatCommand::Lists(lists) => lists.run(&session).await,
        ChatCommand::Privacy(privacy) => privacy.run(&session).await,
        ChatCommand::Report(report) => report.run(&session).await,
        ChatCommand::Presence(presence) => presence.run(&session).await,
        ChatCommand::Block(block) => block.run(&session, true).await,
        ChatCommand::Unblock(block) => block.run(&session, false).await,
        ChatCommand::Messages(messages) => messages.run(&session).await,
        ChatCommand::Shelf(shelf) => shelf.run(&session).await,
        ChatCommand::Search(search) => search.run(&session).await,
        ChatCommand::ServerView(view) => view.run(&session).await,
    };
    session.client.close().await;
    result
}

/// One command's client and its manners.
struct Session {
    client: Client,
    home: PathBuf,
    output: Output,
    wait: Duration,
}

impl Session {
    async fn open(args: &ChatArgs, output: Output) -> Result<Self, Failure> {
        let Some(home) = args.home.clone() else {
            let missing = "--home DIR is missing; KABAR_HOME may name it too";
            clap::Error::raw(clap::error::ErrorKind::MissingRequiredArgument, missing).exit()
        };
        let options = Options {
            home: home.clone(),
            server: args.server.clone(),
            feed: true,
            dial: None,
            lock_timeout: LOCK_TIMEOUT,
        };
        Ok(Self {
            client: Client::open(options).await?,
            home,
            output,
            wait: Duration::from_secs(args.wait),
        })
    }

    async fn ask(&self, command: Command) -> Result<Reply, Failure> {
        Ok(self.client.command(command, self.wait).await?)
    }
}

/// A reply of another kind than the command's would be core's bug; a script still gets an error, not a panic.
fn unexpected(reply: &Reply) -> Failure {
    Failure::new("internal", format!("unexpected reply: {reply:?}"))
}
