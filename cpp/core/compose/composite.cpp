#include "core/compose/composite.hpp"

namespace fastaudio {

Composite::Composite(std::span<const ChildArgument> arguments, std::vector<NodePtr> nodes) {
  for (NodePtr& node : nodes) {
    const std::size_t i = children_.size();
    const bool own = arguments[0].form == Form::node;  // each child has an argument of its own
    children_.push_back(
        {own ? arguments[i].name : std::to_string(i), std::move(node), arguments[own ? i : 0].role});
  }
}

Composite::Composite(std::span<const ChildArgument> arguments, std::vector<NamedNode> nodes) {
  for (auto& [name, node] : nodes) children_.push_back({std::move(name), std::move(node), arguments[0].role});
}

std::optional<StreamSpec> Branched::input() const {
  for (const Child& branch : children()) {
    if (auto spec = branch.node->input()) return spec;
  }
  return std::nullopt;
}

std::string format_composite(const char* name, std::span<const ChildArgument> arguments,
                             std::span<const Child> children, const std::string& options) {
  const Form form = arguments[0].form;
  std::string text;
  for (const Child& child : children) {
    if (!text.empty()) text += ", ";
    if (form == Form::dict) text += format(child.name) + ": ";
    if (form == Form::node && arguments.size() > 1) text += child.name + "=";
    text += child.node->repr();
  }
  if (form == Form::list) text = "[" + text + "]";
  if (form == Form::dict) text = "{" + text + "}";
  const std::string rest = options.substr(1);  // what follows "("
  return std::string(name) + "(" + text + (rest == ")" ? "" : ", ") + rest;
}

std::vector<NamedNode> replaced(const char* name, Form form, std::span<const Child> children,
                                std::vector<NodePtr> nodes) {
  const bool fixed = form == Form::node || form == Form::dict;
  if (fixed && nodes.size() != children.size()) {
    throw ValueError(std::string(name) + ": expected " + std::to_string(children.size()) +
                     " children, as it has now, got " + std::to_string(nodes.size()));
  }
  std::vector<NamedNode> result;
  for (NodePtr& node : nodes) {
    const std::size_t i = result.size();
    result.emplace_back(fixed ? children[i].name : "", std::move(node));
  }
  return result;
}

}  // namespace fastaudio
