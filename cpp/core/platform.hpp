/// The few calls that differ between operating systems.
#pragma once

#include <cstddef>
#include <string>

namespace fastaudio::platform {

/// Opens a shared library by its path, symbols kept to itself, and never closes it.
/// Returns null and sets `error` if it can't.
void* open_library(const std::string& path, std::string& error);

/// A symbol of an opened library, or null.
void* find_symbol(void* library, const char* name);

/// Sets an environment variable of this process.
void set_environment(const char* name, const char* value);

/// How many times this process is a fork's child: it grows in the child, never in the parent.
int fork_generation();

/// Asks for large pages under a large block of fresh memory, where there are such: a fault costs as much
/// as computing half a page.
void prefer_large_pages(void* memory, std::size_t n_bytes);

}  // namespace fastaudio::platform
