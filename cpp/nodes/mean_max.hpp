/// Mean and Max pool over the whole clip.
#pragma once

#include "core/options.hpp"

namespace fastaudio {

class Mean final : public NodeOf<Mean> {
 public:
  static constexpr const char* name = "Mean";
  static constexpr const char* doc = R"(Takes the mean of all rows of a clip.

Input:  rows of any shape
Output: one row of the same shape at the end; none for an empty clip
Latency: the whole clip, since the row comes out at its end
)";
  using Options = NoOptions;

  using NodeOf::NodeOf;
  std::vector<Output> describe(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
};

class Max final : public NodeOf<Max> {
 public:
  static constexpr const char* name = "Max";
  static constexpr const char* doc = R"(Takes the largest value of each element over all rows of a clip.

Input:  rows of any shape
Output: one row of the same shape at the end; none for an empty clip
Latency: the whole clip, since the row comes out at its end
)";
  using Options = NoOptions;

  using NodeOf::NodeOf;
  std::vector<Output> describe(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
};

}  // namespace fastaudio
