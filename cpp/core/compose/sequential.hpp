/// Nodes in a row: each one's output is the next one's input.
#pragma once

#include "core/node.hpp"

namespace fastaudio {

/// Rates, shapes and units are checked when it is made, as far as the first node tells them.
class Sequential final : public Node {
 public:
  static constexpr const char* name = "Sequential";

  /// At least one node; a Sequential among them is replaced by its parts.
  /// Throws ValueError where two neighbours don't fit.
  explicit Sequential(const std::vector<NodePtr>& nodes);

  std::string repr() const override;
  std::optional<StreamSpec> input() const override;
  std::vector<Output> outputs(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override;
  double receptive_field_s(const StreamSpec& input) const override;
  std::optional<StreamSpec> clip() const override { return nodes_.front()->clip(); }
  std::vector<NodePtr> parts() const override { return nodes_; }

 private:
  std::vector<Output> outputs_of(std::size_t i, const StreamSpec& input) const;

  std::vector<NodePtr> nodes_;
};

}  // namespace fastaudio
