#include "core/compose/branched.hpp"

namespace fastaudio {

std::optional<StreamSpec> Branched::input() const {
  for (const Branch& branch : branches_) {
    if (auto spec = branch.second->input()) return spec;
  }
  return std::nullopt;
}

std::optional<StreamSpec> Branched::clip() const {
  for (const Branch& branch : branches_) {
    if (auto spec = branch.second->clip()) return spec;
  }
  return std::nullopt;
}

void Branched::check_input(const char* node) const {
  if (const auto first = input()) outputs(*first);
  const auto first_clip = clip();
  for (const Branch& branch : branches_) {
    const auto other = branch.second->clip();
    if (other && !same_rate(first_clip->rate_hz, other->rate_hz)) {
      throw ValueError(std::string(node) + ": expected clips of one rate for all branches, got " +
                       to_string(*first_clip) + " and " + to_string(*other) + "; cut them in each branch");
    }
  }
}

}  // namespace fastaudio
