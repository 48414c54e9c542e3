//! Our KeyPackages: made, kept with their private keys, published, and made again when few are left.

use kabar_protocol::wire::{self, client_frame::Body, server_frame};

use crate::{
    connection::{Answer, Purpose},
    mls,
    state::State,
};

/// Single-use packages that the server should hold. Each costs two X-Wing key pairs and about 3 kB.
const KEY_PACKAGES_TARGET: u32 = 40;

impl State {
    pub(crate) fn publish_key_packages(&mut self, left: u32) {
        if self.connection.is_asking(&Purpose::KeyPackages) {
            return;
        }
        // After a new timeline or as a new device, what the server holds is not counted on.
        let left = if self.cursor.publish_key_packages { 0 } else { left };
        let Some(account) = &self.account else {
            return;
        };
        let key = account.secret.key();
        let me = account.identity(&key);
        let count = KEY_PACKAGES_TARGET.saturating_sub(left);
        let made = mls::make_key_packages(&self.engine, &me, count, false)
            .and_then(|single| Ok((single, mls::make_key_packages(&self.engine, &me, 1, true)?)));
        let Ok(((packages, rows), (last_resort, last_resort_rows))) = made else {
            return;
        };
        self.tx.extend(rows);
        self.tx.extend(last_resort_rows);
        let publish = wire::PublishKeyPackages {
            key_packages: packages.into_iter().map(Into::into).collect(),
            last_resort: last_resort.into_iter().next().map(Into::into),
        };
        self.request(Purpose::KeyPackages, Body::PublishKeyPackages(publish));
    }

    pub(crate) fn key_packages_answered(&mut self, answer: &Answer) {
        if matches!(answer, Ok(server_frame::Body::KeyPackagesPublished(_))) && self.cursor.publish_key_packages {
            self.cursor.publish_key_packages = false;
            self.save_cursor();
        }
    }
}
