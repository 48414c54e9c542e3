//! Our KeyPackages: made, kept with their private keys, published, and made again when few are left.

use kabar_protocol::{
    suite,
    wire::{self, client_frame::Body, server_frame},
};

use crate::{
    connection::{Answer, Purpose},
    mls,
    state::State,
};

/// Single-use packages that the server should hold. Each costs two X-Wing key pairs and about 3 kB.
const KEY_PACKAGES_TARGET: u32 = 40;
/// The same on the suite of large groups, into which nobody is added often. Fewer than what the server calls few of all.
const LARGE_GROUP_PACKAGES: u32 = 10;

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
        let mut requests = Vec::new();
        for (suite, count) in [(suite::XWING, count), (suite::X25519, LARGE_GROUP_PACKAGES)] {
            let made = mls::make_key_packages(&self.engine, &me, suite, count, false)
                .and_then(|single| Ok((single, mls::make_key_packages(&self.engine, &me, suite, 1, true)?)));
            let Ok(((packages, rows), (last_resort, last_resort_rows))) = made else {
                return;
            };
            let publish = wire::PublishKeyPackages {
                key_packages: packages.into_iter().map(Into::into).collect(),
                last_resort: last_resort.into_iter().next().map(Into::into),
            };
            requests.push((publish, rows, last_resort_rows));
        }
        for (publish, rows, last_resort_rows) in requests {
            self.tx.extend(rows);
            self.tx.extend(last_resort_rows);
            self.request(Purpose::KeyPackages, Body::PublishKeyPackages(publish));
        }
        if !self.cursor.for_large_groups {
            self.cursor.for_large_groups = true;
            self.save_cursor();
        }
    }

    /// True if an earlier version, which knew no large groups, has published for this device.
    pub(crate) fn lacks_key_packages(&self) -> bool {
        self.cursor.publish_key_packages || !self.cursor.for_large_groups
    }

    pub(crate) fn key_packages_answered(&mut self, answer: &Answer) {
        if matches!(answer, Ok(server_frame::Body::KeyPackagesPublished(_))) && self.cursor.publish_key_packages {
            self.cursor.publish_key_packages = false;
            self.save_cursor();
        }
    }
}
