#include "core/node.hpp"

#include <limits>

namespace fastaudio {

double Node::receptive_field_s(const StreamSpec& input) const {
  const auto near = locality();
  if (!near) return std::numeric_limits<double>::infinity();
  return static_cast<double>(near->before + near->after) / input.rate_hz;
}

std::string Node::summary() const {
  constexpr std::size_t kWidth = 34;
  std::string text = repr();
  if (text.size() <= kWidth) return text;
  std::size_t comma = text.find(", ");
  if (text.substr(0, comma).find('[') != std::string::npos) comma = std::string::npos;  // inside a list
  if (comma == std::string::npos || comma > kWidth) return text.substr(0, text.find('(')) + "(...)";
  return text.substr(0, comma) + ", ...)";
}

std::string short_name(const Node& node) {
  std::string names;
  for (const NodePtr& part : node.parts()) {
    const std::string text = part->repr();
    names += (names.empty() ? "" : " >> ") + text.substr(0, text.find('('));
  }
  return names;
}

}  // namespace fastaudio
