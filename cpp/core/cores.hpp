/// How many cores this process may use.
#pragma once

#include <optional>
#include <string>

namespace fastaudio {

/// Returns how many cores a quota of processor time fills, rounded up, at least 1. `text` is Linux's
/// "QUOTA PERIOD", in microseconds; none for "max PERIOD", or for anything else.
std::optional<unsigned> cores_of_quota(const std::string& text);

/// Returns the least quota of a control group and those around it, up to `root`. `path` begins with a slash,
/// as in /proc/self/cgroup; the group's own files need not be visible, as in most containers.
std::optional<unsigned> cores_of_group(const std::string& root, std::string path);

/// Returns how many cores this process may use: those that its threads may run on, or fewer if a container's
/// quota allows less. Quotas are read from Linux's control groups, version 2.
unsigned usable_cores();

/// Returns how many runs of networks may happen at once: FASTAUDIO_RUNS_AT_ONCE, or the usable cores if it
/// isn't set. Throws ValueError if it is no number of at least 1.
unsigned runs_at_once();

}  // namespace fastaudio
