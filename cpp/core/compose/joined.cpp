#include "core/compose/joined.hpp"

#include <limits>

namespace fastaudio {

Alignment Joined::alignment(const std::vector<AlignedRows>& rows) const {
  return Alignment(type_, rows, rate_of_, average_);
}

std::vector<Output> Joined::outputs(const StreamSpec& input) const {
  const auto rows = aligned(input);
  const Alignment alignment = this->alignment(rows);
  StreamSpec spec = rows[alignment.rate_of()].spec;
  spec.labels.clear();
  spec.bin_hz = 0;
  spec.latency_s = alignment.latency_s(rows);
  join_specs(rows, spec);
  check_spec(spec);
  return {{"", spec}};
}

std::optional<Alignment::Extent> Joined::extent() const {
  std::vector<Locality> all;
  for (const Child& branch : children()) {
    const auto near = branch.node->locality();
    if (!near) return std::nullopt;
    all.push_back(*near);
  }
  return Alignment::extent(all, rate_of_, average_);
}

std::optional<Locality> Joined::locality() const {
  const auto extent = this->extent();
  return extent ? std::optional(extent->locality) : std::nullopt;
}

double Joined::receptive_field_s(const StreamSpec& input) const {
  const auto extent = this->extent();
  return extent ? extent->widest / input.rate_hz : std::numeric_limits<double>::infinity();
}

}  // namespace fastaudio
