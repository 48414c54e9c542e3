//! Counters and histograms in Prometheus' text form (`kabar_<slice>_<noun>_<unit>`).
//!
//! Holds numbers only: no label ever names an account, a device or an address.

use std::{
    fmt::Write as _,
    sync::atomic::{AtomicI64, AtomicU64, Ordering},
    time::Duration,
};

/// Upper bounds of the buckets, in microseconds.
const BOUNDS_US: [u64; 14] = [
    50, 100, 200, 400, 800, 1_500, 3_000, 6_000, 12_000, 25_000, 50_000, 100_000, 500_000, 2_000_000,
];

/// Durations by bucket.
#[derive(Default)]
pub(crate) struct Histogram {
    buckets: [AtomicU64; BOUNDS_US.len()],
    count: AtomicU64,
    sum_us: AtomicU64,
}

impl Histogram {
    pub(crate) fn observe(&self, duration: Duration) {
        let us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        if let Some(bucket) = BOUNDS_US.iter().position(|bound| us <= *bound) {
            self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(us, Ordering::Relaxed);
    }

    #[allow(clippy::cast_precision_loss)] // seconds for people
    pub(crate) fn write(&self, out: &mut String, name: &str) {
        let _ = writeln!(out, "# TYPE {name} histogram");
        let mut below = 0;
        for (bound, bucket) in BOUNDS_US.iter().zip(&self.buckets) {
            below += bucket.load(Ordering::Relaxed);
            let _ = writeln!(out, "{name}_bucket{{le=\"{}\"}} {below}", *bound as f64 / 1e6);
        }
        let count = self.count.load(Ordering::Relaxed);
        let _ = writeln!(out, "{name}_bucket{{le=\"+Inf\"}} {count}");
        let _ = writeln!(out, "{name}_sum {}", self.sum_us.load(Ordering::Relaxed) as f64 / 1e6);
        let _ = writeln!(out, "{name}_count {count}");
    }
}

/// What the server counts, by slice.
#[derive(Default)]
pub(crate) struct Metrics {
    pub(crate) socket_connections: AtomicI64,
    pub(crate) socket_sessions: AtomicI64,
    pub(crate) socket_frames_received: AtomicU64,
    pub(crate) socket_frames_sent: AtomicU64,
    pub(crate) socket_catch_ups: AtomicU64,
    pub(crate) accounts_registrations: AtomicU64,
    pub(crate) accounts_authentications: AtomicU64,
    pub(crate) messaging_sends: AtomicU64,
    pub(crate) messaging_queue_items: AtomicU64,
    pub(crate) messaging_acks: AtomicU64,
    pub(crate) messaging_commits: AtomicU64,
    pub(crate) messaging_batches: AtomicU64,
    /// Items of queues whose body was dropped before a device fetched it.
    pub(crate) messaging_withdrawn: AtomicU64,
    pub(crate) media_bytes_received: AtomicU64,
    /// Of whole files, as ciphertext.
    pub(crate) media_stored_bytes: AtomicI64,
    /// Whole files that are to go into the bucket, as the last round found and left them.
    pub(crate) media_moving_files: AtomicI64,
    pub(crate) media_bucket_errors: AtomicU64,
    /// By their senders; what expires is not among them.
    pub(crate) media_files_deleted: AtomicU64,
    pub(crate) commerce_orders: AtomicU64,
    pub(crate) commerce_pending: AtomicU64,
    pub(crate) commerce_authorised: AtomicU64,
    pub(crate) commerce_captured: AtomicU64,
    pub(crate) commerce_voided: AtomicU64,
    pub(crate) commerce_failed: AtomicU64,
    pub(crate) commerce_refunded: AtomicU64,
    /// Forged or repeated.
    pub(crate) commerce_callbacks_refused: AtomicU64,
    pub(crate) limits_refusals: AtomicU64,
    pub(crate) errors: AtomicU64,
}

impl Metrics {
    pub(crate) fn count(counter: &AtomicU64) {
        Self::add(counter, 1);
    }

    pub(crate) fn add(counter: &AtomicU64, amount: u64) {
        counter.fetch_add(amount, Ordering::Relaxed);
    }

    pub(crate) fn write(&self, out: &mut String) {
        let gauges = [
            ("kabar_socket_connections", &self.socket_connections),
            ("kabar_socket_sessions", &self.socket_sessions),
            ("kabar_media_stored_bytes", &self.media_stored_bytes),
            ("kabar_media_moving_files", &self.media_moving_files),
        ];
        for (name, gauge) in gauges {
            let _ = writeln!(out, "# TYPE {name} gauge\n{name} {}", gauge.load(Ordering::Relaxed));
        }
        let counters = [
            ("kabar_socket_frames_received_total", &self.socket_frames_received),
            ("kabar_socket_frames_sent_total", &self.socket_frames_sent),
            ("kabar_socket_catch_ups_total", &self.socket_catch_ups),
            ("kabar_accounts_registrations_total", &self.accounts_registrations),
            ("kabar_accounts_authentications_total", &self.accounts_authentications),
            ("kabar_messaging_sends_total", &self.messaging_sends),
            ("kabar_messaging_queue_items_total", &self.messaging_queue_items),
            ("kabar_messaging_acks_total", &self.messaging_acks),
            ("kabar_messaging_commits_total", &self.messaging_commits),
            ("kabar_messaging_batches_total", &self.messaging_batches),
            ("kabar_messaging_withdrawn_items_total", &self.messaging_withdrawn),
            ("kabar_media_bytes_received_total", &self.media_bytes_received),
            ("kabar_media_bucket_errors_total", &self.media_bucket_errors),
            ("kabar_media_deleted_files_total", &self.media_files_deleted),
            ("kabar_commerce_orders_total", &self.commerce_orders),
            ("kabar_commerce_payments_pending_total", &self.commerce_pending),
            ("kabar_commerce_payments_authorised_total", &self.commerce_authorised),
            ("kabar_commerce_payments_captured_total", &self.commerce_captured),
            ("kabar_commerce_payments_voided_total", &self.commerce_voided),
            ("kabar_commerce_payments_failed_total", &self.commerce_failed),
            ("kabar_commerce_payments_refunded_total", &self.commerce_refunded),
            (
                "kabar_commerce_callbacks_refused_total",
                &self.commerce_callbacks_refused,
            ),
            ("kabar_limits_refusals_total", &self.limits_refusals),
            ("kabar_server_errors_total", &self.errors),
        ];
        for (name, counter) in counters {
            let _ = writeln!(out, "# TYPE {name} counter\n{name} {}", counter.load(Ordering::Relaxed));
        }
    }
}
