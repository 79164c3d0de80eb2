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

NodePtr Node::with_hop(int) const {
  throw ValueError(summary() + ": expected a node that cuts windows, got one that doesn't; use Patches");
}

NodePtr Node::with_children(std::vector<NodePtr> nodes) const {
  if (!nodes.empty()) {
    throw ValueError(summary() + ": expected no children, got " + std::to_string(nodes.size()) +
                     "; only composites have some");
  }
  return shared_from_this();
}

std::vector<NodePtr> Node::parts() const {
  std::vector<NodePtr> steps;
  for (const Child& child : children()) {
    if (child.role == Role::step) steps.push_back(child.node);
  }
  return steps.empty() ? std::vector<NodePtr>{shared_from_this()} : steps;
}

std::string short_name(const Node& node) {
  std::string names;
  for (const NodePtr& part : node.parts()) {
    names += names.empty() ? "" : " >> ";
    names += part->type();
  }
  return names;
}

}  // namespace fastaudio
