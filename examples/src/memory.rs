//! How much memory this process has needed.

/// The most memory this process has held at once, in bytes; `None` where the system does not tell.
///
/// Read from the process's status file, which Linux keeps. Elsewhere the figure would need a system library, and an
/// example is not worth a dependency.
pub fn peak_memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}
