//! What the kernel says of the server process, and what the disk costs.

use std::{
    fs::File,
    io::{Seek, Write},
    path::Path,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;

use super::{Quantiles, failed};
use crate::output::Failure;

/// USER_HZ: ticks a second in /proc/PID/stat, 100 on every Linux that Kabar runs on.
const TICKS_PER_S: f64 = 100.0;
const FDATASYNC_SAMPLES: u32 = 200;
/// Latencies are recorded in microseconds up to a minute.
const LATENCY_US_MAX: u64 = 60_000_000;

/// User and system CPU seconds of a process and its threads so far.
pub(crate) fn cpu_s(pid: u32) -> Result<f64, Failure> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).map_err(|_| failed(format!("no process {pid}")))?;
    // The command name, in brackets, may hold spaces: fields are counted behind it. utime and stime are fields 14 and 15.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    Ok(ticks as f64 / TICKS_PER_S)
}

/// Resident memory of a process, KiB.
pub(crate) fn rss_kib(pid: u32) -> Result<u64, Failure> {
    let status =
        std::fs::read_to_string(format!("/proc/{pid}/status")).map_err(|_| failed(format!("no process {pid}")))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse().ok());
    kib.ok_or_else(|| failed("no VmRSS"))
}

/// Time of write + fdatasync of one block, in the directory of the server's data.
pub(crate) fn fdatasync(directory: &Path) -> Result<Quantiles, Failure> {
    let mut file = tempfile_in(directory)?;
    let mut times = latencies();
    for _ in 0..FDATASYNC_SAMPLES {
        file.rewind()?;
        file.write_all(&[7; 4096])?;
        let begun = Instant::now();
        file.sync_data()?;
        record(&mut times, begun.elapsed());
    }
    Ok(quantiles(&times))
}

fn tempfile_in(directory: &Path) -> Result<File, Failure> {
    let path = directory.join("bench-fdatasync.tmp");
    let file = File::options()
        .create(true)
        .truncate(true)
        .read(true)
        .write(true)
        .open(&path)?;
    // Unlinked at once: the handle is enough.
    std::fs::remove_file(path)?;
    Ok(file)
}

pub(crate) fn latencies() -> Histogram<u64> {
    #[allow(clippy::expect_used)]
    Histogram::new_with_bounds(1, LATENCY_US_MAX, 3).expect("constant bounds are valid")
}

pub(crate) fn record(times: &mut Histogram<u64>, time: Duration) {
    times.saturating_record(u64::try_from(time.as_micros()).unwrap_or(LATENCY_US_MAX).max(1));
}

pub(crate) fn quantiles(times: &Histogram<u64>) -> Quantiles {
    let ms = |us: u64| us as f64 / 1000.0;
    Quantiles {
        p50: ms(times.value_at_quantile(0.5)),
        p99: ms(times.value_at_quantile(0.99)),
        max: ms(times.max()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_memory_and_time() {
        let pid = std::process::id();
        assert!(rss_kib(pid).expect("memory") > 100);
        assert!(cpu_s(pid).expect("time") >= 0.0);
        assert!(cpu_s(u32::MAX).is_err());
    }
}
