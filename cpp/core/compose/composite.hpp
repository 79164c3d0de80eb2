/// Base of nodes that are made of other nodes. A composite declares its children and its options once; repr,
/// cards and the Python class derive from that.
#pragma once

#include <array>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/options.hpp"

namespace fastaudio {

/// How a constructor's argument holds children: f(a), f([a, b]), f({"name": a}) or f(a, b, ...).
enum class Form { node, list, dict, variadic };

/// One argument with children. A composite has several of `Form::node`, or a single one of another form.
struct ChildArgument {
  const char* name;
  const char* doc;
  Form form;
  Role role;
};

using NamedNode = std::pair<std::string, NodePtr>;

class Composite : public Node {
 public:
  std::span<const Child> children() const final { return children_; }

 protected:
  /// Children are named after their arguments, or numbered; those from a dict have names already.
  Composite(std::span<const ChildArgument> arguments, std::vector<NodePtr> nodes);
  Composite(std::span<const ChildArgument> arguments, std::vector<NamedNode> nodes);

  const NodePtr& child(std::size_t i) const { return children_[i].node; }

 private:
  std::vector<Child> children_;
};

/// Base of composites whose branches all take the composite's own input.
class Branched : public Composite {
 public:
  /// The input of the first branch that says what it takes.
  std::optional<StreamSpec> input() const override;

 protected:
  using Composite::Composite;
};

/// Writes "Film(content=..., condition=..., align='average')"; `options` comes from format_options.
std::string format_composite(const char* name, std::span<const ChildArgument> arguments,
                             std::span<const Child> children, const std::string& options);

/// Gives `nodes` the children's names. Throws ValueError if the arguments fix their number and it differs.
std::vector<NamedNode> replaced(const char* name, Form form, std::span<const Child> children,
                                std::vector<NodePtr> nodes);

/// Calls C's constructor as its declaration says: (node, ..., options), or (nodes, options).
template <class C>
std::shared_ptr<C> make_composite(std::vector<NamedNode> children, typename C::Options options) {
  if constexpr (C::child_arguments[0].form == Form::dict) {
    return std::make_shared<C>(std::move(children), std::move(options));
  } else {
    std::vector<NodePtr> nodes;
    for (NamedNode& child : children) nodes.push_back(std::move(child.second));
    if constexpr (C::child_arguments[0].form == Form::node) {
      return [&]<std::size_t... I>(std::index_sequence<I...>) {
        return std::make_shared<C>(std::move(nodes[I])..., std::move(options));
      }(std::make_index_sequence<C::child_arguments.size()>{});
    } else {
      return std::make_shared<C>(std::move(nodes), std::move(options));
    }
  }
}

/// `Derived` has what Optioned needs, a `doc`, an array `child_arguments` of ChildArgument, and the
/// constructor that `make_composite` calls.
template <class Derived, class Base = Composite>
class CompositeOf : public Base, public Optioned<Derived> {
 public:
  std::string repr() const override {
    return format_composite(Derived::name, Derived::child_arguments, this->children(),
                            format_options("", this->options()));
  }

  const char* type() const final { return Derived::name; }

  NodePtr with_children(std::vector<NodePtr> nodes) const override {
    constexpr Form form = Derived::child_arguments[0].form;
    return make_composite<Derived>(replaced(Derived::name, form, this->children(), std::move(nodes)),
                                   this->options());
  }

 protected:
  /// `rest` is for `Base`.
  template <class Nodes, class Options, class... Rest>
  CompositeOf(Nodes nodes, const Options& options, Rest&&... rest)
      : Base(Derived::child_arguments, std::move(nodes), std::forward<Rest>(rest)...),
        Optioned<Derived>(options) {}

  /// Throws ValueError unless the children fit the input, if one of them states it.
  void check_input() const {
    if (const auto input = this->input()) this->outputs(*input);
  }
};

}  // namespace fastaudio
