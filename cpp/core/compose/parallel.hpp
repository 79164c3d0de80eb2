/// Named branches over one input: what they share is computed once.
#pragma once

#include "core/compose/branched.hpp"

namespace fastaudio {

/// Outputs are the branches' outputs in order, named after the branch ("genre"), or "genre.layer"
/// where a branch has several.
class Parallel final : public Branched {
 public:
  static constexpr const char* name = "Parallel";

  /// At least one branch; names must differ and not be empty.
  explicit Parallel(std::vector<Branch> branches);

  std::string repr() const override;
  std::vector<Output> outputs(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override;
  double receptive_field_s(const StreamSpec& input) const override;
};

}  // namespace fastaudio
