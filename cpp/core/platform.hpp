/// The few calls that differ between operating systems.
#pragma once

#include <cstddef>
#include <string>

namespace fastaudio::platform {

/// Opens a shared library by its path and never closes it. Its symbols are visible to nobody else.
/// Returns null and sets `error` if that fails.
void* open_library(const std::string& path, std::string& error);

/// A symbol of an opened library, or null.
void* find_symbol(void* library, const char* name);

/// Sets an environment variable of this process.
void set_environment(const char* name, const char* value);

/// How many forks lie between this process and its first ancestor: a fork's child has one more than its
/// parent.
int fork_generation();

/// Remembers the process that it was made in. What owns threads has one: they don't exist in a fork's child.
class ForkGuard {
 public:
  bool forked() const { return generation_ != fork_generation(); }

 private:
  int generation_ = fork_generation();
};

/// Processor time that this thread has used, in seconds.
double thread_seconds();

/// Asks for large pages under a large block of fresh memory, if the system has them. Page faults would
/// dominate the run time: each costs as much as computing half a page.
void prefer_large_pages(void* memory, std::size_t n_bytes);

}  // namespace fastaudio::platform
