#include "core/options.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace fastaudio {

std::string format(bool value) { return value ? "True" : "False"; }

std::string format(int value) { return std::to_string(value); }

std::string format(std::int64_t value) { return std::to_string(value); }

std::string format(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char text[40];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  std::string result(text, end);
  if (result.find_first_of(".e") == std::string::npos) result += ".0";
  return result;
}

std::string format(const std::string& value) {
  std::string text = "'";
  for (const char c : value) {
    if (c == '\\' || c == '\'') {
      text += '\\';
      text += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      constexpr char kHex[] = "0123456789abcdef";
      text += std::string("\\x") + kHex[(c >> 4) & 15] + kHex[c & 15];
    } else {
      text += c;
    }
  }
  return text + "'";
}

namespace {

template <class T>
std::string list(const std::vector<T>& value) {
  std::string text;
  for (const T& item : value) text += (text.empty() ? "" : ", ") + format(item);
  return "[" + text + "]";
}

/// A whole number without the ".0" that Python's floats have.
std::string bound(double value) {
  std::string text = format(value);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

}  // namespace

std::string format(const std::vector<std::string>& value) { return list(value); }

std::string format(const std::vector<double>& value) { return list(value); }

std::string format(const std::map<std::string, std::string>& value) {
  std::string text;
  for (const auto& [key, item] : value)
    text += (text.empty() ? "" : ", ") + format(key) + ": " + format(item);
  return "{" + text + "}";
}

std::string format(const Range& range, std::string_view unit) {
  const std::string text = "[" + bound(range.min) + ", " + bound(range.max) + "]";
  return unit.empty() ? text : text + " " + std::string(unit);
}

std::string format(const Choices& choices) {
  std::string text = "one of '";
  for (const char c : choices.names) text += c == ' ' ? "', '" : std::string(1, c);
  return text + "'";
}

bool contains(const Choices& choices, std::string_view name) {
  const std::string all = " " + std::string(choices.names) + " ";
  return name.find(' ') == std::string_view::npos &&
         all.find(" " + std::string(name) + " ") != std::string::npos;
}

namespace detail {

void state_latency(std::vector<Output>& outputs, const Locality& near, const StreamSpec& input) {
  if (input.once()) return;
  const auto waits_for = static_cast<double>(std::max(near.after, near.first) - 1);
  for (Output& output : outputs) output.spec.latency_s = input.latency_s + waits_for / input.rate_hz;
}

void throw_outside(const char* node, const char* field, const std::string& expected, const std::string& got) {
  throw ValueError(std::string(node) + ": expected " + field + " " + expected + ", got " + got);
}

}  // namespace detail

}  // namespace fastaudio
