/// Guesses which name was meant by one that isn't known.
#pragma once

#include <string>
#include <vector>

#include "bindings/bindings.hpp"

namespace fastaudio::bindings {

/// Text from a network, which may not be UTF-8: then what can't be read is replaced.
py::str readable(const std::string& text);

/// "; did you mean 'hop_length'?", or nothing if no name is near. It knows other libraries' words for
/// options, and leaves the rest to Python's difflib.
std::string did_you_mean(const std::string& got, const std::vector<std::string>& known);

/// Returns the known names that difflib finds near `got`, the likest first, `n` at most. Of many it compares
/// only those with the most pairs of letters in common.
std::vector<std::string> likest(const std::string& got, const std::vector<std::string>& known, std::size_t n);

/// Returns the first `n` known names that `part` is a part of.
std::vector<std::string> holding(const std::string& part, const std::vector<std::string>& known,
                                 std::size_t n);

}  // namespace fastaudio::bindings
