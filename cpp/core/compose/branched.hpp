/// Base of composites whose branches all take the composite's own input.
#pragma once

#include <utility>

#include "core/node.hpp"

namespace fastaudio {

class Branched : public Node {
 public:
  using Branch = std::pair<std::string, NodePtr>;

  const std::vector<Branch>& branches() const { return branches_; }

  /// That of the first branch that says what it takes; so with `clip`.
  std::optional<StreamSpec> input() const override;
  std::optional<StreamSpec> clip() const override;

 protected:
  explicit Branched(std::vector<Branch> branches) : branches_(std::move(branches)) {}

  /// Throws ValueError in `node`'s name unless the branches fit one input, as far as they state it.
  void check_input(const char* node) const;

 private:
  std::vector<Branch> branches_;
};

}  // namespace fastaudio
