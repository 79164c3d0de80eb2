#include "core/platform.hpp"

#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#else
#include <dlfcn.h>
#include <pthread.h>
#include <sys/mman.h>
#endif

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <ctime>

namespace fastaudio::platform {

#ifdef _WIN32

void* open_library(const std::string& path, std::string& error) {
  const int size = MultiByteToWideChar(CP_UTF8, 0, path.c_str(), -1, nullptr, 0);
  std::wstring wide(static_cast<std::size_t>(size), L'\0');
  MultiByteToWideChar(CP_UTF8, 0, path.c_str(), -1, wide.data(), size);
  HMODULE library = LoadLibraryExW(wide.c_str(), nullptr, LOAD_WITH_ALTERED_SEARCH_PATH);
  if (library == nullptr) error = "Windows error " + std::to_string(GetLastError());
  return reinterpret_cast<void*>(library);
}

void* find_symbol(void* library, const char* name) {
  return reinterpret_cast<void*>(GetProcAddress(reinterpret_cast<HMODULE>(library), name));
}

void set_environment(const char* name, const char* value) { _putenv_s(name, value); }

int fork_generation() { return 0; }

double thread_seconds() {
  FILETIME begun, ended, kernel, user;
  if (GetThreadTimes(GetCurrentThread(), &begun, &ended, &kernel, &user) == 0) return 0;
  const auto seconds = [](const FILETIME& time) {  // it counts 100 ns
    return (static_cast<double>(time.dwHighDateTime) * 4294967296.0 + time.dwLowDateTime) * 1e-7;
  };
  return seconds(kernel) + seconds(user);
}

#else

void* open_library(const std::string& path, std::string& error) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) error = dlerror();
  return library;
}

void* find_symbol(void* library, const char* name) { return dlsym(library, name); }

void set_environment(const char* name, const char* value) { setenv(name, value, 1); }

int fork_generation() {
  static std::atomic<int> generation{0};
  static const int registered = pthread_atfork(nullptr, nullptr, [] { ++generation; });
  (void)registered;
  return generation;
}

double thread_seconds() {
  timespec time{};
  if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) != 0) return 0;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

#endif

void prefer_large_pages([[maybe_unused]] void* memory, [[maybe_unused]] std::size_t n_bytes) {
#ifdef MADV_HUGEPAGE
  constexpr std::size_t kPage = 4096;
  constexpr std::size_t kAtLeast = std::size_t{1} << 22;  // as NumPy does
  if (n_bytes < kAtLeast) return;
  const std::size_t skipped = kPage - reinterpret_cast<std::uintptr_t>(memory) % kPage;
  // Advice only: nothing depends on whether the system takes it.
  static_cast<void>(madvise(static_cast<char*>(memory) + skipped, n_bytes - skipped, MADV_HUGEPAGE));
#endif
}

}  // namespace fastaudio::platform
