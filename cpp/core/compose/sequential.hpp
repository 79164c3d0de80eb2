/// Nodes in a row: each one's output is the next one's input.
#pragma once

#include "core/compose/composite.hpp"

namespace fastaudio {

/// Rates, shapes and units are checked when it is made, as far as the first node states its input.
class Sequential final : public CompositeOf<Sequential> {
 public:
  static constexpr const char* name = "Sequential";
  static constexpr const char* doc =
      "Nodes in a row, each one's output the next one's input; `a >> b` makes one.\n\n"
      "Raises:\n    ValueError: where two neighbours' rates, shapes or units don't fit.\n";
  static constexpr std::array child_arguments{
      ChildArgument{"nodes", "The nodes in order.", Form::list, Role::step}};
  using Options = NoOptions;

  /// At least one node; a Sequential among them is replaced by its nodes.
  /// Throws ValueError where two neighbours don't fit.
  explicit Sequential(const std::vector<NodePtr>& nodes, Options options = {});

  std::string repr() const override;
  std::optional<StreamSpec> input() const override { return child(0)->input(); }
  std::vector<Output> outputs(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override;
  double receptive_field_s(const StreamSpec& input) const override;
};

}  // namespace fastaudio
