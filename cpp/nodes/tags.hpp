#pragma once

#include "core/options.hpp"

namespace fastaudio {

class Tags final : public NodeOf<Tags> {
 public:
  static constexpr const char* name = "Tags";
  static constexpr const char* doc =
      R"(Gives scores their names: a pipeline that ends here returns `fastaudio.tags.Tags`.

Input:  scores [n_windows, n_labels]
Output: the same rows, with names along their last axis
Latency: none
)";
  struct Options {
    std::vector<std::string> labels;
    static constexpr auto fields() {
      return std::tuple{
          Field{"labels", &Options::labels, "Name of each score, in order.", Place::positional}};
    }
  };

  using NodeOf::NodeOf;
  static void check(const Options& options);
  std::string summary() const override;
  std::vector<Output> describe(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override { return Locality{}; }
};

}  // namespace fastaudio
