#include "core/cores.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>

#ifdef __linux__
#include <sched.h>
#endif

#include "core/error.hpp"

namespace fastaudio {

namespace {

constexpr unsigned kMost = 1 << 16;

/// Returns the path of this process's control group in version 2, or "".
std::string group_path() {
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    if (line.starts_with("0::/")) return line.substr(3);
  }
  return "";
}

}  // namespace

std::optional<unsigned> cores_of_quota(const std::string& text) {
  std::istringstream in(text);
  double quota = 0;
  double period = 0;
  if (!(in >> quota >> period) || quota <= 0 || period <= 0) return std::nullopt;
  return static_cast<unsigned>(std::clamp(std::ceil(quota / period), 1.0, double{kMost}));
}

std::optional<unsigned> cores_of_group(const std::string& root, std::string path) {
  std::optional<unsigned> least;
  for (;;) {
    if (path == "/") path.clear();
    std::ifstream file(root + path + "/cpu.max");
    std::string line;
    std::getline(file, line);
    if (const auto n = cores_of_quota(line)) least = std::min(*n, least.value_or(*n));
    if (path.empty()) return least;
    path.erase(path.rfind('/'));
  }
}

unsigned usable_cores() {
  unsigned n = std::max(std::thread::hardware_concurrency(), 1u);
#ifdef __linux__
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof cores, &cores) == 0) {
    n = static_cast<unsigned>(std::max(CPU_COUNT(&cores), 1));
  }
  if (const std::string path = group_path(); !path.empty()) {
    n = std::min(n, cores_of_group("/sys/fs/cgroup", path).value_or(n));
  }
#endif
  return n;
}

unsigned runs_at_once() {
  const char* wanted = std::getenv("FASTAUDIO_RUNS_AT_ONCE");
  if (wanted == nullptr || *wanted == '\0') return usable_cores();
  const char* end = wanted + std::strlen(wanted);
  unsigned n = 0;
  const auto read = std::from_chars(wanted, end, n);
  if (read.ec == std::errc() && read.ptr == end && n >= 1 && n <= kMost) return n;
  throw ValueError("FASTAUDIO_RUNS_AT_ONCE: expected a whole number in [1, " + std::to_string(kMost) +
                   "], got '" + wanted + "'; unset it to take the number of cores");
}

}  // namespace fastaudio
