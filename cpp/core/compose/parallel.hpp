/// Named branches over one input: what comes before them is computed once.
#pragma once

#include "core/compose/composite.hpp"

namespace fastaudio {

/// Outputs are the branches' outputs in order, named after the branch ("genre"), or "genre.layer"
/// where a branch has several.
class Parallel final : public CompositeOf<Parallel, Branched> {
 public:
  static constexpr const char* name = "Parallel";
  static constexpr const char* doc =
      "Named branches over one input, which is computed once; `a >> {\"name\": b}` makes one.\n\n"
      "Raises:\n    ValueError: where a branch doesn't fit the input.\n";
  static constexpr std::array child_arguments{
      ChildArgument{"branches", "The branches by name.", Form::dict, Role::output}};
  using Options = NoOptions;

  /// At least one branch; names must differ and not be empty.
  explicit Parallel(std::vector<NamedNode> branches, Options options = {});

  std::vector<Output> outputs(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override;
  double receptive_field_s(const StreamSpec& input) const override;
};

}  // namespace fastaudio
