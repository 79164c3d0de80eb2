#include "inference/onnx_names.hpp"

#include <algorithm>

#include "core/options.hpp"

namespace fastaudio::onnx {

std::string short_text(const std::string& name) {
  constexpr std::size_t kLongest = 64;  // bytes
  if (name.size() <= kLongest) return format(name);
  std::size_t end = kLongest;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) --end;  // within a character
  return format(name.substr(0, end) + "...");
}

std::string short_text(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kListed); ++i) {
    text += (i == 0 ? "" : ", ") + short_text(names[i]);
  }
  text = "[" + text + "]";
  return names.size() <= kListed ? text : text + " and " + std::to_string(names.size() - kListed) + " more";
}

UnknownName::UnknownName(const std::string& expected, std::vector<std::string> among, std::string name,
                         const char* remedy)
    : ModelError(expected + ", got " + short_text(name) + remedy),
      known(std::move(among)),
      got(std::move(name)) {}

}  // namespace fastaudio::onnx
